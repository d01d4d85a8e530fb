"""A guest book: a small Flask application of the everyday kind, kept in SQLite.

It has what real applications have and servers get wrong: forms that redirect, a session cookie, file uploads, a
download that is streamed while it is read. Nothing in it knows which server runs it.

Settings, from the environment:
    GUESTBOOK_DATABASE    the SQLite file; by default guestbook.sqlite3 in the instance folder, made when first needed
    GUESTBOOK_SECRET_KEY  signs the session cookie; by default a random one, kept in the instance folder as well
"""

import contextlib
import csv
import datetime
import io
import os
import pathlib
import secrets
import sqlite3
import tempfile

from flask import Flask, Response, abort, flash, g, redirect, render_template, request, session, url_for

NAME_LENGTH = 80
MESSAGE_LENGTH = 2000
PAGE = 20

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id INTEGER PRIMARY KEY,
    written TEXT NOT NULL,
    name TEXT NOT NULL,
    message TEXT NOT NULL,
    file_name TEXT,
    file BLOB
)
"""

# The pictures that are shown in the page, by their first bytes; any other file is only offered for download. SVG is not
# among them: it can hold scripts.
PICTURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF87a": "image/gif",
    b"GIF89a": "image/gif",
}


def create_app():
    app = Flask(__name__)
    instance = pathlib.Path(app.instance_path)
    database = os.environ.get("GUESTBOOK_DATABASE")
    if not database:
        instance.mkdir(parents=True, exist_ok=True)
        database = str(instance / "guestbook.sqlite3")
    app.config.update(
        DATABASE=database,
        SECRET_KEY=os.environ.get("GUESTBOOK_SECRET_KEY") or kept_secret(instance / "secret_key"),
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=6 * 1024 * 1024,
    )
    with contextlib.closing(connect(database)) as connection:
        # Readers do not wait for the writer, nor the writer for readers.
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(SCHEMA)
    return app


def kept_secret(path):
    """A random key, made once: cookies stay good over a restart, and every process of the server has the same."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Readable by its owner alone; linked to its name when it is whole, unless another process was faster.
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as draft:
            draft.write(secrets.token_hex())
            draft.flush()
            with contextlib.suppress(FileExistsError):
                os.link(draft.name, path)
    return path.read_text()


def connect(database):
    connection = sqlite3.connect(database, timeout=10)
    connection.row_factory = sqlite3.Row
    return connection


app = create_app()


def database():
    """The request's own connection; SQLite's are not for sharing between threads."""
    if "database" not in g:
        g.database = connect(app.config["DATABASE"])
    return g.database


@app.teardown_appcontext
def close_database(error):
    if "database" in g:
        g.pop("database").close()


@app.get("/")
def index():
    before = request.args.get("before", type=int)
    rows = database().execute(
        "SELECT id, written, name, message, file_name, substr(file, 1, 8) AS start FROM entries"
        " WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?",
        (before, before, PAGE + 1),
    )
    entries = rows.fetchall()
    older = entries[PAGE - 1]["id"] if len(entries) > PAGE else None
    return render_template("index.html", entries=entries[:PAGE], older=older, visitor=session.get("visitor", ""))


@app.template_test("picture")
def is_picture(start):
    return media_type(start or b"") in PICTURES.values()


def media_type(start):
    """By content, not by what the visitor's browser called it."""
    return next((kind for magic, kind in PICTURES.items() if start.startswith(magic)), "application/octet-stream")


@app.post("/entries")
def sign():
    name = request.form.get("name", "").strip()[:NAME_LENGTH]
    message = request.form.get("message", "").strip()[:MESSAGE_LENGTH]
    if not name or not message:
        abort(400, "A name and a message, please.")
    upload = request.files.get("file")
    file = upload.read() if upload and upload.filename else None
    with database() as connection:
        connection.execute(
            "INSERT INTO entries (written, name, message, file_name, file) VALUES (?, ?, ?, ?, ?)",
            (now(), name, message, upload.filename if file is not None else None, file),
        )
    session["visitor"] = name
    flash(f"Thank you, {name}.")
    # 303: the browser gets the page, and a reload does not sign twice.
    return redirect(url_for("index"), 303)


@app.post("/forget")
def forget():
    session.clear()
    return redirect(url_for("index"), 303)


@app.get("/files/<int:entry>")
def file(entry):
    row = database().execute("SELECT file_name, file FROM entries WHERE id = ?", (entry,)).fetchone()
    if row is None or row["file"] is None:
        abort(404)
    kind = media_type(row["file"])
    response = Response(row["file"], mimetype=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    if kind not in PICTURES.values():
        response.headers.set("Content-Disposition", "attachment", filename=row["file_name"])
    return response


@app.get("/guestbook.csv")
def export():
    """All entries, streamed: each row is sent when it has been read, so that the size of the book does not matter."""
    response = Response(csv_rows(app.config["DATABASE"]), mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename="guestbook.csv")
    return response


def csv_rows(path):
    # With a connection of its own: the stream outlives the request's.
    with contextlib.closing(connect(path)) as connection:
        yield csv_row(["written", "name", "message", "file"])
        for row in connection.execute("SELECT written, name, message, file_name FROM entries ORDER BY id"):
            yield csv_row([row["written"], *map(as_text, (row["name"], row["message"], row["file_name"] or ""))])


def csv_row(values):
    line = io.StringIO()
    csv.writer(line).writerow(values)
    return line.getvalue()


def as_text(value):
    """A cell that starts like a formula would be run as one by a spreadsheet."""
    return "'" + value if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def now():
    return datetime.datetime.now(datetime.timezone.utc).isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")


@app.errorhandler(400)
@app.errorhandler(404)
@app.errorhandler(413)
def explain(error):
    return render_template("error.html", error=error), error.code
