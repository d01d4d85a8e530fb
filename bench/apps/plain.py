"""Applications without a framework: each measures one thing of the server, so each does as little as it can."""

import os
import time
from itertools import count

HELLO = b"Hello, World!"
FIELDS = [("Content-Type", "text/plain"), ("Content-Length", str(len(HELLO)))]


def hello(environ, start_response):
    start_response("200 OK", FIELDS)
    return [HELLO]


def read(environ, start_response):
    """Reads its content, all at once as frameworks do, and says how much it was."""
    answer = b"%08d" % len(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "8")])
    return [answer]


BLOCK = b"x" * 16_384
BLOCKS = 64
BLOCKS_FIELDS = [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(BLOCK) * BLOCKS))]


def generator(environ, start_response):
    """64 blocks of 16 KB, with a Content-Length, so that every server may frame them in the same way."""
    start_response("200 OK", BLOCKS_FIELDS)
    return (BLOCK for _ in range(BLOCKS))


TABLE_ROW = b'2026-11-21,17,"what it is called",12.50,in stock\r\n'
TABLE_ROWS = 1_000


def rows(environ, start_response):
    """A table, a row of 50 bytes at a time and without a Content-Length, as exports are written."""
    start_response("200 OK", [("Content-Type", "text/csv")])
    return (TABLE_ROW for _ in range(TABLE_ROWS))


def file(environ, start_response):
    """10 MB through wsgi.file_wrapper, or read in blocks where the server has none."""
    start_response("200 OK", [("Content-Type", "application/octet-stream"), ("Content-Length", "10000000")])
    stream = open(os.environ["BENCH_FILE"], "rb")
    if "wsgi.file_wrapper" in environ:
        return environ["wsgi.file_wrapper"](stream, 65_536)
    return iter(lambda: stream.read(65_536), b"")


def sleep_20ms(environ, start_response):
    time.sleep(0.020)
    return hello(environ, start_response)


# Sleeping requests are spread evenly over the others, so that every second of a run has its share.
numbers = count()


def sleep_20ms_of_20(environ, start_response):
    """One request in twenty (5 %) sleeps 20 ms."""
    if next(numbers) % 20 == 0:
        time.sleep(0.020)
    return hello(environ, start_response)


def mixed(environ, start_response):
    """The client chooses: /slow sleeps 50 ms."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.050)
    return hello(environ, start_response)


def spin(seconds):
    """Pure Python for so much of this thread's own processor time: a wait for the interpreter lock does not count."""
    end = time.thread_time_ns() + int(seconds * 1e9)
    while time.thread_time_ns() < end:
        pass


def python_1ms(environ, start_response):
    spin(0.001)
    return hello(environ, start_response)


def python_2ms(environ, start_response):
    spin(0.002)
    return hello(environ, start_response)


def python_20ms(environ, start_response):
    spin(0.020)
    return hello(environ, start_response)
