"""Requests and their content on the wire, in every cut: RFC 9112 sections 2.2, 6 and 7.1."""

import itertools
import json

import pytest

from harness.request import chunk, chunked, get, pieces, post, request
from input_probe import show

tokens = (f"token-{number}" for number in itertools.count())


@pytest.fixture(scope="module", params=["application", "validated"])
def server(request, shared):
    return shared(f"recorder:{request.param}")


@pytest.fixture
def token():
    """A path that no other test of the module uses."""
    return next(tokens)


def seen(server, token):
    """The requests that the application was called for whose path contains the token: method, path, content."""
    return json.loads(server.get(f"/seen?{token}").content)


def test_a_request_may_arrive_byte_by_byte(server, token):
    with server.connect() as connection:
        connection.type(get(f"/{token}", "X-Field: value"))
        assert connection.receive().content == f"/{token}".encode()
        connection.finish()
    assert seen(server, token) == [["GET", f"/{token}", ""]]


def test_eleven_bytes_of_content_may_arrive_byte_by_byte(server, token):
    with server.connect() as connection:
        connection.send(post(f"/{token}", b"", "Content-Length: 11"))
        connection.type(b"hello world")
        connection.receive()
        connection.finish()
    assert seen(server, token) == [["POST", f"/{token}", "hello world"]]


def test_a_whole_exchange_of_three_requests_may_arrive_byte_by_byte(server, token):
    """Head, content, chunks and the next request: every boundary is a cut."""
    coded = request("PUT", f"/{token}/2", "Transfer-Encoding: chunked", content=chunked(b"hello ", b"chunks"))
    with server.connect() as connection:
        connection.type(post(f"/{token}/1", b"hello world") + coded + get(f"/{token}/3"))
        assert [connection.receive().content for _ in range(3)] == [f"/{token}/{n}".encode() for n in (1, 2, 3)]
        connection.finish()
    assert [entry[2] for entry in seen(server, token)] == ["hello world", "hello chunks", ""]


@pytest.mark.parametrize("cut", range(0, 140, 3))
def test_a_request_may_be_cut_anywhere(server, token, cut):
    data = request(
        "POST", f"/{token}", "Transfer-Encoding: chunked", content=chunked(b"hello ", b"world", trailers=b"X-T: 1\r\n")
    )
    with server.connect() as connection:
        connection.send(data[:cut], data[cut:])
        assert connection.receive().status == 200
        connection.finish()
    assert seen(server, token) == [["POST", f"/{token}", "hello world"]]


@pytest.mark.parametrize("size", [0, 1, 11, 4096, 65_535, 65_536, 524_288, 524_289, 3_000_000])
@pytest.mark.parametrize("framing", ["by length", "in one chunk", "in many chunks"])
def test_content_of_any_size_arrives_in_full(shared, size, framing):
    server = shared("input_probe")
    content = bytes(range(251)) * (size // 251 + 1)
    content = content[:size]
    if framing == "by length":
        data = post("/?read", content)
    else:
        coded = chunked(content) if framing == "in one chunk" else chunked(*pieces(content, 1000))
        data = request("POST", "/?read", "Transfer-Encoding: chunked", content=coded)
    assert json.loads(server.exchange(data).content) == [show(content)]


@pytest.mark.parametrize(
    "extension",
    [
        b";a",
        b";a=b",
        b";a=b;c=d",
        b';a="quoted; \\" string"',
        b" ; a = b",
        b"\t;a\t=\tb",
        b";a=b" * 20,
        b";!#$%&'*+-.^_`|~09=x",
    ],
)
def test_chunk_extensions_are_read_and_ignored(server, token, extension):
    content = chunk(b"hello ", extension) + chunk(b"world") + b"0" + extension + b"\r\n\r\n"
    server.exchange(request("POST", f"/{token}", "Transfer-Encoding: chunked", content=content))
    assert seen(server, token) == [["POST", f"/{token}", "hello world"]]


@pytest.mark.parametrize("size", [b"5", b"05", b"00000005", b"000000000000005"])
def test_a_chunk_size_may_have_leading_zeros(server, token, size):
    content = size + b"\r\nhello\r\n000\r\n\r\n"
    server.exchange(request("POST", f"/{token}", "Transfer-Encoding: chunked", content=content))
    assert seen(server, token) == [["POST", f"/{token}", "hello"]]


@pytest.mark.parametrize("digits", [b"a", b"A", b"0a", b"0A"])
def test_a_chunk_size_is_hexadecimal_in_either_case(server, token, digits):
    content = digits + b"\r\n0123456789\r\n0\r\n\r\n"
    server.exchange(request("POST", f"/{token}", "Transfer-Encoding: chunked", content=content))
    assert seen(server, token) == [["POST", f"/{token}", "0123456789"]]


@pytest.mark.parametrize(
    "trailers", [b"", b"X-One: 1\r\n", b"X-One: 1\r\nX-Two: \r\n", b"Content-Length: 5\r\n", b"Host: evil\r\n"]
)
def test_a_trailer_section_ends_the_content_and_is_dropped(server, token, trailers):
    with server.connect() as connection:
        content = chunked(b"hello", trailers=trailers)
        connection.send(
            request("POST", f"/{token}", "Transfer-Encoding: chunked", content=content) + get(f"/{token}/next")
        )
        assert [connection.receive().status for _ in range(2)] == [200, 200]
        connection.finish()
    assert [entry[2] for entry in seen(server, token)] == ["hello", ""]


@pytest.mark.parametrize("coding", ["chunked", "Chunked", "CHUNKED", " chunked "])
def test_the_name_of_the_coding_is_case_insensitive(server, token, coding):
    server.exchange(request("POST", f"/{token}", f"Transfer-Encoding:{coding}", content=chunked(b"hello")))
    assert seen(server, token) == [["POST", f"/{token}", "hello"]]


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PUT", "PATCH", "QUERY"])
def test_content_is_framed_alike_for_every_method(server, token, method):
    with server.connect() as connection:
        connection.send(request(method, f"/{token}", content=b"hello") + get(f"/{token}/next"))
        assert [connection.receive().status for _ in range(2)] == [200, 200]
        connection.finish()
    assert [entry[2] for entry in seen(server, token)] == ["hello", ""]


def test_an_empty_line_before_a_request_is_ignored(server, token):
    with server.connect() as connection:
        connection.send(b"\r\n" + post(f"/{token}", b"hello") + b"\r\n" + get(f"/{token}/next"))
        assert [connection.receive().status for _ in range(2)] == [200, 200]
        connection.finish()


def test_a_content_length_may_have_leading_zeros(server, token):
    server.exchange(post(f"/{token}", b"hello", "Content-Length: 005"))
    assert seen(server, token) == [["POST", f"/{token}", "hello"]]


def test_an_unknown_minor_version_reads_as_1_1(server, token):
    response = server.exchange(get(f"/{token}", version="HTTP/1.9"))
    assert (response.version, response.status) == ("HTTP/1.1", 200)


@pytest.mark.parametrize("unread", [100, 100_000, 2_000_000])
def test_content_that_the_application_leaves_does_not_disturb_the_next_request(server, token, unread):
    with server.connect() as connection:
        connection.send(post(f"/{token}/unread", b"GET / HTTP/1.1\r\n" * (unread // 16)), get(f"/{token}/next"))
        assert [connection.receive().content for _ in range(2)] == [
            f"/{token}/unread".encode(),
            f"/{token}/next".encode(),
        ]
        connection.finish()
    assert len(seen(server, token)) == 2


# Pipelining: RFC 9112 section 9.3.2.


@pytest.mark.parametrize("count", [2, 16, 100])
def test_pipelined_requests_are_answered_in_order(server, token, count):
    paths = [f"/{token}/{number}".encode() for number in range(count)]
    with server.connect() as connection:
        connection.send(b"".join(get(path.decode()) for path in paths))
        assert [connection.receive().content for _ in paths] == paths
        connection.finish()
    assert [entry[1].encode() for entry in seen(server, token)] == paths


def test_pipelined_requests_may_have_content_of_every_framing(server, token):
    requests = []
    for number in range(16):
        target, content = f"/{token}/{number}", b"x" * number * 1000
        if number % 3 == 0:
            requests.append(post(target, content))
        elif number % 3 == 1:
            requests.append(
                request("PUT", target, "Transfer-Encoding: chunked", content=chunked(*pieces(content, 700)))
            )
        else:
            requests.append(get(target))
    with server.connect() as connection:
        connection.send(b"".join(requests))
        assert [connection.receive().content for _ in requests] == [
            f"/{token}/{number}".encode() for number in range(16)
        ]
        connection.finish()
    assert [len(entry[2]) for entry in seen(server, token)] == [0 if n % 3 == 2 else n * 1000 for n in range(16)]


def test_pipelined_requests_of_every_method_are_framed_by_their_own(server, token):
    """The answer to HEAD has a Content-Length and no content, between two that have both."""
    with server.connect() as connection:
        connection.send(get(f"/{token}/1") + request("HEAD", f"/{token}/2") + get(f"/{token}/3"))
        assert connection.receive().content == f"/{token}/1".encode()
        assert connection.receive("HEAD").field("content-length") == str(len(f"/{token}/2"))
        assert connection.receive().content == f"/{token}/3".encode()
        connection.finish()


def test_a_client_may_pipeline_more_than_it_reads(server, token):
    """The answers fill the client's buffer long before it reads the first; none is lost."""
    count = 5000
    with server.connect(receive_buffer=4096) as connection:
        for batch in range(0, count, 100):
            connection.send(b"".join(get(f"/{token}/{number}") for number in range(batch, batch + 100)))
        for number in range(count):
            assert connection.receive().content == f"/{token}/{number}".encode()
        connection.finish()
