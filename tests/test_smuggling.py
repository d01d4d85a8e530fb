"""Request smuggling: of every known desynchronisation exactly the requests reach the application that must, alone and
pipelined behind a good request, and the answer names the rule that refused the rest.

The table of attempts says what its columns are; the Rust tests hold the parser against the same one.
"""

import json
import pathlib

import pytest

from harness.request import get

TABLE = pathlib.Path(__file__).resolve().parent.parent / "crates" / "http" / "fixtures" / "smuggling.txt"
GOOD = get("/good")


def attempts():
    for line in TABLE.read_text("ascii").splitlines():
        if line and not line.startswith("#"):
            family, what, seen, refused_by, text = line.split(" | ", 4)
            targets = [] if seen == "-" else seen.split(" ")
            rule = None if refused_by == "ok" else refused_by
            data = text.encode("ascii").decode("unicode_escape").encode("latin-1")
            yield pytest.param(targets, rule, data, id=f"{family}: {what}".replace(" ", "-"))


@pytest.fixture(scope="module")
def server(shared):
    return shared("environ_probe", "--debug")


@pytest.mark.parametrize("before", [(), ("/good",)], ids=["alone", "behind-a-good-request"])
@pytest.mark.parametrize(("targets", "rule", "data"), list(attempts()))
def test_exactly_the_requests_are_seen_that_must_be(server, targets, rule, data, before):
    with server.connect() as connection:
        connection.send(GOOD * len(before) + data)
        connection.half_close()
        for target in [*before, *targets]:
            is_first = target == (targets or [None])[0]
            method = data.split(b" ")[0].decode("latin-1") if is_first else "GET"
            response = connection.receive(method, version_of(data) if is_first else "HTTP/1.1")
            assert response.status == 200
            if method != "HEAD":
                assert json.loads(response.content)["environ"]["REQUEST_URI"] == target
        if rule:
            refusal = connection.receive()
            assert refusal.status >= 400 and refusal.is_last, refusal
            assert refusal.content.startswith(b"error[%s]: " % rule.encode())
        connection.expect_close()


def version_of(data):
    return "HTTP/1.0" if b"HTTP/1.0" in data.split(b"\r\n")[0] else "HTTP/1.1"
