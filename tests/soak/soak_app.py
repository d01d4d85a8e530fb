"""What the soak serves: two frameworks, and what no framework's example does. Every answer names its worker.

`VERSION` is what a deployment changes.
"""

import ctypes
import hashlib
import os
import time

import bottle_app
import flask_app

VERSION = "1"

libc_with_lock = ctypes.PyDLL(None)


def blocks(count):
    """`count` KiB that a client can check."""
    for number in range(count):
        yield b"%1023d\n" % number


def answer(environ):
    """Status and content of the application's own paths."""
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/version":
        return "200 OK", [VERSION.encode()]
    if path == "/digest":
        content = environ["wsgi.input"].read()
        return "200 OK", [f"{len(content)} {hashlib.sha256(content).hexdigest()}".encode()]
    if path == "/stream":
        return "200 OK", blocks(int(query))
    if path == "/sleep":
        time.sleep(float(query))
        return "200 OK", [b"slept"]
    if path == "/forever":
        while True:
            pass
    if path == "/hold":
        # The interpreter lock is not let go.
        libc_with_lock.usleep(int(float(query) * 1e6))
        return "200 OK", [b"held"]
    if path == "/deadlock":
        libc_with_lock.pause()
    return "404 Not Found", [b"nothing here"]


def application(environ, start_response):
    def start(status, fields, *exc_info):
        return start_response(status, [*fields, ("X-Worker", str(os.getpid()))], *exc_info)

    for prefix, framework in [("/flask", flask_app.app), ("/bottle", bottle_app.app)]:
        if environ["PATH_INFO"].startswith(prefix + "/"):
            environ["SCRIPT_NAME"] = prefix
            environ["PATH_INFO"] = environ["PATH_INFO"][len(prefix) :]
            return framework(environ, start)
    status, content = answer(environ)
    start(status, [("Content-Type", "text/plain")])
    return content
