"""What is said of a refused request: in the log, to the client, and by the commands that explain."""

import json
import pathlib
import subprocess
import sys

import pytest

from harness.deadline import PATIENCE, wait_until
from harness.request import get
from harness.server import run

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "crates" / "http" / "fixtures"
BAD = b"GET / HTTP/1.1\r\nHost: x\r\nContent Length: 5\r\n\r\n"
REPORT = """\
  |
3 | Content Length: 5\\r\\n
  |        ^ not a tchar
  = rule: RFC 9110 section 5.1: field-name = token
  = help: rejected with 400"""


def check_request(*arguments, data=b""):
    """Exit code, standard output and standard error of `brickwork check-request`."""
    command = [sys.executable, "-m", "brickwork", "check-request", *map(str, arguments)]
    return subprocess.run(command, input=data, capture_output=True, timeout=PATIENCE)


def test_the_command_and_the_log_report_the_same(serve):
    checked = check_request("-", data=BAD)
    assert (checked.returncode, checked.stderr) == (1, b"")
    assert REPORT in checked.stdout.decode("ascii")
    with serve("recorder") as server, server.connect() as connection:
        refusal = connection.exchange(BAD)
        assert (refusal.status, refusal.content) == (400, b"400 Bad Request\n")
        wait_until(lambda: "= help: " in server.log(), "the report in the log")
        assert "\n".join(f"  {line}" for line in REPORT.splitlines()) in server.log()


def test_a_client_is_told_why_only_when_debugging(serve):
    with serve("recorder", "--debug") as server, server.connect() as connection:
        refusal = connection.exchange(BAD)
        assert (refusal.status, refusal.field("Content-Type")) == (400, "text/plain; charset=utf-8")
        assert REPORT in refusal.content.decode("ascii")


def test_the_log_in_json_has_the_report_as_an_object(serve):
    with serve("recorder", "--log-format", "json") as server, server.connect() as connection:
        connection.exchange(BAD)
        wait_until(lambda: "BW0107" in server.log(), "the report in the log")
        line = next(line for line in server.log().splitlines() if "BW0107" in line)
        details = json.loads(line)["details"]
        assert (details["rule"], details["line"], details["byte"], details["status"]) == ("BW0107", 3, 8, 400)


def test_a_flood_of_refused_requests_is_no_flood_of_the_log(serve):
    with serve("recorder") as server:
        for _ in range(200):
            with server.connect() as connection:
                assert connection.exchange(BAD).status == 400
        # The next one that may be reported says how many were not.
        wait_until(lambda: refuse(server) and "more refused requests were not reported" in server.log(), "the count")
        assert server.log().count("error[BW0107]") < 150


def refuse(server):
    with server.connect() as connection:
        return connection.exchange(BAD)


def test_secrets_are_in_no_report(serve):
    with serve("recorder") as server, server.connect() as connection:
        connection.exchange(get("/", "Cookie: id=s3cr3t\x00"))
        wait_until(lambda: "BW0108" in server.log(), "the report in the log")
        assert "[redacted]" in server.log() and "s3cr3t" not in server.log()


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("accept/*.http")), ids=lambda path: path.stem)
def test_the_environ_is_the_one_the_application_gets(shared, path):
    """What `check-request` computes and what the gateway makes are the same, but for what the connection adds."""
    data = path.read_bytes()
    checked = json.loads(check_request("--json", path).stdout)
    assert checked["refused"] is None
    with shared("environ_probe").connect() as connection:
        connection.send(data)
        connection.half_close()
        for message in checked["accepted"]:
            expected = message["environ"]
            version = "HTTP/1.0" if expected["SERVER_PROTOCOL"] == "HTTP/1.0" else "HTTP/1.1"
            response = connection.receive(expected["REQUEST_METHOD"], version)
            if expected["REQUEST_METHOD"] == "HEAD":
                continue
            environ = json.loads(response.content)["environ"]
            of_connection = {"SERVER_NAME", "SERVER_PORT", "SERVER_SOFTWARE", "REMOTE_ADDR", "REMOTE_PORT"}
            found = {key: value for key, value in environ.items() if "." not in key and key not in of_connection}
            assert found == expected


def test_exit_codes_of_the_check():
    assert check_request(FIXTURES / "accept").returncode == 0
    assert check_request(FIXTURES / "reject").returncode == 1
    assert check_request(FIXTURES / "nowhere").returncode == 2
    assert check_request().returncode == 2
    assert check_request("--wrong", "-").returncode == 2


def test_a_check_has_the_limits_of_the_server_it_is_for():
    data = get("/" + "x" * 100)
    assert check_request("-", data=data).returncode == 0
    checked = check_request("--limit-request-line", "100", "-", data=data)
    assert checked.returncode == 1 and b"BW0501" in checked.stdout


def test_explain_lists_all_and_explains_one():
    code, listed, _ = outcome("explain")
    assert code == 0 and "BW0107  400        field-name contains a space\n" in listed
    code, text, _ = outcome("explain", "bw0107")
    assert code == 0 and text.startswith("BW0107 (400): field-name contains a space\n")
    code, _, error = outcome("explain", "BW9999")
    assert code == 2 and "BW9999 is no rule" in error


def outcome(*arguments):
    ended = run(*arguments)
    return ended.returncode, ended.stdout, ended.stderr
