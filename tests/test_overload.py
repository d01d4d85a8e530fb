"""More clients than descriptors, more requests than threads: who can be served is, the others wait or are told."""

import contextlib
import os
import resource
import select
import socket
import time

import pytest

from harness.deadline import wait_until
from harness.request import get

APP = "timeout_probe:application"

# Connections that a worker has descriptors for.
ROOM = 20


def worker_of(server):
    return int(server.get("/pid").content)


def descriptors(process):
    return len(os.listdir(f"/proc/{process}/fd"))


def processor_seconds(process):
    with open(f"/proc/{process}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def few_descriptors(server):
    """The worker, which has room for some connections more."""
    worker = worker_of(server)
    # The connection that told its number is closed by now, or is about to be.
    wait_until(lambda: not any(is_connection(worker, fd) for fd in os.listdir(f"/proc/{worker}/fd")), "no connections")
    _, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    resource.prlimit(worker, resource.RLIMIT_NOFILE, (descriptors(worker) + ROOM, hard))
    yield worker


def is_connection(process, fd):
    """Whether a descriptor is a TCP connection that is established."""
    try:
        inode = os.readlink(f"/proc/{process}/fd/{fd}")
    except FileNotFoundError:
        return False
    if not inode.startswith("socket:["):
        return False
    with open(f"/proc/{process}/net/tcp") as table:
        rows = [row.split() for row in table.readlines()[1:]]
    return any(row[9] == inode[8:-1] and row[3] == "01" for row in rows)


def says_nothing(connection, seconds):
    return not select.select([connection.stream], [], [], seconds)[0]


def test_without_descriptors_clients_wait_and_the_worker_does_not_spin(serve):
    with serve(APP, "--head-timeout", "60s") as server, few_descriptors(server) as worker:
        # In the middle of their requests: none of them can be closed to make room.
        held = [server.connect() for _ in range(2 * ROOM)]
        for connection in held:
            connection.send(b"GET / HT")
        server.wait_for_log("cannot accept for now: .*(?:EMFILE|[Tt]oo many open files)")
        last = server.connect()
        last.send(get("/quick"))
        before = processor_seconds(worker)
        assert says_nothing(last, 1.5), "there was room for it"
        assert processor_seconds(worker) - before < 0.5
        assert server.log().count("cannot accept for now") == 1, "one shortage, one line"
        for connection in held:
            connection.close()
        assert last.receive().status == 200
        last.close()
        # The worker is none the worse for it.
        assert worker_of(server) == worker


def test_idle_connections_make_room_those_first_that_are_idle_longest(serve):
    with serve(APP, "--keep-alive", "60s") as server, few_descriptors(server):
        idle = [server.connect() for _ in range(ROOM)]
        for connection in idle:
            assert connection.exchange(get("/quick")).status == 200
        # The last one is idle longest of all, for the others speak again, when the loop's clock of milliseconds has moved.
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 0.005, "some milliseconds to pass")
        for connection in idle[:-1]:
            assert connection.exchange(get("/quick")).status == 200
        with contextlib.ExitStack() as stack:
            for _ in range(ROOM // 2):
                connection = stack.enter_context(server.connect())
                assert connection.exchange(get("/quick")).status == 200
        idle[-1].expect_close()
        for connection in idle:
            connection.close()


def test_of_those_that_wait_for_a_thread_the_ones_that_left_are_not_run(serve):
    with serve(APP, "--threads", "2", "--queue-timeout", "20s") as server:
        inside = [server.connect() for _ in range(2)]
        for connection in inside:
            connection.send(get("/sleep?1500"))
        waiting = [server.connect() for _ in range(100)]
        for number, connection in enumerate(waiting):
            connection.send(get(f"/close-call?0&{number}"))
        # By a reset, as of a client that is killed.
        for connection in waiting[::2]:
            connection.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        for connection in [*inside, *waiting[1::2]]:
            assert connection.receive().status == 200
            connection.close()
        run = {int(line.split()[0]) for line in server.get("/endings").content.decode().splitlines()}
        # One of them may have been taken from the queue before its client had left.
        assert set(range(1, 100, 2)) <= run and len(run) <= 52, sorted(run)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_503_is_a_complete_answer_and_the_connection_goes_on(serve, method):
    content = b"x" * 100_000
    request = f"{method} /quick HTTP/1.1\r\nHost: test\r\n".encode()
    request += b"\r\n" if method == "GET" else b"Content-Length: %d\r\n\r\n" % len(content) + content
    with serve(APP, "--threads", "1", "--queue-timeout", "200ms") as server:
        inside = server.connect()
        inside.send(get("/sleep?1500"))
        with server.connect() as connection:
            began = time.monotonic()
            response = connection.exchange(request, method)
            assert response.status == 503 and response.content == b"503 Service Unavailable\n"
            assert response.field("Retry-After") == "1"
            assert time.monotonic() - began < 1
            assert inside.receive().status == 200
            assert connection.exchange(get("/quick")).status == 200
        inside.close()
