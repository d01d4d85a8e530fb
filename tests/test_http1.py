"""`brickwork.http1`: HTTP/1.1 for servers, without sockets."""

import pathlib

import pytest

from brickwork import http1
from brickwork.http1 import (
    NEED_DATA,
    PAUSED,
    Connection,
    ConnectionClosed,
    Data,
    EndOfMessage,
    InformationalResponse,
    LocalProtocolError,
    RemoteProtocolError,
    Request,
    Response,
    State,
    parse_request,
)

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "crates" / "http" / "fixtures"
GET = b"GET /a?b=%20 HTTP/1.1\r\nHost: Test\r\nX-Y: z\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\nT: v\r\n\r\n"
)
EXPECTING = b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
DATE = (b"Date", b"Fri, 01 Jan 2100 00:00:00 GMT")


def received(*pieces):
    connection = Connection()
    for piece in pieces:
        connection.receive_data(piece)
    return connection


def events(data, size):
    """The events of `data` in pieces of `size`, contents joined, and the error that ended them."""
    connection, seen = Connection(), []
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    for piece in [*pieces, b""]:
        connection.receive_data(piece)
        while True:
            try:
                event = connection.next_event()
            except RemoteProtocolError as error:
                return seen, (error.code, error.offset)
            if event in (NEED_DATA, PAUSED):
                break
            if isinstance(event, ConnectionClosed):
                return [*seen, event], None
            if isinstance(event, Data) and seen and isinstance(seen[-1], Data):
                seen[-1] = Data(seen[-1].data + event.data)
            else:
                seen.append(event)
    return seen, None


def answered(request, *to_send):
    connection = received(request)
    while connection.next_event() not in (NEED_DATA, PAUSED):
        pass
    return b"".join(connection.send(event) for event in to_send), connection


def test_a_request_becomes_events():
    connection = received(GET)
    request = Request(b"GET", b"/a?b=%20", [(b"host", b"Test"), (b"x-y", b"z")], b"1.1")
    assert connection.next_event() == request
    assert connection.next_event() == EndOfMessage()
    assert connection.next_event() is NEED_DATA
    connection.receive_data(b"")
    assert connection.next_event() == ConnectionClosed()


@pytest.mark.parametrize("request_bytes", [POST, CHUNKED])
def test_content_is_data_however_it_is_framed(request_bytes):
    assert parse_request(request_bytes + b"GET").content == b"hello"
    assert parse_request(request_bytes + b"GET").rest == b"GET"


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*/*.http")), ids=lambda path: path.stem)
def test_any_split_gives_the_same_events_and_the_same_error(path):
    data = path.read_bytes()
    whole = events(data, len(data) or 1)
    assert all(events(data, size) == whole for size in (1, 2, 3, 7, 64))


# Not about one request alone: pipelined ones (a second dot in the name), a limit of the fixture's own, the end of the
# stream.
REJECTED = [
    path
    for path in sorted(FIXTURES.glob("reject/BW*.http"))
    if path.name.count(".") == 1 and not path.stem.startswith(("BW0017", "BW0405", "BW0505", "BW0602"))
]


@pytest.mark.parametrize("path", REJECTED, ids=lambda path: path.stem)
def test_a_rejected_request_names_its_rule(path):
    _, error = events(path.read_bytes(), 4096)
    assert error is not None
    assert error[0] == path.stem[:6]


def test_an_error_says_where_and_what_to_answer():
    with pytest.raises(RemoteProtocolError) as caught:
        parse_request(b"GET / HTTP/1.1\r\nHost: t\r\nContent Length: 5\r\n\r\n")
    error = caught.value
    assert (error.code, error.section, error.offset, error.status_code) == ("BW0107", "RFC 9110 section 5.1", 32, 400)
    assert str(error).startswith("BW0107: ")
    assert error.help


def test_the_offset_counts_from_the_start_of_the_request_also_in_chunks():
    data = CHUNKED.replace(b"3;x=y", b"x3")
    with pytest.raises(RemoteProtocolError) as caught:
        parse_request(data)
    assert (caught.value.code, caught.value.offset) == ("BW0401", data.index(b"x3"))


@pytest.mark.parametrize("data", [b"", b"\r\n", b"GET / HT", POST[:-1], CHUNKED[:-2]])
def test_a_request_that_is_not_all_there_is_an_error(data):
    with pytest.raises(RemoteProtocolError):
        parse_request(data)


def test_a_broken_connection_stays_broken_but_can_be_answered():
    connection = received(b"nonsense\r\n\r\n")
    for _ in range(2):
        with pytest.raises(RemoteProtocolError):
            connection.next_event()
    head = connection.send(Response(400, [(b"Content-Length", b"0"), DATE]))
    assert head == b"HTTP/1.1 400 Bad Request\r\nDate: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % DATE[1]
    assert connection.send(EndOfMessage()) == b""
    assert connection.our_state is State.MUST_CLOSE


# Responses

OLD = GET.replace(b"1.1", b"1.0")
HEAD = GET.replace(b"GET", b"HEAD")
HEAD_OK = b"HTTP/1.1 200 OK\r\nDate: %s\r\n" % DATE[1]


@pytest.mark.parametrize(
    "request_bytes, headers, expected, state",
    [
        (GET, [(b"Content-Length", b"2")], b"Content-Length: 2\r\n\r\nhi", State.DONE),
        (GET, [], b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", State.DONE),
        (OLD, [], b"Connection: close\r\n\r\nhi", State.MUST_CLOSE),
        (HEAD, [(b"Content-Length", b"2")], b"Content-Length: 2\r\n\r\n", State.DONE),
        (HEAD, [], b"\r\n", State.DONE),
        (GET, [(b"Connection", b"close"), (b"Content-Length", b"2")], None, State.MUST_CLOSE),
    ],
)
def test_a_response_is_framed_for_its_request(request_bytes, headers, expected, state):
    sent, connection = answered(request_bytes, Response(200, [DATE, *headers]), Data(b"hi"), EndOfMessage())
    assert expected is None or sent == HEAD_OK + expected
    assert connection.our_state is state


def test_a_response_gets_a_date_unless_it_has_one():
    sent, _ = answered(GET, Response(200))
    assert b"\r\nDate: " in sent
    assert sent.count(b"Date: ") == 1


@pytest.mark.parametrize(
    "to_send, code",
    [
        ([Response(99)], "BW09"),
        ([Response(200, [(b"A B", b"c")])], "BW09"),
        ([Response(200, [(b"A", b"b\r\nc")])], "BW09"),
        ([Response(200, [(b"Content-Length", b"x")])], "BW09"),
        ([Response(200, [(b"Content-Length", b"1")]), Data(b"ab")], "BW09"),
        ([Response(200, [(b"Content-Length", b"3")]), Data(b"ab"), EndOfMessage()], "BW09"),
        ([Data(b"a")], ""),
        ([EndOfMessage()], ""),
        ([Response(200), Response(200)], ""),
        ([Response(200), EndOfMessage(), Data(b"")], ""),
        ([InformationalResponse(200)], ""),
        ([InformationalResponse(101)], ""),
        ([InformationalResponse(103, [(b"A", b"b\nc")])], "BW09"),
        ([Request(b"GET", b"/", [])], ""),
    ],
)
def test_what_may_not_be_sent_is_a_local_error(to_send, code):
    with pytest.raises(LocalProtocolError) as caught:
        answered(GET, *to_send)
    assert caught.value.code.startswith(code)
    assert bool(code) == bool(caught.value.section)


def test_a_malformed_head_can_be_replaced_by_a_proper_one():
    connection = received(GET)
    connection.next_event()
    with pytest.raises(LocalProtocolError):
        connection.send(Response(200, [(b"", b"")]))
    assert connection.send(Response(500)).startswith(b"HTTP/1.1 500 ")


def test_expect_100_continue():
    connection = received(EXPECTING)
    assert isinstance(connection.next_event(), Request)
    assert connection.they_are_waiting_for_100_continue
    assert connection.next_event() is NEED_DATA
    hint = (b"Link", b"</a.css>")
    assert connection.send(InformationalResponse(103, [hint])) == b"HTTP/1.1 103 \r\nLink: </a.css>\r\n\r\n"
    assert connection.send(InformationalResponse(100)) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert not connection.they_are_waiting_for_100_continue
    connection.receive_data(b"hello")
    assert connection.next_event() == Data(b"hello")


def test_a_refused_expectation_closes_the_connection():
    connection = received(EXPECTING)
    connection.next_event()
    assert b"\r\nConnection: close\r\n" in connection.send(Response(403))


# One request after the other


def test_the_next_request_waits_until_this_one_is_answered():
    connection = received(POST + GET)
    seen = [connection.next_event() for _ in range(3)]
    assert [type(event) for event in seen] == [Request, Data, EndOfMessage]
    assert connection.next_event() is PAUSED
    with pytest.raises(LocalProtocolError):
        connection.start_next_cycle()
    connection.send(Response(204))
    connection.send(EndOfMessage())
    connection.start_next_cycle()
    assert connection.next_event().target == b"/a?b=%20"


def test_there_is_no_next_request_after_close_or_unread_content():
    closing = GET.replace(b"X-Y: z", b"Connection: close")
    for data in (closing, POST[:-1]):
        connection = received(data)
        while connection.next_event() is not NEED_DATA:
            pass
        connection.send(Response(204))
        connection.send(EndOfMessage())
        with pytest.raises(LocalProtocolError):
            connection.start_next_cycle()


def test_the_end_of_the_stream_inside_a_request_is_an_error():
    for data in (GET[:-1], POST[:-1], CHUNKED[:-1]):
        connection = received(data, b"")
        with pytest.raises(RemoteProtocolError) as caught:
            while True:
                connection.next_event()
        assert caught.value.code == "BW0405"
        assert caught.value.offset == len(data)


def test_the_scheme_is_the_connections_own():
    request = b"GET https://t/ HTTP/1.1\r\nHost: t\r\n\r\n"
    for scheme, works in (("https", True), ("http", False)):
        connection = Connection(scheme)
        connection.receive_data(request)
        if works:
            assert connection.next_event().target == b"https://t/"
        else:
            with pytest.raises(RemoteProtocolError) as caught:
                connection.next_event()
            assert caught.value.status_code == 421


def test_everything_public_is_documented():
    for name in http1.__all__:
        assert getattr(http1, name).__doc__, name
