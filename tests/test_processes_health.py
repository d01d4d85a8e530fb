"""Health checks, and what a trusted proxy may say about clients."""

import json
import signal
from pathlib import Path

import pytest
from harness.deadline import wait_until
from harness.processes import application, deploy, is_alive, kill, stop, wait_for_workers
from harness.request import get, request
from harness.server import APPS, Server

PROBE = "processes_probe:application"


@pytest.mark.parametrize("target", ["/healthz", "/healthz/ready", "/healthz/live"])
def test_health_is_answered_in_json_and_not_logged(serve, target):
    with serve(PROBE, "--health-path", "/healthz") as server:
        response = server.get(target)
        assert response.status == 200 and response.field("Content-Type") == "application/json"
        assert json.loads(response.content)["status"] == ("live" if target.endswith("live") else "ready")
        assert server.exchange(request("HEAD", target), method="HEAD").status == 200
        server.get("/logged")
        server.wait_for_stdout("/logged")
        assert "/healthz" not in server.stdout() and "probe" not in server.stdout()


def test_other_paths_and_methods_are_the_applications(serve):
    with serve(PROBE, "--health-path", "/healthz") as server:
        for target in ["/healthz/", "/healthz/other", "/healthzz", "/"]:
            assert b" 1" in server.get(target).content, target
        assert b" 1" in server.exchange(request("POST", "/healthz")).content


def test_health_never_waits_behind_busy_threads(serve, tmp_path):
    with serve(PROBE, "--health-path", "/healthz", "--threads", "1") as server:
        with server.connect() as busy, server.connect() as waiting:
            busy.send(get(f"/wait-for-file?{tmp_path}/go"))
            waiting.send(get("/"))
            for _ in range(3):
                assert server.get("/healthz/ready").status == 200
            (tmp_path / "go").touch()
            busy.receive()
            waiting.receive()


WAITS_FOR_IMPORT = """
import os, time

# One write, as print() is not where PYTHONUNBUFFERED is set: other processes write into the same log.
os.write(2, b"importing\\n")
while not os.path.exists({path!r}):
    time.sleep(0.01)
"""


def booting(tmp_path, *arguments, then="from processes_probe import application"):
    """A server whose application cannot be imported before the file `go` is there."""
    (tmp_path / "waits.py").write_text(WAITS_FOR_IMPORT.format(path=str(tmp_path / "go")) + then)
    bind = f"unix:{tmp_path}/socket"
    server = Server(
        tmp_path, "waits:application", "--bind", bind, *arguments, cwd=tmp_path, env={"PYTHONPATH": str(APPS)}
    )
    server.launch()
    server.addresses = [bind]
    server.wait_for_log("importing\n")
    return server


def status(server, check):
    response = server.get(f"/healthz/{check}")
    return response.status, json.loads(response.content)["status"]


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_generation_is_live_but_not_ready_while_it_imports_and_requests_wait(tmp_path, count):
    server = booting(tmp_path, "--health-path", "/healthz", "-w", str(count))
    try:
        assert status(server, "ready") == (503, "booting")
        assert status(server, "live") == (200, "live")
        with server.connect() as waiting:
            waiting.send(get("/version"))
            assert status(server, "ready") == (503, "booting")
            (tmp_path / "go").touch()
            assert waiting.receive().content == b"1"
        wait_until(lambda: status(server, "ready") == (200, "ready"), "readiness")
        wait_for_workers(server, count)
        server.stop_cleanly()
    finally:
        server.kill()


def test_who_waited_for_a_first_generation_that_cannot_be_imported_is_answered_503(tmp_path):
    server = booting(tmp_path, "--health-path", "/healthz", then="raise ValueError('why')")
    try:
        with server.connect() as waiting:
            waiting.send(get("/"))
            assert status(server, "live")[0] == 200
            (tmp_path / "go").touch()
            response = waiting.receive()
            assert response.status == 503 and response.is_last
        assert server.wait() == 1
        assert server.log().count("Traceback") == 1 and "ValueError: why" in server.log()
    finally:
        server.kill()


PRELOAD = ("--preload", "--health-path", "/healthz")


def responder(server):
    """Which process answers health checks."""
    return json.loads(server.get("/healthz/live").content)["pid"]


def responders(server):
    """Children of the supervisor that were started to answer health checks."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"@responder," in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.parametrize("count", [1, 3])
def test_the_first_generation_is_live_but_not_ready_while_it_is_preloaded(tmp_path, count):
    server = booting(tmp_path, *PRELOAD, "-w", str(count))
    try:
        early = responder(server)
        assert responders(server) == [early]
        for _ in range(3):
            assert status(server, "ready") == (503, "booting")
            assert status(server, "live") == (200, "live")
        (tmp_path / "go").touch()
        wait_until(lambda: not is_alive(early), f"process {early} to end")
        pids = wait_for_workers(server, count)
        assert status(server, "ready") == (200, "ready") and responder(server) in pids
        assert server.get("/version").content == b"1"
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 2 serves\n")
        assert not responders(server)
        server.stop_cleanly()
    finally:
        server.kill()


def test_who_comes_while_the_application_is_preloaded_is_asked_to_come_back(tmp_path):
    server = booting(tmp_path, *PRELOAD)
    try:
        for asked in [get("/"), request("POST", "/form", content=b"a=b&c"), get("/healthz")]:
            with server.connect() as connection:
                response = connection.exchange(asked)
                assert response.status == 503, asked
                if asked != get("/healthz"):
                    assert response.field("Retry-After") == "1" and response.is_last, asked
    finally:
        server.kill()


def test_an_idle_connection_does_not_keep_who_answers_while_the_application_is_preloaded(tmp_path):
    server = booting(tmp_path, *PRELOAD)
    try:
        early = responder(server)
        with server.connect() as idle:
            assert idle.exchange(get("/healthz")).status == 503
            (tmp_path / "go").touch()
            wait_until(lambda: not is_alive(early), f"process {early} to end")
        server.stop_cleanly()
    finally:
        server.kill()


def test_a_preloaded_application_that_cannot_be_imported_leaves_no_process(tmp_path):
    server = booting(tmp_path, *PRELOAD, then="raise ValueError('why')")
    try:
        early = responder(server)
        (tmp_path / "go").touch()
        assert server.wait() == 1
        assert not is_alive(early)
        assert server.log().count("Traceback") == 1 and "ValueError: why" in server.log()
    finally:
        server.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_server_that_ends_while_it_preloads_leaves_no_process(tmp_path, number):
    server = booting(tmp_path, *PRELOAD)
    try:
        early = responder(server)
        server.signal(number)
        server.wait()
        wait_until(lambda: not is_alive(early), f"process {early} to end")
    finally:
        server.kill()


@pytest.mark.parametrize("end", [kill, stop])
def test_a_server_serves_though_who_answers_while_it_preloads_was_killed_or_hangs(tmp_path, end):
    server = booting(tmp_path, *PRELOAD)
    try:
        early = responder(server)
        end(early)
        (tmp_path / "go").touch()
        wait_for_workers(server, 1)
        assert server.get("/version").content == b"1"
        wait_until(lambda: not is_alive(early), f"process {early} to end")
        server.stop_cleanly()
    finally:
        server.kill()


def test_a_child_that_is_forked_while_the_first_generation_imports_holds_no_listener(tmp_path):
    (tmp_path / "forks.py").write_text(
        """
import os, time

child = os.fork()
if not child:
    time.sleep(60)
    os._exit(0)
with open("child", "w") as file:
    file.write(str(child))

from processes_probe import application
"""
    )
    server = Server(
        tmp_path, "forks:application", "--health-path", "/healthz", cwd=tmp_path, env={"PYTHONPATH": str(APPS)}
    ).start()
    child = int((tmp_path / "child").read_text())
    try:
        assert server.get("/version").content == b"1"
        server.stop_cleanly()
        assert is_alive(child)
        wait_until(server.refuses_connections, "the address to be free")
    finally:
        server.kill()
        kill(child)


@pytest.mark.parametrize("arguments", [(), ("--preload",)], ids=["plain", "preload"])
def test_a_generation_that_still_imports_takes_no_request_from_the_one_that_serves(serve, tmp_path, arguments):
    path = application(tmp_path)
    with serve(PROBE, "--health-path", "/healthz", *arguments, cwd=tmp_path) as server:
        deploy(path, WAITS_FOR_IMPORT.format(path=str(tmp_path / "go")) + path.read_text())
        server.signal(signal.SIGHUP)
        server.wait_for_log("importing\n")
        for _ in range(20):
            assert server.get("/version").content == b"1"
            assert status(server, "ready") == (200, "ready")
        (tmp_path / "go").touch()
        server.wait_for_log("generation 2 serves\n")


def test_a_worker_that_drains_in_a_reload_says_that_it_is_not_ready(serve):
    with serve(PROBE, "--health-path", "/healthz") as server, server.connect() as old:
        assert old.exchange(get("/healthz/ready")).status == 200
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 2 serves\n")
        # The connection is the old worker's until its next answer.
        response = old.exchange(get("/healthz/ready"))
        assert response.status == 503 and response.is_last
        assert json.loads(response.content)["status"] == "draining"
        assert status(server, "ready") == (200, "ready")


def test_a_draining_server_is_live_but_not_ready(serve, tmp_path):
    arguments = ("--health-path", "/healthz", "--drain-delay", "30s")
    with serve(PROBE, *arguments) as server:
        (worker,) = wait_for_workers(server, 1)
        server.signal(signal.SIGTERM)
        wait_until(lambda: server.get("/healthz").status == 503, "readiness to go")
        assert server.get("/healthz/live").status == 200
        assert json.loads(server.get("/healthz/ready").content)["status"] == "draining"
        # During the delay everything else goes on.
        assert server.get("/").status == 200
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


def environ(server, name, *fields):
    return server.get(f"/environ?{name}", *fields).content.decode()


def test_a_trusted_proxy_sets_address_scheme_and_host(shared):
    server = shared(PROBE)
    fields = ["X-Forwarded-For: 6.6.6.6, 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: shop.example"]
    assert environ(server, "REMOTE_ADDR", *fields) == "203.0.113.7"
    assert environ(server, "REMOTE_PORT", *fields) == "None"
    assert environ(server, "wsgi.url_scheme", *fields) == "https"
    assert environ(server, "HTTP_HOST", *fields) == "shop.example"
    server.wait_for_stdout(r"203\.0\.113\.7 - - ")
    field = 'Forwarded: for="[2001:db8::7]:4711";proto=https;host=shop.example'
    assert environ(server, "REMOTE_ADDR", field) == "2001:db8::7"
    assert environ(server, "REMOTE_PORT", field) == "4711"
    assert environ(server, "wsgi.url_scheme", field) == "https"
    # The next request on the same connection has its own fields only.
    with server.connect() as connection:
        connection.exchange(get("/", *fields))
        assert connection.exchange(get("/environ?REMOTE_ADDR")).content == b"127.0.0.1"


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8,::1"])
def test_others_change_nothing(serve, trusted):
    fields = ["X-Forwarded-For: 203.0.113.7", "X-Forwarded-Proto: https", "X-Forwarded-Host: evil.example", "Forwarded: for=6.6.6.6"]
    with serve(PROBE, env={"FORWARDED_ALLOW_IPS": trusted}) as server:
        assert environ(server, "REMOTE_ADDR", *fields) == "127.0.0.1"
        assert environ(server, "wsgi.url_scheme", *fields) == "http"
        assert environ(server, "HTTP_HOST", *fields) == "test"


def test_peers_of_a_unix_socket_are_trusted(serve, tmp_path):
    with serve(PROBE, "--bind", f"unix:{tmp_path}/s", "--forwarded-allow-ips", "10.0.0.0/8") as server:
        assert environ(server, "REMOTE_ADDR", "X-Forwarded-For: 203.0.113.7") == "203.0.113.7"
