"""Asks a server what a scenario asks, once and by hand, and says what is wrong with the answer.

Also gives the size of one whole answer, by which the answers that wrk counted are checked: requests x size = bytes.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, replace

from .scenarios import Scenario

# Seconds for one answer.
PATIENCE = 15

# Answers after which one of them should have been closed, which may happen after the next request has begun.
CLOSINGS = 20


class WrongAnswer(Exception):
    pass


class NoAnswer(WrongAnswer):
    pass


@dataclass(frozen=True)
class ReferenceAnswer:
    # Bytes of head and framed content as sent.
    size: int
    content: bytes


def ask(port: int, scenario: Scenario) -> ReferenceAnswer:
    """Raises WrongAnswer. The requests of a pipelined scenario are sent at once, and each must be answered."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
            connection.sendall(request(port, scenario) * scenario.depth)
            answers = Answers(connection)
            first = answers.next()
            for number in range(1, scenario.depth):
                if answers.next().content != first.content:
                    raise WrongAnswer(f"answer {number + 1} of {scenario.depth} is another")
    except OSError as error:
        raise WrongAnswer(f"{type(error).__name__}: {error}") from None
    if scenario.answer is not None and first.content != scenario.answer:
        raise WrongAnswer(f"content is {first.content[:40]!r}")
    if scenario.length is not None and len(first.content) != scenario.length:
        raise WrongAnswer(f"content has {len(first.content)} bytes, not {scenario.length}")
    return first


def check_closing(port: int, scenario: Scenario) -> None:
    """Raises WrongAnswer if `close()` of what the application returns is not called, which saves the work that is done there."""
    closing = replace(scenario, path=scenario.closing, answer=None)
    if all(ask(port, closing).content == b"0" for _ in range(CLOSINGS)):
        raise WrongAnswer("does not call close() of what the application returns (PEP 3333)")


def request(port: int, scenario: Scenario) -> bytes:
    fields = [("Host", f"127.0.0.1:{port}"), *scenario.fields]
    if scenario.content:
        fields.append(("Content-Length", str(scenario.content)))
    lines = [f"{scenario.method} {scenario.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields), "", ""]
    return "\r\n".join(lines).encode() + b"x" * scenario.content


class Answers:
    """Responses off one connection, one after the other."""

    def __init__(self, connection: socket.socket):
        self.connection, self.buffer = connection, bytearray()

    def next(self) -> ReferenceAnswer:
        head = self.until(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")[:-2]
        if status_line.split(" ")[1:2] != ["200"]:
            raise WrongAnswer(f"status line is {status_line!r}")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if "content-length" in fields:
            content = self.exactly(int(fields["content-length"]))
            return ReferenceAnswer(len(head) + len(content), content)
        if fields.get("transfer-encoding", "").lower() == "chunked":
            content, size = self.chunked()
            return ReferenceAnswer(len(head) + size, content)
        content = self.rest()
        return ReferenceAnswer(len(head) + len(content), content)

    def chunked(self) -> tuple[bytes, int]:
        content, size = bytearray(), 0
        while True:
            line = self.until(b"\r\n")
            length = int(line.split(b";")[0], 16)
            content += self.exactly(length)
            self.until(b"\r\n")
            size += len(line) + length + 2
            if not length:
                return bytes(content), size

    def until(self, end: bytes) -> bytes:
        while end not in self.buffer:
            self.fill()
        return self.exactly(self.buffer.index(end) + len(end))

    def exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self.fill()
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def rest(self) -> bytes:
        while data := self.connection.recv(1 << 20):
            self.buffer += data
        return self.exactly(len(self.buffer))

    def fill(self) -> None:
        data = self.connection.recv(1 << 20)
        if not data:
            raise WrongAnswer(f"the connection was closed after {bytes(self.buffer[:40])!r}")
        self.buffer += data
