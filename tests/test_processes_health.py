"""Health checks, and what a trusted proxy may say about clients."""

import json
import signal

import pytest
from harness.deadline import wait_until
from harness.processes import wait_for_workers
from harness.request import get, request

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
