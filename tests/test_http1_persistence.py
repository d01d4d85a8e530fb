"""When a connection goes on and when it ends: RFC 9112 sections 9.3 to 9.6."""

import json

import pytest

from harness.request import chunked, get, post, request


@pytest.fixture(scope="module")
def server(shared):
    return shared("response_probe:application")


def ask(connection, path="/one-block", *fields, version="HTTP/1.1"):
    return connection.exchange(get(path, *fields, version=version), version=version)


def test_a_connection_of_http_1_1_persists(server):
    with server.connect() as connection:
        for _ in range(10):
            response = ask(connection)
            assert response.content == b"one block" and not response.is_last
        connection.finish()


@pytest.mark.parametrize(
    "fields",
    [
        ["Connection: close"],
        ["Connection: Close"],
        ["Connection: x, close"],
        ["Connection: close, keep-alive"],
        ["Connection: keep-alive, close"],
        ["Connection: x", "Connection: ,, close ,"],
        ["connection: CLOSE"],
    ],
)
@pytest.mark.parametrize("path", ["/one-block", "/generator", "/no-content"])
def test_close_anywhere_in_the_options_ends_the_connection_after_the_response(server, fields, path):
    with server.connect() as connection:
        response = ask(connection, path, *fields)
        assert response.is_last and "close" in response.field("connection").lower()
        connection.expect_close()


@pytest.mark.parametrize(
    "field", ["Connection: closed", "Connection: not-close", 'Connection: "close"', "X-Connection: close"]
)
def test_an_option_that_only_resembles_close_does_not_end_the_connection(server, field):
    with server.connect() as connection:
        assert ask(connection, "/one-block", field).status in (200, 400)
        if '"' not in field:
            assert ask(connection).content == b"one block"


def test_what_is_pipelined_behind_close_is_not_answered(server):
    with server.connect() as connection:
        connection.send(get("/one-block", "Connection: close") + get("/closing?after-close"))
        assert connection.receive().is_last
        connection.expect_end()


def test_a_connection_of_http_1_0_ends_after_the_response(server):
    with server.connect() as connection:
        response = ask(connection, version="HTTP/1.0")
        assert response.content == b"one block" and response.is_last
        connection.expect_close()


@pytest.mark.parametrize("field", ["Connection: keep-alive", "Connection: Keep-Alive", "connection: x, keep-alive"])
def test_a_connection_of_http_1_0_persists_if_asked_to_and_told_so(server, field):
    """The content has a length; without one, the end of the connection is the end of the content."""
    with server.connect() as connection:
        for _ in range(3):
            response = ask(connection, "/one-block", field, version="HTTP/1.0")
            assert response.framing == "length" and not response.is_last
            assert "keep-alive" in response.field("connection").lower()
        response = ask(connection, "/generator", field, version="HTTP/1.0")
        assert (response.content, response.framing) == (b"generator", "close")
        connection.expect_close()


def test_a_connection_of_http_1_0_with_close_ends(server):
    with server.connect() as connection:
        response = ask(connection, "/one-block", "Connection: close, keep-alive", version="HTTP/1.0")
        assert response.is_last
        connection.expect_close()


def test_a_request_of_http_1_0_needs_no_host(server):
    with server.connect() as connection:
        response = connection.exchange(get("/one-block", version="HTTP/1.0", host=None), version="HTTP/1.0")
        assert response.content == b"one block"


def test_versions_may_change_on_a_connection(server):
    with server.connect() as connection:
        assert ask(connection, "/one-block", "Connection: keep-alive", version="HTTP/1.0").content == b"one block"
        assert ask(connection, "/generator").framing == "chunked"
        assert ask(connection, "/generator", version="HTTP/1.0").framing == "close"
        connection.expect_close()


def test_an_upgrade_that_is_not_supported_is_ignored(server):
    """RFC 9110 section 7.8."""
    with server.connect() as connection:
        response = ask(connection, "/one-block", "Connection: upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: x")
        assert (response.status, response.content) == (200, b"one block")
        assert ask(connection).content == b"one block"
        connection.finish()


def test_answers_to_head_put_delete_and_options_keep_the_connection_in_step(server):
    with server.connect() as connection:
        for method in ("HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"):
            response = connection.exchange(request(method, "/generator"), method)
            assert (response.status, response.content) == (200, b"" if method == "HEAD" else b"generator")
        connection.finish()


def test_a_connection_over_a_unix_socket_is_like_any_other(serve, tmp_path):
    with serve("input_probe", "--bind", f"unix:{tmp_path / 'socket'}") as server, server.connect() as connection:
        for framing in (
            post("/?read", b"hello"),
            request("POST", "/?read", "Transfer-Encoding: chunked", content=chunked(b"hello")),
        ):
            assert json.loads(connection.exchange(framing).content) == ["hello"]
        connection.finish()
