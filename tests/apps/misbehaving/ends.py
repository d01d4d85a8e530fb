"""Requests that end badly: exceptions before, within and after the response, and what is done after the end."""

import sys

from misbehaving import TEXT, notes

kept = {}


class Unprintable(Exception):
    def __str__(self):
        raise RuntimeError("not even this can be printed")

    __repr__ = __str__


class Closing:
    """Iterates as `blocks` does, and notes its end."""

    def __init__(self, name, blocks):
        self.name, self.blocks = name, blocks

    def __iter__(self):
        return self.blocks

    def close(self):
        notes[self.name].append("closed")


def raises_before_head(environ, start_response):
    raise ZeroDivisionError("before start_response")


def raises_after_start_response(environ, start_response):
    start_response("200 OK", [TEXT, ("X-First", "1")])
    raise ZeroDivisionError("after start_response")


def raises_in_first_iteration(environ, start_response):
    start_response("200 OK", [TEXT])
    raise ZeroDivisionError("in the first iteration")
    yield b""


def raises_after_empty_block(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b""
    raise ZeroDivisionError("after an empty block")


def raises_mid_stream(environ, start_response):
    def blocks():
        yield b"so far "
        yield b"so good"
        raise ZeroDivisionError("in the middle of the stream")

    start_response("200 OK", [TEXT])
    return Closing("raises-mid-stream", blocks())


def raises_mid_stream_sized(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "100")])
    yield b"so far so good"
    raise ZeroDivisionError("in the middle of sized content")


def raises_after_all_content(environ, start_response):
    """The client has all that was promised; what is raised then is no fault of the response."""
    start_response("200 OK", [TEXT, ("Content-Length", "8")])
    yield b"complete"
    raise ZeroDivisionError("after all content")


def raises_after_write(environ, start_response):
    start_response("200 OK", [TEXT])(b"so far so good")
    raise ZeroDivisionError("after write")


def raises_unprintable(environ, start_response):
    raise Unprintable


def raises_snow(environ, start_response):
    raise ValueError("snow \u2603, a line\nof its own, \x1b[31mred, and a lone surrogate \udc80")


def raises_system_exit(environ, start_response):
    sys.exit("the application wants to go")


def raises_system_exit_mid_stream(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"so far so good"
    sys.exit("the application wants to go")


def raises_keyboard_interrupt(environ, start_response):
    raise KeyboardInterrupt("nobody pressed anything")


def raises_stop_iteration(environ, start_response):
    raise StopIteration


def raises_base_exception(environ, start_response):
    raise BaseException("a bare BaseException")


def recurses(environ, start_response):
    return recurses(environ, start_response)


def close_raises(environ, start_response):
    class Raising(list):
        def close(self):
            notes["close-raises"].append("closed")
            raise ZeroDivisionError("in close")

    start_response("200 OK", [TEXT, ("Content-Length", "8")])
    return Raising([b"complete"])


def iteration_and_close_raise(environ, start_response):
    class Raising:
        def __iter__(self):
            yield b"so far so good"
            raise ZeroDivisionError("in iteration")

        def close(self):
            raise LookupError("in close as well")

    start_response("200 OK", [TEXT])
    return Raising()


def empties_environ(environ, start_response):
    environ.clear()
    start_response("200 OK", [TEXT])
    return [b"healthy"]


def keeps(environ, start_response):
    """Keeps everything it was given, for `uses_what_was_kept`."""
    kept.update(environ=environ, start_response=start_response, write=start_response("200 OK", [TEXT]))
    return [b"kept"]


def uses_what_was_kept(environ, start_response):
    """Reads, starts and writes with what belongs to a request that is over, while it answers its own."""
    for name, use in {
        "read": lambda: kept["environ"]["wsgi.input"].read(),
        "start_response": lambda: kept["start_response"]("200 Injected", [("X-Injected", "yes")]),
        "write": lambda: kept["write"](b"HTTP/1.1 200 OK\r\nX-Injected: yes\r\n\r\n"),
    }.items():
        try:
            notes["kept"].append([name, repr(use())])
        except Exception as error:
            notes["kept"].append([name, type(error).__name__])
    start_response("200 OK", [TEXT])
    return [b"healthy"]
