"""The servers that are compared, and how each is started: one process, its best documented settings, no access log.

A setting stands beside the reason for it. What a server's documentation recommends for speed is used; what would
measure another product (several processes, another event loop than its own) is not.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

BENCH = Path(__file__).resolve().parent.parent
PYTHON = str(BENCH / ".venv/bin/python")


@dataclass(frozen=True)
class Peer:
    name: str
    # Arguments: application as module:callable, port, scratch directory.
    command: Callable[[str, int, Path], list[str]]
    # Why these settings.
    settings: str
    environment: dict[str, str] = field(default_factory=dict)
    # Directories with the packages of another build than the installed one.
    python_path: tuple[str, ...] = ()
    # The name under which set_up.py says that it is absent; "" for our own.
    distribution: str = ""
    # Whether some of its answers carry the close option though the client did not ask for it, and are so much longer
    # than the others.
    closes_some: bool = False

    def absence(self) -> str | None:
        """Why it cannot be measured here."""
        reasons = json.loads((BENCH / ".venv/absent.json").read_text())
        return reasons.get(self.distribution)

    def version(self) -> str:
        if self.distribution == "nginx":
            return subprocess.run(["/usr/sbin/nginx", "-v"], capture_output=True, text=True).stderr.strip()
        distribution = self.distribution or "brickwork"
        ask = f"import importlib.metadata as m; print(m.version({distribution!r}))"
        return subprocess.run([PYTHON, "-c", ask], capture_output=True, text=True).stdout.strip() or "unknown"


def brickwork(*flags: str) -> Callable[[str, int, Path], list[str]]:
    def command(app: str, port: int, scratch: Path) -> list[str]:
        bind = ["--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
        words = [flag.replace("SCRATCH", str(scratch)) for flag in flags]
        return [PYTHON, "-m", "brickwork", *bind, *words, app]

    return command


def module(name: str, *flags: str, address: str = "", last: str = "") -> Callable[[str, int, Path], list[str]]:
    """A peer that is run by `python -m`; `address` is the flag before HOST:PORT."""

    def command(app: str, port: int, scratch: Path) -> list[str]:
        return [PYTHON, "-m", name, *flags, f"{address}127.0.0.1:{port}", app]

    return command


def script(name: str) -> Callable[[str, int, Path], list[str]]:
    return lambda app, port, scratch: [PYTHON, str(BENCH / "servers" / name), app, "127.0.0.1", str(port)]


def granian(*flags: str) -> Callable[[str, int, Path], list[str]]:
    fixed = ["--interface", "wsgi", "--host", "127.0.0.1", "--workers", "1", "--http", "1", "--no-ws"]
    quiet = ["--backlog", "2048", "--log-level", "warning", "--no-access-log"]
    return lambda app, port, scratch: [PYTHON, "-m", "granian", *fixed, *quiet, *flags, "--port", str(port), app]


def gunicorn(*flags: str) -> Callable[[str, int, Path], list[str]]:
    fixed = ["--workers", "1", "--worker-tmp-dir", "/dev/shm", "--log-level", "warning", "--backlog", "2048"]
    fixed += ["--keep-alive", "75", "--worker-connections", "12000"]
    return lambda app, port, scratch: [PYTHON, "-m", "gunicorn", *fixed, *flags, "--bind", f"127.0.0.1:{port}", app]


def uwsgi(app: str, port: int, scratch: Path) -> list[str]:
    http = ["--http", f"127.0.0.1:{port}", "--http-keepalive=75", "--so-keepalive", "--tcp-nodelay"]
    process = ["--master", "--processes", "1", "--threads", "4", "--enable-threads", "--need-app", "--die-on-term"]
    rest = ["--disable-logging", "--listen", "1024", "--virtualenv", str(BENCH / ".venv"), "--module", app]
    return [str(BENCH / ".venv/bin/uwsgi"), *http, *process, *rest]


NGINX = """
worker_processes 1;
daemon off;
master_process off;
pid {scratch}/nginx.pid;
error_log {scratch}/nginx.error;
events {{ worker_connections 12000; }}
http {{
    access_log off;
    sendfile on;
    {tuning}
    keepalive_requests 1000000;
    client_body_temp_path {scratch}/nginx-body;
    proxy_temp_path {scratch}/nginx-proxy;
    fastcgi_temp_path {scratch}/nginx-fastcgi;
    uwsgi_temp_path {scratch}/nginx-uwsgi;
    scgi_temp_path {scratch}/nginx-scgi;
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        root {scratch};
    }}
}}
"""


def nginx(tuning: str) -> Callable[[str, int, Path], list[str]]:
    """Serves the scratch directory; the application is not run."""

    def command(app: str, port: int, scratch: Path) -> list[str]:
        configuration = scratch / "nginx.conf"
        configuration.write_text(NGINX.format(port=port, scratch=scratch, tuning=tuning))
        # As root, nginx would give itself another user, who may not read the scratch directory.
        user = ["-g", "user root;"] if os.geteuid() == 0 else []
        return ["/usr/sbin/nginx", "-c", str(configuration), "-e", str(scratch / "nginx.error"), *user]

    return command


def brickwork_static(app: str, port: int, scratch: Path) -> list[str]:
    """Serves the scratch directory, as nginx does."""
    quiet = ["--access-logfile", "none", "--log-level", "warning"]
    return [PYTHON, "-m", "brickwork", "static", str(scratch), "--bind", f"127.0.0.1:{port}", *quiet]


def http_server(app: str, port: int, scratch: Path) -> list[str]:
    """Serves the scratch directory, as nginx does."""
    return [PYTHON, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(scratch)]


def reference(name: str, settings: str, environment: dict[str, str]) -> Peer:
    """Brickwork as built with its reference schedulers, which differ in nothing else."""
    return Peer(name, brickwork(*LOG_OFF), settings, environment, (str(BENCH / "build/reference"),))


def limit(name: str, settings: str, app: str = "") -> Peer:
    """One of our own limit servers; `app` in place of the scenario's."""

    def command(given: str, port: int, scratch: Path) -> list[str]:
        return script("limit_server.py")(app or given, port, scratch)

    return Peer(name, command, settings, python_path=(str(BENCH / "build/limit"),))


LOG_OFF = ("--access-logfile", "none")

PEERS = {
    peer.name: peer
    for peer in [
        Peer("brickwork", brickwork(*LOG_OFF), "defaults, access log off as for everyone"),
        Peer("brickwork-log", brickwork("--access-logfile", "SCRATCH/access.log"), "defaults, access log to a file"),
        reference("brickwork-product", "the reference build with the product's scheduler", {}),
        reference("brickwork-inline", "always inline, never handed on", {"BRICKWORK_SCHEDULER": "inline"}),
        reference("brickwork-pool", "always handed to a pool of 64", {"BRICKWORK_SCHEDULER": "pool"}),
        Peer("bjoern", script("bjoern_server.py"), "it has none", distribution="bjoern"),
        Peer(
            "fastwsgi",
            script("fastwsgi_server.py"),
            "TCP_NODELAY on, log of critical errors only",
            distribution="fastwsgi",
        ),
        Peer(
            "granian",
            granian("--runtime-mode", "st", "--blocking-threads", "1", "--backpressure", "12000"),
            "HTTP/1 only, no WebSockets; the single-threaded runtime, which it chooses itself here; one blocking"
            " thread: for applications that answer at once its documentation advises very few; backpressure above the"
            " number of connections, as its documentation asks, because it counts these",
            distribution="granian",
        ),
        Peer(
            "granian-64",
            granian("--runtime-mode", "st", "--blocking-threads", "64", "--backpressure", "12000"),
            "as granian, 64 blocking threads, for applications that wait",
            distribution="granian",
        ),
        Peer(
            "granian-default",
            granian(),
            "HTTP/1 only, no WebSockets; no setting for threads: half the backpressure, which is the backlog",
            distribution="granian",
        ),
        Peer(
            "gunicorn-sync",
            gunicorn("--worker-class", "sync"),
            "its default worker; heartbeat in memory as its FAQ advises; has no keep-alive",
            distribution="gunicorn",
        ),
        Peer(
            "gunicorn-gthread",
            gunicorn("--worker-class", "gthread", "--threads", "4"),
            "4 threads: its documentation's 2-4 for each core; keep-alive as long as ours",
            distribution="gunicorn",
        ),
        Peer(
            "gunicorn-gthread-64",
            gunicorn("--worker-class", "gthread", "--threads", "64"),
            "as gunicorn-gthread, 64 threads, for applications that wait",
            distribution="gunicorn",
        ),
        Peer(
            "waitress",
            module("waitress", "--threads=4", "--connection-limit=12000", "--asyncore-use-poll", address="--listen="),
            "4 threads, its default; poll and a higher limit, which its documentation asks for with many connections",
            distribution="waitress",
        ),
        Peer(
            "cheroot",
            module("cheroot", "--threads", "10", "--request-queue-size", "2048", address="--bind="),
            "10 threads, its default; a backlog as long as the others' in place of 5: it closes connections beyond"
            " ten, so many are opened",
            distribution="cheroot",
            closes_some=True,
        ),
        Peer(
            "uwsgi",
            uwsgi,
            "its HTTP router with keep-alive before one process with 4 threads (its --http11-socket holds a thread"
            " for each idle connection); request log off",
            distribution="uwsgi",
        ),
        limit("limit-fixed", "bare epoll with a fixed answer", "fixed"),
        limit("limit-wsgi", "epoll and the least possible WSGI call"),
        Peer("brickwork-static", brickwork_static, "brickwork static, defaults, access log off as for everyone"),
        Peer(
            "nginx",
            nginx("tcp_nopush on; open_file_cache max=1000;"),
            "one process, sendfile, tcp_nopush, files kept open, access log off; files only",
            distribution="nginx",
        ),
        Peer(
            "nginx-default",
            nginx(""),
            "as nginx, without tcp_nopush and open_file_cache, which its defaults leave off",
            distribution="nginx",
        ),
        Peer("http.server", http_server, "Python's own; HTTP/1.0; it has no settings, and writes its access log"),
    ]
}
