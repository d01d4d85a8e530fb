"""Requests that no server may guess at: refused with the RFC's status, and nothing behind them is read.

Each is sent twice: alone, and in one write behind a good request and before another. The application must have been
called for the good one in front, once, and for nothing else.
"""

import itertools
import json

import pytest

from harness.request import chunked, get, post, request

CHUNKED = "Transfer-Encoding: chunked"
HOST = b"Host: test\r\n"


def head(*lines):
    """A head of these lines, each ended by CRLF, with the empty line."""
    return b"".join(line + b"\r\n" for line in lines) + b"\r\n"


def coded(content):
    """A request with content in what claims to be the chunked coding."""
    return request("POST", "/bad", CHUNKED, content=content)


def field(line):
    return head(b"POST /bad HTTP/1.1", b"Host: test", line) + b"0\r\n\r\n"


REQUEST_LINES = {
    "HTTP/0.9": (b"GET /bad\r\n\r\n", [400]),
    "no version": (head(b"GET /bad", b"Host: test"), [400]),
    "no target": (head(b"GET HTTP/1.1", b"Host: test"), [400]),
    "no method": (head(b" /bad HTTP/1.1", b"Host: test"), [400]),
    "two spaces before the target": (head(b"GET  /bad HTTP/1.1", b"Host: test"), [400]),
    "two spaces before the version": (head(b"GET /bad  HTTP/1.1", b"Host: test"), [400]),
    "a tab for a space": (head(b"GET\t/bad HTTP/1.1", b"Host: test"), [400]),
    "a space at the end": (head(b"GET /bad HTTP/1.1 ", b"Host: test"), [400]),
    "a space at the start": (head(b" GET /bad HTTP/1.1", b"Host: test"), [400]),
    "a space in the target": (head(b"GET /bad x HTTP/1.1", b"Host: test"), [400]),
    "a method that is no token": (head(b"G(T /bad HTTP/1.1", b"Host: test"), [400]),
    "a method beyond ASCII": (head(b"G\xc9T /bad HTTP/1.1", b"Host: test"), [400]),
    "a version in lower case": (head(b"GET /bad http/1.1", b"Host: test"), [400]),
    "a version of two digits": (head(b"GET /bad HTTP/1.10", b"Host: test"), [400]),
    "a version without a dot": (head(b"GET /bad HTTP/11", b"Host: test"), [400]),
    "a version with a sign": (head(b"GET /bad HTTP/+1.1", b"Host: test"), [400]),
    "another protocol": (head(b"GET /bad HTCPCP/1.0", b"Host: test"), [400]),
    "major version 2": (head(b"GET /bad HTTP/2.0", b"Host: test"), [505]),
    "major version 0": (head(b"GET /bad HTTP/0.9", b"Host: test"), [400, 505]),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505]),
    "a target without a slash": (head(b"GET bad HTTP/1.1", b"Host: test"), [400]),
    "a target that is a query": (head(b"GET ?bad HTTP/1.1", b"Host: test"), [400]),
    "a target with a fragment": (head(b"GET /bad#fragment HTTP/1.1", b"Host: test"), [400]),
    "a target with NUL": (head(b"GET /bad\0x HTTP/1.1", b"Host: test"), [400]),
    "a target with a tab": (head(b"GET /bad\tx HTTP/1.1", b"Host: test"), [400]),
    "a target with DEL": (head(b"GET /bad\x7fx HTTP/1.1", b"Host: test"), [400]),
    "a target beyond ASCII": (head(b"GET /bad\xe4 HTTP/1.1", b"Host: test"), [400]),
    "a bare CR in the target": (head(b"GET /bad\rx HTTP/1.1", b"Host: test"), [400]),
    "asterisk-form for GET": (head(b"GET * HTTP/1.1", b"Host: test"), [400]),
    "absolute-form without a host": (head(b"GET http:///bad HTTP/1.1", b"Host: test"), [400]),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64)), [400]),
}

FIELD_LINES = {
    "no Host": (head(b"GET /bad HTTP/1.1"), [400]),
    "no Host, with absolute-form": (head(b"GET http://test/bad HTTP/1.1"), [400]),
    "two Hosts": (head(b"GET /bad HTTP/1.1", b"Host: test", b"Host: other"), [400]),
    "two Hosts of one value": (head(b"GET /bad HTTP/1.1", b"Host: test", b"Host: test"), [400]),
    "a Host with a space": (head(b"GET /bad HTTP/1.1", b"Host: a b"), [400]),
    "a Host with userinfo": (head(b"GET /bad HTTP/1.1", b"Host: user@test"), [400]),
    "a Host with a slash": (head(b"GET /bad HTTP/1.1", b"Host: test/bad"), [400]),
    "a Host that is a list": (head(b"GET /bad HTTP/1.1", b"Host: test, other"), [400]),
    "a Host with a port that is none": (head(b"GET /bad HTTP/1.1", b"Host: test:port"), [400]),
    "a Host with two ports": (head(b"GET /bad HTTP/1.1", b"Host: test:80:80"), [400]),
    "a Host with half a bracket": (head(b"GET /bad HTTP/1.1", b"Host: [::1"), [400]),
    "whitespace before the colon": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad : 1"), [400]),
    "a tab before the colon": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad\t: 1"), [400]),
    "whitespace in the name": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X Bad: 1"), [400]),
    "no name": (head(b"GET /bad HTTP/1.1", b"Host: test", b": 1"), [400]),
    "no colon": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad"), [400]),
    "a name beyond ASCII": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-B\xe4d: 1"), [400]),
    "a name in brackets": (head(b"GET /bad HTTP/1.1", b"Host: test", b"[X-Bad]: 1"), [400]),
    "a line that goes on in the next": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad: 1", b" 2"), [400]),
    "a line that goes on after a tab": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad: 1", b"\t2"), [400]),
    "whitespace before the first name": (head(b"GET /bad HTTP/1.1", b" Host: test"), [400]),
    "NUL in a value": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad: 1\x002"), [400]),
    "a bare CR in a value": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad: 1\r2"), [400]),
    "a bare CR before the name": (head(b"GET /bad HTTP/1.1", b"Host: test", b"\rX-Bad: 1"), [400]),
    "a control byte in a value": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad: \x01"), [400]),
    "a vertical tab in a value": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad: \x0b1"), [400]),
    "DEL in a value": (head(b"GET /bad HTTP/1.1", b"Host: test", b"X-Bad: \x7f"), [400]),
    "bare LF after the request-line": (b"GET /bad HTTP/1.1\nHost: test\r\n\r\n", [400]),
    "bare LF after a field line": (b"GET /bad HTTP/1.1\r\nHost: test\nX-Bad: 1\r\n\r\n", [400]),
    "bare LF for the empty line": (b"GET /bad HTTP/1.1\r\nHost: test\r\n\n", [400]),
    "bare LF everywhere": (b"GET /bad HTTP/1.1\nHost: test\n\n", [400]),
    "CR CR LF": (b"GET /bad HTTP/1.1\r\nHost: test\r\r\n\r\n", [400]),
}

FRAMINGS = {
    "Content-Length with Transfer-Encoding": (
        request("POST", "/bad", "Content-Length: 5", CHUNKED, content=chunked(b"hello")),
        [400],
    ),
    "Transfer-Encoding with Content-Length": (
        request("POST", "/bad", CHUNKED, "Content-Length: 5", content=chunked(b"hello")),
        [400],
    ),
    "Transfer-Encoding in HTTP/1.0": (
        request("POST", "/bad", CHUNKED, content=chunked(b"hello"), version="HTTP/1.0"),
        [400],
    ),
    "chunked twice": (field(b"Transfer-Encoding: chunked, chunked"), [400]),
    "chunked twice in two lines": (
        head(b"POST /bad HTTP/1.1", b"Host: test", b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
        + b"0\r\n\r\n",
        [400],
    ),
    "chunked, then another": (field(b"Transfer-Encoding: chunked, gzip"), [400, 501]),
    "another, then chunked": (field(b"Transfer-Encoding: gzip, chunked"), [501]),
    "another alone": (field(b"Transfer-Encoding: gzip"), [400, 501]),
    "identity": (field(b"Transfer-Encoding: identity"), [400, 501]),
    "identity, then chunked": (field(b"Transfer-Encoding: identity, chunked"), [400, 501]),
    "an empty Transfer-Encoding": (field(b"Transfer-Encoding:"), [400, 501]),
    "a vertical tab before chunked": (field(b"Transfer-Encoding: \x0bchunked"), [400]),
    "a no-break space before chunked": (field(b"Transfer-Encoding: \xa0chunked"), [400, 501]),
    "chunked in quotes": (field(b'Transfer-Encoding: "chunked"'), [400, 501]),
    "chunked with a parameter": (field(b"Transfer-Encoding: chunked;q=1"), [400, 501]),
    "chunked with a letter too many": (field(b"Transfer-Encoding: xchunked"), [400, 501]),
    "chunked, whose name has a space": (field(b"Transfer-Encoding : chunked"), [400]),
    "a signed Content-Length": (field(b"Content-Length: +5"), [400]),
    "a negative Content-Length": (field(b"Content-Length: -5"), [400]),
    "a Content-Length with an underscore": (field(b"Content-Length: 0_5"), [400]),
    "a Content-Length with a space": (field(b"Content-Length: 0 5"), [400]),
    "a hexadecimal Content-Length": (field(b"Content-Length: 0x5"), [400]),
    "a Content-Length with a fraction": (field(b"Content-Length: 5.0"), [400]),
    "an empty Content-Length": (field(b"Content-Length:"), [400]),
    "a Content-Length that is a list": (field(b"Content-Length: 5, 5"), [400]),
    "a Content-Length in superscript": (field(b"Content-Length: \xb2"), [400]),
    "a Content-Length without measure": (field(b"Content-Length: " + b"9" * 30), [400, 413]),
    "a Content-Length of two to the 64": (field(b"Content-Length: 18446744073709551621"), [400, 413]),
    "two Content-Lengths": (
        head(b"POST /bad HTTP/1.1", b"Host: test", b"Content-Length: 5", b"Content-Length: 6") + b"hello",
        [400],
    ),
    "two equal Content-Lengths": (
        head(b"POST /bad HTTP/1.1", b"Host: test", b"Content-Length: 5", b"Content-Length: 5") + b"hello",
        [400],
    ),
}

CHUNKS = {
    "a hexadecimal prefix": (coded(b"0x5\r\nhello\r\n0\r\n\r\n"), [400]),
    "a sign": (coded(b"+5\r\nhello\r\n0\r\n\r\n"), [400]),
    "a negative size": (coded(b"-1\r\nhello\r\n0\r\n\r\n"), [400]),
    "an underscore": (coded(b"0_5\r\nhello\r\n0\r\n\r\n"), [400]),
    "no size": (coded(b"\r\nhello\r\n0\r\n\r\n"), [400]),
    "an extension alone": (coded(b";a=b\r\nhello\r\n0\r\n\r\n"), [400]),
    "a letter that is no digit": (coded(b"g\r\nhello\r\n0\r\n\r\n"), [400]),
    "a space before the size": (coded(b" 5\r\nhello\r\n0\r\n\r\n"), [400]),
    "a space after the size": (coded(b"5 \r\nhello\r\n0\r\n\r\n"), [400]),
    "a size beyond 64 bits": (coded(b"10000000000000005\r\nhello\r\n0\r\n\r\n"), [400, 413]),
    "a size of 64 bits": (coded(b"ffffffffffffffff\r\nhello\r\n0\r\n\r\n"), [400, 413]),
    "bare LF after the size": (coded(b"5\nhello\r\n0\r\n\r\n"), [400]),
    "bare LF after the data": (coded(b"5\r\nhello\n0\r\n\r\n"), [400]),
    "bare LF after the last chunk": (coded(b"5\r\nhello\r\n0\n\r\n"), [400]),
    "bare LF for the empty line": (coded(b"5\r\nhello\r\n0\r\n\n"), [400]),
    "data longer than its size": (coded(b"5\r\nhello!\r\n0\r\n\r\n"), [400]),
    "data shorter than its size": (coded(b"6\r\nhello\r\n0\r\n\r\n"), [400]),
    "no CRLF after the data": (coded(b"5\r\nhello0\r\n\r\n"), [400]),
    "CR and another byte after the data": (coded(b"5\r\nhello\rX0\r\n\r\n"), [400]),
    "a bare CR in an extension": (coded(b"5;a\rb\r\nhello\r\n0\r\n\r\n"), [400]),
    "NUL in an extension": (coded(b"5;a\0b\r\nhello\r\n0\r\n\r\n"), [400]),
    "an extension without a name": (coded(b"5;=b\r\nhello\r\n0\r\n\r\n"), [400]),
    "an extension whose string does not end": (coded(b'5;a="b\r\nhello\r\n0\r\n\r\n'), [400]),
    "a chunk line of 300 bytes": (coded(b"5;a=" + b"b" * 296 + b"\r\nhello\r\n0\r\n\r\n"), [400]),
    "a malformed trailer field": (coded(b"5\r\nhello\r\n0\r\nX Bad: 1\r\n\r\n"), [400]),
    "a trailer field with NUL": (coded(b"5\r\nhello\r\n0\r\nX-Bad: \0\r\n\r\n"), [400]),
    "a trailer field that goes on": (coded(b"5\r\nhello\r\n0\r\nX-Bad: 1\r\n 2\r\n\r\n"), [400]),
    "bare LF after a trailer field": (coded(b"5\r\nhello\r\n0\r\nX-Bad: 1\n\r\n"), [400]),
}

ALL = {
    f"{family}: {name}": row
    for family, rows in [
        ("request-line", REQUEST_LINES),
        ("field", FIELD_LINES),
        ("framing", FRAMINGS),
        ("chunk", CHUNKS),
    ]
    for name, row in rows.items()
}

numbers = itertools.count()


@pytest.fixture(scope="module")
def server(shared):
    return shared("recorder:application")


@pytest.fixture
def token():
    """Takes the place of `bad` in what a test sends, so that it finds its own requests in the record."""
    return f"bad-{next(numbers)}-"


def named(data, token):
    return data.replace(b"bad", token.encode())


def seen(server, word):
    return [entry[1] for entry in json.loads(server.get(f"/seen?{word}").content)]


def expect_refusal(connection, data, statuses):
    response = connection.receive()
    assert response.status in statuses, f"{response} to {data!r}"
    assert response.is_last, "a refusal ends the connection, and says so"
    connection.expect_close()


@pytest.mark.parametrize(("data", "statuses"), ALL.values(), ids=ALL.keys())
def test_a_malformed_request_is_refused_and_the_connection_closed(server, token, data, statuses):
    with server.connect() as connection:
        connection.send(named(data, token))
        expect_refusal(connection, data, statuses)
    assert seen(server, token) == []


@pytest.mark.parametrize(("data", "statuses"), ALL.values(), ids=ALL.keys())
def test_nothing_behind_a_malformed_request_is_read(server, token, data, statuses):
    with server.connect() as connection:
        connection.send(get(f"/{token}before") + named(data, token) + get(f"/{token}behind") * 3)
        assert connection.receive().content == f"/{token}before".encode()
        expect_refusal(connection, data, statuses)
    assert seen(server, token) == [f"/{token}before"]


@pytest.mark.parametrize(("data", "statuses"), ALL.values(), ids=ALL.keys())
def test_a_malformed_request_is_refused_alike_byte_by_byte(server, token, data, statuses):
    """The server may refuse before the last byte is sent, so what is sent then may meet a closed connection."""
    with server.connect() as connection:
        try:
            connection.type(named(data, token))
        except (BrokenPipeError, ConnectionResetError):
            pass
        response = connection.receive()
        assert response.status in statuses and response.is_last
        connection.expect_end()
    assert seen(server, token) == []


# Content that is cut off: never handed over as if it were complete.


@pytest.mark.parametrize(
    "data",
    [
        post("/bad", b"hello", "Content-Length: 6"),
        post("/bad", b"", "Content-Length: 1"),
        coded(b"5\r\nhel"),
        coded(b"5\r\nhello"),
        coded(b"5\r\nhello\r\n"),
        coded(b"5\r\nhello\r\n0"),
        coded(b"5\r\nhello\r\n0\r\n"),
        coded(b"5\r\nhello\r\n0\r\nX-Bad: 1\r\n"),
        coded(b""),
    ],
)
@pytest.mark.parametrize("goodbye", ["half-close", "close", "leave"])
def test_content_that_is_cut_off_never_reaches_the_application(server, token, data, goodbye):
    with server.connect() as connection:
        connection.send(named(data, token))
        if goodbye == "leave":
            connection.leave()
        elif goodbye == "half-close":
            connection.half_close()
            connection.read_to_end()
            assert not connection.buffer or connection.buffer.startswith(b"HTTP/1.1 400 ")
    assert server.get("/afterwards").content == b"/afterwards"
    assert seen(server, token) == []


@pytest.mark.parametrize(
    "data", [b"", b"\r\n", b"GET", b"GET /bad HTTP/1.1\r\n", b"GET /bad HTTP/1.1\r\nHost: test\r\n"]
)
def test_half_a_head_and_a_goodbye_end_the_connection(server, token, data):
    with server.connect() as connection:
        connection.send(named(data, token))
        connection.half_close()
        connection.read_to_end()
        assert not connection.buffer or connection.buffer.startswith(b"HTTP/1.1 400 ")
    assert seen(server, token) == []


def test_the_log_says_what_was_wrong(serve):
    with serve("recorder") as server, server.connect() as connection:
        connection.send(get("/bad", "X Bad: 1"))
        assert connection.receive().status == 400
        server.wait_for_log(r"BW0107 .* request #1 of 127\.0\.0\.1:\d+ refused with 400 at line 3, byte 2")
        server.wait_for_log(r"(?m)^  3 \| X Bad: 1\\r\\n\n    \|  \^ not a tchar$")


def test_a_connect_request_opens_no_tunnel(server):
    with server.connect() as connection:
        connection.send(request("CONNECT", "example.org:443", host="example.org:443"))
        response = connection.receive()
        assert response.status in (400, 404, 405, 501) and response.is_last
        connection.expect_close()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (request("HEAD", "/", "Bad Name: x"), 400),
        (request("HEAD", "/", "Expect: the unexpected"), 417),
        (request("HEAD", "/#fragment"), 400),
        (request("HEAD", "/", "Transfer-Encoding: chunked", content=b"x\r\n"), 400),
    ],
)
def test_no_refusal_of_head_has_content(server, data, status):
    """RFC 9110 section 9.3.2: a client takes what follows the head for the next response."""
    with server.connect() as connection:
        connection.send(data)
        response = connection.receive("HEAD")
        assert response.status == status and response.is_last
        connection.expect_close()
