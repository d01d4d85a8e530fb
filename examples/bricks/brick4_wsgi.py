"""Brick 4: call a WSGI application (PEP 3333), any one.

    python examples/bricks/brick4_wsgi.py 8080 wsgiref.simple_server:demo_app
    python examples/bricks/brick4_wsgi.py 8080 your_module:application
"""

import importlib
import io
import socket
import sys
from urllib.parse import unquote_to_bytes


def make_environ(head, content, local):
    """What the application is told: the keys that PEP 3333 asks for, and the fields as HTTP_ variables."""
    request_line, *lines = head.decode("latin-1").split("\r\n")
    method, target, protocol = request_line.split(" ")
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        # Decoded, and then every byte as one character: WSGI's text is latin-1 on purpose.
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": local[0],
        "SERVER_PORT": str(local[1]),
        "SERVER_PROTOCOL": protocol,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(content),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in (line.split(": ", 1) for line in lines):
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ


def call(application, environ):
    """The bytes of the response."""
    begun, blocks = [], []

    def start_response(status, headers, exc_info=None):
        begun[:] = [status, headers]
        return blocks.append  # write(), for applications from before WSGI

    result = application(environ, start_response)
    try:
        blocks.extend(result)
    finally:
        if hasattr(result, "close"):
            result.close()
    status, headers = begun
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    head = f"HTTP/1.1 {status}\r\n{fields}Connection: close\r\n\r\n"
    # No length: the end of the connection is the end of the content (RFC 9112 section 6.3, step 8).
    return head.encode("latin-1") + b"".join(blocks)


def serve(port, application):
    with socket.create_server(("127.0.0.1", port)) as listener:
        print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            with client, client.makefile("rb") as incoming:
                head = b"".join(iter(incoming.readline, b"\r\n")).removesuffix(b"\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
                content = incoming.read(int(fields.get(b"content-length", 0)))
                client.sendall(call(application, make_environ(head, content, listener.getsockname())))


if __name__ == "__main__":
    module, _, name = (sys.argv[2] if len(sys.argv) > 2 else "wsgiref.simple_server:demo_app").partition(":")
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8080, getattr(importlib.import_module(module), name))
