"""The classic exercise: a web server on a socket, whose every page is made by one function, ``delegate``.

    python examples/webserve.py 127.0.0.1 8080

HTTP is ``brickwork.http1``'s; here is only what a socket and a page need. It answers one request a connection, and one
connection at a time: the chapters of docs/learn go on from there.
"""

from __future__ import annotations

import html
import logging
import socket
import sys
from urllib.parse import parse_qs, unquote

from brickwork.http1 import (
    NEED_DATA,
    Connection,
    Data,
    EndOfMessage,
    InformationalResponse,
    RemoteProtocolError,
    Request,
    Response,
)

LARGEST_CONTENT = 1 << 20
"""Bytes of content; a request with more is answered 413."""

PATIENCE = 30
"""Seconds that a client may be silent."""


def serve(interface: str, port: int) -> None:
    """Answer connections on a port of an interface for good. Port 0 takes a free one; the address is printed."""
    with socket.create_server((interface, port)) as listener:
        print("listening on http://{}:{}".format(*listener.getsockname()), flush=True)
        while True:
            client_sock, client_address = listener.accept()
            client_sock.settimeout(PATIENCE)
            handle_connection(client_sock, client_address)


def handle_connection(client_sock, client_address) -> None:
    """Answer one request and close. ``client_sock`` has ``recv``, ``sendall`` and ``close``; nothing is ever raised."""
    connection = Connection()
    try:
        try:
            response = answer(connection, client_sock)
        except RemoteProtocolError as error:
            logging.warning("%s: %s", client_address, error)
            response = encode(connection, error.status_code or 400, {}, b"")
        except Exception:
            logging.exception("%s: no answer", client_address)
            # Afresh: of a response that could not be finished nothing has been sent.
            response = encode(Connection(), 500, {}, b"")
        if response:
            client_sock.sendall(response)
    except Exception as error:
        logging.warning("%s: not answered: %s", client_address, error)
    finally:
        try:
            client_sock.close()
        except Exception as error:
            logging.warning("%s: not closed: %s", client_address, error)


def answer(connection, client_sock) -> bytes:
    """Read a request and return the bytes of its response; none if the client leaves without a request."""
    request = next_event(connection, client_sock)
    if not isinstance(request, Request):
        return b""
    content = b""
    while isinstance(event := next_event(connection, client_sock), Data):
        content += event.data
        if len(content) > LARGEST_CONTENT:
            return encode(connection, 413, {}, b"")
    headers: dict[str, str] = {}
    for name, value in request.headers:
        key, text = name.decode("latin-1"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    path, query = split_target(request.target.decode("latin-1"))
    get_data = None if query is None else parse_qs(query)
    is_form = headers.get("content-type", "").partition(";")[0].strip().lower() == "application/x-www-form-urlencoded"
    post_data = parse_qs(content.decode("utf-8", "replace")) if is_form else None
    return encode(connection, *delegate(request.method.decode("ascii"), path, headers, get_data, post_data))


def next_event(connection, client_sock):
    """What the client did next, however many receives it takes to know."""
    while (event := connection.next_event()) is NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            client_sock.sendall(connection.send(InformationalResponse(100)))
        connection.receive_data(client_sock.recv(65536))
    return event


def split_target(target: str) -> tuple[str, str | None]:
    """The decoded path of a request-target, and its query, if there is one (RFC 9112 section 3.2)."""
    path, question_mark, query = target.partition("?")
    if not path.startswith("/") and "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return unquote(path), query if question_mark else None


def encode(connection, code: int, headers, data: bytes | str) -> bytes:
    """A whole response, the last on its connection."""
    content = data.encode() if isinstance(data, str) else data
    fields = [(name.encode("latin-1"), str(value).encode("latin-1")) for name, value in dict(headers).items()]
    if not any(name.lower() == b"content-length" for name, _ in fields):
        fields.append((b"Content-Length", b"%d" % len(content)))
    fields.append((b"Connection", b"close"))
    return connection.send(Response(code, fields)) + connection.send(Data(content)) + connection.send(EndOfMessage())


def delegate(request_type, path, received_headers, GET_data, POST_data=None):
    """Make a page: return its status code, its fields and its content.

    ``received_headers`` maps names in lower case to values. ``GET_data`` and ``POST_data`` are what came behind the
    ``?`` and as a form, as ``parse_qs`` returns them: lists of values; None where there was neither.
    """
    lines = [f"<h1>{html.escape(request_type)} {html.escape(path)}</h1>"]
    for title, data in (("GET data", GET_data), ("POST data", POST_data)):
        lines.append(f"<h2>{title}</h2>")
        if data is None:
            lines.append("<p>none</p>")
        else:
            lines += [f"<p>{html.escape(name)} = {html.escape(', '.join(values))}</p>" for name, values in data.items()]
    lines.append("<h2>Fields</h2>")
    lines += [f"<p>{html.escape(name)}: {html.escape(value)}</p>" for name, value in received_headers.items()]
    page = "<!doctype html><meta charset=utf-8><title>webserve</title>\n" + "\n".join(lines)
    return 200, {"Content-Type": "text/html; charset=utf-8"}, page.encode("utf-8", "replace")


if __name__ == "__main__":
    try:
        serve(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 8080)
    except KeyboardInterrupt:
        pass
