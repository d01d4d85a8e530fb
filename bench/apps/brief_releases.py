"""Applications that release the interpreter lock often and briefly, as real ones do: writes, and a socket nearby.

Each such release is an invitation to take the loop over; a scheduler that always accepts decays into a thread pool.
"""

import os
import socket
import threading
import time
from itertools import count

from plain import hello, spin

LINE = b"2026-11-20 19:54:03,123 INFO in views: a line of a log, about as long as such lines are in practice\n"
numbers = count()
descriptor = os.open(os.path.join(os.environ["BENCH_DIRECTORY"], "lines"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)


def write_lines():
    """Five short writes, always to the same place, so that a long run fills no disk."""
    for _ in range(5):
        os.pwrite(descriptor, LINE, 0)


def writes(environ, start_response):
    write_lines()
    return hello(environ, start_response)


def writes_and_sleep(environ, start_response):
    """Five writes; 1 % sleeps 20 ms as well."""
    write_lines()
    if next(numbers) % 100 == 0:
        time.sleep(0.020)
    return hello(environ, start_response)


def python_and_writes(environ, start_response):
    """15 ms of Python with five writes in it; 2 % sleeps 20 ms as well."""
    for _ in range(5):
        spin(0.003)
        os.pwrite(descriptor, LINE, 0)
    if next(numbers) % 50 == 0:
        time.sleep(0.020)
    return hello(environ, start_response)


local = threading.local()


def waits(environ, start_response):
    """Three round trips to a service on loopback that takes 2 ms for each: a database, a cache."""
    connection = getattr(local, "connection", None)
    if connection is None:
        connection = local.connection = socket.create_connection(("127.0.0.1", int(os.environ["BENCH_SERVICE_PORT"])))
    for _ in range(3):
        connection.sendall(b"?")
        connection.recv(1)
    return hello(environ, start_response)
