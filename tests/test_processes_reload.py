"""A server that changes its processes while it serves: reload, recycling, number, end. No request is lost to any of it."""

import re
import signal
import threading

import pytest
from harness.deadline import wait_until
from harness.load import Load
from harness.processes import READY, alive, application, deploy, is_alive, kill, wait_for_workers, workers
from harness.request import get
from harness.server import run

PROBE = "processes_probe:application"
BROKEN = "def application(:\n"
KINDS = pytest.mark.parametrize("arguments", [(), ("--preload",)], ids=["plain", "preload"])
CONNECTIONS = pytest.mark.parametrize("keep_alive", [True, False], ids=["keep-alive", "connection-per-request"])


def generation(server):
    served = re.findall(r"generation (\d+) serves\n", server.log())
    return int(served[-1]) if served else 1


def reload(server, *arguments):
    return run("reload", "--wait", str(server.process.pid), *arguments)


def assert_nothing_was_lost(load):
    assert load.answered > 20 and not load.failures, (load.answered, load.failures[:5], len(load.failures))
    assert load.crossed == 0, f"{load.crossed} requests crossed with the close of their connection"


@KINDS
def test_a_broken_deploy_disturbs_nobody_and_a_good_one_serves(serve, tmp_path, arguments):
    path = application(tmp_path)
    with serve(PROBE, "-w", "2", *arguments, cwd=tmp_path) as server:
        before = set(wait_for_workers(server, 2))
        good = path.read_text()
        with Load(server) as load:
            deploy(path, BROKEN)
            completed = reload(server)
            assert completed.returncode == 1
            assert "SyntaxError" in completed.stderr and "goes on as it was" in completed.stderr
            server.wait_for_log("generation 2 cannot serve: .*SyntaxError.*; generation 1 goes on")
            assert "  SyntaxError" in server.log()
            server.signal(signal.SIGHUP)
            server.wait_for_log("generation 3 cannot serve")
            assert set(alive(server)) == before
            assert server.get("/version").content == b"1"

            path.write_text(good)
            deploy(path, 2)
            completed = reload(server)
            assert (completed.returncode, completed.stdout) == (0, "generation 4 serves\n")
            assert server.get("/version").content == b"2"
            wait_until(lambda: not before & set(alive(server)), "the old workers to end")
        assert_nothing_was_lost(load)


@CONNECTIONS
@KINDS
def test_twenty_reloads_lose_nothing(serve, tmp_path, arguments, keep_alive):
    path = application(tmp_path)
    with serve(PROBE, "-w", "2", *arguments, cwd=tmp_path) as server:
        wait_for_workers(server, 2)
        with Load(server, keep_alive=keep_alive) as load:
            for number in range(2, 22):
                deploy(path, number)
                server.signal(signal.SIGHUP)
                server.wait_for_log(f"generation {number} serves\n")
                assert int(server.get("/version").content) == number
        assert_nothing_was_lost(load)


@CONNECTIONS
def test_twenty_recycled_workers_lose_nothing(serve, keep_alive):
    arguments = ("--max-requests", "20", "--max-requests-jitter", "10")
    with serve(PROBE, *arguments) as server:
        with Load(server, keep_alive=keep_alive) as load:
            wait_until(lambda: len(workers(server)) > 20, "20 workers to be replaced")
        assert_nothing_was_lost(load)


def test_a_replacement_serves_before_the_worn_worker_drains(serve):
    with serve(PROBE, "--max-requests", "3") as server:
        for _ in range(3):
            server.get("/")
        server.wait_for_log("is replaced and drains")
        events = re.findall(r"worker \d+ \(generation 1\) is (ready|replaced)", server.log())
        assert events[:3] == ["ready", "ready", "replaced"]


def test_workers_are_replaced_when_they_are_old(serve):
    with serve(PROBE, "-w", "2", "--max-worker-lifetime", "300ms") as server, Load(server, keep_alive=False) as load:
        wait_until(lambda: len(workers(server)) > 6, "workers to be replaced")
    assert_nothing_was_lost(load)


@CONNECTIONS
def test_more_and_fewer_workers_lose_nothing(serve, keep_alive):
    with serve(PROBE) as server, Load(server, keep_alive=keep_alive) as load:
        wait_for_workers(server, 1)
        for _ in range(5):
            server.signal(signal.SIGTTIN)
            wait_for_workers(server, 2)
            server.signal(signal.SIGTTOU)
            wait_until(lambda: server.log().count("exited with status 0") == server.log().count("drains"), "drained ones")
            wait_for_workers(server, 1)
        load.stop()
        assert_nothing_was_lost(load)


def test_term_loses_nothing_that_was_accepted(serve, tmp_path):
    with serve(PROBE, "-w", "2") as server:
        wait_for_workers(server, 2)
        connections = [server.connect() for _ in range(8)]
        for connection in connections:
            connection.send(get(f"/wait-for-file?{tmp_path}/go"))
        queued = server.connect()
        server.signal(signal.SIGTERM)
        server.wait_for_log("TERM: finishing")
        queued.send(get("/"))
        (tmp_path / "go").touch()
        for connection in [*connections, queued]:
            response = connection.receive()
            assert response.status == 200, "whether or not the order had reached its worker by then"
            connection.expect_close()
            connection.close()
        assert server.wait() == 0


def test_an_idle_connection_of_a_draining_worker_has_one_more_answer(serve):
    with serve(PROBE) as server, server.connect() as idle:
        first = idle.exchange(get("/")).content
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 2 serves\n")
        response = idle.exchange(get("/"))
        assert response.content == first and response.is_last
        idle.expect_close()
        wait_for_workers(server, 1)


def test_a_worker_that_is_told_to_end_by_somebody_else_is_replaced_while_it_drains(serve, tmp_path):
    with serve(PROBE) as server, server.connect() as busy:
        (first,) = wait_for_workers(server, 1)
        busy.send(get(f"/wait-for-file?{tmp_path}/go"))
        wait_until(lambda: "in flight: GET /wait-for-file" in run("status", str(server.process.pid)).stdout, "the request")
        kill(first, signal.SIGTERM)
        # The old one is still at work.
        server.wait_for_log("(?s)drains of its own accord.* is ready")
        assert int(server.get("/").content.split()[0]) != first and is_alive(first)
        (tmp_path / "go").touch()
        assert busy.receive().status == 200
        server.wait_for_log(rf"\[INFO\] .* worker {first} \(generation 1\) exited with status 0;")


def test_what_the_graceful_timeout_cut_off_is_named(serve, tmp_path):
    with serve(PROBE, "--graceful-timeout", "300ms") as server, server.connect() as busy:
        (first,) = wait_for_workers(server, 1)
        busy.send(get(f"/wait-for-file?{tmp_path}/never"))
        wait_until(lambda: "in flight: GET /wait-for-file" in run("status", str(server.process.pid)).stdout, "the request")
        server.signal(signal.SIGHUP)
        line = server.wait_for_log(rf"\[WARNING\] .* worker {first} \(generation 1\) exited with status 0;.*").group()
        assert "in flight: GET /wait-for-file?[redacted]" in line
        (tmp_path / "never").touch()


def test_ctrl_c_closes_idle_connections_at_once(serve):
    with serve(PROBE) as server, server.connect() as idle:
        idle.exchange(get("/"))
        server.signal(signal.SIGINT)
        idle.expect_close()
        assert server.wait() == 0


def test_a_reload_during_a_reload_follows_it(serve, tmp_path):
    path = application(tmp_path)
    path.write_text("import time\ntime.sleep(0.5)\n" + path.read_text())
    with serve(PROBE, cwd=tmp_path) as server:
        server.signal(signal.SIGHUP)
        server.wait_for_log("starting generation 2")
        results = []
        asking = threading.Thread(target=lambda: results.append(reload(server)))
        asking.start()
        server.wait_for_log("once more, when the reload that is on its way is through")
        asking.join(30)
        assert results[0].stdout == "generation 3 serves\n"


def test_reload_finds_its_server_by_pid_file_and_by_name(serve, tmp_path):
    with serve(PROBE, "--pid", tmp_path / "pid", "--name", f"probe{tmp_path.name}"[-40:]) as server:
        by_file = run("reload", "--wait", "--pid", tmp_path / "pid", env={"HOME": None})
        by_name = run("reload", "--wait", "--name", f"probe{tmp_path.name}"[-40:])
        assert (by_file.returncode, by_name.returncode) == (0, 0), (by_file.stderr, by_name.stderr)
        assert generation(server) == 3
    completed = run("reload", "--wait", "--pid", tmp_path / "pid")
    assert completed.returncode == 1 and "No such file" in completed.stderr


def test_a_replacement_that_cannot_start_is_tried_again_while_the_worn_worker_serves_on(serve, tmp_path):
    path = application(tmp_path)
    with serve(PROBE, "--max-requests", "5", cwd=tmp_path) as server:
        good = path.read_text()
        deploy(path, BROKEN)
        for _ in range(5):
            server.get("/")
        server.wait_for_log("no replacement could start: ")
        assert server.get("/version").content == b"1"
        path.write_text(good)
        wait_until(lambda: len(READY.findall(server.log())) == 2, "the replacement")
        wait_for_workers(server, 1)


def test_development_reload_shows_what_is_wrong_and_recovers(serve, tmp_path):
    path, extra = application(tmp_path), tmp_path / "settings.ini"
    extra.write_text("")
    with serve(PROBE, "--reload", "--reload-extra-file", extra, cwd=tmp_path) as server:
        good = path.read_text()
        deploy(path, 2)
        wait_until(lambda: server.get("/version").content == b"2", "version 2")
        deploy(path, BROKEN)
        wait_until(lambda: server.get("/version").status == 500, "the error page")
        page = server.get("/version")
        assert b"SyntaxError" in page.content and page.field("Content-Type").startswith("text/html")
        assert "  SyntaxError" in server.log()
        path.write_text(good)
        deploy(path, 3)
        wait_until(lambda: server.get("/version").content == b"3", "version 3")
        extra.write_text("changed")
        server.wait_for_log("settings.ini changed")
        package = tmp_path / "later"
        package.mkdir()


def test_development_reload_starts_with_a_broken_application(serve, tmp_path):
    path = tmp_path / "processes_probe.py"
    path.write_text(BROKEN)
    with serve(PROBE, "--reload", cwd=tmp_path) as server:
        assert server.get("/").status == 500
        application(tmp_path)
        wait_until(lambda: server.get("/version").content == b"1", "the repaired application")
