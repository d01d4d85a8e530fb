"""Beside h11, the best explained HTTP/1.1 of Python: where the two disagree about a connection's bytes, the reason is here."""

import json
import pathlib
import subprocess
import sys

import h11
import pytest

from harness.deadline import PATIENCE
from test_smuggling import attempts

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "crates" / "http" / "fixtures"

MEANING = "h11 leaves what a target and most fields mean to its caller"
LIMIT = "h11 has one limit, for a head as a whole"
FRAMING = "h11 prefers Transfer-Encoding where both are there, as RFC 9112 section 6.3 allows"

# What we refuse and h11 accepts, by our rule.
STRICTER = {
    "BW0002": "h11 skips chunk extensions without parsing them",
    "BW0003": "h11 takes a bare LF for a line end, as RFC 9112 section 2.2 allows",
    "BW0009": "h11 passes on any printable ASCII in a target",
    "BW0010": MEANING,
    "BW0011": MEANING,
    "BW0012": MEANING,
    "BW0013": MEANING,
    "BW0014": MEANING,
    "BW0016": "h11 leaves it to its caller to look at the version",
    "BW0017": MEANING,
    "BW0105": "h11 unfolds lines, as RFC 9112 section 5.2 allows",
    "BW0108": "h11 takes DEL for a visible byte",
    "BW0203": MEANING,
    "BW0301": "h11 unfolds the line that the value stands on",
    "BW0303": "h11 takes repeated lengths that agree for one, as RFC 9112 section 6.3 allows",
    "BW0304": "h11 takes a list of lengths that agree for one, as RFC 9110 section 8.6 allows",
    "BW0309": "h11 understands chunked in HTTP/1.0, where RFC 9112 section 6.1 calls the framing faulty",
    "BW0310": FRAMING,
    "BW0403": "h11 skips chunk extensions without parsing them",
    "BW0501": LIMIT,
    "BW0502": LIMIT,
    "BW0503": LIMIT,
    "BW0504": LIMIT,
    "BW0506": LIMIT,
    "BW0507": LIMIT,
    "BW0601": MEANING,
    "BW0602": MEANING,
}

DIGITS = "h11 takes no more than 20 digits, whatever the number"

# What we accept and h11 does not, or not all of it, by the name of the input.
WIDER = {
    "chunk-extensions.http": "h11 refuses whitespace in front of a chunk extension, which RFC 9112 section 7.1.1 allows",
    "chunk-size:-leading-zeros-and-capitals": DIGITS,
    "content-length-leading-zeros.http": DIGITS,
    "chunked,-its-end:-framing-fields-in-the-trailer-section": "h11 holds trailer fields to the rules of header fields; here they are discarded",
    "leading-empty-lines.http": "h11 ignores no empty line before a request-line",
    "leading-junk:-two-empty-lines": "h11 ignores no empty line before a request-line",
    "pipelined-behind-crlf-after-post.2.http": "h11 ignores no empty line before a request-line",
    "HTTP_1.0-and-0.9:-keep-alive-in-HTTP_1.0": "h11 does not keep HTTP/1.0 connections open",
}


def verdict_of_h11(data):
    """The requests that h11 sees, as (method, target, length of content), and "accepts" or "refuses"."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    connection.receive_data(data)
    connection.receive_data(b"")
    seen, request, length = [], None, 0
    try:
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Request):
                request, length = event, 0
            elif isinstance(event, h11.Data):
                length += len(event.data)
            elif isinstance(event, h11.EndOfMessage):
                seen.append((request.method.decode(), request.target.decode(), length))
                answer(connection)
                if connection.our_state is not h11.DONE:
                    return seen, "accepts"
                connection.start_next_cycle()
            else:
                return seen, "accepts"
    except h11.RemoteProtocolError:
        return seen, "refuses"


def answer(connection):
    connection.send(h11.Response(status_code=404, headers=[("Content-Length", "0")]))
    connection.send(h11.EndOfMessage())


def our_verdict(checked):
    seen = [
        (message["environ"]["REQUEST_METHOD"], message["environ"]["REQUEST_URI"], message["content_length"])
        for message in checked["accepted"]
    ]
    return seen, checked["refused"]["rule"] if checked["refused"] else "accepts"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Every fixture and smuggling attempt, with what we make of it."""
    folder = tmp_path_factory.mktemp("inputs")
    for path in FIXTURES.glob("*/*.http"):
        (folder / path.name).write_bytes(path.read_bytes())
    for attempt in attempts():
        (folder / attempt.id.replace("/", "_")).write_bytes(attempt.values[2])
    command = [sys.executable, "-m", "brickwork", "check-request", "--json", str(folder)]
    lines = subprocess.run(command, capture_output=True, timeout=PATIENCE).stdout.splitlines()
    return [((folder / checked["source"]).read_bytes(), checked) for checked in map(json.loads, lines)]


def test_every_difference_is_listed_and_every_listed_one_is_met(inputs):
    stricter, wider, unlisted = set(), set(), []
    for data, checked in inputs:
        (our_requests, ours), (their_requests, theirs) = our_verdict(checked), verdict_of_h11(data)
        both_refuse = ours != "accepts" and theirs == "refuses"
        if our_requests == their_requests and (both_refuse or ours == theirs):
            continue
        name = checked["source"]
        if their_requests[: len(our_requests)] == our_requests and ours in STRICTER:
            stricter.add(ours)
        elif ours == "accepts" and our_requests[: len(their_requests)] == their_requests and name in WIDER:
            wider.add(name)
        else:
            unlisted.append((name, our_requests, ours, their_requests, theirs))
    assert not unlisted, "\n".join(map(str, unlisted))
    assert (stricter, wider) == (set(STRICTER), set(WIDER))
