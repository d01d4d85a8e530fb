"""Every rule about responses is named in the log when an application breaks it: once, and never for a good response."""

import re

import pytest

from harness.request import get, request
from harness.response import Incomplete


def codes_logged(server, target, method="GET"):
    """The codes in the log of one request, each as often as it stands there."""
    mark = server.log_size()
    with server.connect() as connection:
        connection.send(request(method, target))
        try:
            connection.receive(method)
        except Incomplete:
            pass
    # A request behind it whose own line ends the wait. With one thread it is called when everything has been said of the first.
    server.get("/ends/raises-before-head")
    server.wait_for_log("Exception on GET /ends/raises-before-head", mark)
    return re.findall(r"BW\d{4}", server.log(mark))


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("/heads/status-zero", "BW0901"),
        ("/heads/status-interim", "BW0902"),
        ("/heads/status-switching", "BW0902"),
        ("/heads/status-crlf", "BW0903"),
        ("/heads/status-nul", "BW0903"),
        ("/heads/name-crlf", "BW0904"),
        ("/heads/name-empty", "BW0904"),
        ("/heads/name-space", "BW0904"),
        ("/heads/value-crlf", "BW0905"),
        ("/heads/value-nul", "BW0905"),
        ("/heads/refusal-swallowed", "BW0905"),
        ("/heads/called-again-after-a-refusal", "BW0905"),
        ("/heads/length-word", "BW0906"),
        ("/heads/length-huge", "BW0906"),
        ("/heads/length-twice", "BW0907"),
        ("/bodies/no-content-with-content", "BW0910"),
        ("/bodies/not-modified-with-content", "BW0910"),
        ("/lengths/longer-in-one-block", "BW0911"),
        ("/lengths/longer-in-blocks", "BW0911"),
        ("/lengths/longer-without-end", "BW0911"),
        ("/lengths/longer-by-write", "BW0911"),
        ("/lengths/longer-by-write-unnoticed", "BW0911"),
        ("/lengths/longer-by-write-then-block", "BW0911"),
        ("/lengths/longer-than-zero", "BW0911"),
        ("/lengths/shorter-in-one-block", "BW0912"),
        ("/lengths/shorter-in-blocks", "BW0912"),
        ("/lengths/shorter-by-write", "BW0912"),
        ("/lengths/shorter-than-nothing", "BW0912"),
        ("/heads/status-without-number", "BW0913"),
        ("/heads/status-signed", "BW0913"),
        ("/heads/value-snow", "BW0914"),
        ("/heads/name-snow", "BW0914"),
        ("/heads/status-snow", "BW0914"),
        ("/ends/raises-mid-stream", "BW0916"),
        ("/ends/raises-mid-stream-sized", "BW0916"),
    ],
)
def test_the_log_names_the_rule_once(shared, target, code):
    assert codes_logged(shared("misbehaving", "--threads", "1"), target) == [code]


def test_a_good_response_breaks_no_rule(shared):
    server = shared("misbehaving", "--threads", "1")
    assert codes_logged(server, "/healthy") == []
    # What answers GET answers HEAD: leaving its content out is the server's part, and no fault of the application.
    assert codes_logged(server, "/healthy", "HEAD") == []


@pytest.mark.parametrize(
    ("status", "field", "value", "code"),
    [
        ("200 OK", "Keep-Alive", "timeout=5", "BW0909"),
        ("200 OK", "Connection", "upgrade", "BW0909"),
        ("200 OK", "Transfer-Encoding", "chunked", "BW0915"),
        ("204 No Content", "Content-Length", "2", "BW0908"),
        ("204 No Content", "Content-Length", "0", "BW0908"),
        ("205 Reset Content", "Content-Length", "2", "BW0908"),
    ],
)
def test_the_log_names_the_rule_by_which_a_field_is_left_out(serve, tmp_path, status, field, value, code):
    """Once: what an application does with every response is no news after the first."""
    length = [("Content-Length", "2")] if field != "Content-Length" else []
    (tmp_path / "framing.py").write_text(
        "def application(environ, start_response):\n"
        f"    start_response({status!r}, {[*length, (field, value)]!r})\n"
        f"    return [b'ok' if {status!r} == '200 OK' else b'']\n"
    )
    with serve("framing", cwd=tmp_path) as server:
        with server.connect() as connection:
            for _ in range(3):
                response = connection.exchange(get("/"))
                sent = {"200 OK": "2", "204 No Content": None, "205 Reset Content": "0"}[status]
                assert (response.field("Content-Length"), response.field(field) in (None, sent)) == (sent, True)
        server.wait_for_log(code)
        server.stop()
        assert re.findall(r"BW\d{4}", server.log()) == [code]


def test_the_zero_that_a_205_has_to_state_may_come_from_the_application(serve, tmp_path):
    (tmp_path / "reset.py").write_text(
        "def application(environ, start_response):\n"
        "    start_response('205 Reset Content', [('Content-Length', '0')])\n"
        "    return []\n"
    )
    with serve("reset", cwd=tmp_path) as server:
        assert server.get("/").field("Content-Length") == "0"
        server.stop()
        assert "BW" not in server.log()
