"""Five frameworks, unchanged, through a real HTTP client. One set of scenarios; each application has the same routes.

The client keeps its connections alive, so every scenario also shows that the one before left its connection in step.
"""

import hashlib
import pathlib
import random

import pytest
import requests

from harness.deadline import PATIENCE
from harness.request import get, post

APPS = pathlib.Path(__file__).parent / "apps"

# What is served, as a user would name it; and the file that its /file sends.
FRAMEWORKS = {
    "flask": ("flask_app:app", "flask_app.py"),
    "django": ("django_project.wsgi", "django_project/views.py"),
    "pyramid": ("pyramid_app", "pyramid_app.py"),
    "bottle": ("bottle_app", "bottle_app.py"),
    "falcon": ("falcon_app:create()", "falcon_app.py"),
}

TWENTY_MEGABYTES = random.Random(1).randbytes(20_000_000)


class Client(requests.Session):
    """A session whose targets are paths, which waits no longer than the harness, and goes through no proxy."""

    def __init__(self, url):
        super().__init__()
        self.base_url = url
        self.trust_env = False

    def request(self, method, path, **options):
        return super().request(method, self.base_url + path, timeout=PATIENCE, **options)


@pytest.fixture(scope="module", params=FRAMEWORKS)
def framework(request):
    return request.param


@pytest.fixture(scope="module")
def server(framework, shared):
    return shared(FRAMEWORKS[framework][0])


@pytest.fixture
def client(server):
    with Client(server.url) as client:
        yield client


def test_a_page(client, framework):
    response = client.get("/")
    assert (response.status_code, response.text) == (200, f"hello from {framework}")
    assert response.headers["Content-Length"] == str(len(response.content))


@pytest.mark.parametrize(
    "name", ["plain", "with space", "h\u00e9llo", "\u4e16\u754c", "\U0001f9f1", "50%", "a+b", "a&b=c"]
)
def test_unicode_paths(client, name):
    response = client.get(f"/names/{requests.utils.quote(name)}")
    assert (response.status_code, response.content.decode()) == (200, name)


def test_query_strings(client):
    response = client.get("/query", params=[("a", "1"), ("b", "\u00e9 &="), ("a", "2")])
    assert response.json() == {"a": ["1", "2"], "b": ["\u00e9 &="]}


def test_forms(client):
    response = client.post("/form", data=[("a", "1"), ("b", "\u00e9 &=+ \u4e16"), ("a", "2")])
    assert response.json() == {"a": ["1", "2"], "b": ["\u00e9 &=+ \u4e16"]}


def test_a_multipart_upload_of_20_megabytes(client):
    files = {"file": ("bricks.bin", TWENTY_MEGABYTES, "application/octet-stream")}
    response = client.post("/upload", files=files, data={"comment": "a wall"})
    assert response.json() == {
        "name": "bricks.bin",
        "size": len(TWENTY_MEGABYTES),
        "digest": hashlib.sha256(TWENTY_MEGABYTES).hexdigest(),
        "comment": "a wall",
    }


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("size", [0, 10, 100_000, 2_000_000])
def test_raw_content_by_length(client, method, size):
    content = TWENTY_MEGABYTES[:size]
    response = client.request(method, "/raw", data=content)
    assert response.json() == {"size": size, "digest": hashlib.sha256(content).hexdigest()}


@pytest.mark.parametrize("method", ["POST", "PUT"])
@pytest.mark.parametrize("size", [10, 100_000, 2_000_000])
def test_a_chunked_upload(client, method, size):
    """Nobody knows the length in advance; a framework that goes by CONTENT_LENGTH sees the content all the same."""
    content = TWENTY_MEGABYTES[:size]
    response = client.request(method, "/raw", data=(content[at : at + 9999] for at in range(0, size, 9999)))
    assert response.json() == {"size": size, "digest": hashlib.sha256(content).hexdigest()}


def test_a_chunked_form(client):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    response = client.post("/form", data=iter([b"a=1&b", b"=2&a=3"]), headers=form)
    assert response.json() == {"a": ["1", "3"], "b": ["2"]}


def test_cookies(client):
    response = client.get("/cookies/set")
    assert len(response.raw.headers.getlist("Set-Cookie")) == 2
    assert {name: value.strip('"') for name, value in client.get("/cookies").json().items()} == {
        "first": "1",
        "second": "two words",
    }


def test_sessions(client, server):
    assert client.get("/session").text == "nobody"
    assert client.post("/session", data={"visitor": "Ada"}).text == "Ada"
    assert client.get("/session").text == "Ada"
    with Client(server.url) as somebody_else:
        assert somebody_else.get("/session").text == "nobody"


@pytest.mark.parametrize(("method", "status"), [("GET", 302), ("POST", 303)])
def test_redirects(client, method, status):
    response = client.request(method, "/redirect")
    assert [answer.status_code for answer in response.history] == [status]
    assert (response.text, response.request.method) == ("landed", "GET")


def test_streaming(client):
    with client.get("/stream", stream=True) as response:
        assert response.headers["Transfer-Encoding"] == "chunked"
        assert [line.decode() for line in response.iter_lines()] == [f"line {number}" for number in range(1000)]


def test_a_file(client, framework):
    content = (APPS / FRAMEWORKS[framework][1]).read_bytes()
    response = client.get("/file")
    assert (response.status_code, response.content) == (200, content)
    assert response.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods(client, method):
    assert client.request(method, "/method").text == method


@pytest.mark.parametrize("path", ["/", "/method", "/stream", "/file", "/missing"])
def test_head(client, path):
    response = client.head(path)
    assert response.status_code == (404 if path == "/missing" else 200)
    assert response.content == b""
    assert client.get("/landed").text == "landed"


def test_404(client):
    assert client.get("/missing").status_code == 404


def test_500(client, server):
    mark = server.log_size()
    assert client.get("/error").status_code == 500
    server.wait_for_log("RuntimeError: an error of the application", mark)
    assert client.get("/landed").text == "landed"


@pytest.mark.parametrize("size", [10, 100_000, 5_000_000])
def test_an_unread_post_and_another_request_on_the_same_connection(server, size):
    with server.connect() as connection:
        connection.send(post("/unread", TWENTY_MEGABYTES[:size], "Content-Type: application/octet-stream"))
        assert connection.receive().content == b"not read"
        assert connection.exchange(get("/remote-port")).content == str(connection.port).encode()
        connection.finish()


def test_a_session_keeps_one_connection(client):
    ports = set()
    for _ in range(5):
        client.post("/unread", data=b"x" * 1000)
        client.get("/missing")
        ports.add(client.get("/remote-port").text)
    assert len(ports) == 1
