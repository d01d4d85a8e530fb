"""Content that does not fit its Content-Length, given in every way that content can be given."""

from misbehaving import TEXT

LENGTH_10 = [TEXT, ("Content-Length", "10")]


def longer_in_one_block(environ, start_response):
    start_response("200 OK", LENGTH_10[:])
    return [b"0123456789HTTP/1.1 200 Injected\r\n\r\n"]


def longer_in_blocks(environ, start_response):
    start_response("200 OK", LENGTH_10[:])
    yield b"01234"
    yield b"56789HTTP/1.1 200 Injected\r\n\r\n"
    yield b"HTTP/1.1 200 Injected\r\n\r\n"


def longer_without_end(environ, start_response):
    start_response("200 OK", LENGTH_10[:])
    while True:
        yield b"01234"


def longer_by_write(environ, start_response):
    write = start_response("200 OK", LENGTH_10[:])
    write(b"01234")
    write(b"56789")
    write(b"HTTP/1.1 200 Injected\r\n\r\n")
    return []


def longer_by_write_unnoticed(environ, start_response):
    """Keeps the exception of write() to itself, and goes on."""
    write = start_response("200 OK", LENGTH_10[:])
    for _ in range(3):
        try:
            write(b"0123456789")
        except ValueError:
            pass
    return []


def longer_by_write_then_block(environ, start_response):
    start_response("200 OK", LENGTH_10[:])(b"0123456789")
    return [b"HTTP/1.1 200 Injected\r\n\r\n"]


def longer_than_zero(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "0")])
    return [b"HTTP/1.1 200 Injected\r\n\r\n"]


def shorter_in_one_block(environ, start_response):
    start_response("200 OK", LENGTH_10[:])
    return [b"012"]


def shorter_in_blocks(environ, start_response):
    start_response("200 OK", LENGTH_10[:])
    yield b"01"
    yield b"2"


def shorter_by_write(environ, start_response):
    start_response("200 OK", LENGTH_10[:])(b"012")
    return []


def shorter_than_nothing(environ, start_response):
    start_response("200 OK", LENGTH_10[:])
    return []
