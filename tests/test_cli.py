"""The command line: what is served, where, what is said, and the exit code: 0 ended as asked, 1 no start, 2 usage."""

import html
import json
import os
import re
import signal
import socket

import pytest

from harness.deadline import wait_until
from harness.request import get, post
from harness.server import run
from response_probe import LARGE

LOG_LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} \[(DEBUG|INFO|WARNING|ERROR|TRACE)\] \[\d+\] \S.*")
ACCESS_LINE = re.compile(
    r"(?P<host>\S+) - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<bytes>\d+|-) '
    r'"(?P<referer>(?:[^"\\]|\\.)*)" "(?P<agent>(?:[^"\\]|\\.)*)"'
)


# What is served.


@pytest.mark.parametrize(
    "name",
    [
        "callables:function",
        "callables:instance.method",
        "callables:Holder.inner.method",
        "callables:create()",
        "callables",
    ],
)
@pytest.mark.parametrize("words", [[], ["run"]])
def test_the_application_is_named_by_module_and_attributes(serve, words, name):
    with serve(*words, name) as server:
        assert server.get("/").content == b"callable"


def test_a_bare_module_falls_back_to_app(serve):
    with serve("named_app") as server:
        assert server.get("/").content == b"app of named_app"


def test_a_dotted_module_is_a_module_of_a_package(serve):
    with serve("django_project.wsgi") as server:
        assert server.get("/").content == b"hello from django"


def test_chdir_is_where_the_application_is_found_and_runs(serve, tmp_path):
    """First on sys.path: a module of the user's own hides one that is installed."""
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "flask.py").write_text(
        "import os, sys\n"
        "def app(environ, start_response):\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return [os.getcwd().encode(), b' ', sys.path[0].encode()]\n"
    )
    with serve("--chdir", directory, "flask:app", cwd=tmp_path) as server:
        assert server.get("/").content == f"{directory} {directory}".encode()


def test_the_current_directory_is_first_on_the_path(serve, tmp_path):
    with serve("named_app") as server:
        directory = server.get("/directory").content
        assert server.get("/path").content == directory


def test_demo_serves_a_page_that_shows_the_request(serve):
    with serve("demo") as server:
        response = server.get("/a%20page?with=query", "X-Brick: red & <blue>")
        assert response.status == 200 and response.field("content-type").startswith("text/html")
        page = response.content.decode()
        assert "<blue>" not in page
        text = html.unescape(re.sub("<[^>]*>", "", page))
        for shown in (
            "GET /a%20page?with=query HTTP/1.1",
            "X-Brick: red & <blue>",
            "PATH_INFO",
            "127.0.0.1",
            "section 6.3",
        ):
            assert shown in text


@pytest.mark.parametrize("bind", ["0.0.0.0:0", "[::]:0", ":0"])
def test_demo_is_for_loopback_only(bind):
    ended = run("demo", "--bind", bind)
    assert ended.returncode in (1, 2) and "loopback" in ended.stderr


# What cannot be served.


def test_no_argument_shows_the_usage():
    ended = run()
    assert ended.returncode == 2 and "usage" in ended.stderr.lower() and "brickwork" in ended.stderr


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"]])
def test_help_and_version_exit_0(words):
    ended = run(*words)
    assert ended.returncode == 0 and "brickwork" in ended.stdout and ended.stderr == ""


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_module", ["no_such_module"]),
        ("no_such_module:app", ["no_such_module"]),
        ("broken.no_such_module:app", ["broken.no_such_module"]),
        ("named_app:missing", ["named_app", "missing"]),
        ("callables:Holder.missing", ["Holder", "missing"]),
        ("callables:missing()", ["missing"]),
        ("callables:not_callable", ["not_callable", "str"]),
        ("callables:not_callable()", ["not_callable", "str"]),
        ("broken.empty", ["broken.empty", "application", "app"]),
    ],
)
def test_a_name_without_an_application_is_one_clear_message(name, words):
    ended = run(name, "--bind", "127.0.0.1:0")
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert not [word for word in words if word not in ended.stderr]
    assert sum("[ERROR]" in line for line in ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("broken.raises", ["broken/raises.py", "configure()", "KeyError: 'database'"]),
        ("broken.imports_missing:app", ["imports_missing.py", "a_module_that_nobody_wrote"]),
        ("broken.syntax", ["syntax.py", "SyntaxError"]),
        ("callables:fail_to_create()", ["callables.py", "LookupError: this factory never delivers"]),
    ],
)
def test_an_error_of_the_application_s_own_code_shows_its_traceback(name, words):
    ended = run(name, "--bind", "127.0.0.1:0")
    assert ended.returncode == 1
    assert not [word for word in words if word not in ended.stderr]
    assert "importlib" not in ended.stderr, "frames that are not the user's"


def test_an_application_that_exits_while_it_is_imported_says_so():
    ended = run("broken.exits", "--bind", "127.0.0.1:0")
    assert ended.returncode == 1 and "no configuration, no service" in ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["named_app", "--no-such-flag"],
        ["named_app", "--threads", "none"],
        ["named_app", "--threads", "0"],
        ["named_app", "--threads"],
        ["named_app", "--keep-alive", "soon"],
        ["named_app", "--log-level", "loud"],
        ["named_app", "--bind", "127.0.0.1:99999"],
        ["named_app", "--bind", "no port"],
        ["named_app", "--bind", "fd://standard-input"],
        ["named_app", "named_app"],
        ["named_app:"],
        [":app"],
        ["named app"],
    ],
)
def test_wrong_usage_exits_2_without_a_traceback(words):
    ended = run(*words)
    assert ended.returncode == 2
    assert ended.stderr and "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "flag"),
    [
        (["-k", "gthread"], "-k"),
        (["--worker-class", "gevent"], "--worker-class"),
        (["--worker-class=gevent"], "--worker-class"),
        (["--worker-connections", "1000"], "--worker-connections"),
        (["--worker-tmp-dir", "/dev/shm"], "--worker-tmp-dir"),
        (["--certfile", "cert.pem"], "--certfile"),
        (["--daemon"], "--daemon"),
        (["--statsd-host", "localhost:8125"], "--statsd-host"),
    ],
)
def test_a_flag_of_gunicorn_exits_2_with_one_line_that_says_what_to_use_instead(words, flag):
    ended = run("named_app", *words)
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert flag in line and len(line) > len(f"error: {flag}: ") + 10


# Where.


def test_an_address_in_use_cannot_be_bound():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("named_app", "--bind", f"127.0.0.1:{port}")
    assert ended.returncode == 1
    assert f"127.0.0.1:{port}" in ended.stderr and "in use" in ended.stderr and "Traceback" not in ended.stderr


def test_several_addresses_are_served(serve, tmp_path):
    path = tmp_path / "socket"
    with serve("named_app", "--bind", "127.0.0.1:0", "-b", f"unix:{path}", "--bind", "127.0.0.1:0") as server:
        assert len(server.addresses) == 3
        for address in range(3):
            with server.connect(address) as connection:
                assert connection.exchange(get("/")).content == b"app of named_app"
                connection.finish()


def test_ipv6_is_served(serve):
    with serve("environ_probe", "--bind", "[::1]:0") as server:
        environ = json.loads(server.get("/").content)["environ"]
        assert environ["REMOTE_ADDR"] == "::1" and environ["SERVER_PORT"] == str(server.port)


def test_a_unix_socket_is_replaced_if_it_is_stale_and_removed_at_the_end(serve, tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with serve("environ_probe", "--bind", f"unix:{path}") as server:
        assert server.url == f"unix:{path}"
        environ = json.loads(server.get("/").content)["environ"]
        assert environ.get("REMOTE_ADDR", "") == "" and environ["SERVER_NAME"] and environ["SERVER_PORT"]
    assert not path.exists()


def test_a_unix_socket_that_somebody_listens_on_is_in_use(tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        ended = run("named_app", "--bind", f"unix:{path}")
    assert ended.returncode == 1 and str(path) in ended.stderr
    assert path.exists()


def test_a_file_that_is_no_socket_is_not_replaced(tmp_path):
    path = tmp_path / "precious"
    path.write_text("not a socket")
    ended = run("named_app", "--bind", f"unix:{path}")
    assert ended.returncode == 1 and str(path) in ended.stderr
    assert path.read_text() == "not a socket"


def test_an_inherited_descriptor_is_served(serve):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number = listener.fileno()
        with serve("named_app", "--bind", f"fd://{number}", pass_fds=[number]) as server:
            with socket.create_connection(listener.getsockname()):
                pass
            assert server.port == listener.getsockname()[1]
            assert server.get("/").content == b"app of named_app"


def test_a_descriptor_that_is_not_there_cannot_be_served():
    ended = run("named_app", "--bind", "fd://99")
    assert ended.returncode == 1 and "fd://99" in ended.stderr


# The environment.


def test_every_flag_has_a_variable(serve):
    env = {"BRICKWORK_BIND": "127.0.0.1:0", "BRICKWORK_THREADS": "1", "BRICKWORK_ACCESS_LOGFILE": "none"}
    with serve("environ_probe", env=env) as server:
        assert json.loads(server.get("/").content)["flags"]["wsgi.multithread"] is False
    assert server.stdout() == ""


def test_the_command_line_wins_over_the_environment(serve):
    with serve("environ_probe", "--threads", "2", env={"BRICKWORK_THREADS": "1"}) as server:
        assert json.loads(server.get("/").content)["flags"]["wsgi.multithread"] is True


def test_a_wrong_variable_is_named():
    ended = run("named_app", env={"BRICKWORK_THREADS": "many"})
    assert ended.returncode == 2 and "BRICKWORK_THREADS" in ended.stderr


def test_port_in_the_environment_means_every_interface():
    """Shown on a port that is taken, so that nothing is served to the outside."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = run("named_app", env={"PORT": str(port)})
    assert ended.returncode == 1 and f"0.0.0.0:{port}" in ended.stderr


def test_bind_wins_over_port(serve):
    with serve("named_app", "--bind", "127.0.0.1:0", env={"PORT": "1"}) as server:
        assert server.get("/").content == b"app of named_app"


# The logs.


def test_every_line_of_the_log_has_time_level_and_process(serve):
    with serve("named_app") as server:
        server.get("/")
        with server.connect() as connection:
            connection.exchange(b"GET / HTTP/1.1\r\n\r\n")
        pid = server.process.pid
    lines = server.log().splitlines()
    assert len(lines) >= 3
    # A line that is indented belongs to the one before it.
    lines = [line for line in lines if not line.startswith("  ")]
    assert [line for line in lines if not LOG_LINE.fullmatch(line)] == []
    # The others are workers'.
    assert f"[{pid}]" in lines[0]
    assert re.search(r"\[INFO\] .*threads 64\b", server.log())


def test_the_log_may_be_a_file(serve, tmp_path):
    with serve("named_app", "--error-logfile", tmp_path / "error.log") as server:
        server.get("/")
    assert "listening on" in (tmp_path / "error.log").read_text()
    assert server.stderr_path.read_text() == ""


def test_the_log_may_be_json(serve):
    with serve("misbehaving", "--log-format", "json", "--bind", "127.0.0.1:0") as server:
        server.get("/ends/raises-snow")
    records = [json.loads(line) for line in server.log().splitlines()]
    assert {"info", "error"} <= {record["level"].lower() for record in records}
    assert "listening on" in " ".join(record["message"] for record in records)
    assert "ValueError: snow \u2603" in json.dumps(records, ensure_ascii=False)


def test_the_access_log_is_in_combined_format(serve):
    with serve("response_probe") as server:
        server.get("/one-block?a=%20b", "Referer: http://from.example/", "User-Agent: a brick/1.0")
        server.exchange(post("/empty-list", b"content"))
        with server.connect() as connection:
            connection.exchange(b"GET /bad HTTP/1.1\r\nHo st: x\r\n\r\n")
    lines = [ACCESS_LINE.fullmatch(line) for line in server.stdout().splitlines()]
    assert None not in lines, server.stdout()
    assert [(line["host"], line["request"], line["status"]) for line in lines[:2]] == [
        ("127.0.0.1", "GET /one-block?a=%20b HTTP/1.1", "200"),
        ("127.0.0.1", "POST /empty-list HTTP/1.1", "200"),
    ]
    assert (lines[0]["bytes"], lines[0]["referer"], lines[0]["agent"]) == ("9", "http://from.example/", "a brick/1.0")
    assert (lines[1]["bytes"], lines[1]["referer"], lines[1]["agent"]) in [("-", "-", "-"), ("0", "-", "-")]
    assert [line["status"] for line in lines[2:]] in ([], ["400"])


def test_a_client_cannot_forge_a_line_of_the_access_log(serve):
    with serve("named_app") as server:
        server.get("/", 'User-Agent: "quoted" \\ \xe9 \x9b31m', 'Referer: " 200 1 "-" "-"')
    (line,) = server.stdout().splitlines()
    match = ACCESS_LINE.fullmatch(line)
    assert match and line.isascii()
    assert '\\"quoted\\"' in match["agent"]


def test_the_access_log_may_be_json(serve):
    with serve("response_probe", "--log-format", "json") as server:
        server.get("/one-block?a=1", 'User-Agent: "quoted" \xe9')
    (line,) = server.stdout().splitlines()
    record = json.loads(line)
    assert (record["method"], record["status"]) == ("GET", 200)
    assert "/one-block?a=1" in record.values() and '"quoted" \xe9' in record.values() and "127.0.0.1" in record.values()


def test_the_access_log_may_be_a_file_or_nothing(serve, tmp_path):
    with serve("named_app", "--access-logfile", tmp_path / "access.log") as server:
        server.get("/")
        server.get("/")
    assert len((tmp_path / "access.log").read_text().splitlines()) == 2 and server.stdout() == ""
    with serve("named_app", "--access-logfile", "none") as server:
        server.get("/")
    assert server.stdout() == ""


def test_an_access_log_that_nobody_reads_holds_up_nobody(serve):
    """Many times what a pipe holds; lines may be lost, answers may not."""
    reading, writing = os.pipe()
    try:
        with serve("named_app", "--access-logfile", f"/dev/fd/{writing}", pass_fds=[writing]) as server:
            with server.connect() as connection:
                for _ in range(2000):
                    assert connection.exchange(get("/", f"User-Agent: {'x' * 1000}")).status == 200
                connection.finish()
            assert server.stop() == 0
    finally:
        os.close(reading)
        os.close(writing)


def test_trace_shows_heads_escaped_and_redacted_and_no_content(serve):
    with serve("response_probe", "--log-level", "trace") as server:
        fields = ["Authorization: Bearer topsecret", "Cookie: session=topsecret", "X-Colour: \x80red"]
        server.exchange(post("/fields?traced", b"the content", *fields))
    log = server.log()
    for pattern in (
        r"\[TRACE\] .*< POST /fields\?traced HTTP/1\.1",
        r"< Host: test",
        r"< Authorization: ",
        r"> HTTP/1\.1 200 OK",
        r"> X-Second: 2",
        r"< X-Colour: \\x80red",
    ):
        assert re.search(pattern, log), pattern
    assert "topsecret" not in log and "the content" not in log
    assert "a=1; Path=/" not in log, "Set-Cookie is a credential too"


# The end.


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_an_idle_server_at_once_with_exit_0(serve, number):
    with serve("named_app") as server:
        server.get("/")
        server.signal(number)
        assert server.wait() == 0


def test_idle_connections_do_not_hold_up_the_end(serve):
    with serve("named_app") as server:
        with server.connect() as used, server.connect() as fresh:
            used.exchange(get("/"))
            server.signal(signal.SIGTERM)
            used.expect_end()
            fresh.expect_end()
            assert server.wait() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_is_in_flight_is_finished_and_new_connections_are_refused(serve, tmp_path, number):
    gate = tmp_path / "gate"
    with serve("latch") as server, server.connect() as connection:
        connection.send(get(f"/wait-for-file?{gate}"))
        wait_until(lambda: server.get(f"/waiting?{gate}").content == b"1", "the request to be in flight")
        server.signal(number)
        wait_until(server.refuses_connections, "new connections to be refused")
        assert server.is_running()
        gate.touch()
        response = connection.receive()
        assert response.status == 200 and response.is_last
        connection.expect_close()
        assert server.wait() == 0


def test_an_upload_in_flight_is_finished(serve):
    with serve("recorder") as server, server.connect() as upload:
        upload.send(post("/uploaded", b"", "Content-Length: 10"), b"01234")
        assert server.get("/another").status == 200
        server.signal(signal.SIGTERM)
        wait_until(server.refuses_connections, "new connections to be refused")
        upload.send(b"56789")
        assert upload.receive().content == b"/uploaded"
        upload.expect_close()
        assert server.wait() == 0


def test_a_response_in_flight_is_finished(serve):
    with serve("response_probe") as server, server.connect(receive_buffer=4096) as slow:
        slow.send(get("/large-in-blocks"))
        assert slow.line() == b"HTTP/1.1 200 OK"
        server.signal(signal.SIGTERM)
        wait_until(server.refuses_connections, "new connections to be refused")
        slow.read_to_end()
        assert slow.buffer.endswith(LARGE[-100:] + b"\r\n0\r\n\r\n")
        assert server.wait() == 0


def test_the_second_interrupt_ends_at_once(serve, tmp_path):
    with serve("latch") as server, server.connect() as connection:
        connection.send(get(f"/wait-for-file?{tmp_path / 'never'}"))
        wait_until(lambda: server.get(f"/waiting?{tmp_path / 'never'}").content == b"1", "the request to be in flight")
        server.signal(signal.SIGINT)
        wait_until(server.refuses_connections, "new connections to be refused")
        assert server.is_running()
        server.signal(signal.SIGINT)
        server.wait()
        expect_abandoned(connection)


def test_the_graceful_timeout_bounds_the_end(serve, tmp_path):
    with serve("latch", "--graceful-timeout", "300ms") as server, server.connect() as connection:
        connection.send(get(f"/wait-for-file?{tmp_path / 'never'}"))
        wait_until(lambda: server.get(f"/waiting?{tmp_path / 'never'}").content == b"1", "the request to be in flight")
        server.signal(signal.SIGTERM)
        server.wait()
        expect_abandoned(connection)


def expect_abandoned(connection):
    """No answer of the application: the connection just ends, or the server itself says why."""
    connection.read_to_end()
    assert not connection.buffer or connection.buffer.startswith(b"HTTP/1.1 503 ")
