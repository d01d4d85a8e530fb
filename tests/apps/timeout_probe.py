"""Ways for a request to take long: each path is one, the query string says for how many milliseconds."""

import ctypes
import os
import queue
import threading
import time

import brickwork

c = ctypes.PyDLL(None)  # calls through it keep the interpreter lock
gate = threading.Event()

# What became of each request that says its name, by that name.
endings = {}


def milliseconds(environ):
    return int(environ["QUERY_STRING"].partition("&")[0])


def sleep(environ):
    time.sleep(milliseconds(environ) / 1000)
    return "slept"


def loop_for_ever(environ):
    while True:
        pass


def hold(environ):
    """Keeps the interpreter lock, in C."""
    c.usleep(milliseconds(environ) * 1000)
    return "held"


def wait(environ):
    """Waits until `/open` is called, whatever is raised meanwhile."""
    while not gate.is_set():
        try:
            gate.wait(30)
        except brickwork.RequestTimeout:
            pass
    return "waited"


def read(environ):
    """Reads the content; its client takes its time."""
    return f"read {len(environ['wsgi.input'].read())}"


def close_call(environ):
    """Computes for about as long as the deadline, then says what became of it."""
    name = environ["QUERY_STRING"].partition("&")[2]
    endings[name] = "begun"
    end = time.monotonic() + milliseconds(environ) / 1000
    try:
        while time.monotonic() < end:
            pass
    except brickwork.RequestTimeout:
        endings[name] = "interrupted"
        raise
    endings[name] = "ended"
    return name


def open_gate(environ):
    gate.set()
    return "opened"


ROUTES = {
    "/sleep": sleep, "/loop": loop_for_ever, "/hold": hold, "/wait": wait, "/open": open_gate, "/read": read,
    "/close-call": close_call,
    "/quick": lambda environ: "quick",
    "/pid": lambda environ: str(os.getpid()),
    "/thread": lambda environ: str(threading.get_native_id()),
    "/endings": lambda environ: "\n".join(f"{name} {ending}" for name, ending in list(endings.items())),
}  # fmt: skip


class Stream:
    """Blocks at intervals; the first one comes at once."""

    def __init__(self, pause):
        self.pause, self.blocks = pause, iter(range(4))

    def __iter__(self):
        return self

    def __next__(self):
        if next(self.blocks) > 0:
            time.sleep(self.pause)
        return b"block "


class Late:
    """An iterable that takes its time for the first block, and says in `endings` that it was closed."""

    def __init__(self, pause):
        self.pause = pause

    def __iter__(self):
        until = time.monotonic() + self.pause
        while time.monotonic() < until:
            time.sleep(0.01)
        yield b"late"

    def close(self):
        endings["late"] = "closed"


def without_bytecode(pause):
    """Blocks of which the first comes late, made by C code alone: what is raised meanwhile has no place to land."""
    blocks = queue.SimpleQueue()

    def put():
        blocks.put(b"late")
        blocks.put(None)

    threading.Timer(pause, put).start()
    return iter(blocks.get, None)


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/c":
        return without_bytecode(milliseconds(environ) / 1000)
    if environ["PATH_INFO"] == "/stream":
        return Stream(milliseconds(environ) / 1000)
    if environ["PATH_INFO"] == "/late":
        return Late(milliseconds(environ) / 1000)
    return [ROUTES[environ["PATH_INFO"]](environ).encode()]
