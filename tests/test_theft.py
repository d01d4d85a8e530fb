"""The loop changes hands: whatever a request does to the thread that handles it, others do not wait for it."""

import os
import random
import threading
import time

import pytest

from harness.deadline import wait_until
from harness.request import get

APP = "theft_probe:application"


@pytest.fixture
def server(serve):
    with serve(APP) as server:
        yield server


def text(response):
    assert response.status == 200, response
    return response.content.decode()


def begin(server, target):
    """Starts a request and waits until the application is in it."""
    connection = server.connect()
    connection.send(get(target))
    return connection


def until_entered(server):
    wait_until(lambda: text(server.get("/entered")) == "yes", "the request to begin")


def test_pipelined_requests_are_answered_in_order_when_the_middle_one_waits(server):
    with server.connect() as connection:
        connection.send(get("/quick?1") + get("/wait") + get("/quick?3"))
        assert text(connection.receive()) == "quick 1"
        until_entered(server)
        assert text(server.get("/open")) == "opened"
        assert text(connection.receive()) == "waited"
        assert text(connection.receive()) == "quick 3"


def test_a_hundred_waiting_requests_delay_nobody(serve):
    with serve(APP, "--threads", "128") as server:
        waiting = [begin(server, "/wait") for _ in range(100)]
        for _ in waiting:
            until_entered(server)
        assert text(server.get("/quick?now")) == "quick now"
        assert text(server.get("/open")) == "opened"
        for connection in waiting:
            assert text(connection.receive()) == "waited"
            connection.close()


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [(get("/healthz/live"), 200), (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400)],
    ids=["answered-natively", "refused"],
)
def test_a_call_that_holds_the_interpreter_lock_does_not_stop_the_loop(serve, request_bytes, status):
    """Nobody can run Python meanwhile; what needs none is answered all the same, and an application's request waits its turn."""
    with serve(APP, "--health-path", "/healthz") as server:
        held = server.connect()
        waiting = server.connect()
        held.send(get("/hold?3000"))
        answered = []
        took = []

        def ask():
            # The lock is held soon after this request is sent; the answers after that come from the guardian.
            while "held" not in answered:
                began = time.monotonic()
                with server.connect() as connection:
                    assert connection.exchange(request_bytes).status == status
                took.append(time.monotonic() - began)

        asking = threading.Thread(target=ask)
        asking.start()
        waiting.send(get("/quick?turn"))
        assert text(held.receive()) == "held"
        answered.append("held")
        asking.join()
        assert text(waiting.receive()) == "quick turn"
        # The one that came while the guardian was not yet called waits for it; none waits for the call to end.
        assert len(took) > 10
        assert max(took) < 1.5
        assert sorted(took)[len(took) // 2] < 0.05
        held.close()
        waiting.close()


def test_a_request_that_computes_delays_others_only_by_time_slices(server):
    with server.connect() as computing:
        computing.send(get("/compute?1000"))
        quick = [text(server.get(f"/quick?{n}")) for n in range(3)]
        assert quick == ["quick 0", "quick 1", "quick 2"]
        assert not computing.buffer
        assert text(computing.receive()) == "computed"


def test_a_stream_to_a_slow_reader_delays_nobody(server):
    with server.connect(receive_buffer=4096) as slow:
        slow.send(get("/stream"))
        for n in range(20):
            assert text(server.get(f"/quick?{n}")) == f"quick {n}"
        assert len(slow.receive().content) == 200 * 65536
        assert text(slow.exchange(get("/quick?after"))) == "quick after"


def test_thread_locals_and_context_variables_are_stable_within_a_request(server):
    def client(number, results):
        with server.connect() as connection:
            for n in range(10):
                results.append(text(connection.exchange(get(f"/stable?{number}-{n}"))))

    results = []
    clients = [threading.Thread(target=client, args=(number, results)) for number in range(16)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    assert results == ["stable"] * 160


@pytest.mark.parametrize("target", ["/fork", "/fork-and-return"])
def test_a_fork_in_the_application_leaves_the_server_whole(server, target):
    expected = {"/fork": "child 7", "/fork-and-return": "child 0"}[target]
    with server.connect() as connection:
        for _ in range(3):
            assert text(connection.exchange(get(target))) == expected
        assert text(connection.exchange(get("/quick?1"))) == "quick 1"
        connection.finish()


def test_a_child_left_behind_keeps_no_port_and_no_connection(serve):
    with serve(APP) as server:
        with server.connect() as connection:
            child = text(connection.exchange(get("/fork-and-linger", "Connection: close")))
            connection.expect_close()
        try:
            server.stop_cleanly()
            # The child lets go by itself, as soon as it gets to run.
            wait_until(server.refuses_connections, "the child to let go of the port")
            os.kill(int(child), 0)
        finally:
            os.kill(int(child), 9)


def test_processes_and_threads_started_in_a_request_work(server):
    assert text(server.get("/processes")) == "[0, 1, 4, 9, 16] echo"
    assert text(server.get("/threads")) == "[0, 1, 4, 9, 16, 25, 36, 49]"
    assert text(server.get("/quick?1")) == "quick 1"


def test_another_switch_interval_changes_nothing(server):
    assert float(text(server.get("/switch-interval?0.0001"))) == pytest.approx(0.0001)
    with server.connect() as computing:
        computing.send(get("/compute?300"))
        assert text(server.get("/quick?1")) == "quick 1"
        assert text(computing.receive()) == "computed"


def test_one_thread_means_one_call_after_the_other(serve):
    with serve(APP, "--threads", "1") as server:
        assert text(server.get("/multithread")) == "False"
        results = []

        def client():
            with server.connect() as connection:
                for _ in range(10):
                    results.append(text(connection.exchange(get("/count"))))

        clients = [threading.Thread(target=client) for _ in range(12)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        assert results == ["1"] * 120


def test_a_full_house_answers_503_in_time_and_never_runs_a_request_whose_client_left(serve):
    with serve(APP, "--threads", "2", "--queue-timeout", "300ms", "--graceful-timeout", "100ms") as server:
        inside = [begin(server, "/wait") for _ in range(2)]
        # No request for the application can tell that both are in: the queue can. A third request comes back unserved.
        with server.connect() as connection:
            response = connection.exchange(get("/quick?late"))
            assert response.status == 503
            assert response.field("Retry-After") == "1"
            # The client that gives up: its /open must not be run, or the two would be let out.
            left = begin(server, "/open")
            left.close()
            assert connection.exchange(get("/quick?later")).status == 503
        for connection in inside:
            connection.stream.settimeout(0.2)
            with pytest.raises(TimeoutError):
                connection.stream.recv(1)
            connection.close()
        # Let them out by the only way that needs no thread: the end of the server, which abandons them.


def test_the_process_ends_cleanly_with_busy_threads(serve):
    with serve(APP, "--graceful-timeout", "200ms") as server:
        waiting = begin(server, "/wait")
        until_entered(server)
        assert server.stop() == 0
        assert waiting.receive().status == 503
        waiting.close()


def test_mixed_load_gets_every_answer_right_and_runs_nothing_twice(serve):
    """Random waits, computations, lock-holding calls, pipelining and clients that leave early."""
    seed = random.randrange(1 << 30)
    print("seed", seed)
    with serve(APP, "--threads", "16") as server:
        failures = []

        def client(number):
            choice = random.Random(seed + number)
            for n in range(12):
                mark = f"{number}-{n}"
                kinds = {
                    f"/quick?{mark}": f"quick {mark}",
                    f"/stable?{mark}": "stable",
                    f"/compute?{choice.randint(1, 8)}": "computed",
                    f"/hold?{choice.randint(1, 8)}": "held",
                    "/threads": "[0, 1, 4, 9, 16, 25, 36, 49]",
                }
                targets = [choice.choice(list(kinds)) for _ in range(choice.randint(1, 5))]
                with server.connect() as connection:
                    connection.send(b"".join(get(target) for target in targets))
                    if choice.random() < 0.2:
                        connection.leave()
                        continue
                    for target in targets:
                        answer = text(connection.receive())
                        if answer != kinds[target]:
                            failures.append((target, answer))

        clients = [threading.Thread(target=client, args=(number,)) for number in range(24)]
        for thread in clients:
            thread.start()
        for thread in clients:
            thread.join()
        assert not failures, failures
        assert text(server.get("/quick?last")) == "quick last"
