"""Brick 6: what goes wrong. Clients that are slow, silent, greedy or gone, and a handler that raises.

    python examples/bricks/brick6_faults.py 8080 5

The second argument is the patience in seconds. Try `nc 127.0.0.1 8080` and say nothing; ask for /raise.
"""

import socket
import sys
import threading
import time
import traceback

LARGEST_HEAD = 16 * 1024
MOST_AT_ONCE = threading.BoundedSemaphore(64)


class Refused(Exception):
    """The request is answered with a status, and that is all."""


def read_head(client, deadline):
    """All of the head by `deadline`: a limit for each receive would let a client send one byte at a time, for ever."""
    received = b""
    while b"\r\n\r\n" not in received:
        if len(received) > LARGEST_HEAD:
            raise Refused("431 Request Header Fields Too Large")
        client.settimeout(max(deadline - time.monotonic(), 0.001))
        try:
            data = client.recv(4096)
        except TimeoutError:
            raise Refused("408 Request Timeout") from None
        if not data:
            raise EOFError
        received += data
    return received.partition(b"\r\n\r\n")[0]


def handle(head):
    target = head.split(b" ")[1]
    if target == b"/raise":
        raise RuntimeError("a bug in the handler")
    return target + b"\n"


def converse(client, patience):
    with MOST_AT_ONCE, client:
        try:
            status, text = "200 OK", handle(read_head(client, time.monotonic() + patience))
        except EOFError:
            return  # nobody is there any more
        except Refused as refused:
            status, text = str(refused), b""
        except Exception:
            traceback.print_exc()  # for us; the client is told nothing but the number
            status, text = "500 Internal Server Error", b""
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(text)}\r\nConnection: close\r\n\r\n"
        try:
            client.settimeout(patience)
            client.sendall(head.encode() + text)
            linger(client, time.monotonic() + patience)
        except OSError:
            pass  # it left without the answer, or took none of it


def linger(client, deadline):
    """Closing over unread bytes sends a reset, which can overtake our answer (RFC 9112 section 9.6): read first."""
    client.shutdown(socket.SHUT_WR)
    while time.monotonic() < deadline and client.recv(65536):
        pass


if __name__ == "__main__":
    patience = float(sys.argv[2]) if len(sys.argv) > 2 else 30.0
    with socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8080)) as listener:
        print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
        while True:
            threading.Thread(target=converse, args=(listener.accept()[0], patience), daemon=True).start()
