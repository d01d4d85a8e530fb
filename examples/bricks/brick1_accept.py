"""Brick 1: accept a connection, print what comes, answer something.

    python examples/bricks/brick1_accept.py 8080

Open http://127.0.0.1:8080/ in a browser and look at the terminal.
"""

import socket
import sys

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n"


def serve(port):
    # A listening socket: the kernel makes the connections, and keeps those that we have not accepted yet in a queue.
    with socket.create_server(("127.0.0.1", port)) as listener:
        print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
        while True:
            client, address = listener.accept()
            with client:
                print(f"{address[0]}:{address[1]} sent:", flush=True)
                # One receive gives what has arrived so far: all of the request on a good day, its first byte on a bad one.
                for line in client.recv(65536).splitlines(keepends=True):
                    print(f"    {line!r}", flush=True)
                client.sendall(ANSWER)


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
