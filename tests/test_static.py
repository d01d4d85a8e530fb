"""`brickwork static`, and files beside an application: what RFC 9110 says about representations, seen from outside.

The tables of every condition and range are in crates/server/src/static_files; here is what the command makes of them.
"""

import html.parser
import os
import re
import socket
import struct
import time

import pytest

from harness.deadline import wait_until
from harness.request import get, request
from harness.server import run

PAGE = b"<!DOCTYPE html><title>Hello</title>"
LARGE = bytes(range(256)) * 8000


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A directory that is served, in one with a secret that is not."""
    outside = tmp_path_factory.mktemp("static")
    (outside / "secret.txt").write_text("SECRET")
    root = outside / "root"
    (root / "docs/deep").mkdir(parents=True)
    (root / "empty").mkdir()
    (root / ".git").mkdir()
    (root / ".well-known").mkdir()
    files = {
        "page.html": PAGE,
        "large.bin": LARGE,
        "app.3f9a2c1b.js": b"let a",
        "app.3f9a2c1b.js.gz": b"GZIP",
        "docs/b.txt": b"bb",
        "docs/a.txt": b"aaaa",
        "docs/<b>&'\" name.txt": b"odd",
        "docs/deep/index.html": b"deep",
        ".git/config": b"SECRET",
        ".well-known/security.txt": b"Contact: mailto:a@example.org",
    }
    for name, content in files.items():
        path = root / name
        path.write_bytes(content)
        os.utime(path, (784111777, 784111777))
    (root / "out.txt").symlink_to("../secret.txt")
    (root / "up").symlink_to("..")
    os.mkfifo(root / "fifo")
    return root


@pytest.fixture
def server(shared, root):
    return shared("static", root)


def strong_tag(server, target):
    """The ETag of a file, once the file is old enough for a strong one."""

    def tag():
        value = server.get(target).field("etag")
        return None if value.startswith("W/") else value

    return wait_until(tag, f"a strong tag of {target}")


def test_a_file_is_served_without_any_application(serve, root):
    with serve("static", cwd=root) as server:
        response = server.get("/page.html")
        assert (response.status, response.content) == (200, PAGE)
        assert response.field("content-type") == "text/html; charset=utf-8"
        assert response.field("content-length") == str(len(PAGE))
        assert response.field("last-modified") == "Sun, 06 Nov 1994 08:49:37 GMT"
        assert response.field("accept-ranges") == "bytes"
        assert "application" not in server.log() and "content" not in server.log()
        server.wait_for_stdout(r'"GET /page.html HTTP/1.1" 200 35')


def test_head_has_the_fields_of_get(server):
    for target in ("/page.html", "/docs/", "/nothing", "/docs", "/large.bin"):
        with server.connect() as connection:
            of_get = connection.exchange(get(target))
            of_head = connection.exchange(request("HEAD", target), "HEAD")
            assert of_head.status == of_get.status
            fields = [[field for field in response.fields if field[0] != "Date"] for response in (of_get, of_head)]
            assert fields[0] == fields[1], target


def test_other_methods_are_not_allowed(server):
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        response = server.exchange(request(method, "/page.html", content=b"x=1"), method)
        assert (response.status, response.field("allow")) == (405, "GET, HEAD, OPTIONS")
    assert server.exchange(request("OPTIONS", "/page.html"), "OPTIONS").status == 204


def test_no_more_content_is_taken_than_is_worth_an_answer(server):
    for size, status in [(65_536, 405), (65_537, 413)]:
        with server.connect() as connection:
            connection.send(request("POST", "/page.html", f"Content-Length: {size}"))
            if status == 405:
                connection.send(b"x" * size)
            assert connection.receive().status == status


def test_conditional_requests(server):
    tag = strong_tag(server, "/page.html")
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    rows = [
        ([f"If-None-Match: {tag}"], 304),
        ([f"If-None-Match: W/{tag}"], 304),
        (['If-None-Match: "x"', f"If-Modified-Since: {date}"], 200),
        ([f"If-Modified-Since: {date}"], 304),
        ([f"If-Match: {tag}"], 200),
        (['If-Match: "x"'], 412),
        (["If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT"], 412),
        ([f"If-None-Match: {tag}", 'If-Match: "x"'], 412),
        ([f"If-None-Match: {tag}", "Range: bytes=0-0"], 304),
        ([f"If-Range: {tag}", "Range: bytes=0-0"], 206),
        (['If-Range: "x"', "Range: bytes=0-0"], 200),
        ([f"If-Range: {date}", "Range: bytes=0-0"], 206),
    ]
    for fields, status in rows:
        assert server.get("/page.html", *fields).status == status, fields


def test_ranges(server):
    size = len(LARGE)
    rows = [("0-99", 0, 99), ("-1", size - 1, size - 1), ("1000000-", 1000000, size - 1), ("5-99999999", 5, size - 1)]
    for spec, first, last in rows:
        response = server.get("/large.bin", f"Range: bytes={spec}")
        assert (response.status, response.content) == (206, LARGE[first : last + 1]), spec
        assert response.field("content-range") == f"bytes {first}-{last}/{size}"
    beyond = server.get("/large.bin", f"Range: bytes={size}-")
    assert (beyond.status, beyond.field("content-range")) == (416, f"bytes */{size}")


def test_several_ranges_come_in_parts(server):
    # What `curl -r 0-99,200-299` sends.
    response = server.get("/large.bin", "Range: bytes=0-99,200-299")
    assert response.status == 206
    boundary = re.fullmatch("multipart/byteranges; boundary=([0-9a-f]{32})", response.field("content-type"))[1].encode()
    parts = response.content.split(b"--" + boundary)
    assert parts[0] == b"" and parts[3] == b"--\r\n"
    for part, (first, last) in zip(parts[1:3], [(0, 99), (200, 299)]):
        head = f"\r\nContent-Type: application/octet-stream\r\nContent-Range: bytes {first}-{last}/{len(LARGE)}\r\n\r\n"
        assert part == head.encode() + LARGE[first : last + 1] + b"\r\n"


def test_a_flood_of_ranges_costs_one_file(server):
    for spec in (",".join(["0-"] * 16), ",".join(f"{n}-{n}" for n in range(0, 200, 2))):
        response = server.get("/large.bin", f"Range: bytes={spec}")
        assert (response.status, len(response.content)) == (200, len(LARGE))


def test_a_download_goes_on_where_it_was_cut_off(server):
    # curl -C - and wget -c ask for the rest by length alone; a browser adds If-Range.
    tag = strong_tag(server, "/large.bin")
    for fields in ([], [f"If-Range: {tag}"]):
        with server.connect(receive_buffer=4096) as connection:
            connection.send(get("/large.bin"))
            while connection.line():
                pass
            have = connection.exactly(50_000)
        rest = server.get("/large.bin", f"Range: bytes={len(have)}-", *fields)
        assert rest.status == 206
        assert have + rest.content == LARGE
    assert server.get("/large.bin", f"Range: bytes={len(LARGE)}-").status == 416


def data_segments(connection):
    """How many segments with data came in, by the kernel's own count (struct tcp_info, tcpi_data_segs_in)."""
    (count,) = struct.unpack_from("=I", connection.stream.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192), 152)
    return count


def test_a_file_shares_its_first_segment_with_the_head(serve, tmp_path):
    # Half of a fresh window, 32 KiB, is the most that the kernel puts into one.
    sizes = [1, 16_384, 16_385, 30_000]
    for size in sizes:
        (tmp_path / f"{size}.bin").write_bytes(bytes(size))
    with serve("static", tmp_path) as server, server.connect() as connection:
        for number, size in enumerate(sizes, start=1):
            assert len(connection.exchange(get(f"/{size}.bin")).content) == size
            assert data_segments(connection) == number, size


def test_an_empty_file_leaves_without_delay(serve, tmp_path):
    (tmp_path / "empty.txt").touch()
    with serve("static", tmp_path) as server, server.connect() as connection:
        # What waits in vain for more to share its segment is sent after 200 ms, in Linux.
        answers, start = 20, time.monotonic()
        for _ in range(answers):
            assert connection.exchange(get("/empty.txt")).content == b""
        assert time.monotonic() - start < answers * 0.2


def test_the_end_of_a_long_file_leaves_without_delay(serve, tmp_path):
    sizes = [65_536, 65_537, 1_000_000, 10_000_000]
    for size in sizes:
        with open(tmp_path / f"{size}.bin", "wb") as file:
            file.truncate(size)
    with serve("static", tmp_path) as server, server.connect() as connection:
        start = time.monotonic()
        for size in 5 * sizes:
            assert len(connection.exchange(get(f"/{size}.bin")).content) == size
        assert time.monotonic() - start < 5 * len(sizes) * 0.2


def test_hashed_names_are_kept_and_all_others_asked_for_again(server):
    assert server.get("/app.3f9a2c1b.js").field("cache-control") == "public, max-age=31536000, immutable"
    assert server.get("/page.html").field("cache-control") == "no-cache"


def test_a_compressed_sibling_goes_to_who_takes_it(server):
    plain = server.get("/app.3f9a2c1b.js")
    assert (plain.content, plain.field("content-encoding"), plain.field("vary")) == (b"let a", None, "Accept-Encoding")
    coded = server.get("/app.3f9a2c1b.js", "Accept-Encoding: gzip, deflate, br")
    assert (coded.content, coded.field("content-encoding")) == (b"GZIP", "gzip")
    assert coded.field("content-type") == "text/javascript; charset=utf-8"
    assert coded.field("etag") != plain.field("etag")


class Page(html.parser.HTMLParser):
    """A page whose every element is closed where it should be; its links and scripts."""

    VOID = {"meta", "br", "link"}

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.text, self.sorted = [], [], "", {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        assert tag != "script" and not any(name.startswith("on") for name, _ in attributes)
        if tag not in self.VOID:
            self.open.append(tag)
        attributes = dict(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "th":
            self.sorted[len(self.sorted)] = attributes.get("aria-sort")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.text += data


def listing(server, target):
    response = server.get(target)
    assert (response.status, response.field("content-type")) == (200, "text/html; charset=utf-8")
    return Page(response.content.decode())


def test_a_listing_names_what_there_is(server):
    page = listing(server, "/docs/")
    names = [link for link in page.links if not link.startswith(("?", "../"))]
    assert names == ["deep/", "%3Cb%3E%26%27%22%20name.txt", "a.txt", "b.txt"]
    assert "<b>&'\" name.txt" in page.text
    assert "1994-11-06 08:49" in page.text and "4 B" in page.text
    for name in names:
        assert server.get(f"/docs/{name}").status == 200
    assert "This directory is empty" in listing(server, "/empty/").text


def test_a_listing_is_sorted_by_its_query(server):
    def names(query):
        page = listing(server, f"/docs/{query}")
        return [link for link in page.links if re.match("[ab]", link)], page.sorted

    assert names("") == (["a.txt", "b.txt"], {0: "ascending", 1: None, 2: None})
    assert names("?sort=name&order=desc") == (["b.txt", "a.txt"], {0: "descending", 1: None, 2: None})
    assert names("?sort=size") == (["b.txt", "a.txt"], {0: None, 1: "ascending", 2: None})
    assert names("?sort=%3Cscript%3E&order='") == (["a.txt", "b.txt"], {0: "ascending", 1: None, 2: None})
    followed = [link for link in listing(server, "/docs/").links if link.startswith("?")]
    assert followed == ["?sort=name&order=desc", "?sort=size", "?sort=modified"]


def test_hidden_and_foreign_things_are_not_listed(server):
    links = listing(server, "/").links
    assert ".well-known/" in links
    assert not {".git/", "out.txt", "up", "up/", "fifo"} & set(links)


def test_a_directory_without_its_slash_is_redirected_on_this_host(server):
    for target, location in [("/docs", "./docs/"), ("/docs?sort=size", "./docs/?sort=size"), ("//docs", "./docs/")]:
        response = server.get(target)
        assert (response.status, response.field("location")) == (301, location)
    for target in ("//evil.example", "//evil.example/%2f..", "/\\evil.example", "/%5cevil.example", "/%2f%2fevil"):
        response = server.get(target)
        assert (response.status, response.field("location")) == (404, None), target


def test_nothing_outside_is_served_by_any_spelling(server):
    dots = ["..", "%2e%2e", ".%2E", "%252e%252e", "%c0%ae%c0%ae", "..%00", "..;", "up"]
    slashes = ["/", "//", "%2f", "%5c", "\\", "%252f", "%c0%af"]
    with server.connect() as connection:
        for dot in dots:
            for slash in slashes:
                for start in ("/", "/docs/", "/docs/deep/"):
                    target = start + 3 * (dot + slash) + "secret.txt"
                    response = connection.exchange(get(target))
                    assert response.status in (400, 404) and b"SECRET" not in response.content, target
        for target in ("/out.txt", "/up/secret.txt", "/up/", "/fifo", "/.git/config", "/.git/", "/page.html%00.txt"):
            assert connection.exchange(get(target)).status == 404, target
    assert server.get("/.well-known/security.txt").status == 200


def test_dotfiles_are_served_when_asked_to(serve, root):
    with serve("static", root, "--dotfiles", "--cache-control", "max-age=60") as server:
        response = server.get("/.git/config")
        assert (response.status, response.field("cache-control")) == (200, "max-age=60")


def test_the_tree_can_bring_its_own_404(serve, tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/404.html").write_text("<h1>Lost</h1>")
    with serve("static", tmp_path / "site") as server:
        response = server.get("/nothing")
        assert (response.status, response.content) == (404, b"<h1>Lost</h1>")


def test_a_file_that_shrinks_while_it_is_sent_ends_the_connection(serve, tmp_path):
    size = 64 << 20
    with open(tmp_path / "large", "wb") as file:
        file.truncate(size)
    with serve("static", tmp_path) as server, server.connect(receive_buffer=4096) as connection:
        connection.send(get("/large"))
        while connection.line():
            pass
        os.truncate(tmp_path / "large", 1000)
        connection.read_to_end()
        assert len(connection.buffer) < size


def test_what_cannot_be_served_is_one_sentence(root):
    missing = run("static", root / "nothing", "--bind", "127.0.0.1:0")
    assert missing.returncode == 1
    assert f"cannot serve the files in {root}/nothing: No such file or directory" in missing.stderr
    beside = run("callables:application", "--static", "/s=/nothing", "--bind", "127.0.0.1:0")
    assert beside.returncode == 1 and "cannot serve the files in /nothing" in beside.stderr
    for words in (["--static", "static=dir"], ["--static", "/=dir"], ["--static", "/s="]):
        wrong = run("callables:application", *words)
        assert wrong.returncode == 2 and "--static" in wrong.stderr


# Beside an application.


def test_a_prefix_is_files_and_all_else_the_application(serve, root):
    mounts = ["--static", f"/s={root}", "--static", f"/s/docs={root}/docs/deep"]
    with serve("theft_probe:application", *mounts) as server:
        assert server.get("/s/page.html").content == PAGE
        assert server.get("/s/docs/").content == b"deep"
        assert server.get("/s").field("location") == "./s/"
        assert server.get("/s/docs/a.txt").status == 404
        # No listing beside an application, and nothing that is not there falls through to it.
        for target in ("/s/", "/s/empty/", "/s/nothing", "/s/../open"):
            assert server.get(target).status == 404, target
        for target in ("/open", "/open?/s/page.html"):
            assert server.get(target).content == b"opened", target


def test_files_are_served_while_no_thread_is_free(serve, root, tmp_path):
    end = tmp_path / "end"
    with serve("latch:application", "--threads", "2", "--static", f"/s={root}") as server:
        with server.connect() as first, server.connect() as second:
            first.send(get(f"/wait-for-file?{end}"))
            wait_until(lambda: server.get(f"/waiting?{end}").content == b"1", "the first call to begin")
            second.send(get(f"/wait-for-file?{end}"))
            for _ in range(20):
                assert server.get("/s/page.html").content == PAGE
            assert server.get("/s/large.bin").content == LARGE
            end.touch()
            assert (first.receive().status, second.receive().status) == (200, 200)


# Handed over by an application.


def test_a_named_file_takes_the_place_of_the_content(serve, root):
    with serve("sendfile_probe:application", "--sendfile-root", root) as server:
        for target in (f"/list?{root}/large.bin", "/list?large.bin", "/generator?large.bin", "/write?large.bin"):
            response = server.get(target)
            assert (response.status, response.content) == (200, LARGE), target
            assert response.field("content-type") == "application/x-test"
            assert response.field("x-sendfile") is None
            assert response.all("set-cookie") == ["a=1", "b=2"]
        part = server.get("/list?large.bin", "Range: bytes=1000-1999")
        assert (part.status, part.content) == (206, LARGE[1000:2000])
        assert server.get("/list?docs/../page.html").status == 404
        assert server.get("/list?out.txt").status == 404
        server.wait_for_log("X-Sendfile: there is no file out.txt to be sent beneath --sendfile-root")
        # The generator was closed, not exhausted.
        assert server.get("/closed").content == b"1"


def test_without_a_root_the_field_means_nothing(serve, root):
    with serve("sendfile_probe:application") as server:
        response = server.get(f"/list?{root}/large.bin")
        assert (response.content, response.field("x-sendfile")) == (b"instead", f"{root}/large.bin")


def test_flask_hands_files_over(serve, root):
    env = {"SENDFILE_ROOT": str(root)}
    with serve("sendfile_probe:flask_application()", "--sendfile-root", root, env=env) as server:
        response = server.get("/large.bin")
        assert (response.status, response.content) == (200, LARGE)
        # Flask evaluates ranges and conditions itself before it hands the file over: what counts is the file's state.
        assert server.get("/large.bin", "Range: bytes=5-9").content == LARGE[5:10]
        assert server.get("/large.bin", "If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT").status == 304
        assert server.get("/large.bin", f"If-None-Match: {response.field('etag')}").status == 304
