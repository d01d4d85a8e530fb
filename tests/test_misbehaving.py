"""Applications that break the rules: nothing ill-formed is sent, the log names the offender, the server lives."""

import json
import re

import pytest

from harness.deadline import wait_until
from harness.request import get, request
from harness.response import Incomplete


@pytest.fixture(scope="module")
def server(shared):
    return shared("misbehaving")


@pytest.fixture(autouse=True)
def the_server_lives(server):
    yield
    assert server.get("/healthy").content == b"healthy"


def calls(server, name):
    return json.loads(server.get(f"/calls?{name}").content)


def expect_500(server, target, pattern):
    """The request is answered 500 with nothing of the application in it, and `pattern` is in the log."""
    mark = server.log_size()
    with server.connect() as connection:
        response = connection.exchange(get(target))
        assert (response.status, response.reason) == (500, "Internal Server Error")
        text = repr(response)
        assert not [
            word for word in ("Injected", "should not be sent", "X-Bad", "X-First", "Traceback") if word in text
        ]
        connection.finish()
    return server.wait_for_log(pattern, mark)


def expect_abort(server, target, content, pattern):
    """What arrived cannot be taken for a complete response, and `pattern` is in the log."""
    mark = server.log_size()
    with server.connect() as connection:
        with pytest.raises(Incomplete) as cut:
            connection.exchange(get(target))
        assert cut.value.so_far.status == 200
        assert cut.value.so_far.content == content
    server.wait_for_log(pattern, mark)


# Heads. The second column is what the log must name.


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("status-int", "status is int"),
        ("status-bytes", "status is bytes"),
        ("status-none", "status is NoneType"),
        ("status-empty", "status ''"),
        ("status-without-number", "status 'OK'"),
        ("status-two-digits", "status '20 OK'"),
        ("status-four-digits", "status '2000 OK'"),
        ("status-zero", "status '000 Nothing'"),
        ("status-signed", r"status '\+20 OK'"),
        ("status-superscript", r"status '20.* OK'"),
        ("status-interim", "status '100 Continue'"),
        ("status-switching", "status '101 Switching Protocols'"),
        ("status-crlf", r"status '200 OK\\r\\n"),
        ("status-line-feed", r"status '200 OK\\n'"),
        ("status-nul", r"status '200 O.*K'"),
        ("status-snow", r"status .*U\+2603"),
        ("fields-none", "response_headers is NoneType"),
        ("fields-dict", "response_headers is dict"),
        ("fields-tuple", "response_headers is tuple"),
        ("fields-iterator", "response_headers is list_iterator"),
        ("field-none", "response_headers is NoneType"),
        ("field-str", "response_headers is str"),
        ("field-of-one", "response_headers is .*tuple"),
        ("field-of-three", "response_headers is .*tuple"),
        ("name-int", "name .*is int"),
        ("name-bytes", "name .*is bytes"),
        ("name-empty", "''"),
        ("name-space", "'X Bad'"),
        ("name-trailing-space", "'X-Bad '"),
        ("name-colon", "'X-Bad:'"),
        ("name-crlf", r"'X-Bad\\r\\nX-Injected'"),
        ("name-latin1", r"'X-B.*d'"),
        ("name-snow", r"U\+2603"),
        ("value-int", "'X-Bad' is int"),
        ("value-none", "'X-Bad' is NoneType"),
        ("value-bytes", "'X-Bad' is bytes"),
        ("value-crlf", "'X-Bad' contains a line break"),
        ("value-response", "'X-Bad' contains a line break"),
        ("value-line-feed", "'X-Bad' contains a line break"),
        ("value-carriage-return", "'X-Bad' contains a line break"),
        ("value-trailing-line-feed", "'X-Bad' contains a line break"),
        ("value-nul", "'X-Bad' contains .*0x00"),
        ("value-escape", "'X-Bad' contains .*0x1b"),
        ("value-delete", "'X-Bad' contains .*0x7f"),
        ("value-snow", r"'X-Bad' .*U\+2603"),
        ("length-word", "(?i)content-length"),
        ("length-negative", "(?i)content-length"),
        ("length-signed", "(?i)content-length"),
        ("length-spaced", "(?i)content-length"),
        ("length-empty", "(?i)content-length"),
        ("length-huge", "(?i)content-length"),
        ("length-twice", "(?i)content-length"),
        ("no-arguments", "TypeError"),
        ("called-twice", "start_response was called again without exc_info"),
        ("called-twice-with-none", "start_response was called again without exc_info"),
        ("called-again-after-a-refusal", "start_response was called again without exc_info"),
        ("refusal-swallowed", "start_response"),
        ("never-called", "start_response was not called"),
        ("never-called-generator", "start_response was not called"),
        ("never-called-empty", "start_response was not called"),
        ("called-too-late", "start_response was not called"),
    ],
)
def test_a_wrong_head_is_a_500_whose_log_names_the_offender(server, name, pattern):
    expect_500(server, f"/heads/{name}", pattern)


# Bodies.


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("none", "NoneType"),
        ("number", "int"),
        ("a-str", "body item is str, PEP 3333 needs bytes"),
        ("list-of-str", "body item is str, PEP 3333 needs bytes"),
        ("list-of-none", "body item is NoneType, PEP 3333 needs bytes"),
        ("list-of-int", "body item is int, PEP 3333 needs bytes"),
        ("nested-list", "body item is list, PEP 3333 needs bytes"),
        ("str-then-bytes", "body item is str, PEP 3333 needs bytes"),
        ("str-with-length", "body item is str, PEP 3333 needs bytes"),
        ("generator-of-str", "body item is str, PEP 3333 needs bytes"),
        ("a-bytes", "body item is int, PEP 3333 needs bytes"),
        ("raising-iter", "RuntimeError: this is not for reading"),
        ("not-an-iterator", "TypeError"),
        ("write-str", r"write\(\) was given str, PEP 3333 needs bytes"),
    ],
)
def test_a_wrong_body_is_a_500_whose_log_names_the_type(server, name, pattern):
    expect_500(server, f"/bodies/{name}", pattern)


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("str-after-bytes", "body item is str, PEP 3333 needs bytes"),
        ("write-none-after-bytes", r"write\(\) was given NoneType, PEP 3333 needs bytes"),
    ],
)
def test_a_wrong_body_after_the_head_is_an_aborted_response(server, name, pattern):
    expect_abort(server, f"/bodies/{name}", b"bytes ", pattern)


def test_the_log_names_the_request_without_the_values_of_its_query(server):
    mark = server.log_size()
    expect_500(
        server,
        "/bodies/raising-iter?page=2&token=s3cr3t",
        r"Exception on GET /bodies/raising-iter\?page=\[redacted\]&token=\[redacted\] from 127\.0\.0\.1:\d+",
    )
    assert "s3cr3t" not in server.log(mark)


def test_close_is_called_although_iteration_never_began(server):
    before = len(calls(server, "raising-iter"))
    server.get("/bodies/raising-iter")
    assert calls(server, "raising-iter")[before:] == ["closed"]


@pytest.mark.parametrize(
    ("name", "content"), [("bytes-subclass", b"a subclass of bytes"), ("single-bytes-subclass", b"one block")]
)
def test_a_subclass_of_bytes_is_bytes(server, name, content):
    assert server.get(f"/bodies/{name}").content == content


def test_a_list_that_does_not_know_its_length_is_an_iterable_still(server):
    response = server.get("/bodies/raising-length")
    assert (response.status, response.content) in [(200, b"healthy content"), (500, response.content)]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("no-content-with-content", 204),
        ("no-content-with-length", 204),
        ("no-content-written", 204),
        ("not-modified-with-content", 304),
    ],
)
def test_content_where_none_may_be_is_not_sent(server, name, status):
    with server.connect() as connection:
        connection.send(get(f"/bodies/{name}"), get("/healthy"))
        assert connection.receive().status == status
        assert connection.receive().content == b"healthy"
        connection.finish()


# Ends.


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("raises-before-head", "ZeroDivisionError: before start_response"),
        ("raises-after-start-response", "ZeroDivisionError: after start_response"),
        ("raises-in-first-iteration", "ZeroDivisionError: in the first iteration"),
        ("raises-after-empty-block", "ZeroDivisionError: after an empty block"),
        ("raises-unprintable", "Unprintable"),
        ("raises-snow", "ValueError: snow"),
        ("raises-system-exit", "SystemExit"),
        ("raises-keyboard-interrupt", "KeyboardInterrupt"),
        ("raises-stop-iteration", "StopIteration"),
        ("raises-base-exception", "a bare BaseException"),
        ("recurses", "RecursionError"),
    ],
)
def test_an_exception_before_the_head_is_a_500_with_the_traceback_in_the_log(server, name, pattern):
    mark = server.log_size()
    expect_500(server, f"/ends/{name}", pattern)
    log = server.log(mark)
    assert "Traceback (most recent call last)" in log and re.search(r"ends\.py", log)


def test_an_exception_cannot_write_a_line_or_a_colour_into_the_log(server):
    mark = server.log_size()
    server.get("/ends/raises-snow")
    server.wait_for_log("ValueError: snow", mark)
    log = server.log(mark)
    assert "\x1b" not in log
    assert not re.search("^of its own", log, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "content", "pattern"),
    [
        ("raises-mid-stream", b"so far so good", "ZeroDivisionError: in the middle of the stream"),
        ("raises-mid-stream-sized", b"so far so good", "ZeroDivisionError: in the middle of sized content"),
        ("raises-after-write", b"so far so good", "ZeroDivisionError: after write"),
        ("raises-system-exit-mid-stream", b"so far so good", "SystemExit"),
        ("iteration-and-close-raise", b"so far so good", "ZeroDivisionError: in iteration"),
    ],
)
def test_an_exception_after_the_head_is_an_aborted_response_with_the_traceback_in_the_log(
    server, name, content, pattern
):
    expect_abort(server, f"/ends/{name}", content, pattern)


def test_an_exception_mid_stream_to_a_client_of_http_1_0_is_told_by_a_reset(server):
    """A close-delimited response ends where the connection does: only a reset says that it is cut off."""
    with server.connect() as connection, pytest.raises(Incomplete):
        connection.exchange(get("/ends/raises-mid-stream", version="HTTP/1.0"), version="HTTP/1.0")


def test_close_is_called_once_after_an_exception_mid_stream(server):
    before = len(calls(server, "raises-mid-stream"))
    with server.connect() as connection, pytest.raises(Incomplete):
        connection.exchange(get("/ends/raises-mid-stream"))
    assert wait_until(lambda: calls(server, "raises-mid-stream")[before:], "close()") == ["closed"]


@pytest.mark.parametrize(
    ("name", "pattern"), [("close-raises", "ZeroDivisionError: in close"), ("raises-after-all-content", "")]
)
def test_an_exception_after_all_content_leaves_the_response_complete(server, name, pattern):
    mark = server.log_size()
    with server.connect() as connection:
        assert connection.exchange(get(f"/ends/{name}")).content == b"complete"
    server.wait_for_log(pattern, mark)


def test_close_that_raises_is_not_called_again(server):
    before = len(calls(server, "close-raises"))
    with server.connect() as connection:
        connection.exchange(get("/ends/close-raises"))
    assert wait_until(lambda: calls(server, "close-raises")[before:], "close()") == ["closed"]


def test_an_application_may_empty_its_environ(server):
    assert server.get("/ends/empties-environ").content == b"healthy"


def test_what_an_application_keeps_is_of_no_use_after_its_request(server):
    """A kept input is at its end, or refuses; a kept start_response or write never reaches another response."""
    with server.connect() as connection:
        assert connection.exchange(get("/ends/keeps")).content == b"kept"
        response = connection.exchange(get("/ends/uses-what-was-kept"))
        assert (response.status, response.reason, response.content) == (200, "OK", b"healthy")
        assert response.all("x-injected") == []
        connection.finish()
    outcomes = dict(calls(server, "kept"))
    assert outcomes["read"] == "b''" or outcomes["read"].endswith("Error")
    assert outcomes["start_response"].endswith("Error")
    assert outcomes["write"].endswith("Error")


# Lengths.


@pytest.mark.parametrize(
    "name", ["longer-in-one-block", "longer-in-blocks", "longer-without-end", "longer-by-write", "longer-than-zero"]
)
def test_content_longer_than_its_content_length_is_cut_and_reported(server, name):
    mark = server.log_size()
    with server.connect() as connection:
        response = connection.exchange(get(f"/lengths/{name}"))
        assert response.content == (
            b"" if name == "longer-than-zero" else b"0123456789" if "end" not in name else b"0123401234"
        )
        connection.half_close()
        connection.expect_end()
    server.wait_for_log("Content-Length", mark)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("shorter-in-one-block", b"012"),
        ("shorter-in-blocks", b"012"),
        ("shorter-by-write", b"012"),
        ("shorter-than-nothing", b""),
    ],
)
def test_content_shorter_than_its_content_length_closes_the_connection_and_is_reported(server, name, content):
    expect_abort(server, f"/lengths/{name}", content, "Content-Length")


def test_a_length_is_not_missed_in_the_answer_to_head(server):
    with server.connect() as connection:
        response = connection.exchange(request("HEAD", "/lengths/shorter-in-one-block"), "HEAD")
        assert response.field("content-length") == "10" and not response.is_last
        assert connection.exchange(get("/healthy")).content == b"healthy"
        connection.finish()


# Hop-by-hop fields.


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("transfer-encoding", "Transfer-Encoding"),
        ("transfer-encoding-lower", "transfer-encoding"),
        ("keep-alive", "Keep-Alive"),
        ("connection-keep-alive", "Connection"),
        ("connection-upgrade", "Connection"),
        ("upgrade", "Upgrade"),
        ("te", "TE"),
        ("trailer", "Trailer"),
        ("proxy-connection", "Proxy-Connection"),
    ],
)
def test_a_hop_by_hop_field_of_the_application_is_dropped(server, name, field):
    with server.connect() as connection:
        response = connection.exchange(get(f"/hop_by_hop/{name}"))
        assert response.all(field) == []
        assert response.field("x-kept") == "yes"
        assert response.content == b"5\r\nhello\r\n0\r\n\r\n" and not response.is_last
        connection.finish()


def test_a_dropped_field_is_warned_of_once(serve):
    with serve("misbehaving") as server:
        for _ in range(3):
            server.get("/hop_by_hop/keep-alive")
        server.wait_for_log("(?i)keep-alive")
        server.get("/hop_by_hop/upgrade")
        server.wait_for_log("(?i)upgrade")
        assert len(re.findall(r"\[WARNING\].*Keep-Alive", server.log())) == 1
