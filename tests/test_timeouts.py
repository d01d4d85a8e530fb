"""Requests that take long in the application: answered in time, told of, and ended, while others notice nothing."""

import contextlib
import os
import re
import signal
import threading
import time

import pytest

from harness.deadline import wait_until
from harness.request import get
from harness.server import run

APP = "timeout_probe:application"

# Seconds by which an answer in the application's place may be late.
LATE = 0.9


def text(response):
    assert response.status == 200, response
    return response.content.decode()


def timed(server, target):
    """The response, and the seconds that it took."""
    began = time.monotonic()
    response = server.get(target)
    return response, time.monotonic() - began


def stacks(server):
    """What `brickwork stacks` prints."""
    ended = run("stacks", server.process.pid)
    assert ended.returncode == 0, ended
    return ended.stdout


def record(server, line):
    """The log's record that begins with a match of `line`, with the lines that belong to it."""
    return server.wait_for_log(rf"(?m)^\d.*{line}.*\n(?:  .*\n)+").group()


@pytest.mark.parametrize(
    ("target", "where"),
    [("/sleep?10000", "time.sleep"), ("/loop", "in loop_for_ever"), ("/hold?6000", "in hold")],
)
def test_a_request_over_its_deadline_is_answered_504_and_the_log_says_where_it_was(serve, target, where):
    with serve(APP, "--timeout", "1", "--slow-request", "0", "--graceful-timeout", "100ms") as server:
        pid = text(server.get("/pid"))
        response, took = timed(server, target)
        assert response.status == 504 and response.content == b"504 Gateway Timeout\n", response
        assert response.field("connection") == "close"
        # The clock that dates the call's beginning is a coarse one: a tick, 4 ms, may be missing.
        assert 0.99 <= took < 1 + LATE
        told = record(server, "timed out, answered 504")
        shown = re.escape(re.sub(r"\d+", "[redacted]", target))
        assert re.search(rf"no answer after 1\.\d s: GET {shown} \(thread \d+\)", told), told
        assert where in told and "timeout_probe.py" in told, told
        assert text(server.get("/pid")) == pid, "the worker lives on"


def test_others_are_answered_while_one_sleeps_and_one_loops(serve):
    with serve(APP, "--timeout", "1", "--graceful-timeout", "100ms") as server:
        answered = []
        stuck = [
            threading.Thread(target=lambda target=target: answered.append(server.get(target).status))
            for target in ("/sleep?10000", "/loop", "/loop")
        ]
        for thread in stuck:
            thread.start()
        quick = 0
        while any(thread.is_alive() for thread in stuck):
            assert text(server.get("/quick")) == "quick"
            quick += 1
        assert answered == [504, 504, 504]
        assert quick > 3, "they share the interpreter lock with two that compute"


def test_refusals_and_504_come_while_nobody_gets_the_interpreter_lock(serve):
    with serve(APP, "--timeout", "1", "--slow-request", "0") as server:
        held = server.connect()
        began = time.monotonic()
        held.send(get("/hold?6000"))
        behind = server.connect()
        time_of_answer = {}

        def receive(name, connection):
            assert connection.receive().status == 504
            time_of_answer[name] = time.monotonic() - began

        behind.send(get("/quick"))
        threads = [threading.Thread(target=receive, args=("held", held))]
        threads[0].start()
        threads[0].join()
        assert time_of_answer["held"] < 1 + LATE
        told = record(server, "timed out, answered 504")
        assert "nobody gets the interpreter lock, and it is at (most recent call first)" in told, told
        # The one behind it waited in the queue, or for the lock.
        assert behind.receive().status in (200, 504)
        wait_until(lambda: server.get("/quick").status == 200, "the lock to come back")


def test_an_interruption_ends_the_thread_s_request_and_not_the_thread(serve):
    with serve(APP, "--timeout", "300ms", "--threads", "2") as server:
        for _ in range(5):
            assert server.get("/loop").status == 504
        assert "another takes its place" not in server.log()
        assert text(server.get("/quick")) == "quick"


def test_a_thread_that_does_not_come_back_is_replaced_and_comes_home_later(serve):
    with serve(APP, "--timeout", "300ms", "--threads", "12") as server:
        pid = text(server.get("/pid"))
        with server.connect() as one, server.connect() as other:
            one.send(get("/wait?1"))
            other.send(get("/wait?2"))
            assert one.receive().status == 504
            assert other.receive().status == 504
        # Both threads are in the application still. They are counted out after a while, and calls go on beside them.
        wait_until(lambda: server.log().count("another takes its place") == 2, "both to be counted out")
        assert stacks(server).count(", counted out)") == 2
        assert text(server.get("/open")) == "opened"
        # They come back, and end: the access log has their lines, and the worker, the same one, has its threads.
        for number in (1, 2):
            server.wait_for_stdout(rf'"GET /wait\?{number} HTTP/1.1" 504 -')
        wait_until(lambda: "thread" not in stacks(server), "both to leave")
        assert text(server.get("/pid")) == pid


def test_with_one_thread_nothing_is_called_beside_a_stuck_call_and_the_worker_is_replaced(serve):
    with serve(APP, "--timeout", "300ms", "--threads", "1", "--graceful-timeout", "1s") as server:
        before = text(server.get("/pid"))
        assert server.get("/wait?").status == 504
        server.wait_for_log("with --threads 1 no other may be called beside it")

        def is_replaced():
            response = server.get("/pid")
            return response.status == 200 and response.content.decode() != before

        wait_until(is_replaced, "a new worker to serve")


def test_a_worker_with_too_many_stuck_threads_is_replaced(serve):
    with serve(APP, "--timeout", "300ms", "--threads", "4", "--graceful-timeout", "1s") as server:
        before = text(server.get("/pid"))
        connections = [server.connect() for _ in range(2)]
        for number, connection in enumerate(connections):
            connection.send(get(f"/wait?{number}"))
        for connection in connections:
            assert connection.receive().status == 504
            connection.close()
        server.wait_for_log("this worker is to be replaced")
        wait_until(lambda: text(server.get("/pid")) != before, "a new worker to serve")


def test_a_started_stream_is_not_cut(serve):
    with serve(APP, "--timeout", "300ms") as server:
        assert server.get("/stream?400").content == b"block " * 4
        assert "timed out" not in server.log()


def test_the_first_block_of_an_iterable_counts_and_close_is_called_all_the_same(serve):
    with serve(APP, "--timeout", "300ms") as server:
        # Interrupted long before its end; a machine that stands still meanwhile changes nothing.
        assert server.get("/late?15000").status == 504
        wait_until(lambda: "late closed" in text(server.get("/endings")), "close() to be called")


def test_waiting_for_content_does_not_count(serve):
    """The application is called first for `Expect: 100-continue`; the client then takes longer than the deadline."""
    with serve(APP, "--timeout", "300ms", "--content-timeout", "5s") as server, server.connect() as connection:
        connection.send(b"POST /read?0 HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
        assert connection.receive().status == 100
        for piece in (b"ab", b"cd", b"ef"):
            time.sleep(0.25)  # the client's slowness is what is tested
            connection.send(piece)
        assert text(connection.receive("POST")) == "read 6"


def test_without_a_deadline_a_request_takes_its_time(serve):
    with serve(APP, "--timeout", "0", "--slow-request", "0") as server:
        assert "waited for without end" in server.log()
        assert text(server.get("/sleep?500")) == "slept"


def test_the_deadlines_are_said_at_the_start(serve):
    with serve(APP) as server:
        server.wait_for_log("answered 504 when the application has not begun to after 30s, and said to be slow after 5s")


def test_no_interruption_ever_reaches_another_request(serve):
    """Calls end just before and just after their deadline; whoever was interrupted was answered 504, and nobody else."""
    with serve(APP, "--timeout", "50ms", "--slow-request", "0", "--access-logfile", "none") as server:
        answers = {}

        def ask(client):
            for number in range(60):
                # In turns one about as long as the deadline, and one that ends at once unless it waits for the others.
                for length in (30 + (number * 7 + client) % 40, 0):
                    name = f"{client}-{number}-{length}"
                    answers[name] = server.get(f"/close-call?{length}&{name}").status

        clients = [threading.Thread(target=ask, args=(client,)) for client in range(4)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        endings = dict(line.split() for line in text(server.get("/endings")).splitlines())
        assert len(answers) == 480 and set(answers.values()) == {200, 504}
        for name, status in answers.items():
            assert status == 504 or endings[name] == "ended", (name, endings)
        interrupted = [name for name, ending in endings.items() if ending == "interrupted"]
        assert interrupted and all(answers[name] == 504 for name in interrupted)
        assert "Exception on" not in server.log() and "Exception in close" not in server.log()


def test_an_interruption_that_did_not_land_is_taken_back(serve):
    """The thread is in C code until its request is over. What was raised in it must not land in its next one."""
    with serve(APP, "--timeout", "100ms", "--slow-request", "0", "--threads", "3") as server:
        for _ in range(10):
            assert server.get("/c?200").status == 504
            # Each of these makes another thread lead, so that all have their turn.
            statuses = []

            def sleep(statuses=statuses):
                statuses.append(server.get("/sleep?30").status)

            threads = [threading.Thread(target=sleep) for _ in range(3)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert statuses == [200] * 3
        assert "Exception" not in server.log()


def test_a_slow_request_is_logged_again_at_doubling_ages_and_not_afterwards(serve):
    with serve(APP, "--slow-request", "200ms") as server:
        assert text(server.get("/sleep?1000")) == "slept"
        ages = [float(age) for age in re.findall(r"no answer after ([\d.]+) s: GET /sleep\?", server.log())]
        assert len(ages) == 3 and ages == sorted(ages), ages
        for age, wanted in zip(ages, (0.2, 0.4, 0.8), strict=True):
            assert wanted <= age < wanted + LATE / 3
        assert "time.sleep" in record(server, "no answer after")


def test_of_a_slow_request_the_log_shows_the_names_in_its_query_and_not_the_values(serve):
    with serve(APP, "--slow-request", "50ms", "--access-logfile", "none") as server:
        assert text(server.get("/sleep?300&token=s3cr3t")) == "slept"
        server.wait_for_log(r"no answer after [\d.]+ s: GET /sleep\?\[redacted\]&token=\[redacted\] \(thread")
        assert "s3cr3t" not in server.log()


def worker_of(server):
    return int(text(server.get("/pid")))


@contextlib.contextmanager
def in_flight(server, targets, answer):
    """Requests, each on a connection of its own, during the block. At its end they are answered."""
    connections = [server.connect() for _ in targets]
    for connection, target in zip(connections, targets, strict=True):
        connection.send(get(target))
    yield
    for connection in connections:
        assert text(connection.receive()) == answer
        connection.close()


def are_all_asleep(shown):
    """Whether three requests are shown, each in its sleep. One that has only just been handed out is not in Python code yet."""
    pattern = r"GET /sleep\?\[redacted\]&%d=\[redacted\] \(thread \d+\)\n *Stack (?:.*\n){2,5}?.*, in sleep\n"
    return all(re.search(pattern % number, shown) for number in range(3))


@pytest.mark.parametrize("asked", ["worker", "supervisor"])
def test_usr2_shows_every_request_in_flight_with_its_stack(serve, asked):
    with serve(APP, "--slow-request", "0") as server:
        worker = worker_of(server) if asked == "worker" else server.process.pid

        def are_all_shown():
            mark = server.log_size()
            os.kill(worker, signal.SIGUSR2)
            server.wait_for_log(r"requests in the application: \d", since=mark)
            return are_all_asleep(server.log(mark))

        with in_flight(server, [f"/sleep?2000&{number}=" for number in range(3)], "slept"):
            wait_until(are_all_shown, "all requests to be shown, with their stacks")


def test_stacks_prints_what_is_in_flight_in_every_worker(serve):
    with serve(APP, "--slow-request", "0", "--workers", "2") as server:
        wait_until(lambda: server.log().count(") is ready") == 2, "both workers to be ready")

        def are_all_shown():
            return are_all_asleep(stacks(server))

        with in_flight(server, [f"/sleep?3000&{number}=" for number in range(3)], "slept"):
            wait_until(are_all_shown, "all requests to be shown")
            text_shown = stacks(server)
            assert len(re.findall(r"(?m)^worker \d+: requests in the application: \d$", text_shown)) == 2
            in_sleep = re.findall(r'(?m)^    File ".*timeout_probe\.py", line \d+, in sleep$', text_shown)
            assert len(in_sleep) == 3, text_shown


def test_stacks_come_while_the_interpreter_lock_is_held(serve):
    arguments = ("--slow-request", "0", "--timeout", "0")
    with serve(APP, *arguments) as server, in_flight(server, ["/hold?6000"], "held"):
        wait_until(lambda: "in hold" in stacks(server), "the stack of a call that holds the lock")


def test_stacks_names_every_request_however_many(serve):
    """More than the shared record of requests in flight has room for."""
    with serve(APP, "--slow-request", "0", "--threads", "80") as server:

        def are_all_shown():
            shown = stacks(server)
            return all(f"GET /wait?{number}=[redacted] (thread" in shown for number in range(75))

        with in_flight(server, [f"/wait?{number}=" for number in range(75)], "waited"):
            wait_until(are_all_shown, "all requests to be shown")
            assert text(server.get("/open")) == "opened"
