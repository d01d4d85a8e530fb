"""Counts the instructions of one whole hello with callgrind: from the poller to the answer, in the thread that serves it.

    hello.py NAME=DIRECTORY[,VARIABLE=VALUE ...] ...

Each argument is a build to be counted: the directory that it is installed in, and what to set in its environment. The
counts stand beside the first one's. A time slice less or more, and CPython's own caches, move them by about 1 %.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

# Instructions of one request are those of the larger count less those of the smaller, by the difference: starting and
# warming up fall out.
FEWER, MORE = 200, 2200

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

SERVER = """
import sys, threading
from brickwork import make_server

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "6")])
    return [b"hello\\n"]

with make_server("127.0.0.1", 0, app) as server:
    threading.Thread(target=lambda: (sys.stdin.read(), server.shutdown())).start()
    print(server.server_port, flush=True)
    server.serve_forever()
"""


def main() -> int:
    builds = [argument.partition("=")[::2] for argument in sys.argv[1:]]
    if not builds:
        print(__doc__, file=sys.stderr)
        return 2
    first = None
    for name, place in builds:
        directory, *settings = place.split(",")
        environment = {"PYTHONPATH": str(Path(directory).resolve()), **dict(s.split("=", 1) for s in settings)}
        each = (count(environment, MORE) - count(environment, FEWER)) / (MORE - FEWER)
        first = first or each
        print(f"{name:24} {each:10,.0f} instructions a request, {each / first:.3f} of the first", flush=True)
    return 0


def count(environment: dict[str, str], requests: int) -> int:
    """Instructions of the thread that served so many requests on one connection."""
    with tempfile.TemporaryDirectory() as directory:
        out = Path(directory, "counts")
        valgrind = ["valgrind", "--quiet", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={out}"]
        server = subprocess.Popen(
            [*valgrind, sys.executable, "-c", SERVER],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with server, socket.create_connection(("127.0.0.1", int(server.stdout.readline()))) as client:
            for _ in range(requests):
                client.sendall(REQUEST)
                answer = client.recv(4096)
                if not answer.startswith(b"HTTP/1.1 200 ") or not answer.endswith(b"hello\n"):
                    raise SystemExit(f"a wrong answer: {answer!r}")
            server.stdin.close()
        threads = [file.read_text() for file in Path(directory).iterdir()]
        # Starting the interpreter costs the main thread more than all requests cost theirs.
        served = [text for text in threads if "/_brickwork." in text and not re.search(r"^thread: 1$", text, re.M)]
        return max(int(re.search(r"^(?:totals|summary): (\d+)", text, re.M).group(1)) for text in served)


if __name__ == "__main__":
    sys.exit(main())
