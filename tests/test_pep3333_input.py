"""wsgi.input: PEP 3333 section "Input and Error Streams". The oracle is io.BytesIO over the same content."""

import io
import json

import pytest

from harness.deadline import wait_until
from harness.request import chunk, chunked, get, pieces, post, request
from input_probe import perform

LINES = b"first\nsecond line\n\nfourth\r\nlast without an end"
# Above the spool threshold, so that it is read from a file.
LARGE = b"".join(b"%d: %s\n" % (number, b"x" * (number % 97)) for number in range(20_000))

CONTENTS = {
    "nothing": b"",
    "one byte": b"x",
    "one line feed": b"\n",
    "lines": LINES,
    "only line feeds": b"\n\n\n",
    "every byte": bytes(range(256)) * 3,
    "a long line": b"y" * 100_000,
    "large": LARGE,
}

# Steps that wsgiref.validate lets an application take.
STEPS = [
    "read:1000000000",
    "read:5",
    "read:5&read:1&read:1000000&read:5",
    "read:0&read:3",
    "read:65536&read:65536&read:65536&read:65536",
    "readline",
    "readline&readline&readline&readline&readline&readline&readline",
    "readline:3&readline:3&readline:100",
    "readline:0&readline",
    "readline:-1",
    "readlines",
    "readline&readlines&readlines",
    "iter",
    "next&next&read:3&iter",
    "read:3&readline&next&readlines&read:5&readline&iter",
]

# Steps that PEP 3333 says a server should support, and the validator refuses.
WIDER_STEPS = ["read", "read:-1", "read:None", "read&read", "read:3&read", "readline&read&readline"]


def by_length(target, content):
    return [post(target, content)]


def in_chunks(target, content):
    return [request("POST", target, "Transfer-Encoding: chunked", content=chunked(*pieces(content, 4097)))]


def in_tiny_chunks(target, content):
    content = content[:500]
    return [request("POST", target, "Transfer-Encoding: chunked"), *map(chunk, pieces(content, 3)), b"0\r\n\r\n"]


FRAMINGS = {"by length": by_length, "in chunks": in_chunks}


def read_back(server, framing, content, steps):
    with server.connect() as connection:
        connection.send(*framing(f"/?{steps}", content))
        response = connection.receive()
        connection.finish()
    assert response.status == 200
    return json.loads(response.content)


@pytest.fixture(scope="module")
def plain(shared):
    return shared("input_probe:application", "--spool-threshold", "512KiB")


@pytest.fixture(scope="module", params=["application", "validated"])
def server(request, shared):
    return shared(f"input_probe:{request.param}", "--spool-threshold", "512KiB")


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_the_methods_of_the_pep_read_exactly(server, framing, content, steps):
    assert read_back(server, framing, content, steps) == perform(io.BytesIO(content), steps)


@pytest.mark.parametrize("steps", WIDER_STEPS)
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_read_without_a_size_gives_the_rest(plain, framing, content, steps):
    assert read_back(plain, framing, content, steps) == perform(io.BytesIO(content), steps)


def test_chunks_of_three_bytes_read_like_any_others(server):
    content = LARGE[:500]
    assert read_back(server, in_tiny_chunks, content, "readlines") == perform(io.BytesIO(content), "readlines")


@pytest.mark.parametrize("hint", [1, 6, 10_000])
def test_readlines_with_a_hint_gives_whole_lines(server, hint):
    """The PEP lets a server ignore the hint; that the lines are whole, and go on where they stopped, it does not."""
    first, second = read_back(server, by_length, LINES, f"readlines:{hint}&readlines")
    assert first and first + second == perform(io.BytesIO(LINES), "readlines")[0]


@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_past_the_end_there_is_nothing_again_and_again(server, framing):
    steps = "read:1000&read:1000&readline&readlines&iter&next&read:1"
    assert read_back(server, framing, b"all", steps) == ["all", "", "", [], [], "", ""]


def test_a_request_without_content_has_an_empty_input(server):
    response = server.get("/?read:10&readline&readlines&iter")
    assert json.loads(response.content) == ["", "", [], []]


@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
def test_the_next_request_is_never_read_as_content(server, framing):
    """The second request is in the same segment as the content of the first."""
    with server.connect() as connection:
        connection.send(b"".join(framing("/?read:1000&read:1000&readlines", b"content")) + get("/?read:10"))
        assert json.loads(connection.receive().content) == ["content", "", []]
        assert json.loads(connection.receive().content) == [""]
        connection.finish()


@pytest.mark.parametrize("framing", FRAMINGS.values(), ids=FRAMINGS.keys())
@pytest.mark.parametrize("size", [1, 70_000, 2_000_000])
def test_content_that_is_not_read_does_not_disturb_the_next_request(server, framing, size):
    with server.connect() as connection:
        connection.send(*framing("/?read:1", b"z" * size), get("/?readlines"))
        assert json.loads(connection.receive().content) == ["z"]
        assert json.loads(connection.receive().content) == [[]]
        connection.finish()


def test_large_content_waits_in_an_unlinked_file_of_the_spool_directory(serve, tmp_path):
    spool = tmp_path / "spool"
    spool.mkdir()
    with serve("input_probe", "--spool-dir", spool, "--spool-threshold", "65536") as server:
        small = json.loads(server.exchange(post("/open-files", b"s" * 1000)).content)
        large = json.loads(server.exchange(post("/open-files", b"l" * 70_000)).content)
        assert [name for name in small if name.startswith(str(spool))] == []
        assert [name.endswith(" (deleted)") for name in large if name.startswith(str(spool))] == [True]
        assert list(spool.iterdir()) == []
        after = json.loads(server.get("/open-files").content)
        assert [name for name in after if name.startswith(str(spool))] == []


@pytest.mark.parametrize("framing", [by_length, in_chunks])
def test_content_that_finds_no_room_in_memory_waits_in_a_file(serve, tmp_path, framing):
    spool = tmp_path / "spool"
    spool.mkdir()
    content = b"".join(framing("/open-files", b"c" * 100_000))

    def spooled(response):
        return [name for name in json.loads(response.content) if name.startswith(str(spool))]

    with serve("input_probe", "--spool-dir", spool, "--spool-memory", "128KiB") as server, server.connect() as first:
        first.send(content[:-1])
        wait_until(lambda: spooled(server.exchange(content)), "the first to take up all room")
        assert spooled(server.exchange(post("/open-files", b"small" * 13_000))) == []
        first.send(content[-1:])
        assert spooled(first.receive()) == []
        wait_until(lambda: spooled(server.exchange(content)) == [], "room to be given back")


def test_an_unwritable_spool_directory_is_said_at_boot_and_large_content_is_refused(serve, tmp_path):
    """Under a plain file no directory can be written, not even by root."""
    file = tmp_path / "file"
    file.write_text("")
    with serve("input_probe", "--spool-dir", file / "spool", "--spool-threshold", "65536") as server:
        server.wait_for_log(str(file / "spool"))
        assert json.loads(server.exchange(post("/?read:10", b"small")).content) == ["small"]
        with server.connect() as connection:
            connection.send(post("/?read:10", b"", f"Content-Length: {1 << 30}"))
            assert connection.receive().status == 413
            connection.expect_close()
