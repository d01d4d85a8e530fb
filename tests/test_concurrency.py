"""Requests beside one another: a handler that blocks delays nobody else, and `--threads` is a bound that holds."""

import json
import threading

import pytest

from harness.deadline import wait_until
from harness.request import get, post


@pytest.fixture(scope="module")
def server(shared):
    return shared("latch:application", "--threads", "256")


def waiting(server, name):
    return int(server.get(f"/waiting?{name}").content)


def test_a_request_that_blocks_does_not_delay_another(server):
    """The first is released by the second: were they served one after the other, neither would end."""
    with server.connect() as first:
        first.send(get("/wait?another"))
        wait_until(lambda: waiting(server, "another") == 1, "the first request to block")
        assert server.get("/release?another").status == 200
        assert first.receive().status == 200


def test_a_chain_of_requests_each_released_by_the_next(server):
    connections = [server.connect() for _ in range(20)]
    try:
        for number, connection in enumerate(connections):
            connection.send(get(f"/wait?chain-{number}"))
        for number, connection in enumerate(connections):
            wait_until(lambda: waiting(server, f"chain-{number}") == 1, "a request to block")
            server.get(f"/release?chain-{number}")
            assert connection.receive().status == 200
    finally:
        for connection in connections:
            connection.close()


def test_two_hundred_requests_that_sleep_leave_the_fast_path_responsive(server, tmp_path):
    """All two hundred are inside the application, asleep; every fast request is answered before any of them."""
    gate = tmp_path / "gate"
    sleepers = [server.connect() for _ in range(200)]
    try:
        for sleeper in sleepers:
            sleeper.send(get(f"/wait-for-file?{gate}"))
        wait_until(lambda: waiting(server, gate) == 200, "two hundred requests to sleep at once")
        with server.connect() as fast:
            for _ in range(100):
                assert fast.exchange(get("/fast")).content == b"/fast"
            fast.finish()
        assert waiting(server, gate) == 200
        gate.touch()
        assert {sleeper.receive().status for sleeper in sleepers} == {200}
        assert waiting(server, gate) == 0
    finally:
        for sleeper in sleepers:
            sleeper.close()


def test_more_requests_than_threads_wait_for_their_turn(serve, tmp_path):
    """Forty sleepers on eight threads: none is refused, and the fast one behind them is answered when they wake."""
    gate = tmp_path / "gate"
    with serve("latch", "--threads", "8") as server:
        sleepers = [server.connect() for _ in range(40)]
        try:
            for sleeper in sleepers:
                sleeper.send(get(f"/wait-for-file?{gate}"))
            with server.connect() as fast:
                fast.send(get("/fast"))
                gate.touch()
                assert fast.receive().content == b"/fast"
            assert {sleeper.receive().status for sleeper in sleepers} == {200}
        finally:
            for sleeper in sleepers:
                sleeper.close()


def test_of_three_pipelined_requests_the_first_is_answered_while_the_second_sleeps(server):
    with server.connect() as connection:
        connection.send(get("/1") + get("/wait?middle") + get("/3"))
        assert connection.receive().content == b"/1"
        wait_until(lambda: waiting(server, "middle") == 1, "the second request to block")
        server.get("/release?middle")
        assert connection.receive().content == b"/wait"
        assert connection.receive().content == b"/3"
        connection.finish()


def test_sixteen_pipelined_requests_with_a_sleeper_in_the_middle_are_answered_in_order(server):
    targets = [f"/{number}" if number != 8 else "/wait?eighth" for number in range(16)]
    with server.connect() as connection:
        connection.send(b"".join(map(get, targets)))
        assert [connection.receive().content.decode() for _ in range(8)] == targets[:8]
        wait_until(lambda: waiting(server, "eighth") == 1, "the middle one to block")
        server.get("/release?eighth")
        assert [connection.receive().content.decode() for _ in range(8)] == ["/wait", *targets[9:]]
        connection.finish()


def test_what_arrives_on_a_connection_while_its_request_sleeps_is_answered_after_it(server):
    with server.connect() as connection:
        connection.send(get("/wait?busy"))
        wait_until(lambda: waiting(server, "busy") == 1, "the first request to block")
        connection.type(get("/second") + get("/third"))
        server.get("/release?busy")
        assert [connection.receive().content for _ in range(3)] == [b"/wait", b"/second", b"/third"]
        connection.finish()


def test_a_malformed_request_is_refused_while_others_sleep(server):
    with server.connect() as sleeper, server.connect() as malformed:
        sleeper.send(get("/wait?refusal"))
        wait_until(lambda: waiting(server, "refusal") == 1, "a request to block")
        assert malformed.exchange(b"GET / HTTP/1.1\r\nHo st: x\r\n\r\n").status == 400
        server.get("/release?refusal")
        assert sleeper.receive().status == 200


def test_an_upload_goes_on_while_another_request_sleeps(server):
    with server.connect() as sleeper, server.connect() as upload:
        sleeper.send(get("/wait?upload"))
        upload.send(post("/uploaded", b"", "Content-Length: 1000000"))
        wait_until(lambda: waiting(server, "upload") == 1, "a request to block")
        for _ in range(100):
            upload.send(b"x" * 10_000)
        assert upload.receive().content == b"/uploaded"
        server.get("/release?upload")
        assert sleeper.receive().status == 200


def together(server, targets):
    """Asks for all targets at once, each on a connection of its own; returns the statuses."""
    barrier = threading.Barrier(len(targets))
    statuses = []

    def ask(target):
        with server.connect() as connection:
            barrier.wait()
            for _ in range(3):
                statuses.append(connection.exchange(get(target)).status)

    threads = [threading.Thread(target=ask, args=(target,)) for target in targets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@pytest.mark.parametrize("application", ["application", "validated"])
def test_one_thread_means_one_call_at_a_time(serve, application):
    """Neither the call nor the making of a stream's blocks overlaps with another."""
    with serve(f"occupancy:{application}", "--threads", "1") as server:
        assert together(server, ["/", "/stream", "/read"] * 8) == [200] * 72
        assert json.loads(server.get("/most").content) == [1, 72, False]


def test_with_one_thread_a_blocked_request_delays_the_next_and_nothing_is_lost(serve, tmp_path):
    gate = tmp_path / "gate"
    with serve("latch", "--threads", "1") as server, server.connect() as first, server.connect() as second:
        first.send(get(f"/wait-for-file?{gate}"))
        second.send(get("/second"))
        gate.touch()
        assert first.receive().status == 200
        assert second.receive().content == b"/second"


def test_no_more_calls_at_once_than_threads(serve):
    with serve("occupancy", "--threads", "4") as server:
        assert together(server, ["/", "/stream"] * 12) == [200] * 72
        most, calls, multithread = json.loads(server.get("/most").content)
        assert 1 < most <= 4 and calls == 72 and multithread is True


def test_calls_do_come_together(serve):
    """So that the bounds above are bounds on something."""
    with serve("occupancy") as server:
        assert together(server, ["/"] * 24) == [200] * 72
        most, calls, _ = json.loads(server.get("/most").content)
        assert most > 1 and calls == 72
