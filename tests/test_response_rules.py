"""Every rule about responses is named in the log when an application breaks it."""

import pytest

from harness.request import get


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/heads/status-zero", "BW0901"),
        ("/heads/status-interim", "BW0902"),
        ("/heads/status-crlf", "BW0903"),
        ("/heads/name-crlf", "BW0904"),
        ("/heads/value-crlf", "BW0905"),
        ("/heads/length-word", "BW0906"),
        ("/heads/length-twice", "BW0907"),
        ("/bodies/no-content-with-content", "BW0910"),
        ("/bodies/not-modified-with-content", "BW0910"),
        ("/lengths/longer-in-one-block", "BW0911"),
        ("/lengths/longer-in-blocks", "BW0911"),
        ("/lengths/shorter-in-one-block", "BW0912"),
        ("/heads/status-without-number", "BW0913"),
        ("/heads/value-snow", "BW0914"),
        ("/heads/status-snow", "BW0914"),
        ("/ends/raises-mid-stream", "BW0916"),
        ("/ends/raises-mid-stream-sized", "BW0916"),
    ],
)
def test_the_log_names_the_rule(shared, target, code):
    server = shared("misbehaving")
    mark = server.log_size()
    with server.connect() as connection:
        connection.send(get(target))
        server.wait_for_log(code, mark)


@pytest.mark.parametrize(("field", "code"), [("Keep-Alive", "BW0909"), ("Transfer-Encoding", "BW0915")])
def test_the_log_names_the_rule_by_which_a_field_is_left_out(serve, tmp_path, field, code):
    (tmp_path / "framing.py").write_text(
        "def application(environ, start_response):\n"
        f"    start_response('200 OK', [('Content-Length', '2'), ('{field}', 'chunked')])\n"
        "    return [b'ok']\n"
    )
    with serve("framing", cwd=tmp_path) as server:
        response = server.get("/")
        assert (response.framing, response.content, response.field(field)) == ("length", b"ok", None)
        server.wait_for_log(code)
