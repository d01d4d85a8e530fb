"""How much of each part of a request is accepted, with which status more is refused, and that the answer arrives."""

import json

import pytest

from harness.request import chunk, chunked, get, post, request

CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture(scope="module")
def server(shared):
    return shared("recorder:application")


def expect(server, data, status):
    """The answer, alone on its connection; a refusal says that it closes the connection, and does."""
    with server.connect() as connection:
        connection.send(data)
        response = connection.receive()
        assert response.status == status
        if status == 200:
            connection.finish()
        else:
            assert response.is_last
            connection.expect_close()


def request_line_of(length):
    """A GET whose request-line has so many bytes, without its CRLF."""
    return get("/" + "x" * (length - len("GET / HTTP/1.1")))


def field_line_of(length):
    return "X-Long: " + "x" * (length - len("X-Long: "))


@pytest.mark.parametrize(("length", "status"), [(4096, 200), (8190, 200), (8191, 414), (70_000, 414), (1_000_000, 414)])
def test_a_request_line_has_8190_bytes_at_most(server, length, status):
    expect(server, request_line_of(length), status)


@pytest.mark.parametrize(("length", "status"), [(4096, 200), (8190, 200), (8191, 431), (70_000, 431), (1_000_000, 431)])
def test_a_field_line_has_8190_bytes_at_most(server, length, status):
    expect(server, get("/", field_line_of(length)), status)


@pytest.mark.parametrize(("count", "status"), [(50, 200), (99, 200), (100, 431), (200, 431), (10_000, 431)])
def test_a_head_has_100_fields_at_most(server, count, status):
    """Host is one of them."""
    expect(server, get("/", *(f"X-{number}: 1" for number in range(count))), status)


@pytest.mark.parametrize(("count", "status"), [(7, 200), (9, 431), (50, 431)])
def test_a_head_has_64_kib_at_most(server, count, status):
    expect(server, get("/", *(field_line_of(8000) for _ in range(count))), status)


@pytest.mark.parametrize("length", [(1 << 30) + 1, 1 << 40, (1 << 63) - 1])
def test_content_that_is_declared_too_large_is_refused_before_it_is_sent(server, length):
    expect(server, post("/", b"", f"Content-Length: {length}"), 413)


def test_a_chunk_that_is_declared_too_large_is_refused_before_it_is_sent(server):
    expect(server, request("POST", "/", CHUNKED, content=b"%x\r\n" % ((1 << 30) + 1)), 413)


@pytest.mark.parametrize(("length", "status"), [(256, 200), (257, 400), (100_000, 400)])
def test_a_chunk_line_has_256_bytes_at_most(server, length, status):
    line = b"5;a=" + b"b" * (length - 4) + b"\r\nhello\r\n"
    expect(server, request("POST", "/", CHUNKED, content=line + chunk(b"") + b"\r\n"), status)


@pytest.mark.parametrize(("length", "status"), [(7000, 200), (9000, 431), (1_000_000, 431)])
def test_a_trailer_section_has_8_kib_at_most(server, length, status):
    trailers = b"".join(b"X-%d: %s\r\n" % (number, b"x" * 100) for number in range(length // 108))
    expect(server, request("POST", "/", CHUNKED, content=chunked(b"hello", trailers=trailers)), status)


def test_no_limit_is_a_limit_on_a_connection(server):
    """Each counts for a request: a thousand requests of a thousand bytes are a thousand requests."""
    data = get("/", *(f"X-{number}: {'x' * 80}" for number in range(10)))
    with server.connect() as connection:
        for _ in range(1000):
            connection.send(data)
        assert {connection.receive().status for _ in range(1000)} == {200}
        connection.finish()


# The answer to a refused request is delivered although more was being sent: closing with unread bytes resets it away.


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (get("/", "X Bad: 1"), 400),
        (request_line_of(20_000), 414),
        (get("/", field_line_of(20_000)), 431),
        (post("/", b"", f"Content-Length: {1 << 40}"), 413),
        (request("POST", "/", CHUNKED, content=b"x\r\n"), 400),
    ],
)
def test_the_answer_to_a_refused_request_is_delivered_although_more_is_sent(server, data, status):
    """Ten megabytes behind it: the client reads only after it could send no more, or all of it."""
    with server.connect() as connection:
        connection.send(data)
        try:
            for _ in range(160):
                connection.send(b"x" * 65536)
        except (BrokenPipeError, ConnectionResetError):
            pass
        response = connection.receive()
        assert response.status == status and response.is_last


def test_the_answer_of_an_application_that_closes_is_delivered_although_more_is_sent(shared):
    server = shared("response_probe")
    with server.connect() as connection:
        connection.send(get("/connection-close"), b"x" * 1_000_000)
        assert connection.receive().content == b"last"


def test_a_refusal_shows_nothing_of_the_request_or_the_server_s_inside(server):
    with server.connect() as connection:
        response = connection.exchange(get("/", "X Bad: secret-value"))
    assert response.status == 400 and response.field("date")
    assert b"secret-value" not in response.content and b"Traceback" not in response.content


def test_the_application_was_never_called_for_a_refused_request(server):
    before = len(json.loads(server.get("/seen?").content))
    for data in (request_line_of(9000), get("/", field_line_of(9000)), post("/", b"", f"Content-Length: {1 << 40}")):
        with server.connect() as connection:
            assert connection.exchange(data).status >= 400
    assert len(json.loads(server.get("/seen?").content)) == before
