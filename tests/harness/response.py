"""One response, read strictly: what RFC 9112 lets a server send, not what a client may forgive.

Sections 4 (status-line), 5 (field lines), 6.3 (length of the content) and 7.1 (chunked) from the client's side, and
the sender's rules of section 6.1 and 6.2. It does not read from a socket: its source of bytes is given.
"""

import dataclasses
import re

STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2}) ([\t \x21-\x7e\x80-\xff]*)")
FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t \x21-\x7e\x80-\xff]*)")
CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})")


class IllFormed(AssertionError):
    """The server sent what no server may send."""


class Incomplete(Exception):
    """The connection ended inside a response; `so_far` is the response with the content that arrived."""

    def __init__(self, why, so_far=None):
        super().__init__(why)
        self.so_far = so_far


@dataclasses.dataclass
class Response:
    """A complete response. Names and values are latin-1 text, content is bytes."""

    version: str
    status: int
    reason: str
    fields: list
    # How the end of the content was known: "none", "length", "chunked" or "close".
    framing: str = "none"
    content: bytes = b""
    chunks: list = dataclasses.field(default_factory=list)

    def all(self, name):
        """Every value of the field lines of this name, in order."""
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def field(self, name):
        """The value of the one field line of this name, or None; a second one is a fault."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} is repeated: {values}"
        return values[0] if values else None

    @property
    def is_last(self):
        """Whether the server says that it closes the connection after this (RFC 9112 section 9.3)."""
        options = {option.strip().lower() for value in self.all("connection") for option in value.split(",")}
        if "close" in options or self.framing == "close":
            return True
        return self.version == "HTTP/1.0" and "keep-alive" not in options


def read_response(source, request_method="GET", request_version="HTTP/1.1"):
    """Reads exactly one response, interim ones included, from `source`: `line()`, `exactly(n)`, `rest()`."""
    response = read_head(source)
    try:
        read_content(source, response, request_method, request_version)
    except Incomplete as cut:
        raise Incomplete(str(cut), response) from None
    return response


def read_head(source):
    status_line = source.line()
    match = STATUS_LINE.fullmatch(status_line)
    if not match:
        raise IllFormed(f"not a status-line: {status_line!r}")
    fields = []
    while line := source.line():
        field = FIELD_LINE.fullmatch(line)
        if not field:
            raise IllFormed(f"not a field-line: {line!r}")
        fields.append((field[1].decode("latin-1"), field[2].decode("latin-1").strip("\t ")))
    return Response(status_line[:8].decode(), int(match[1]), match[2].decode("latin-1"), fields)


def read_content(source, response, request_method, request_version):
    """RFC 9112 section 6.3, with its numbers; 7 is about requests."""
    lengths, codings = response.all("content-length"), response.all("transfer-encoding")
    if len(lengths) > 1 or any(not re.fullmatch("[0-9]+", length) for length in lengths):
        raise IllFormed(f"Content-Length: {lengths}")
    if lengths and codings:
        raise IllFormed("both Content-Length and Transfer-Encoding")
    if codings and request_version == "HTTP/1.0":
        raise IllFormed("Transfer-Encoding in the answer to an HTTP/1.0 request (RFC 9112 section 6.1)")
    if response.status < 200 or response.status == 204:
        if lengths or codings:
            raise IllFormed(f"{lengths or codings} in a {response.status} (RFC 9110 section 8.6, RFC 9112 section 6.1)")
    # 1. No content whatever the fields say. 2. A tunnel: no test asks for one.
    if request_method == "HEAD" or response.status < 200 or response.status in (204, 304):
        return
    # 3. both (refused above). 4. Transfer-Encoding: of the codings a server may use, this reader knows one.
    if codings:
        if [coding.lower() for coding in codings] != ["chunked"]:
            raise IllFormed(f"Transfer-Encoding: {codings}")
        response.framing = "chunked"
        try:
            read_chunked(source, response)
        finally:
            response.content = b"".join(response.chunks) + response.content
    # 5. an invalid length (refused above). 6. a valid one.
    elif lengths:
        response.framing = "length"
        response.content = source.exactly(int(lengths[0]), response)
    # 8. until the connection is closed.
    else:
        response.framing = "close"
        response.content = source.rest()


def read_chunked(source, response):
    while True:
        line = source.line()
        match = CHUNK_LINE.fullmatch(line)
        if not match:
            raise IllFormed(f"not a chunk line: {line!r}")
        size = int(match[1], 16)
        if size == 0:
            break
        response.chunks.append(source.exactly(size, response))
        if source.exactly(2) != b"\r\n":
            raise IllFormed("no CRLF after the data of a chunk")
    if trailer := source.line():
        raise IllFormed(f"a trailer section nobody asked for: {trailer!r}")
