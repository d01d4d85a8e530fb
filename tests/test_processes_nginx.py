"""Behind Debian's nginx: connections that are used again, a unix socket, uploads, refusals, reload under load."""

import shutil
import signal
import socket
import subprocess

import pytest
from harness.connection import Connection
from harness.deadline import wait_until
from harness.load import Load
from harness.processes import wait_for_workers
from harness.request import get, post

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")

PROBE = "processes_probe:application"

CONFIGURATION = """
daemon off;
master_process off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_max_body_size 64m;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    upstream site {{ server {upstream}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://site;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto https;
            proxy_next_upstream off;
        }}
    }}
}}
"""


class Nginx:
    """An nginx in front of a server; tests speak to it as to a server."""

    def __init__(self, directory, server):
        url = server.url
        upstream = url if url.startswith("unix:") else url.removeprefix("http://")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        path = directory / "nginx.conf"
        path.write_text(CONFIGURATION.format(directory=directory, upstream=upstream, port=self.port))
        self.log = directory / "nginx.log"
        self.process = subprocess.Popen(
            ["nginx", "-c", path, "-e", directory / "nginx.log"], stderr=subprocess.DEVNULL, start_new_session=True
        )

    def __enter__(self):
        wait_until(self.answers, "nginx to listen")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(10)

    def answers(self):
        try:
            self.connect().close()
        except ConnectionRefusedError:
            assert self.process.poll() is None, self.log.read_text()
            return False
        return True

    def connect(self):
        return Connection(socket.create_connection(("127.0.0.1", self.port)))

    def get(self, target, *fields):
        with self.connect() as connection:
            return connection.exchange(get(target, *fields))


@pytest.fixture(params=["tcp", "unix"])
def behind(request, serve, tmp_path):
    """A server over TCP or a unix socket, and the nginx in front of it."""

    def start(*arguments):
        bind = "127.0.0.1:0" if request.param == "tcp" else f"unix:{tmp_path}/site.sock"
        return serve(*arguments, "--bind", bind)

    return start


def test_the_application_sees_the_client(behind, tmp_path):
    with behind(PROBE) as server, Nginx(tmp_path, server) as nginx:
        forged = "X-Forwarded-For: 6.6.6.6"
        assert nginx.get("/environ?REMOTE_ADDR", forged).content == b"127.0.0.1"
        assert nginx.get("/environ?wsgi.url_scheme").content == b"https"


def test_uploads_and_refusals_pass_through(behind, tmp_path):
    with behind("recorder:application", "--limit-content", "2MiB") as server, Nginx(tmp_path, server) as nginx:
        with nginx.connect() as connection:
            content = b"x" * (1 << 20)
            assert connection.exchange(post("/upload", content)).content == b"/upload"
        assert b"x" * 1000 in nginx.get("/seen?upload").content
        with nginx.connect() as connection:
            assert connection.exchange(post("/too-large", b"x" * (3 << 20))).status == 413
        assert nginx.get("/after").status == 200


def test_reloads_under_load_lose_nothing(behind, tmp_path):
    with behind(PROBE, "-w", "2") as server, Nginx(tmp_path, server) as nginx:
        wait_for_workers(server, 2)
        with Load(nginx) as load:
            for generation in range(2, 7):
                server.signal(signal.SIGHUP)
                server.wait_for_log(f"generation {generation} serves\n")
        assert load.answered > 20 and not load.failures, (load.answered, load.failures[:5], nginx.log.read_text()[-2000:])
