"""How long a client may take: each deadline ends what it is for, with 408 where a request was begun.

The deadlines are set short, and the tests wait for what they bring about; none of them sleeps them through.
"""

import json
import time

import pytest

from harness.deadline import INTERVAL, PATIENCE, wait_until
from harness.request import chunk, get, post, request
from response_probe import LARGE

GENEROUS = ["--keep-alive", "30s", "--head-timeout", "30s", "--content-timeout", "30s", "--write-timeout", "30s"]


def short(flag, value="300ms"):
    """Command-line arguments by which one deadline is short and no other."""
    others = [word for pair in zip(GENEROUS[::2], GENEROUS[1::2]) if pair[0] != flag for word in pair]
    return [flag, value, *others]


@pytest.fixture(scope="module")
def keeping(shared):
    return shared("latch", *short("--keep-alive"))


@pytest.fixture(scope="module")
def reading(shared):
    return shared("recorder", *short("--content-timeout"))


@pytest.fixture(scope="module")
def hearing(shared):
    return shared("recorder", *short("--head-timeout"))


def seen(server, word):
    return json.loads(server.get(f"/seen?{word}").content)


def expect_408(connection):
    response = connection.receive()
    assert response.status == 408 and response.is_last
    connection.expect_close()


def test_an_idle_connection_is_closed_without_a_word(keeping):
    with keeping.connect() as connection:
        assert connection.exchange(get("/fast")).status == 200
        started = time.monotonic()
        connection.expect_close()
        assert time.monotonic() - started > 0.15, "that was no deadline"


def test_an_empty_line_begins_no_request(hearing):
    """RFC 9112 section 2.2 has it ignored: a 408 for it would answer a request that was never sent."""
    with hearing.connect() as connection:
        assert connection.exchange(get("/fast")).status == 200
        connection.send(b"\r\n")
        connection.half_close()
        connection.expect_close()
    with hearing.connect() as connection:
        connection.send(b"\r\n")
        connection.expect_close()


def test_a_connection_in_use_is_not_idle(keeping):
    """Requests at shorter intervals, for longer than the deadline in all."""
    with keeping.connect() as connection:
        started = time.monotonic()
        while time.monotonic() - started < 0.7:
            assert connection.exchange(get("/fast")).status == 200
        connection.finish()


def test_a_connection_whose_request_takes_long_is_not_idle(keeping, tmp_path):
    with keeping.connect() as busy, keeping.connect() as idle:
        busy.send(get(f"/wait-for-file?{tmp_path / 'open'}"))
        assert idle.exchange(get("/fast")).status == 200
        idle.expect_close()
        (tmp_path / "open").touch()
        assert busy.receive().status == 200


def test_keep_alive_takes_seconds_without_a_unit(serve):
    with serve("latch", "--keep-alive", "1") as server, server.connect() as connection:
        assert connection.exchange(get("/fast")).status == 200
        started = time.monotonic()
        connection.expect_close()
        assert 0.5 < time.monotonic() - started < PATIENCE


@pytest.mark.parametrize("data", [b"G", b"GET /late HTTP/1.1\r\n", b"GET /late HTTP/1.1\r\nHost: test\r\nX-Ha"])
def test_half_a_head_is_answered_408(hearing, data):
    with hearing.connect() as connection:
        connection.send(data)
        expect_408(connection)
    assert seen(hearing, "late") == []


def test_half_a_head_behind_a_good_request_is_answered_408(hearing):
    with hearing.connect() as connection:
        connection.send(get("/good") + b"GET /late HT")
        assert connection.receive().content == b"/good"
        expect_408(connection)
    assert seen(hearing, "late") == []


def test_half_a_head_after_a_good_request_is_answered_408(hearing):
    with hearing.connect() as connection:
        assert connection.exchange(get("/good")).content == b"/good"
        connection.send(b"GET /late HT")
        expect_408(connection)
    assert seen(hearing, "late") == []


def test_a_head_that_drips_is_late_all_the_same(hearing):
    """Every byte comes soon after the one before; the head as a whole does not."""
    with hearing.connect() as connection:
        connection.send(b"GET /late HTTP/1.1\r\nHost: test\r\nX-Drip: ")
        drip(connection)
        expect_408(connection)
    assert seen(hearing, "late") == []


def test_a_connection_that_never_says_anything_is_closed_without_a_word(hearing):
    with hearing.connect() as connection:
        connection.expect_close()


@pytest.mark.parametrize(
    "data",
    [
        post("/late", b"hell", "Content-Length: 5"),
        post("/late", b"", "Content-Length: 5"),
        request("POST", "/late", "Transfer-Encoding: chunked", content=b"5\r\nhell"),
        request("POST", "/late", "Transfer-Encoding: chunked", content=chunk(b"hello")),
        request("POST", "/late", "Transfer-Encoding: chunked", content=chunk(b"hello") + b"0\r\n"),
    ],
)
def test_content_that_stops_is_answered_408(reading, data):
    with reading.connect() as connection:
        connection.send(data)
        expect_408(connection)
    assert seen(reading, "late") == []


def test_content_that_keeps_coming_is_not_late(reading):
    """Slower in all than the deadline, but never without a byte for so long."""
    with reading.connect() as connection:
        connection.send(post("/slow", b"", "Content-Length: 100"))
        for _ in range(100):
            connection.send(b"x")
            time.sleep(INTERVAL)
        assert connection.receive().content == b"/slow"
        connection.finish()


def test_content_that_drips_for_ever_is_late_by_its_rate(serve):
    arguments = ["--content-grace", "200ms", "--content-rate", "10KiB"]
    with serve("recorder", *short("--content-timeout", "30s"), *arguments) as server, server.connect() as connection:
        connection.send(post("/late", b"", "Content-Length: 1000000"))
        drip(connection)
        expect_408(connection)
        assert seen(server, "late") == []


def test_content_that_the_application_waits_for_is_late_too(serve):
    """After the 100, the read of the application fails, and nothing is left waiting."""
    with serve("expect_probe", *short("--content-timeout")) as server, server.connect() as connection:
        interim = connection.exchange(post("/read", b"", "Expect: 100-continue", "Content-Length: 5"))
        assert interim.status == 100
        connection.send(b"he")
        expect_408(connection)
        server.wait_for_log("BW0509")
        assert "Traceback" not in server.log()
        assert server.get("/accept-unread").content == b"not needed"


def test_content_that_the_application_waits_for_is_late_by_its_rate(serve):
    arguments = ["--content-grace", "200ms", "--content-rate", "10KiB", "--threads", "1"]
    with serve("expect_probe", *short("--content-timeout", "30s"), *arguments) as server, server.connect() as connection:
        interim = connection.exchange(post("/read", b"", "Expect: 100-continue", "Content-Length: 1000000"))
        assert interim.status == 100
        drip(connection)
        expect_408(connection)
        assert server.get("/accept-unread").content == b"not needed"


@pytest.mark.parametrize("name", ["large", "large-in-blocks"])
def test_a_client_that_takes_nothing_of_its_response_is_given_up(serve, name):
    with serve("response_probe", *short("--write-timeout")) as server:

        def sockets():
            return int(server.get("/sockets").content)

        before = sockets()
        with server.connect(receive_buffer=4096) as connection:
            connection.send(get(f"/{name}"))
            connection.exactly(1)
            assert sockets() > before
            wait_until(lambda: sockets() == before, "the connection to be closed")
            assert json.loads(server.get(f"/log?{name}").content) == ["closed"]
            connection.read_to_end()
            assert len(connection.buffer) < len(LARGE)


def test_a_request_that_waits_too_long_for_its_turn_is_answered_503(serve, tmp_path):
    with serve("latch", "--threads", "1", "--queue-timeout", "300ms") as server:
        with server.connect() as first, server.connect() as second, server.connect() as third:
            first.send(get(f"/wait-for-file?{tmp_path / 'gate'}"))
            second.send(get("/second"))
            response = second.receive()
            assert response.status == 503 and int(response.field("retry-after")) > 0
            third.send(get("/third"))
            (tmp_path / "gate").touch()
            assert first.receive().status == 200
            assert third.receive().content == b"/third"


def drip(connection):
    """Sends a byte now and then until the server has answered or gone."""
    connection.stream.settimeout(INTERVAL)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            connection.send(b"x")
            if connection.fill() or connection.ended:
                break
        except TimeoutError:
            continue
        except (BrokenPipeError, ConnectionResetError):
            break
    connection.stream.settimeout(PATIENCE)
