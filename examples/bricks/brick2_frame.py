"""Brick 2: read a request to its end, and not a byte further. The framing says where that is (RFC 9112 section 6.3).

    python examples/bricks/brick2_frame.py 8080
    curl -d hello http://127.0.0.1:8080/
    curl -d hello -H 'Transfer-Encoding: chunked' http://127.0.0.1:8080/
"""

import socket
import sys


class Incoming:
    """Bytes of a connection, in whatever pieces they arrive."""

    def __init__(self, client):
        self.client = client
        self.buffer = b""

    def fill(self):
        data = self.client.recv(65536)
        if not data:
            raise EOFError("the client left in the middle of a request")
        self.buffer += data

    def until(self, end):
        """What comes before `end`, which is taken too."""
        while end not in self.buffer:
            self.fill()
        found, _, self.buffer = self.buffer.partition(end)
        return found

    def exactly(self, size):
        while len(self.buffer) < size:
            self.fill()
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found


def read_request(incoming):
    """The lines of the head, and the content."""
    lines = incoming.until(b"\r\n\r\n").split(b"\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in lines[1:])
    if fields.get(b"transfer-encoding") == b"chunked":
        return lines, read_chunked(incoming)
    # Neither field: there is no content, and the next byte begins the next request.
    return lines, incoming.exactly(int(fields.get(b"content-length", 0)))


def read_chunked(incoming):
    """Every chunk says its size, in hexadecimal; one of size 0 is the last (RFC 9112 section 7.1)."""
    content = b""
    while size := int(incoming.until(b"\r\n").split(b";")[0], 16):
        content += incoming.exactly(size)
        incoming.until(b"\r\n")
    while incoming.until(b"\r\n"):
        pass  # a trailer field
    return content


def serve(port):
    with socket.create_server(("127.0.0.1", port)) as listener:
        print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            with client:
                lines, content = read_request(Incoming(client))
                text = b"%s, with %d bytes of content\n" % (lines[0], len(content))
                head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(text)
                client.sendall(head + text)


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
