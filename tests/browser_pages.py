"""The pages that people see, in a real browser, light and dark, wide and narrow. `make test-browser` runs this file.

`make pytest` does not: its name keeps it out, because a browser is much to ask for. With SCREENSHOTS in the environment
the pictures go to that directory, to be looked at; no test can say that a page is pleasant.
"""

import os
import pathlib
import struct

import pytest
import requests

from harness import browser

GUESTBOOK = pathlib.Path(__file__).resolve().parent.parent / "examples" / "guestbook"

# A picture of one pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c635866ab0c0002930107be64aa980000000049454e44ae"
    "426082"
)

LOOKS = [
    (name, width, scheme) for name, width in [("wide", 1200), ("narrow", 390)] for scheme in ["light", "dark"]
]
HEIGHT = 1600


@pytest.fixture(scope="module")
def screenshots(tmp_path_factory):
    directory = os.environ.get("SCREENSHOTS")
    if not directory:
        return tmp_path_factory.mktemp("screenshots")
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def take_pictures(url, page, directory):
    """Every look of a page; each picture must have the size of its window."""
    for name, width, scheme in LOOKS:
        path = directory / f"{page}-{name}-{scheme}.png"
        path.unlink(missing_ok=True)
        browser.screenshot(url, path, width, HEIGHT, scheme)
        assert png_size(path.read_bytes()) == (width, HEIGHT), path


def png_size(data):
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    return struct.unpack(">II", data[16:24])


def test_the_demo_shows_the_browser_its_own_request(serve, screenshots):
    with serve("demo") as server:
        url = f"{server.url}/shop?colour=red"
        document = browser.dom(url)
        for words in [
            '<mark class="request-target">/shop?colour=red</mark>',
            '<mark class="field-name">User-Agent</mark>',
            "No content: neither Transfer-Encoding nor Content-Length (step 7).",
            '<th scope="row">wsgi.url_scheme</th><td>\'http\'</td>',
        ]:
            assert words in document
        take_pictures(url, "demo", screenshots)


def test_the_guest_book_shows_an_entry_with_its_picture(serve, screenshots, tmp_path):
    env = {"GUESTBOOK_DATABASE": str(tmp_path / "book.sqlite3"), "GUESTBOOK_SECRET_KEY": "only for tests"}
    with serve("guestbook:app", cwd=GUESTBOOK, env=env) as server:
        entry = {"name": "Ada", "message": "a-word-that-is-too-long-for-a-line-" * 4}
        upload = {"file": ("picture.png", PNG, "image/png")}
        requests.post(f"{server.url}/entries", data=entry, files=upload, timeout=20).raise_for_status()
        document = browser.dom(server.url)
        assert "<strong>Ada</strong>" in document
        assert 'alt="picture.png"' in document
        take_pictures(server.url, "guestbook", screenshots)
        # The style sheet and the picture were fetched on connections of the browser's, beside the page.
        server.wait_for_stdout(r'"GET /static/style\.css HTTP/1\.1" 200 \d+ "http')
        server.wait_for_stdout(r'"GET /files/1 HTTP/1\.1" 200 \d+ "http')


def test_a_page_that_is_not_there_says_so(serve, tmp_path):
    env = {"GUESTBOOK_DATABASE": str(tmp_path / "book.sqlite3"), "GUESTBOOK_SECRET_KEY": "only for tests"}
    with serve("guestbook:app", cwd=GUESTBOOK, env=env) as server:
        assert "<h1>Not Found</h1>" in browser.dom(f"{server.url}/nowhere")


def test_a_directory_listing_can_be_walked(serve, screenshots, tmp_path):
    tree = tmp_path / "tree"
    (tree / "folder").mkdir(parents=True)
    (tree / "folder" / "inside.txt").write_text("inside")
    (tree / "<b>bold & \"quoted\".txt").write_text("escaped")
    (tree / "large.bin").write_bytes(bytes(3_000_000))
    (tree / ".hidden").write_text("hidden")
    with serve("static", tree) as server:
        document = browser.dom(server.url)
        assert "folder" in document and "large.bin" in document
        assert "&lt;b&gt;bold &amp; \"quoted\".txt" in document or "&lt;b&gt;bold &amp; &quot;" in document
        assert "<b>bold" not in document and ".hidden" not in document
        assert "inside.txt" in browser.dom(f"{server.url}/folder/")
        take_pictures(server.url, "listing", screenshots)
