"""Handlers written for ``http.server`` (``do_GET``, ``do_POST``), served by Brickwork through a short adapter.

    python examples/lessweb.py 127.0.0.1 8080

The handler class stays as it is. What changes is who reads and writes HTTP: requests are checked, many are answered at
once, and connections are kept open. ``http.server`` is not meant for production, as its documentation says.
"""

from __future__ import annotations

import http.client
import io
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs

import brickwork

SERVERS_OWN = {"server", "date", "connection", "keep-alive", "transfer-encoding"}
"""Fields that are the server's business and not the handler's."""


class Recording:
    """Stands in front of a handler class: takes down what the handler would have written on its socket."""

    def __init__(self, environ):
        self.command, self.path = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        self.request_version = environ["SERVER_PROTOCOL"]
        self.requestline = f"{self.command} {self.path} {self.request_version}"
        self.client_address = (environ.get("REMOTE_ADDR", ""), int(environ.get("REMOTE_PORT", 0)))
        self.headers = http.client.HTTPMessage()
        for key, value in environ.items():
            if key.startswith("HTTP_") or (key in ("CONTENT_TYPE", "CONTENT_LENGTH") and value):
                self.headers[key.removeprefix("HTTP_").replace("_", "-").title()] = value
        self.rfile, self.wfile = environ["wsgi.input"], io.BytesIO()
        self.close_connection = True
        self.status, self.fields = "200 OK", []

    def send_response_only(self, code, message=None):
        self.status = f"{int(code)} {message or HTTPStatus(code).phrase}"

    def send_header(self, keyword, value):
        if keyword.lower() not in SERVERS_OWN:
            self.fields.append((keyword, str(value)))

    def end_headers(self):
        """There is nothing to write yet."""


def application(handler_class):
    """A WSGI application that answers with a handler class of ``http.server``."""
    adapted = type(handler_class.__name__, (Recording, handler_class), {})

    def answer(environ, start_response):
        handler = adapted(environ)
        method = getattr(handler, f"do_{handler.command}", None)
        if method is None:
            handler.send_error(HTTPStatus.NOT_IMPLEMENTED, f"Unsupported method ({handler.command!r})")
        else:
            method()
        start_response(handler.status, handler.fields)
        return [handler.wfile.getvalue()]

    return answer


class Greeter(BaseHTTPRequestHandler):
    """A handler as the tutorials write it."""

    def do_GET(self):
        self.reply(f"You asked for {self.path}\n")

    def do_POST(self):
        content = self.rfile.read(int(self.headers["Content-Length"]))
        names = parse_qs(content.decode()).get("name", ["stranger"])
        self.reply(f"Hello, {' and '.join(names)}!\n")

    def reply(self, text):
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format, *args):
        """The server has an access log."""


def serve(interface, port):
    brickwork.serve(application(Greeter), bind=f"{interface}:{port}", log_level="info", access_logfile="-")


if __name__ == "__main__":
    serve(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8080)
