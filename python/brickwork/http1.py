"""HTTP/1.1 for servers without sockets: bytes in and events out, events in and bytes out (RFC 9110, RFC 9112).

The same bytes give the same events and the same error, in however many pieces they arrive. The rules are those of
Brickwork itself; one that is broken is named by its code, its section and the offset.

    connection = Connection()
    connection.receive_data(b"GET / HTTP/1.1\\r\\nHost: example.org\\r\\n\\r\\n")
    connection.next_event()         # Request(method=b"GET", target=b"/", ...)
    connection.next_event()         # EndOfMessage()
    connection.send(Response(200))  # the bytes to send
    connection.send(EndOfMessage())
    connection.start_next_cycle()

This module reads no clock but for the Date field of a response that comes without one.
"""

from __future__ import annotations

import enum
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, NamedTuple

from brickwork import _brickwork

if TYPE_CHECKING:
    from typing import Final

__all__ = [
    "NEED_DATA",
    "PAUSED",
    "Connection",
    "ConnectionClosed",
    "Data",
    "EndOfMessage",
    "InformationalResponse",
    "LocalProtocolError",
    "ParsedRequest",
    "ProtocolError",
    "RemoteProtocolError",
    "Request",
    "Response",
    "State",
    "parse_request",
]


@dataclass(frozen=True)
class Request:
    """The head of a request. Field names are in lower case; ``target`` is as it was sent, percent-encoding and all."""

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]]
    http_version: bytes = b"1.1"


@dataclass(frozen=True)
class InformationalResponse:
    """An interim response, 100 or 102 to 199, such as 100 (Continue)."""

    status_code: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Response:
    """The head of a final response. Date, Transfer-Encoding and Connection are added as they are needed."""

    status_code: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


@dataclass(frozen=True)
class Data:
    """Some content, as it came or as it is to go: chunked or not is no longer, or not yet, to be seen."""

    data: bytes


@dataclass(frozen=True)
class EndOfMessage:
    """The end of a request or response. Trailer fields are checked and discarded."""


@dataclass(frozen=True)
class ConnectionClosed:
    """The peer has finished sending, between two requests."""


class Special(enum.Enum):
    """What ``next_event`` returns when there is no event."""

    NEED_DATA = "NEED_DATA"
    PAUSED = "PAUSED"

    def __repr__(self) -> str:
        return self.value


NEED_DATA: Final = Special.NEED_DATA
"""Receive more, and ask again."""

PAUSED: Final = Special.PAUSED
"""There are bytes of another request: answer this one, call ``start_next_cycle``, and ask again."""

Event = Request | InformationalResponse | Response | Data | EndOfMessage | ConnectionClosed


class State(enum.Enum):
    """How far one side of a connection has got."""

    IDLE = "IDLE"
    SEND_RESPONSE = "SEND_RESPONSE"
    SEND_BODY = "SEND_BODY"
    DONE = "DONE"
    MUST_CLOSE = "MUST_CLOSE"
    CLOSED = "CLOSED"
    ERROR = "ERROR"


class ProtocolError(Exception):
    """A rule was broken. ``str`` says which, in one line."""

    def __init__(
        self, title: str, code: str = "", section: str = "", offset: int = 0, status_code: int = 0, help: str = ""
    ) -> None:
        where = f" ({section}), at byte {offset}" if code else ""
        super().__init__(f"{code}: {title}{where}" if code else title)
        self.title = title
        """What is wrong, in a few words."""
        self.code = code
        """The stable code of the rule, such as ``BW0107``; empty for an event out of order."""
        self.section = section
        """Where it is written, such as ``RFC 9112 section 5.1``."""
        self.offset = offset
        """Bytes from the start of the request (in a response: of the offending name or value) to the fault."""
        self.status_code = status_code
        """The status code that answers such a request; 0 where there is none."""
        self.help = help
        """What is done about it and why, in one sentence."""


class RemoteProtocolError(ProtocolError):
    """The peer broke a rule. Answer with ``status_code``, if nothing was answered yet, and close."""


class LocalProtocolError(ProtocolError):
    """This program broke a rule: a malformed field, content that does not match its length, an event out of order."""


class Connection:
    """The server's side of one HTTP/1.1 connection.

    ``scheme`` is ``http``, or ``https`` where the bytes come out of TLS: a request that names the other one is refused.
    """

    def __init__(self, scheme: str = "http") -> None:
        self._reader = _brickwork.RequestReader(scheme)
        self._writer = _brickwork.ResponseWriter()
        self._request = Request(b"GET", b"/", [])
        self._is_persistent = True
        self.their_state = State.IDLE
        """How far the client has got: IDLE, SEND_BODY, DONE, MUST_CLOSE, CLOSED or ERROR."""
        self.our_state = State.IDLE
        """How far this side has got: IDLE, SEND_RESPONSE, SEND_BODY, DONE, MUST_CLOSE or ERROR."""
        self.they_are_waiting_for_100_continue = False
        """Whether the client holds its content back until it gets a 100, or a final response."""

    @property
    def trailing_data(self) -> tuple[bytes, bool]:
        """Bytes received and not used, and whether the peer has finished sending."""
        return self._reader.trailing_data()

    def receive_data(self, data: bytes) -> None:
        """Take what was received; ``b""`` says that the peer has finished sending."""
        self._reader.receive(data)

    def next_event(self) -> Event | Special:
        """Return what has happened: Request, Data, EndOfMessage or ConnectionClosed; or NEED_DATA, or PAUSED.

        Raises RemoteProtocolError if the peer broke a rule, then and ever after.
        """
        if self.their_state is State.ERROR:
            raise RemoteProtocolError("the connection is of no further use: a rule was broken before")
        try:
            return self._next_event()
        except _brickwork.RuleBroken as broken:
            self.their_state = State.ERROR
            raise _from_rule(RemoteProtocolError, broken) from None

    def _next_event(self) -> Event | Special:
        if self.their_state is State.IDLE:
            head = self._reader.head()
            return self._closed_or(NEED_DATA) if head is None else self._begin(head)
        if self.their_state is State.SEND_BODY:
            content = self._reader.content()
            if content is None:
                return NEED_DATA
            self.they_are_waiting_for_100_continue = False
            if content:
                return Data(content)
            self.their_state = State.DONE if self._is_persistent else State.MUST_CLOSE
            return EndOfMessage()
        return self._closed_or(PAUSED if self._reader.trailing_data()[0] else NEED_DATA)

    def _begin(self, head: _brickwork.ReceivedHead) -> Request:
        method, target, minor_version, fields, self._is_persistent, expects_continue = head
        self._request = Request(method, target, fields, b"1.%d" % minor_version)
        self.they_are_waiting_for_100_continue = expects_continue and not self._reader.trailing_data()[0]
        self.their_state, self.our_state = State.SEND_BODY, State.SEND_RESPONSE
        return self._request

    def _closed_or(self, otherwise: Special) -> ConnectionClosed | Special:
        data, is_ended = self._reader.trailing_data()
        if is_ended and not data.strip(b"\r\n"):
            self.their_state = State.CLOSED
            return ConnectionClosed()
        return otherwise

    def send(self, event: Event) -> bytes:
        """Return the bytes that carry an event: InformationalResponse, Response, Data or EndOfMessage.

        A Response without Content-Length is sent chunked, or to an HTTP/1.0 client until the connection closes. Where
        there may be no content (HEAD, 204, 304), Data gives no bytes. Before any Request, or after a
        RemoteProtocolError, a Response ends the connection.

        Raises LocalProtocolError if the event is malformed or comes out of order.
        """
        try:
            return self._send(event)
        except _brickwork.RuleBroken as broken:
            if self.our_state is State.SEND_BODY:
                self.our_state = State.ERROR
            raise _from_rule(LocalProtocolError, broken) from None

    def _send(self, event: Event) -> bytes:
        may_answer = self.our_state in (State.IDLE, State.SEND_RESPONSE)
        if isinstance(event, Response) and may_answer:
            return self._send_response(event)
        if isinstance(event, InformationalResponse) and self.our_state is State.SEND_RESPONSE:
            if not 100 <= event.status_code <= 199 or event.status_code == 101:
                raise LocalProtocolError(f"{event.status_code} is no interim response that can be sent here")
            if event.status_code == 100:
                self.they_are_waiting_for_100_continue = False
            # RFC 9110 section 15.2: an HTTP/1.0 client knows no interim responses.
            is_known = self._request.http_version != b"1.0"
            return _brickwork.interim_response(event.status_code, event.headers) if is_known else b""
        if isinstance(event, Data) and self.our_state is State.SEND_BODY:
            return self._writer.data(event.data)
        if isinstance(event, EndOfMessage) and self.our_state is State.SEND_BODY:
            end, closes = self._writer.end()
            self.our_state = State.MUST_CLOSE if closes else State.DONE
            return end
        raise LocalProtocolError(f"{type(event).__name__} cannot be sent in state {self.our_state.name}")

    def _send_response(self, response: Response) -> bytes:
        # A client that still waits for a 100 may send its content now or not: what comes next could be either.
        is_persistent = (
            self._is_persistent
            and self.our_state is State.SEND_RESPONSE
            and self.their_state in (State.SEND_BODY, State.DONE)
            and not self.they_are_waiting_for_100_continue
        )
        date = formatdate(time.time(), usegmt=True).encode("ascii")
        minor_version = 0 if self._request.http_version == b"1.0" else 1
        request = (self._request.method, minor_version)
        head = self._writer.head(request, response.status_code, response.headers, is_persistent, date)
        self.our_state = State.SEND_BODY
        return head

    def start_next_cycle(self) -> None:
        """Go on to the next request, once both sides are DONE.

        Raises LocalProtocolError otherwise: then the connection is to be closed.
        """
        if (self.our_state, self.their_state) != (State.DONE, State.DONE):
            states = f"{self.our_state.name} and the client {self.their_state.name}"
            raise LocalProtocolError(f"there is no next request: this side is {states}")
        self._reader.start_next_cycle()
        self.our_state = self.their_state = State.IDLE


class ParsedRequest(NamedTuple):
    """A whole request."""

    request: Request
    content: bytes
    rest: bytes
    """What follows it: the beginning of another, or nothing."""


def parse_request(data: bytes) -> ParsedRequest:
    """Parse a whole request, content included.

    Raises RemoteProtocolError if it breaks a rule or is not all there; ``offset`` counts in ``data``.
    """
    if not data:
        raise RemoteProtocolError("there are no bytes")
    connection = Connection()
    connection.receive_data(data)
    connection.receive_data(b"")
    request, content = connection.next_event(), []
    if not isinstance(request, Request):
        raise RemoteProtocolError("there is no request in these bytes")
    while isinstance(event := connection.next_event(), Data):
        content.append(event.data)
    return ParsedRequest(request, b"".join(content), connection.trailing_data[0])


def _from_rule(kind: type[ProtocolError], broken: _brickwork.RuleBroken) -> ProtocolError:
    code, section, title, help, status_code, offset = broken.args
    return kind(title, code, section, offset, status_code, help)
