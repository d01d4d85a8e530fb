"""start_response, write, blocks and close: PEP 3333 from "The start_response() Callable" to "Error Handling"."""

import email.utils
import json
import os
import re

import pytest

from harness.deadline import wait_until
from harness.request import get, post, request
from harness.response import Incomplete
from response_probe import EVERY_BYTE, LARGE


@pytest.fixture(scope="module", params=["application", "validated"])
def server(request, shared):
    return shared(f"response_probe:{request.param}")


@pytest.fixture(scope="module")
def plain(shared):
    return shared("response_probe:application")


def notes(server, name):
    """What the application noted under `name` since the server was started."""
    return json.loads(server.get(f"/log?{name}").content)


# Every server of these is started for one shape of callable; the shapes are those of PEP 3333's "callable".
@pytest.mark.parametrize(
    "shape",
    [
        "function",
        "Class",
        "instance",
        "instance.method",
        "Holder.inner",
        "Holder.partial",
        "Holder.static",
        "validated",
    ],
)
def test_the_application_is_called_by_position_whatever_kind_of_callable_it_is(serve, shape):
    with serve(f"callables:{shape}") as server:
        assert [server.get("/").content for _ in range(2)] == [b"callable"] * 2


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/one-block", b"one block"),
        ("/many-blocks", b"many blocks"),
        ("/tuple-of-blocks", b"a tuple of blocks"),
        ("/generator", b"generator"),
        ("/sized-generator", b"generator"),
        ("/only-iterable", b"only iterable"),
        ("/old-sequence", b"old sequence"),
        ("/empty-list", b""),
        ("/empty-generator", b""),
        ("/every-byte", EVERY_BYTE),
        ("/every-byte-in-blocks", EVERY_BYTE),
        ("/large", LARGE),
        ("/large-in-blocks", LARGE),
        ("/own-length", b"own length"),
        ("/by-write", b"written before iterated"),
        ("/sized-by-write", b"written"),
        ("/exc-info-none", b"no exception"),
    ],
)
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_every_right_way_to_return_content_arrives_unaltered(server, version, path, content):
    response = server.exchange(get(path, version=version), version=version)
    assert (response.status, response.reason) == (200, "OK")
    assert response.content == content


@pytest.mark.parametrize("path", ["/generator", "/many-blocks", "/by-write", "/large-in-blocks", "/lazy-generator"])
def test_content_of_unknown_length_does_not_end_a_connection_of_http_1_1(server, path):
    with server.connect() as connection:
        assert not connection.exchange(get(path)).is_last
        assert connection.exchange(get("/one-block")).content == b"one block"
        connection.finish()


@pytest.mark.parametrize("path", ["/one-block", "/empty-list", "/own-length", "/sized-generator", "/sized-by-write"])
def test_content_of_known_length_has_a_content_length(plain, path):
    response = plain.get(path)
    assert response.framing == "length"
    assert response.field("content-length") == str(len(response.content))


def test_only_the_iterator_protocol_of_the_iterable_is_used(plain):
    plain.get("/only-iterable")
    assert [name for name in notes(plain, "only-iterable") if name not in ("close", "__len__", "__length_hint__")] == []


def test_start_response_may_be_called_by_the_first_iteration(server):
    response = server.get("/lazy-generator")
    assert (response.status, response.reason) == (418, "I'm a teapot, short and stout")
    assert response.field("x-lazy") == "yes"
    assert response.content == b"lazy"


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/lazy-generator", 418, "I'm a teapot, short and stout"),
        ("/status-latin1", 200, "Tr\xe8s bien"),
        ("/status-unregistered", 299, "Nobody registered this"),
    ],
)
def test_the_reason_phrase_passes_through(server, path, status, reason):
    response = server.get(path)
    assert (response.status, response.reason) == (status, reason)


def test_fields_arrive_in_order_with_the_application_s_spelling(server):
    expected = [
        ("Content-Type", "text/plain"),
        ("X-Second", "2"),
        ("Set-Cookie", "a=1; Path=/"),
        ("x-lower-case", "kept"),
        ("Set-Cookie", "b=2"),
        ("X-Latin1", "caf\xe9"),
        ("X-Empty", ""),
        ("X-Spaces", "in between"),
    ]
    names = {name for name, _ in expected}
    assert [field for field in server.get("/fields").fields if field[0] in names] == expected


def test_date_and_server_are_added(server):
    response = server.get("/one-block")
    assert re.fullmatch(
        r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", response.field("date")
    )
    assert email.utils.parsedate_to_datetime(response.field("date"))
    assert response.field("server")


def test_date_and_server_of_the_application_are_kept(server):
    response = server.get("/own-date-and-server")
    assert response.field("date") == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert response.field("server") == "of my own"


def test_no_length_is_added_to_the_application_s_own(server):
    assert server.get("/own-length").all("content-length") == ["10"]


@pytest.mark.parametrize(("path", "status"), [("/no-content", 204), ("/not-modified", 304)])
def test_a_status_without_content_leaves_the_connection_in_step(server, path, status):
    with server.connect() as connection:
        response = connection.exchange(get(path))
        assert (response.status, response.all("transfer-encoding")) == (status, [])
        assert connection.exchange(get("/one-block")).content == b"one block"
        connection.finish()


@pytest.mark.parametrize(
    "path",
    ["/one-block", "/generator", "/by-write", "/large", "/large-in-blocks", "/endless", "/empty-list", "/file-wrapper"],
)
def test_head_gets_the_head_alone(server, path):
    with server.connect() as connection:
        response = connection.exchange(request("HEAD", path), method="HEAD")
        assert response.status == 200 and response.field("content-type") == "text/plain"
        assert connection.exchange(get("/one-block")).content == b"one block"
        connection.finish()


def test_head_keeps_the_length_that_the_application_gave(server):
    response = server.exchange(request("HEAD", "/own-length-head"), method="HEAD")
    assert response.field("content-length") == "123456"


def test_the_application_may_ask_for_the_connection_to_be_closed(server):
    with server.connect() as connection:
        response = connection.exchange(get("/connection-close"))
        assert response.content == b"last" and response.is_last
        connection.expect_close()


# Blocks are not delayed.


@pytest.mark.parametrize("path", ["/block-then-wait", "/write-then-wait"])
def test_a_block_is_sent_while_the_application_makes_the_next(server, path):
    """The application gives its second block only when the client, who has the first, says so."""
    with server.connect() as connection:
        connection.send(get(f"{path}?{path}"))
        head = connection.line()
        assert head == b"HTTP/1.1 200 OK"
        while connection.line():
            pass
        assert connection.line() == b"6" and connection.exactly(8) == b"first \r\n"
        server.get(f"/set?{path}")
        assert connection.line() == b"6" and connection.exactly(8) == b"second\r\n"
        assert connection.line() == b"0" and connection.line() == b""
        connection.finish()


def test_a_block_of_content_with_a_length_is_sent_while_the_application_makes_the_next(server):
    with server.connect() as connection:
        connection.send(get("/sized-write-then-wait?sized"))
        while connection.line():
            pass
        assert connection.exactly(6) == b"first "
        server.get("/set?sized")
        assert connection.exactly(6) == b"second"
        connection.finish()


def test_a_large_block_is_sent_in_full_while_the_application_makes_the_next(server):
    with server.connect(receive_buffer=65536) as connection:
        connection.send(get("/large-block-then-wait?large"))
        while connection.line():
            pass
        assert connection.exactly(len(LARGE)) == LARGE
        server.get("/set?large")
        assert connection.exactly(6) == b"second"
        connection.finish()


def test_a_block_is_sent_at_once_to_a_client_of_http_1_0(server):
    with server.connect() as connection:
        connection.send(get("/block-then-wait?of-1.0", version="HTTP/1.0"))
        while connection.line():
            pass
        assert connection.exactly(6) == b"first "
        server.get("/set?of-1.0")
        assert connection.rest() == b"second"


def test_blocks_are_sent_though_the_application_keeps_the_interpreter_lock(plain, tmp_path):
    """It waits, in C and with the lock held, until the client that has all its blocks so far opens a FIFO."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with plain.connect() as connection:
        connection.send(get(f"/blocks-then-hold?{fifo}"))
        try:
            while connection.line():
                pass
            blocks = b"3\r\none\r\n3\r\ntwo\r\n5\r\nthree\r\n"
            assert connection.exactly(len(blocks)) == blocks
        finally:
            # For reading too: whether the application is there already or not, it goes on.
            writer = os.open(fifo, os.O_RDWR)
        end = b"4\r\nfour\r\n0\r\n\r\n"
        assert connection.exactly(len(end)) == end
        os.close(writer)
        connection.finish()


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_blocks_of_every_size_and_pace_arrive_in_order(plain, version):
    content = plain.exchange(get("/slow-then-quick", version=version), version=version).content
    assert len(content) == sum(1 + number * number % 50_000 for number in range(400))
    assert content == LARGE[: len(content)]


def test_the_head_waits_for_the_first_block_that_is_not_empty(server):
    response = server.get("/lazy-after-empty")
    assert (response.status, response.reason, response.content) == (503, "Replaced", b"replaced")
    assert response.field("x-replaced") == "yes"


# exc_info.


def test_exc_info_before_the_head_replaces_status_and_fields_fully(server):
    response = server.get("/exc-info-before-head")
    assert (response.status, response.reason) == (500, "Changed its mind")
    assert response.content == b"error page"
    assert response.field("content-type") == "text/html"
    assert response.field("x-second") == "2"
    assert response.all("x-first") == response.all("set-cookie") == []


def test_exc_info_in_the_first_call_is_a_first_call(server):
    response = server.get("/exc-info-first")
    assert (response.status, response.reason, response.content) == (500, "From the start", b"error page")


@pytest.mark.parametrize("name", ["exc-info-after-head", "exc-info-after-write"])
def test_exc_info_after_the_head_raises_the_exception_it_was_given(server, name):
    with server.connect() as connection:
        with pytest.raises(Incomplete) as cut:
            connection.exchange(get(f"/{name}"))
        assert cut.value.so_far.status == 200 and cut.value.so_far.content == b"sent "
    assert notes(server, name)[-1] == ["ValueError", "too late for an error page", True]
    server.wait_for_log("ValueError: too late for an error page")


# close().


@pytest.mark.parametrize("target", ["/closing", "/closing-no-content", "/large"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_close_is_called_once_for_each_request(server, method, target):
    name = target[1:]
    before = len(notes(server, name))
    with server.connect() as connection:
        for _ in range(3):
            connection.exchange(request(method, target), method)
        connection.finish()
    assert notes(server, name)[before:] == ["closed"] * 3


@pytest.mark.parametrize("goodbye", ["reset", "close"])
def test_close_is_called_when_the_client_has_left(server, goodbye):
    before = len(notes(server, "endless"))
    connection = server.connect()
    connection.send(get("/endless"))
    connection.exactly(1_000_000)
    connection.leave() if goodbye == "reset" else connection.close()
    wait_until(lambda: notes(server, "endless")[before:] == ["closed"], "close() of an endless response")


# The file wrapper: section "Optional Platform-Specific File Handling".


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("/file-wrapper", LARGE),
        ("/file-wrapper-sized", LARGE),
        ("/file-wrapper-from-position", b"456789"),
        ("/file-wrapper-after-buffered-read", b"the rest"),
        ("/file-wrapper-up-to-length", b"0123"),
        ("/file-wrapper-empty", b""),
        ("/file-wrapper-bytes-io", b"not a file of the system"),
        ("/file-wrapper-only-read", b"only read"),
        ("/file-wrapper-pipe", b"through a pipe"),
        ("/file-wrapper-iterated", b"ITERATED"),
        ("/file-wrapper-unused", b"something else"),
        ("/file-wrapper-closed-file", b"a real file"),
    ],
)
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_the_file_wrapper_sends_what_read_would_give(server, version, path, content):
    response = server.exchange(get(path, version=version), version=version)
    assert (response.status, response.content) == (200, content)


def test_a_file_shorter_than_its_content_length_cannot_be_taken_for_complete(server):
    with server.connect() as connection, pytest.raises(Incomplete) as cut:
        connection.exchange(get("/file-wrapper-shorter-than-length"))
    assert cut.value.so_far.content == b"0123456789"


@pytest.mark.parametrize(
    ("path", "name"), [("/file-wrapper-bytes-io", "file"), ("/file-wrapper-closed-file", "real-file")]
)
def test_the_file_is_closed_once(server, path, name):
    before = len(notes(server, name))
    server.get(path)
    assert wait_until(lambda: notes(server, name)[before:], f"close() of the file of {path}") == ["closed"]


def test_a_file_goes_to_a_slow_reader_in_full(plain):
    with plain.connect(receive_buffer=4096) as connection:
        connection.send(get("/file-wrapper-sized"))
        assert plain.get("/one-block").content == b"one block"
        assert connection.receive().content == LARGE
        connection.finish()


# wsgi.errors.


def test_wsgi_errors_takes_every_text_and_is_the_log(server):
    mark = server.log_size()
    assert server.get("/errors").content == b"noted"
    server.wait_for_log("written to wsgi.errors", mark)
    server.wait_for_log("line one of two", mark)
    server.wait_for_log("line two of two", mark)
    server.wait_for_log("snow .* and a lone surrogate", mark)


def test_a_post_to_an_application_that_answers_in_blocks_is_answered_in_full(server):
    with server.connect() as connection:
        connection.send(post("/large-in-blocks", b"x" * 300_000), get("/one-block"))
        assert connection.receive().content == LARGE
        assert connection.receive().content == b"one block"
        connection.finish()
