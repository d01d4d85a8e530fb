"""Clients as they are: half-closing, leaving, slow to read, slow to write; and that nobody else pays for them."""

import json

import pytest

from harness.deadline import wait_until
from harness.request import chunked, get, post, request
from response_probe import LARGE


@pytest.fixture(scope="module")
def server(shared):
    return shared("response_probe:application")


def notes(server, name):
    return json.loads(server.get(f"/log?{name}").content)


@pytest.mark.parametrize("path", ["/one-block", "/generator", "/large", "/large-in-blocks", "/file-wrapper"])
def test_a_client_that_half_closes_after_its_request_still_gets_the_answer(server, path):
    with server.connect() as connection:
        connection.send(get(path))
        connection.half_close()
        assert connection.receive().status == 200
        connection.expect_close()


def test_a_client_that_half_closes_after_several_requests_gets_all_answers(server):
    with server.connect() as connection:
        connection.send(get("/one-block") * 16)
        connection.half_close()
        assert [connection.receive().content for _ in range(16)] == [b"one block"] * 16
        connection.expect_close()


def test_a_client_that_half_closes_while_the_application_works_still_gets_the_answer(server):
    with server.connect() as connection:
        connection.send(get("/block-then-wait?half-closed"))
        connection.half_close()
        assert connection.line() == b"HTTP/1.1 200 OK"
        server.get("/set?half-closed")
        connection.read_to_end()
        assert connection.buffer.endswith(b"6\r\nsecond\r\n0\r\n\r\n")


@pytest.mark.parametrize("goodbye", ["close", "leave"])
@pytest.mark.parametrize("name", ["large", "large-in-blocks"])
def test_a_client_that_leaves_mid_response_is_noticed(server, name, goodbye):
    before = len(notes(server, name))
    with server.connect(receive_buffer=4096) as connection:
        connection.send(get(f"/{name}"))
        connection.exactly(100)
        getattr(connection, goodbye)()
    wait_until(lambda: notes(server, name)[before:] == ["closed"], "close() of a response nobody reads")
    assert server.get("/one-block").content == b"one block"


def test_a_client_that_leaves_while_the_application_works_is_noticed_afterwards(server):
    connection = server.connect()
    connection.send(get("/block-then-wait?left"))
    assert connection.line() == b"HTTP/1.1 200 OK"
    connection.leave()
    server.get("/set?left")
    assert server.get("/one-block").content == b"one block"


@pytest.mark.parametrize("goodbye", ["close", "leave"])
@pytest.mark.parametrize("sent", [0, 1, 100_000, 900_000])
def test_a_client_that_leaves_mid_upload_never_reaches_the_application(shared, goodbye, sent):
    server = shared("recorder")
    with server.connect() as connection:
        connection.send(post("/left-mid-upload", b"x" * sent, "Content-Length: 1000000"))
        getattr(connection, goodbye)()
    assert server.get("/here").content == b"/here"
    assert json.loads(server.get("/seen?left-mid-upload").content) == []


def test_many_clients_that_leave_at_once_leave_nothing_behind(shared):
    """The descriptors of the server go back to where they were."""
    server = shared("input_probe")

    def sockets():
        return sum(name.startswith("socket:") for name in json.loads(server.get("/open-files").content))

    before = sockets()
    connections = [server.connect() for _ in range(100)]
    for number, connection in enumerate(connections):
        connection.send([b"", b"GET", get("/?read"), post("/", b"half", "Content-Length: 10")][number % 4])
    assert sockets() >= before
    for number, connection in enumerate(connections):
        connection.leave() if number % 2 else connection.close()
    wait_until(lambda: sockets() <= before, "the descriptors of those who left to be closed")


def test_a_slow_reader_gets_everything_while_others_are_served(server):
    with server.connect(receive_buffer=4096) as slow:
        slow.send(get("/large"))
        while slow.line():
            pass
        read = b""
        while len(read) < 400_000:
            assert server.get("/one-block").content == b"one block"
            read += slow.exactly(4000)
        assert read + slow.exactly(len(LARGE) - len(read)) == LARGE
        slow.finish()


def test_slow_readers_in_number_hold_up_nobody(server):
    """More of them than threads: what they have not read waits in the server's memory, not in a thread."""
    slow = [server.connect(receive_buffer=4096) for _ in range(100)]
    try:
        for connection in slow:
            connection.send(get("/large"))
        for _ in range(10):
            assert server.get("/one-block").content == b"one block"
        assert slow[0].receive().content == LARGE
    finally:
        for connection in slow:
            connection.close()


def test_half_sent_requests_in_number_hold_up_nobody(server):
    slow = [server.connect() for _ in range(200)]
    try:
        for number, connection in enumerate(slow):
            connection.send(
                get("/one-block")[: 1 + number % 30] if number % 2 else post("/one-block", b"", "Content-Length: 5")
            )
        for _ in range(10):
            assert server.get("/one-block").content == b"one block"
        for number, connection in enumerate(slow):
            connection.send(get("/one-block")[1 + number % 30 :] if number % 2 else b"hello")
        assert {connection.receive().content for connection in slow} == {b"one block"}
    finally:
        for connection in slow:
            connection.close()


def test_a_large_upload_and_a_large_response_pass_each_other(server):
    """The application answers without reading; the client sends all before it reads anything."""
    with server.connect(receive_buffer=4096) as connection:
        connection.send(post("/large", b"x" * 5_000_000), get("/one-block"))
        assert connection.receive().content == LARGE
        assert connection.receive().content == b"one block"
        connection.finish()


def test_a_chunked_upload_of_tiny_chunks_is_no_burden(shared):
    server = shared("input_probe")
    content = chunked(*[b"x"] * 100_000)
    response = server.exchange(request("POST", "/?readlines", "Transfer-Encoding: chunked", content=content))
    assert json.loads(response.content)[0][0].startswith("100000 bytes")
