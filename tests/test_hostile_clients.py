"""Clients by the thousand that send half a request and then nothing: nobody else notices."""

import resource
import time

import pytest

from harness.request import get

CLIENTS = 5000
HALVES = [
    b"GET / HT",
    b"GET / HTTP/1.1\r\nHost: test\r\nX-Half",
    b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 100\r\n\r\nhalf of it",
    b"POST / HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe",
]


@pytest.fixture
def many_descriptors():
    """Room for the clients' sockets here, and for the server's ends, which inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CLIENTS
    assert hard == resource.RLIM_INFINITY or hard >= wanted, f"{wanted} descriptors are needed, {hard} allowed"
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_five_thousand_half_sent_requests_delay_nobody(serve, many_descriptors):
    with serve("latch", "--head-timeout", "120s", "--content-timeout", "120s", "--backlog", "8192") as server:
        held = []
        try:
            for number in range(CLIENTS):
                connection = server.connect()
                connection.send(HALVES[number % len(HALVES)])
                held.append(connection)
            took = []
            with server.connect() as normal:
                for _ in range(50):
                    began = time.monotonic()
                    assert normal.exchange(get("/quick")).status == 200
                    took.append(time.monotonic() - began)
            # The median, because the machine that runs the tests may be busy with something else.
            assert sorted(took)[25] < 0.05, took
            # All of them are still held: none was closed to make room.
            for connection in held:
                connection.stream.setblocking(False)
                with pytest.raises(BlockingIOError):
                    connection.stream.recv(1)
        finally:
            for connection in held:
                connection.close()
