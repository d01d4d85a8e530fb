"""Every right way to answer: the path names one.

`/log` answers with what the others noted, in JSON; `/sockets` with the number of sockets that the process has open."""

import ctypes
import io
import json
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from wsgiref.validate import validator

from input_probe import open_files

TEXT = ("Content-Type", "text/plain")
EVERY_BYTE = bytes(range(256)) + b"\r\n\n\r"
# Larger than what a connection's buffers hold, with a period that shows a shifted byte.
LARGE = b"".join(b"%09d\n" % number for number in range(1_200_000))

c = ctypes.PyDLL(None)  # calls through it keep the interpreter lock
notes = defaultdict(list)
events = defaultdict(threading.Event)
ways = {}


def way(function):
    ways["/" + function.__name__.replace("_", "-")] = function
    return function


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/log":
        body = json.dumps(notes[environ["QUERY_STRING"]]).encode()
        start_response("200 OK", [TEXT, ("Content-Length", str(len(body)))])
        return [body]
    if path == "/sockets":
        start_response("200 OK", [TEXT])
        return [str(sum(name.startswith("socket:") for name in open_files())).encode()]
    if path == "/set":
        events[environ["QUERY_STRING"]].set()
        start_response("204 No Content", [])
        return []
    return ways[path](environ, start_response)


class Closing:
    """An iterable that notes its calls under `name`."""

    def __init__(self, name, blocks):
        self.name, self.blocks = name, iter(blocks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.blocks)

    def close(self):
        notes[self.name].append("closed")


class OnlyIterable:
    """Nothing but `__iter__`; any other attribute that is asked for is noted."""

    def __iter__(self):
        return iter([b"only ", b"iterable"])

    def __getattr__(self, name):
        notes["only-iterable"].append(name)
        raise AttributeError(name)


class OldSequence:
    """The iterator protocol from before Python 2.2."""

    def __getitem__(self, index):
        return (b"old ", b"sequence")[index]


@way
def one_block(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"one block"]


@way
def many_blocks(environ, start_response):
    start_response("200 OK", [TEXT])
    return [b"many ", b"", b"blocks"]


@way
def tuple_of_blocks(environ, start_response):
    start_response("200 OK", [TEXT])
    return (b"a tuple ", b"of blocks")


@way
def generator(environ, start_response):
    start_response("200 OK", [TEXT])
    return (block for block in (b"gene", b"rator"))


@way
def sized_generator(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "9")])
    return (block for block in (b"gene", b"rator"))


@way
def lazy_generator(environ, start_response):
    start_response("418 I'm a teapot, short and stout", [TEXT, ("X-Lazy", "yes")])
    yield b"lazy"


@way
def lazy_after_empty(environ, start_response):
    start_response("200 Too early", [TEXT, ("X-Replaced", "no")])
    yield b""
    yield b""
    try:
        raise ValueError("after empty blocks")
    except ValueError:
        start_response("503 Replaced", [TEXT, ("X-Replaced", "yes")], sys.exc_info())
    yield b"replaced"


@way
def only_iterable(environ, start_response):
    start_response("200 OK", [TEXT])
    return OnlyIterable()


@way
def old_sequence(environ, start_response):
    start_response("200 OK", [TEXT])
    return OldSequence()


@way
def empty_list(environ, start_response):
    start_response("200 OK", [TEXT])
    return []


@way
def empty_generator(environ, start_response):
    start_response("200 OK", [TEXT])
    return (block for block in ())


@way
def no_content(environ, start_response):
    start_response("204 No Content", [])
    return []


@way
def not_modified(environ, start_response):
    start_response("304 Not Modified", [("ETag", '"1"')])
    return []


@way
def every_byte(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return [EVERY_BYTE]


@way
def every_byte_in_blocks(environ, start_response):
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    return (EVERY_BYTE[at : at + 1] for at in range(len(EVERY_BYTE)))


@way
def large(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", str(len(LARGE)))])
    return Closing("large", [LARGE])


@way
def large_in_blocks(environ, start_response):
    start_response("200 OK", [TEXT])
    return Closing("large-in-blocks", (LARGE[at : at + 100_000] for at in range(0, len(LARGE), 100_000)))


@way
def endless(environ, start_response):
    start_response("200 OK", [TEXT])
    return Closing("endless", iter(lambda: b"and so on, " * 1000, None))


@way
def closing(environ, start_response):
    start_response("200 OK", [TEXT])
    return Closing("closing", [b"closed ", b"once"])


@way
def closing_no_content(environ, start_response):
    start_response("204 No Content", [])
    return Closing("closing-no-content", [])


@way
def status_latin1(environ, start_response):
    start_response("200 Tr\xe8s bien", [TEXT])
    return [b"reason"]


@way
def status_unregistered(environ, start_response):
    start_response("299 Nobody registered this", [TEXT])
    return [b"reason"]


@way
def fields(environ, start_response):
    start_response(
        "200 OK",
        [
            TEXT,
            ("X-Second", "2"),
            ("Set-Cookie", "a=1; Path=/"),
            ("x-lower-case", "kept"),
            ("Set-Cookie", "b=2"),
            ("X-Latin1", "caf\xe9"),
            ("X-Empty", ""),
            ("X-Spaces", "in between"),
        ],
    )
    return [b"fields"]


@way
def own_date_and_server(environ, start_response):
    start_response("200 OK", [TEXT, ("DATE", "Sun, 06 Nov 1994 08:49:37 GMT"), ("server", "of my own")])
    return [b"date"]


@way
def own_length(environ, start_response):
    start_response("200 OK", [TEXT, ("content-LENGTH", "10")])
    return [b"own length"]


@way
def own_length_head(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "123456")])
    return []


@way
def connection_close(environ, start_response):
    start_response("200 OK", [TEXT, ("Connection", "close")])
    return [b"last"]


@way
def by_write(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"written ")
    write(b"")
    write(b"before ")
    return [b"iterated"]


@way
def sized_by_write(environ, start_response):
    write = start_response("200 OK", [TEXT, ("Content-Length", "7")])
    write(b"written")
    return []


@way
def exc_info_before_head(environ, start_response):
    start_response("200 OK", [TEXT, ("X-First", "1"), ("Set-Cookie", "first=1"), ("Content-Length", "1000")])
    try:
        raise ValueError("changed its mind")
    except ValueError:
        start_response("500 Changed its mind", [("Content-Type", "text/html"), ("X-Second", "2")], sys.exc_info())
    return [b"error page"]


@way
def exc_info_first(environ, start_response):
    try:
        raise ValueError("the first call already has exc_info")
    except ValueError:
        start_response("500 From the start", [TEXT], sys.exc_info())
    return [b"error page"]


@way
def exc_info_none(environ, start_response):
    start_response("200 OK", [TEXT], None)
    return [b"no exception"]


def answer_an_error_too_late(start_response, name):
    """Notes under `name` whether start_response raised the very exception that it was given."""
    error = ValueError("too late for an error page")
    try:
        raise error
    except ValueError:
        try:
            start_response("500 Too late", [TEXT], sys.exc_info())
        except BaseException as raised:
            notes[name].append([type(raised).__name__, str(raised), raised is error])
            raise


@way
def exc_info_after_head(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"sent "
    answer_an_error_too_late(start_response, "exc-info-after-head")
    yield b"never sent"


@way
def exc_info_after_write(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"sent ")
    answer_an_error_too_late(start_response, "exc-info-after-write")
    return [b"never sent"]


@way
def block_then_wait(environ, start_response):
    """The second block comes when somebody asks for `/set`; the query string names the event."""
    event = events[environ["QUERY_STRING"]]
    start_response("200 OK", [TEXT])
    yield b"first "
    yield b"second" if event.wait(30) else b"nobody called"


@way
def large_block_then_wait(environ, start_response):
    """The first block is more than any socket's buffer holds."""
    event = events[environ["QUERY_STRING"]]
    start_response("200 OK", [TEXT, ("Content-Length", str(len(LARGE) + 6))])
    yield LARGE
    yield b"second" if event.wait(30) else b"fail!!"


@way
def write_then_wait(environ, start_response):
    event = events[environ["QUERY_STRING"]]
    write = start_response("200 OK", [TEXT])
    write(b"first ")
    return [b"second" if event.wait(30) else b"nobody called"]


@way
def sized_write_then_wait(environ, start_response):
    event = events[environ["QUERY_STRING"]]
    write = start_response("200 OK", [TEXT, ("Content-Length", "12")])
    write(b"first ")
    return [b"second" if event.wait(30) else b"fail!!"]


@way
def blocks_then_hold(environ, start_response):
    """Three blocks at once, then a call that keeps the interpreter lock until the FIFO that the query string names has a writer."""
    start_response("200 OK", [TEXT])
    yield b"one"
    yield b"two"
    yield b"three"
    os.close(c.open(environ["QUERY_STRING"].encode(), os.O_RDONLY))
    yield b"four"


@way
def slow_then_quick(environ, start_response):
    """Blocks of one byte to 50 KB, quickly and slowly in turns."""
    start_response("200 OK", [TEXT])
    at = 0
    for number in range(400):
        if number % 50 < 5:
            time.sleep(0.003)
        size = 1 + number * number % 50_000
        yield LARGE[at : at + size]
        at += size


class ClosableFile(io.BytesIO):
    """A file-like object without a descriptor, which notes its end."""

    def close(self):
        notes["file"].append("closed")
        super().close()


class OnlyRead:
    """The least that the file wrapper takes."""

    def __init__(self, content):
        self.read = io.BytesIO(content).read


def real_file(content, position=0):
    file = tempfile.TemporaryFile()
    file.write(content)
    file.seek(position)
    return file


@way
def file_wrapper(environ, start_response):
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](real_file(LARGE), 4096)


@way
def file_wrapper_sized(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", str(len(LARGE)))])
    return environ["wsgi.file_wrapper"](real_file(LARGE))


@way
def file_wrapper_from_position(environ, start_response):
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](real_file(b"0123456789", position=4))


@way
def file_wrapper_after_buffered_read(environ, start_response):
    """The object's position is not the descriptor's: the rest of the file is in its buffer."""
    file = real_file(b"skipped\nthe rest")
    file.readline()
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](file)


@way
def file_wrapper_up_to_length(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "4")])
    return environ["wsgi.file_wrapper"](real_file(b"0123456789"))


@way
def file_wrapper_shorter_than_length(environ, start_response):
    start_response("200 OK", [TEXT, ("Content-Length", "20")])
    return environ["wsgi.file_wrapper"](real_file(b"0123456789"))


@way
def file_wrapper_empty(environ, start_response):
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](real_file(b""))


@way
def file_wrapper_bytes_io(environ, start_response):
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](ClosableFile(b"not a file of the system"))


@way
def file_wrapper_only_read(environ, start_response):
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](OnlyRead(b"only read"))


@way
def file_wrapper_pipe(environ, start_response):
    """It has a descriptor, but no position and no size."""
    reading, writing = os.pipe()
    os.write(writing, b"through a pipe")
    os.close(writing)
    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](open(reading, "rb"))


@way
def file_wrapper_iterated(environ, start_response):
    """As middleware does: the wrapper is only an iterable, and nothing is sent before it is returned."""
    start_response("200 OK", [TEXT])
    wrapper = environ["wsgi.file_wrapper"](ClosableFile(b"iterated"), 3)
    blocks = [block.upper() for block in wrapper]
    wrapper.close()
    return blocks


@way
def file_wrapper_unused(environ, start_response):
    wrapper = environ["wsgi.file_wrapper"](ClosableFile(b"never sent"))
    wrapper.close()
    start_response("200 OK", [TEXT])
    return [b"something else"]


@way
def file_wrapper_closed_file(environ, start_response):
    """What close() of the wrapper does, in an application that sends a real file."""
    file = real_file(b"a real file")
    real_close = file.close

    class Noting:
        def __getattr__(self, name):
            return getattr(file, name)

        def close(self):
            notes["real-file"].append("closed")
            real_close()

    start_response("200 OK", [TEXT])
    return environ["wsgi.file_wrapper"](Noting())


@way
def errors(environ, start_response):
    stream = environ["wsgi.errors"]
    stream.write("written to wsgi.errors\n")
    stream.writelines(["line one of two\n", "line two of two\n"])
    stream.write("snow \u2603 and a lone surrogate \udc80\n")
    stream.flush()
    start_response("200 OK", [TEXT])
    return [b"noted"]


validated = validator(application)
