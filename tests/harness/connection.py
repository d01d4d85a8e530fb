"""One connection to the server, in bytes: what is sent, in which pieces, and what comes back, to the last byte."""

import socket
import time

from harness.deadline import PATIENCE
from harness.response import IllFormed, Incomplete, read_response

# A line longer than this is not one; no server field comes near it.
LONGEST_LINE = 64 * 1024


class Connection:
    """A connected stream socket with a reader that takes exactly one response at a time."""

    def __init__(self, stream):
        self.stream = stream
        self.buffer = bytearray()
        self.ended = False
        self.was_reset = False
        if stream.family != socket.AF_UNIX:
            # Each piece leaves as a segment of its own.
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream.settimeout(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.stream.close()

    @property
    def port(self):
        """Our own port, as the server sees it."""
        return self.stream.getsockname()[1]

    def send(self, *pieces):
        """Sends the pieces, each with a call of its own."""
        for piece in pieces:
            self.stream.sendall(piece)

    def type(self, data):
        """Sends one byte at a time."""
        self.send(*(data[at : at + 1] for at in range(len(data))))

    def half_close(self):
        """Says that nothing more will be sent; the way back stays open."""
        self.stream.shutdown(socket.SHUT_WR)

    def leave(self):
        """Goes away without a goodbye: the peer gets a reset."""
        self.stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.stream.close()

    def receive(self, method="GET", version="HTTP/1.1"):
        """The next response, an interim one too. Its framing depends on the request's `method` and `version`."""
        return read_response(self, method, version)

    def exchange(self, data, method="GET", version="HTTP/1.1"):
        """Sends, and returns the next response."""
        self.send(data)
        return self.receive(method, version)

    def expect_close(self):
        """Nothing more comes, and the server closes in an orderly way: the end of the stream, not a reset."""
        self.expect_end()
        assert not self.was_reset, "the connection was reset"

    def expect_end(self):
        """Nothing more comes; closed or reset."""
        self.read_to_end()
        assert not self.buffer, (
            f"{len(self.buffer)} bytes where the connection should end: {bytes(self.buffer[:200])!r}"
        )

    def finish(self):
        """Nothing more comes, although the connection persists until we say that we are done."""
        self.half_close()
        self.expect_close()

    # The source of bytes that harness.response reads from.

    def line(self):
        """The bytes before the next CRLF, which is taken too."""
        while (end := self.buffer.find(b"\n")) < 0:
            if len(self.buffer) > LONGEST_LINE:
                raise IllFormed("a line without an end")
            if not self.fill():
                raise Incomplete(f"the connection ended inside a line: {bytes(self.buffer[:200])!r}")
        line = bytes(self.buffer[: end + 1])
        del self.buffer[: end + 1]
        if not line.endswith(b"\r\n") or b"\r" in line[:-2]:
            raise IllFormed(f"a line ends in CRLF and holds no other CR: {line!r}")
        return line[:-2]

    def exactly(self, size, response=None):
        """The next `size` bytes; what there was of them goes into `response` if they are cut off."""
        while len(self.buffer) < size:
            if not self.fill():
                if response is not None:
                    response.content += bytes(self.buffer)
                raise Incomplete(f"the connection ended {size - len(self.buffer)} bytes before the content did")
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def rest(self):
        """Everything up to the end of the stream, which a reset is not."""
        self.read_to_end()
        if self.was_reset:
            raise Incomplete("the connection was reset")
        data = bytes(self.buffer)
        self.buffer.clear()
        return data

    def read_to_end(self):
        deadline = time.monotonic() + PATIENCE
        while self.fill():
            assert time.monotonic() < deadline, "the server goes on sending"

    def fill(self):
        """Reads what there is, at least a byte; False at the end of the stream or after a reset."""
        if not self.ended:
            try:
                data = self.stream.recv(1 << 18)
            except ConnectionResetError:
                data, self.was_reset = b"", True
            self.buffer += data
            self.ended = not data
        return not self.ended
