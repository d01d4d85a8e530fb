"""The guest book of examples/guestbook, as a browser would use it."""

import csv
import io
import pathlib
import re
import shutil
import threading

import pytest
import requests

from harness.deadline import PATIENCE

GUESTBOOK = pathlib.Path(__file__).resolve().parent.parent / "examples" / "guestbook"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture
def book(serve, tmp_path):
    """A guest book without entries."""
    env = {"GUESTBOOK_DATABASE": str(tmp_path / "book.sqlite3"), "GUESTBOOK_SECRET_KEY": "only for tests"}
    with serve("guestbook:app", cwd=GUESTBOOK, env=env) as server:
        yield server


class Visitor(requests.Session):
    """A browser at the guest book: keeps cookies and follows redirects."""

    def __init__(self, book):
        super().__init__()
        self.trust_env = False
        self.book = book

    def request(self, method, path, **options):
        return super().request(method, self.book.url + path, timeout=PATIENCE, **options)

    def sign(self, name, message, **options):
        return self.post("/entries", data={"name": name, "message": message}, **options)


@pytest.fixture
def visitor(book):
    with Visitor(book) as visitor:
        yield visitor


def test_the_page_is_there_before_anybody_signed(visitor):
    page = visitor.get("/")
    assert page.status_code == 200 and "Nobody has signed yet" in page.text
    style = visitor.get(re.search(r'href="(/static/[^"]+)"', page.text)[1])
    assert style.status_code == 200 and style.headers["Content-Type"].startswith("text/css")


def test_signing_redirects_to_the_page_with_the_entry(visitor):
    page = visitor.sign("Ada \u2603", "Hello,\nfrom <b>1843</b>")
    assert [answer.status_code for answer in page.history] == [303]
    assert "Ada \u2603" in page.text and "Hello,\nfrom &lt;b&gt;1843&lt;/b&gt;" in page.text
    assert "Thank you, Ada \u2603." in page.text
    assert "Thank you" not in visitor.get("/").text


def test_the_session_remembers_the_name_until_it_is_told_to_forget(visitor, book):
    visitor.sign("Ada", "Hello")
    assert 'value="Ada"' in visitor.get("/").text
    with Visitor(book) as somebody_else:
        assert 'value=""' in somebody_else.get("/").text
    assert 'value=""' in visitor.post("/forget").text


@pytest.mark.parametrize("form", [{}, {"name": "Ada"}, {"message": "Hello"}, {"name": " ", "message": " "}])
def test_an_empty_form_is_refused(visitor, form):
    answer = visitor.post("/entries", data=form)
    assert answer.status_code == 400 and "A name and a message, please." in answer.text
    assert "Nobody has signed yet" in visitor.get("/").text


def test_a_picture_is_shown(visitor):
    page = visitor.sign("Ada", "A picture", files={"file": ("wall.png", PNG, "text/html")})
    link = re.search(r'<img src="([^"]+)"', page.text)[1]
    picture = visitor.get(link)
    assert (picture.content, picture.headers["Content-Type"]) == (PNG, "image/png")


def test_any_other_file_is_a_download_whatever_it_is_called(visitor):
    page = visitor.sign("Ada", "A page", files={"file": ("wall.png", b"<script>alert(1)</script>", "image/png")})
    assert "<img" not in page.text
    file = visitor.get(re.search(r'href="(/files/[^"]+)"', page.text)[1])
    assert file.content == b"<script>alert(1)</script>"
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert file.headers["X-Content-Type-Options"] == "nosniff"


def test_a_file_that_is_too_large_is_refused_and_the_connection_stays_in_step(visitor):
    answer = visitor.sign("Ada", "Large", files={"file": ("large.bin", bytes(7_000_000))})
    assert answer.status_code == 413
    assert "Nobody has signed yet" in visitor.get("/").text


def test_what_is_not_there_is_a_404(visitor):
    assert [visitor.get(path).status_code for path in ("/files/1", "/files/x", "/nowhere")] == [404] * 3


def test_the_export_is_streamed_and_complete(visitor):
    for number in range(30):
        visitor.sign(f"Visitor {number}", f'Message, "{number}"\nin two lines')
    visitor.sign("=1+1", "@formula")
    answer = visitor.get("/guestbook.csv")
    assert answer.headers["Transfer-Encoding"] == "chunked" and "attachment" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert rows[0] == ["written", "name", "message", "file"]
    assert rows[30][1:3] == ["Visitor 29", 'Message, "29"\nin two lines']
    assert rows[31][1:3] == ["'=1+1", "'@formula"]


def test_older_entries_are_on_the_next_page(visitor):
    for number in range(25):
        visitor.sign(f"Visitor {number}", "Hello")
    first = visitor.get("/").text
    assert "<strong>Visitor 24<" in first and "<strong>Visitor 4<" not in first
    second = visitor.get(re.search(r'href="(/\?before=\d+)"', first)[1]).text
    assert "<strong>Visitor 4<" in second and "<strong>Visitor 24<" not in second


def test_visitors_who_sign_at_once_are_all_in_the_book(book):
    def sign(number):
        with Visitor(book) as visitor:
            for time in range(5):
                assert visitor.sign(f"Visitor {number}.{time}", "Hello").status_code == 200

    threads = [threading.Thread(target=sign, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Visitor(book) as visitor:
        names = {row[1] for row in csv.reader(io.StringIO(visitor.get("/guestbook.csv").text, newline=""))}
    assert names == {"name", *(f"Visitor {number}.{time}" for number in range(8) for time in range(5))}


def test_the_book_and_the_session_survive_a_restart(serve, tmp_path):
    env = {"GUESTBOOK_DATABASE": str(tmp_path / "book.sqlite3"), "GUESTBOOK_SECRET_KEY": "only for tests"}
    with serve("guestbook:app", cwd=GUESTBOOK, env=env) as book, Visitor(book) as visitor:
        visitor.sign("Ada", "Hello")
        cookies = visitor.cookies.get_dict()
    with serve("guestbook:app", cwd=GUESTBOOK, env=env) as book, Visitor(book) as visitor:
        visitor.cookies.update(cookies)
        page = visitor.get("/").text
        assert 'value="Ada"' in page and "<strong>Ada</strong>" in page


def test_without_settings_everything_is_kept_beside_the_application(serve, tmp_path):
    copy = tmp_path / "guestbook"
    shutil.copytree(GUESTBOOK, copy, ignore=shutil.ignore_patterns("instance", "__pycache__"))
    env = {"GUESTBOOK_DATABASE": None, "GUESTBOOK_SECRET_KEY": None}
    with serve("guestbook:app", cwd=copy, env=env) as book, Visitor(book) as visitor:
        visitor.sign("Ada", "Hello")
        cookies = visitor.cookies.get_dict()
    with serve("guestbook:app", cwd=copy, env=env) as book, Visitor(book) as visitor:
        visitor.cookies.update(cookies)
        assert 'value="Ada"' in visitor.get("/").text
    key = copy / "instance" / "secret_key"
    assert len(key.read_text()) == 64 and key.stat().st_mode & 0o777 == 0o600
