"""Expect: 100-continue. RFC 9110 section 10.1.1; PEP 3333 section "HTTP 1.1 Expect/Continue", its way number 2.

The 100 is sent when the application first wants content, so that one which refuses without reading saves the upload.
"""

import pytest

from harness.request import chunk, chunked, get, post, request
from harness.response import Incomplete

EXPECT = "Expect: 100-continue"


@pytest.fixture(scope="module", params=["application", "validated"])
def server(request, shared):
    return shared(f"expect_probe:{request.param}")


def announce(target, length, *fields, **options):
    """The head of a POST whose content is only announced."""
    return post(target, b"", EXPECT, f"Content-Length: {length}", *fields, **options)


@pytest.mark.parametrize("path", ["/read", "/readline", "/readlines", "/iterate"])
@pytest.mark.parametrize("value", ["100-continue", "100-Continue", "100-CONTINUE"])
def test_the_first_read_sends_100(server, path, value):
    with server.connect() as connection:
        interim = connection.exchange(post(path, b"", f"Expect: {value}", "Content-Length: 5"))
        assert (interim.status, interim.reason, interim.content) == (100, "Continue", b"")
        final = connection.exchange(b"hello")
        assert (final.status, final.content) == (200, b"hello")
        connection.finish()


def test_chunked_content_is_waited_for_alike(server):
    with server.connect() as connection:
        assert connection.exchange(request("POST", "/read", EXPECT, "Transfer-Encoding: chunked")).status == 100
        assert connection.exchange(chunked(b"hello ", b"world")).content == b"hello world"
        connection.finish()


def test_100_is_sent_once_however_often_the_application_reads(server):
    with server.connect() as connection:
        assert connection.exchange(announce("/iterate", 30)).status == 100
        connection.send(b"one\n", b"two\n", b"three\n")
        connection.type(b"x" * 16)
        assert connection.receive().content == b"one\ntwo\nthree\n" + b"x" * 16
        connection.finish()


@pytest.mark.parametrize(("path", "status"), [("/refuse", 403), ("/accept-unread", 200), ("/empty-read", 200)])
def test_an_application_that_does_not_read_never_triggers_100(server, path, status):
    """The final status comes first and saves the upload: whether content follows is unknown, so the connection ends."""
    with server.connect() as connection:
        response = connection.exchange(announce(path, 1_000_000_000))
        assert response.status == status and response.is_last
        connection.expect_close()


def test_a_refused_upload_that_is_sent_all_the_same_does_not_lose_the_answer(server):
    """RFC 9110: the client may send without waiting."""
    with server.connect() as connection:
        try:
            connection.send(announce("/refuse", 5_000_000), b"x" * 5_000_000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert connection.receive().status == 403


def test_a_refused_upload_is_never_read_as_a_request(server):
    smuggled = get("/read")
    with server.connect() as connection:
        connection.send(announce("/refuse", len(smuggled)))
        assert connection.receive().status == 403
        try:
            connection.send(smuggled)
        except (BrokenPipeError, ConnectionResetError):
            pass
        connection.expect_end()


def test_100_may_be_left_out_when_the_content_is_there_already(server):
    """RFC 9110 lets a server omit it then; the final response is the last one either way."""
    with server.connect() as connection:
        connection.send(announce("/read", 5) + b"hello")
        response = connection.receive()
        if response.status == 100:
            response = connection.receive()
        assert (response.status, response.content) == (200, b"hello")
        connection.finish()


@pytest.mark.parametrize("value", ["Content-Length: 0", "Transfer-Encoding: chunked"])
def test_no_content_is_read_to_its_end(server, value):
    with server.connect() as connection:
        connection.send(post("/read", b"", EXPECT, value) + (chunk(b"") + b"\r\n" if "chunked" in value else b""))
        response = connection.receive()
        if response.status == 100:
            response = connection.receive()
        assert (response.status, response.content) == (200, b"")


def test_a_get_with_an_expectation_and_no_content_gets_no_100(server):
    with server.connect() as connection:
        response = connection.exchange(get("/read", EXPECT))
        assert (response.status, response.content) == (200, b"")


def test_the_expectation_of_an_http_1_0_request_is_ignored(server):
    with server.connect() as connection:
        connection.send(announce("/read", 5, version="HTTP/1.0"), b"hello")
        response = connection.receive(version="HTTP/1.0")
        assert (response.status, response.content) == (200, b"hello")


@pytest.mark.parametrize("value", ["200-ok", "100-continue, other", "100-continues", "100-continue;q=1"])
def test_any_other_expectation_fails(server, value):
    with server.connect() as connection:
        connection.send(post("/read", b"", f"Expect: {value}", "Content-Length: 5"))
        assert connection.receive().status == 417


def test_the_connection_goes_on_after_an_upload_that_was_waited_for(server):
    with server.connect() as connection:
        for _ in range(3):
            assert connection.exchange(announce("/read", 5)).status == 100
            assert connection.exchange(b"hello").content == b"hello"
        assert connection.exchange(post("/read", b"plain")).content == b"plain"
        connection.finish()


def test_no_100_is_sent_inside_a_response_that_has_begun(server):
    """An interim response in the middle of the content would be taken for content."""
    with server.connect() as connection:
        connection.send(announce("/read?answer-first", 5))
        try:
            head = connection.line()
            assert head == b"HTTP/1.1 200 OK"
            while connection.line():
                pass
            connection.send(b"hello")
            connection.read_to_end()
            assert b"HTTP/1.1 100" not in connection.buffer
        except Incomplete:
            assert b"HTTP/1.1 100" not in connection.buffer


def test_a_client_that_leaves_while_it_is_waited_for_is_noticed(server):
    for goodbye in ("close", "leave"):
        with server.connect() as connection:
            assert connection.exchange(announce("/read", 5)).status == 100
            connection.send(b"he")
            getattr(connection, goodbye)()
    assert server.get("/accept-unread").content == b"not needed"


def test_a_slow_upload_that_is_waited_for_holds_up_nobody(server):
    with server.connect() as slow:
        assert slow.exchange(announce("/read", 5)).status == 100
        slow.send(b"hel")
        for _ in range(10):
            assert server.get("/accept-unread").content == b"not needed"
        assert slow.exchange(b"lo").content == b"hello"
