"""The examples: `webserve.py`, the classic exercise, and `lessweb.py`, handlers of http.server under Brickwork."""

import contextlib
import importlib.util
import os
import pathlib
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

import pytest

from harness.connection import Connection
from harness.deadline import PATIENCE, wait_until
from harness.request import chunked, get, post
from harness.response import read_response

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent / "examples"
FORM = "Content-Type: application/x-www-form-urlencoded"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def webserve():
    return load("webserve")


class Client:
    """A socket that is none: it delivers what it was given in pieces of `size`, and remembers what it got."""

    def __init__(self, data, size=4096, fails=()):
        self.data, self.size, self.fails = data, size, fails
        self.sent, self.closed = b"", 0

    def recv(self, most):
        self.fail("recv")
        size = min(self.size, most)
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    def sendall(self, data):
        self.fail("sendall")
        self.sent += data

    def close(self):
        self.closed += 1
        self.fail("close")

    def fail(self, name):
        if name in self.fails:
            raise OSError(f"{name} fails")

    # What harness.response reads from.

    def line(self):
        line, _, self.sent = self.sent.partition(b"\r\n")
        return line

    def exactly(self, size, response=None):
        data, self.sent = self.sent[:size], self.sent[size:]
        return data

    def rest(self):
        return self.exactly(len(self.sent))


def exchange(webserve, data, method="GET", **options):
    client = Client(data, **options)
    webserve.handle_connection(client, ("127.0.0.1", 1))
    assert client.closed == 1
    response = read_response(client, method)
    assert response.is_last
    assert client.sent == b""
    return response


@pytest.mark.parametrize("size", [1, 2, 7, 4096])
@pytest.mark.parametrize(
    "request_bytes, expected",
    [
        (get("/a%20b/c"), ("GET", "/a b/c", None, None)),
        (get("/?n=1&m=2&n=3"), ("GET", "/", {"n": ["1", "3"], "m": ["2"]}, None)),
        (get("http://test/x?y=z"), ("GET", "/x", {"y": ["z"]}, None)),
        (post("/f", b"a=1&a=%C3%A4+b", FORM), ("POST", "/f", None, {"a": ["1", "\xe4 b"]})),
        (
            post("/f?q=1", chunked(b"k=", b"v"), FORM, "Transfer-Encoding: chunked"),
            ("POST", "/f", {"q": ["1"]}, {"k": ["v"]}),
        ),
        (post("/f", b"a=1", "Content-Type: text/plain"), ("POST", "/f", None, None)),
        (get("/").replace(b"GET", b"PURGE"), ("PURGE", "/", None, None)),
    ],
)
def test_delegate_gets_the_request_taken_apart(webserve, monkeypatch, request_bytes, expected, size):
    calls = []

    def delegate(request_type, path, received_headers, GET_data, POST_data=None):
        calls.append((request_type, path, GET_data, POST_data))
        assert received_headers["host"] == "test"
        return 201, {"Content-Type": "text/plain", "X-Y": "z"}, b"made"

    monkeypatch.setattr(webserve, "delegate", delegate)
    response = exchange(webserve, request_bytes, size=size)
    assert calls == [expected]
    assert (response.status, response.field("x-y"), response.content) == (201, "z", b"made")


def test_the_page_shows_what_came_and_is_escaped(webserve):
    response = exchange(webserve, post("/<p>?a=1&a=2".replace("<", "%3C").replace(">", "%3E"), b"b=%26", FORM))
    for text in (b"<h1>POST /&lt;p&gt;</h1>", b"<p>a = 1, 2</p>", b"<p>b = &amp;</p>", b"<p>host: test</p>"):
        assert text in response.content
    assert exchange(webserve, get("/")).content.count(b"<p>none</p>") == 2


def test_head_has_no_content(webserve):
    response = exchange(webserve, get("/").replace(b"GET", b"HEAD"), method="HEAD")
    assert response.status == 200
    assert int(response.field("content-length")) > 0


@pytest.mark.parametrize(
    "data, status",
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: t\r\nContent-Le", 400),
        (post("/", b"cut", "Content-Length: 5"), 400),
        (get("/" + "a" * 9000), 414),
        (post("/", b"a" * ((1 << 20) + 1)), 413),
    ],
)
def test_a_request_that_breaks_a_rule_gets_its_status(webserve, data, status):
    assert exchange(webserve, data).status == status


@pytest.mark.parametrize(
    "made",
    [
        RuntimeError("on purpose"),
        None,
        (200, {"A\n": "b"}, b""),
        (200, {"Content-Length": 7}, b"short"),
        (200, {"Content-Length": 1}, b"long"),
        (7, {}, b""),
        (200, {}, 3),
    ],
)
def test_whatever_goes_wrong_in_delegate_is_a_500(webserve, monkeypatch, made):
    def delegate(*arguments):
        if isinstance(made, Exception):
            raise made
        return made

    monkeypatch.setattr(webserve, "delegate", delegate)
    assert exchange(webserve, get("/")).status == 500


def test_a_failing_receive_is_a_500(webserve):
    assert exchange(webserve, b"", fails=("recv",)).status == 500


@pytest.mark.parametrize("fails", ["sendall", "close"])
def test_a_socket_that_fails_is_closed_and_forgotten(webserve, fails):
    client = Client(get("/"), fails=(fails,))
    webserve.handle_connection(client, None)
    assert client.closed == 1


def test_a_client_that_says_nothing_gets_nothing(webserve):
    client = Client(b"")
    webserve.handle_connection(client, None)
    assert (client.sent, client.closed) == (b"", 1)


def test_content_that_is_held_back_is_asked_for(webserve):
    ours, theirs = socket.socketpair()
    thread = threading.Thread(target=webserve.handle_connection, args=(theirs, None))
    thread.start()
    with Connection(ours) as client:
        client.send(post("/", b"", FORM, "Content-Length: 3", "Expect: 100-continue"))
        assert client.receive().status == 100
        client.send(b"a=b")
        assert b"<p>a = b</p>" in client.receive().content
    thread.join(PATIENCE)


@pytest.mark.parametrize("name", ["webserve", "lessweb"])
def test_importing_an_example_does_nothing(name, capfd):
    before = threading.active_count(), len(os.listdir("/proc/self/fd"))
    load(name)
    assert (threading.active_count(), len(os.listdir("/proc/self/fd"))) == before
    assert capfd.readouterr() == ("", "")


@contextlib.contextmanager
def running(name, tmp_path, stream):
    """An example as a program on a free port; its address is looked for in what it prints."""
    output = tmp_path / "output"
    with open(output, "wb") as file:
        command = [sys.executable, str(EXAMPLES / f"{name}.py"), "127.0.0.1", "0"]
        process = subprocess.Popen(command, **{stream: file}, stdin=subprocess.DEVNULL)
    try:

        def port():
            return process.poll() is None and output.read_text().rpartition("listening on http://127.0.0.1:")[2].strip()

        yield int(wait_until(lambda: (text := port()) and text.isdigit() and text, f"{name} to listen"))
    finally:
        process.terminate()
        process.wait(PATIENCE)


def test_webserve_serves_as_a_program(tmp_path):
    with running("webserve", tmp_path, "stdout") as port:
        for _ in range(3):
            with Connection(socket.create_connection(("127.0.0.1", port))) as client:
                client.send(get("/here"))
                assert b"<h1>GET /here</h1>" in client.receive().content


# lessweb


def test_a_handler_of_http_server_is_served(brickwork_server):
    lessweb = load("lessweb")
    server = brickwork_server(lessweb.application(lessweb.Greeter))
    with Connection(socket.create_connection(server.server_address)) as client:
        client.send(get("/a%20b?c"))
        assert client.receive().content == b"You asked for /a%20b?c\n"
        client.send(post("/", b"name=Ada&name=Grace", FORM))
        assert client.receive().content == b"Hello, Ada and Grace!\n"
        client.send(get("/").replace(b"GET", b"PATCH"))
        assert client.receive().status == 501


def test_a_handlers_fields_and_errors_are_sent(brickwork_server):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/fields":
                self.send_response(202, "Taken")
                self.send_header("X-Agent", self.headers["User-Agent"])
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(str(parse_qs("a=b")).encode())
            else:
                self.send_error(404)

        def log_message(self, format, *args):
            pass

    server = brickwork_server(load("lessweb").application(Handler))
    with Connection(socket.create_connection(server.server_address)) as client:
        client.send(get("/fields", "User-Agent: test"))
        response = client.receive()
        assert (response.status, response.reason, response.field("x-agent")) == (202, "Taken", "test")
        assert not response.is_last
        assert len(response.all("server")) == len(response.all("date")) == 1
        client.send(get("/none"))
        assert client.receive().status == 404


def test_lessweb_serves_as_a_program(tmp_path):
    with running("lessweb", tmp_path, "stderr") as port:
        with Connection(socket.create_connection(("127.0.0.1", port))) as client:
            client.send(get("/"))
            assert client.receive().content == b"You asked for /\n"
