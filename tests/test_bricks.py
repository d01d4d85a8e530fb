"""The bricks of docs/learn: each runs on its own, does what its chapter says, and stays short."""

import concurrent.futures
import contextlib
import pathlib
import re
import socket
import subprocess
import sys

import pytest

from harness.connection import Connection
from harness.deadline import PATIENCE, wait_until
from harness.request import chunked, get, post

ROOT = pathlib.Path(__file__).resolve().parent.parent
BRICKS = sorted((ROOT / "examples" / "bricks").glob("brick*.py"))
CHAPTERS = sorted((ROOT / "docs" / "learn").glob("[1-9]*.md"))


@pytest.fixture
def lay(tmp_path):
    """`lay("brick1_accept", *arguments)` runs a brick and returns what connects to it; `lay.output` is what it prints."""
    output = tmp_path / "output"
    with contextlib.ExitStack() as stack:

        def start(name, *arguments):
            command = [sys.executable, str(ROOT / "examples" / "bricks" / f"{name}.py"), "0", *arguments]
            file = stack.enter_context(open(output, "wb"))
            process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
            stack.callback(process.wait, PATIENCE)
            stack.callback(process.kill)
            pattern = re.compile(r"listening on http://127\.0\.0\.1:(\d+)\n")
            port = int(wait_until(lambda: pattern.search(output.read_text()), f"{name} to listen")[1])

            def connect():
                stream = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
                return stack.enter_context(Connection(stream))

            return connect

        start.output = output
        yield start


def ask(client, *pieces, method="GET"):
    client.send(*pieces)
    return client.receive(method)


def test_there_are_six_short_bricks_and_a_chapter_for_each():
    assert len(BRICKS) == len(CHAPTERS) == 6
    for brick, chapter in zip(BRICKS, CHAPTERS, strict=True):
        assert len(brick.read_text().splitlines()) <= 80, brick.name
        assert brick.name in chapter.read_text(), chapter.name


@pytest.mark.parametrize("chapter", [*CHAPTERS, ROOT / "docs/learn/README.md"], ids=lambda chapter: chapter.name)
def test_every_file_that_a_chapter_leads_to_is_there(chapter):
    links = re.findall(r"\]\(([^)#]+)\)", chapter.read_text())
    assert links
    for link in links:
        assert (chapter.parent / link).exists(), link


def test_brick_1_prints_what_comes(lay):
    connect = lay("brick1_accept")
    assert ask(connect(), get("/first")).content == b"hello\n"
    assert "b'GET /first HTTP/1.1\\r\\n'" in lay.output.read_text()


@pytest.mark.parametrize(
    "request_bytes, size",
    [
        (get("/"), 0),
        (post("/", b"hello"), 5),
        (post("/", chunked(b"he", b"llo!"), "Transfer-Encoding: chunked"), 6),
    ],
)
def test_brick_2_finds_the_end_however_the_bytes_arrive(lay, request_bytes, size):
    client = lay("brick2_frame")()
    client.type(request_bytes)
    assert client.receive().content.endswith(b" HTTP/1.1, with %d bytes of content\n" % size)


@pytest.mark.parametrize(
    "request_bytes, status, words",
    [
        (post("/a?b", b"hello"), 200, b"method POST, target /a?b, HTTP/1.1\nhost = test\n"),
        (get("/", "A:\t b \t"), 200, b"a = b\n"),
        (get("/", "Content Length: 5"), 400, b"not a field-line"),
        (b"GET  / HTTP/1.1\r\n\r\n", 400, b"not a request-line"),
        (b"GET / HTTP/1.1\r\nA: b\n\r\n\r\n", 400, b"not a field-line"),
        (post("/", b"", "Content-Length: +5"), 400, b"Content-Length"),
        (post("/", b"", "Content-Length: 0", "Content-Length: 5"), 400, b"Content-Length"),
        (b"", 400, b"not a request-line"),
    ],
)
def test_brick_3_accepts_what_the_grammar_does_and_nothing_else(lay, request_bytes, status, words):
    client = lay("brick3_grammar")()
    client.send(request_bytes)
    client.half_close()
    response = client.receive()
    assert response.status == status
    assert words in response.content


def test_brick_4_serves_a_wsgi_application(lay):
    connect = lay("brick4_wsgi")
    response = ask(connect(), post("/a%20b?c=d", b"hello", "X-Y: z"))
    assert response.status == 200
    for words in (b"Hello world!", b"PATH_INFO = '/a b'", b"QUERY_STRING = 'c=d'", b"HTTP_X_Y = 'z'"):
        assert words in response.content


def test_brick_5_answers_many_while_others_say_nothing(lay):
    connect = lay("brick5_many")
    silent = [connect() for _ in range(50)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: ask(connect(), get(f"/{number}")).content, range(50)))
    assert answers == [b"GET /%d HTTP/1.1\n" % number for number in range(50)]
    assert ask(silent[0], get("/late")).content == b"GET /late HTTP/1.1\n"


def test_brick_6_copes_with_what_goes_wrong(lay):
    connect = lay("brick6_faults", "0.2")
    gone = connect()
    gone.send(b"GET / HT")
    gone.leave()
    dripping = connect()
    dripping.send(b"GET / HT")
    assert dripping.receive().status == 408
    assert ask(connect(), b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000).status == 431
    assert ask(connect(), get("/raise")).status == 500
    assert "RuntimeError: a bug in the handler" in lay.output.read_text()
    assert ask(connect(), get("/alive")).content == b"/alive\n"
