"""`brickwork.make_server`, `brickwork.serve` and the pytest fixture: a server inside somebody's program."""

import contextlib
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import urllib.error
import urllib.request
from wsgiref.validate import validator

import pytest

import brickwork
from brickwork.server import LOG_SETTINGS, Settings
from harness.connection import Connection
from harness.deadline import PATIENCE, wait_until
from harness.request import get


def hello(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello " + environ["PATH_INFO"].encode("latin-1")]


def fetch(url, **options):
    with urllib.request.urlopen(url, timeout=PATIENCE, **options) as response:
        return response.status, response.read()


@contextlib.contextmanager
def served(server):
    """The server, served in a thread of its own meanwhile."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Latch:
    """An application that waits inside until it is let go."""

    def __init__(self):
        self.entered, self.released = threading.Event(), threading.Event()

    def __call__(self, environ, start_response):
        self.entered.set()
        assert self.released.wait(PATIENCE)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"let go"]


# make_server


def test_a_server_in_a_thread_answers_until_it_is_shut_down():
    with brickwork.make_server("127.0.0.1", 0, hello) as server, served(server):
        assert server.server_port != 0
        assert server.server_address == ("127.0.0.1", server.server_port)
        assert server.server_name == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.server_port}"
        assert fetch(f"{server.url}/a") == (200, b"hello /a")
    with pytest.raises(urllib.error.URLError):
        fetch(server.url)


def test_a_server_can_be_served_again_and_keeps_its_port():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        for path in ("/1", "/2"):
            with served(server):
                assert fetch(server.url + path) == (200, b"hello " + path.encode())


def test_a_client_that_connects_early_waits_for_the_server():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        client = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=PATIENCE)
        client.request("GET", "/early")
        with served(server):
            assert client.getresponse().read() == b"hello /early"
        client.close()


def test_several_servers_live_in_one_process():
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(brickwork.make_server("127.0.0.1", 0, hello)) for _ in range(3)]
        for server in servers:
            stack.enter_context(served(server))
        for server in servers:
            assert fetch(f"{server.url}/{server.server_port}")[1] == f"hello /{server.server_port}".encode()


def test_shutdown_lets_what_is_in_flight_finish():
    latch = Latch()
    with brickwork.make_server("127.0.0.1", 0, latch) as server:
        answers = []
        with served(server):
            client = threading.Thread(target=lambda: answers.append(fetch(server.url)))
            client.start()
            assert latch.entered.wait(PATIENCE)
            closer = threading.Thread(target=server.shutdown)
            closer.start()
            latch.released.set()
            closer.join(PATIENCE)
        client.join(PATIENCE)
        assert answers == [(200, b"let go")]


def test_a_shutdown_that_overtakes_the_start_is_not_lost():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        server.shutdown()
        server.serve_forever()


def test_leaving_the_context_ends_a_server_that_was_left_running():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        assert fetch(server.url)[0] == 200
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert server.fileno() == -1


def test_a_closed_server_cannot_be_served():
    server = brickwork.make_server("127.0.0.1", 0, hello)
    server.server_close()
    server.server_close()
    with pytest.raises(ValueError, match="closed"):
        server.serve_forever()


def test_a_server_is_not_served_twice_at_once():
    with brickwork.make_server("127.0.0.1", 0, hello) as server, served(server):
        wait_until(lambda: fetch(server.url)[0] == 200, "the first to serve")
        with pytest.raises(RuntimeError, match="already"):
            server.serve_forever()


def test_a_taken_address_is_the_error_that_callers_look_for():
    with brickwork.make_server("127.0.0.1", 0, hello) as server, pytest.raises(OSError) as caught:
        brickwork.make_server("127.0.0.1", server.server_port, hello)
    assert caught.value.errno == 98
    assert str(server.server_port) in str(caught.value)


def test_an_ipv6_host_needs_no_brackets():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    with brickwork.make_server("::1", 0, hello) as server, served(server):
        assert fetch(server.url)[0] == 200


def test_an_application_that_wsgiref_validates_is_valid_here():
    with brickwork.make_server("127.0.0.1", 0, validator(hello)) as server, served(server):
        assert fetch(server.url)[0] == 200


def test_what_the_application_raises_is_on_standard_error(capsys):
    def broken(environ, start_response):
        raise ZeroDivisionError("on purpose")

    with brickwork.make_server("127.0.0.1", 0, broken) as server, served(server):
        with pytest.raises(urllib.error.HTTPError) as caught:
            fetch(server.url)
        caught.value.close()
        assert caught.value.code == 500
    assert "ZeroDivisionError: on purpose" in capsys.readouterr().err


# handle_request


def test_handle_request_answers_one_request_and_leaves_the_others_waiting():
    with brickwork.make_server("127.0.0.1", 0, hello) as server, contextlib.ExitStack() as stack:
        clients = [stack.enter_context(Connection(socket.create_connection(server.server_address))) for _ in range(3)]
        for number, client in enumerate(clients):
            client.send(get(f"/{number}"))
        for number, client in enumerate(clients):
            server.handle_request()
            response = client.receive()
            assert response.content == b"hello /%d" % number
            assert response.is_last
            for waiting in clients[number + 1 :]:
                waiting.stream.setblocking(False)
                with pytest.raises(BlockingIOError):
                    waiting.stream.recv(1)
                waiting.stream.settimeout(PATIENCE)


def test_handle_request_leaves_a_second_request_on_the_connection_unanswered():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with Connection(socket.create_connection(server.server_address)) as client:
            client.send(get("/one") + get("/two"))
            assert client.receive().content == b"hello /one"
            client.finish()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_handle_request_passes_over_clients_without_a_request():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        socket.create_connection(server.server_address).close()
        with Connection(socket.create_connection(server.server_address)) as client:
            client.send(get("/asked"))
            server.handle_request()
            assert client.receive().content == b"hello /asked"


def test_handle_request_has_dealt_with_a_malformed_request():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        with Connection(socket.create_connection(server.server_address)) as client:
            client.send(b"nonsense\r\n\r\n")
            client.half_close()
            server.handle_request()
            assert client.receive().status == 400


def test_handle_request_waits_for_a_client_and_for_a_slow_application():
    latch = Latch()
    with brickwork.make_server("127.0.0.1", 0, latch, graceful_timeout=0) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        with Connection(socket.create_connection(server.server_address)) as client:
            client.send(get("/"))
            assert latch.entered.wait(PATIENCE)
            latch.released.set()
            assert client.receive().content == b"let go"
        thread.join(PATIENCE)
        assert not thread.is_alive()


def test_handle_request_waits_as_long_as_its_timeout_says():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        passed = []
        server.handle_timeout = lambda: passed.append(True)
        for server.timeout in (0, 0.05):
            server.handle_request()
        assert len(passed) == 2
        with Connection(socket.create_connection(server.server_address)) as client:
            client.send(get("/in-time"))
            server.timeout = PATIENCE
            server.handle_request()
            assert client.receive().content == b"hello /in-time"
        assert len(passed) == 2


def test_handle_request_with_a_timeout_of_zero_takes_who_waits_already():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        server.timeout = 0
        with Connection(socket.create_connection(server.server_address)) as client:
            client.send(get("/waiting"))
            server.handle_request()
            assert client.receive().content == b"hello /waiting"


def test_handle_request_and_serve_forever_can_take_turns():
    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert fetch(f"{server.url}/one")[1] == b"hello /one"
        thread.join(PATIENCE)
        with served(server):
            assert fetch(f"{server.url}/two")[1] == b"hello /two"


# Where other servers were


def test_the_application_can_be_exchanged_between_two_times_of_serving():
    def other(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"other"]

    with brickwork.make_server("127.0.0.1", 0, hello) as server:
        assert server.get_app() is hello
        with served(server):
            assert fetch(server.url)[1] == b"hello /"
        server.set_app(other)
        assert server.get_app() is other
        with served(server):
            assert fetch(server.url)[1] == b"other"
        with pytest.raises(TypeError, match="callable"):
            server.set_app(None)


def test_djangos_live_server_can_be_this_one(tmp_path):
    (tmp_path / "live.py").write_text(
        textwrap.dedent("""
            import sys
            import urllib.request

            import django
            from django.conf import settings

            settings.configure(
                SECRET_KEY="x",
                ROOT_URLCONF="live",
                STATIC_URL="/static/",
                INSTALLED_APPS=["django.contrib.staticfiles"],
                DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
            )
            django.setup()

            from django.contrib.staticfiles.testing import StaticLiveServerTestCase
            from django.core.handlers.wsgi import WSGIHandler
            from django.db import connection
            from django.http import HttpResponse
            from django.test.testcases import LiveServerThread
            from django.urls import path

            import brickwork

            def names(request):
                with connection.cursor() as cursor:
                    cursor.execute("select name from shelf")
                    return HttpResponse(",".join(name for (name,) in cursor.fetchall()))

            urlpatterns = [path("names", names)]

            class Thread(LiveServerThread):
                def _create_server(self, connections_override=None):
                    return brickwork.make_server(self.host, self.port, WSGIHandler())

            class LiveTests(StaticLiveServerTestCase):
                server_thread_class = Thread

                def test_it_sees_what_the_test_wrote(self):
                    with connection.cursor() as cursor:
                        cursor.execute("create table shelf (name text)")
                        cursor.execute("insert into shelf values ('a'), ('b')")
                    assert self.live_server_url.endswith(str(self.server_thread.port))
                    assert urllib.request.urlopen(f"{self.live_server_url}/names").read() == b"a,b"

            if __name__ == "__main__":
                from django.test.utils import get_runner

                sys.modules["live"] = sys.modules["__main__"]
                raise SystemExit(get_runner(settings)().run_tests(["live"]))
        """)
    )
    command = [sys.executable, "-m", "live"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


# Static files


def test_files_are_served_beside_the_application(tmp_path):
    (tmp_path / "style.css").write_text("body {}")
    (tmp_path / ".hidden").write_text("hidden")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a.txt").write_text("deep a")
    static = {"/static": tmp_path, "/static/other/": str(tmp_path / "deep")}
    with brickwork.make_server("127.0.0.1", 0, hello, static=static, cache_control="max-age=60") as server:
        with served(server):
            with urllib.request.urlopen(f"{server.url}/static/style.css") as response:
                assert (response.read(), response.headers["Cache-Control"]) == (b"body {}", "max-age=60")
            assert fetch(f"{server.url}/static/other/a.txt")[1] == b"deep a"
            assert fetch(f"{server.url}/else") == (200, b"hello /else")
            for missing in ("/static/nothing", "/static/.hidden"):
                with pytest.raises(urllib.error.HTTPError, match="404") as caught:
                    fetch(server.url + missing)
                caught.value.close()
        server.set_app(validator(hello))
        with served(server):
            assert fetch(f"{server.url}/static/style.css")[1] == b"body {}"
    with brickwork.make_server("127.0.0.1", 0, hello, static={"/s": tmp_path}, dotfiles=True) as server:
        with served(server):
            assert fetch(f"{server.url}/s/.hidden")[1] == b"hidden"


def test_files_that_the_application_guards_are_sent(tmp_path):
    (tmp_path / "film").write_bytes(b"film")

    def guard(environ, start_response):
        start_response("200 OK", [("Content-Type", "video/mp4"), ("X-Sendfile", "film")])
        return []

    with brickwork.make_server("127.0.0.1", 0, guard, sendfile_root=tmp_path) as server, served(server):
        assert fetch(server.url)[1] == b"film"


def test_a_directory_that_is_not_there_is_the_error_that_callers_look_for(tmp_path):
    (tmp_path / "file").touch()
    for error, settings in [
        (FileNotFoundError, {"static": {"/s": tmp_path / "nothing"}}),
        (NotADirectoryError, {"static": {"/s": tmp_path / "file"}}),
        (FileNotFoundError, {"sendfile_root": tmp_path / "nothing"}),
    ]:
        with pytest.raises(error, match=re.escape(str(tmp_path))):
            brickwork.make_server("127.0.0.1", 0, hello, **settings)


# Settings


@pytest.mark.parametrize(
    "settings, error, words",
    [
        ({"colour": "red"}, TypeError, "'colour' is not a setting"),
        ({"chdir": "/"}, TypeError, "'chdir' is not a setting"),
        ({"threads": 0}, ValueError, "--threads"),
        ({"static": "/static=static"}, TypeError, "maps prefixes to directories"),
        ({"static": {"static": "."}}, ValueError, "--static"),
        ({"static": {"/": "."}}, ValueError, "--static"),
        ({"static": {"/s": "."}, "cache_control": "a\nb"}, ValueError, "Cache-Control"),
        ({"threads": "many"}, ValueError, "--threads"),
        ({"keep_alive": "0s"}, ValueError, "more than 0"),
        ({"limit_request_line": "1TiB"}, ValueError, "--limit-request-line"),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_one_line(settings, error, words):
    with pytest.raises(error, match=re.escape(words)) as caught:
        brickwork.make_server("127.0.0.1", 0, hello, **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("settings", "is_told"), [({"debug": True}, True), ({"debug": False}, False), ({}, False)])
def test_a_client_is_told_why_its_request_was_refused_when_debugging(settings, is_told):
    with served(brickwork.make_server("127.0.0.1", 0, hello, **settings)) as server:
        with Connection(socket.create_connection(("127.0.0.1", server.server_port), PATIENCE)) as connection:
            refusal = connection.exchange(b"GET / HTTP/1.1\r\nHost: x\r\nContent Length: 5\r\n\r\n")
    assert refusal.status == 400
    assert (b"error[BW0107]" in refusal.content) is is_told


def test_every_setting_is_a_flag_of_the_command():
    command = [sys.executable, "-m", "brickwork", "run", "--help"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE).stdout
    flags = {flag.replace("-", "_") for flag in re.findall(r"^ +(?:-\w, )?--([\w-]+)(?: <|\[=<)", text, re.MULTILINE)}
    assert set(Settings.__annotations__) <= flags
    assert set(Settings.__annotations__) >= LOG_SETTINGS


def test_numbers_are_seconds_and_the_environment_is_not_asked(monkeypatch):
    monkeypatch.setenv("PORT", "1")
    monkeypatch.setenv("BRICKWORK_THREADS", "nonsense")
    with brickwork.make_server("127.0.0.1", 0, hello, keep_alive=0.05, threads=1) as server, served(server):
        with socket.create_connection(server.server_address, PATIENCE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            while client.recv(65536):
                pass  # the connection is closed for want of another request


def test_a_timeout_ends_the_request_and_not_the_program():
    raised = threading.Event()

    def for_ever(environ, start_response):
        try:
            while True:
                pass
        except brickwork.RequestTimeout:
            raised.set()
            raise

    with brickwork.make_server("127.0.0.1", 0, for_ever, timeout=0.1) as server, served(server):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(server.url, timeout=PATIENCE)
        assert caught.value.code == 504
        assert raised.wait(PATIENCE)


def test_a_trusted_proxy_is_believed_and_nobody_else():
    def remote(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [environ["REMOTE_ADDR"].encode()]

    for trusted, expected in (("127.0.0.1", b"192.0.2.1"), ("::1", b"127.0.0.1")):
        with brickwork.make_server("127.0.0.1", 0, remote, forwarded_allow_ips=trusted) as server, served(server):
            request = urllib.request.Request(server.url, headers={"X-Forwarded-For": "192.0.2.1"})
            assert fetch(request)[1] == expected


def test_one_thread_means_one_call_at_a_time():
    def multithread(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(environ["wsgi.multithread"]).encode()]

    for settings, expected in (({"threads": 1}, b"False"), ({}, b"True")):
        with brickwork.make_server("127.0.0.1", 0, multithread, **settings) as server, served(server):
            assert fetch(server.url)[1] == expected


def test_the_access_log_is_written_where_it_is_asked_for(tmp_path):
    log = tmp_path / "access.log"
    with brickwork.make_server("127.0.0.1", 0, hello, access_logfile=log) as server, served(server):
        fetch(f"{server.url}/logged")
    assert '"GET /logged HTTP/1.1" 200' in log.read_text()


# Programs of their own: signals, import, exit


def heed_interrupts():
    """A shell makes what it runs in the background ignore INT, and that is inherited: by the tests, and by what they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def program(source, **options):
    source = textwrap.dedent(source)
    command = [sys.executable, "-c", source]
    options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "preexec_fn": heed_interrupts}
    return subprocess.Popen(command, **options)


SERVING = """
    import signal, sys, brickwork
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"here"]
    server = brickwork.make_server("127.0.0.1", 0, app)
    print(server.url, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        server.server_close()
"""

SCRIPT = """
    import signal, socket, sys, brickwork
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"here"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    print(f"http://127.0.0.1:{port}", flush=True)
    brickwork.serve(app, bind=f"127.0.0.1:{port}")
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    print("returned", flush=True)
"""


@pytest.mark.parametrize(
    "source, number, last_words",
    [
        (SERVING, signal.SIGINT, "interrupted\n"),
        (SCRIPT, signal.SIGINT, "returned\n"),
        (SCRIPT, signal.SIGTERM, "returned\n"),
    ],
)
def test_a_signal_ends_a_program_in_order(source, number, last_words):
    with program(source) as process:
        url = process.stdout.readline().strip()

        def answers():
            with contextlib.suppress(urllib.error.URLError):
                return fetch(url) == (200, b"here")

        wait_until(answers, f"{url} to answer")
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (stdout, stderr, process.returncode) == (last_words, "", 0)


def test_importing_changes_nothing_in_the_process():
    source = """
        import os, signal, sys, threading
        def state():
            handlers = [signal.getsignal(number) for number in signal.valid_signals() if number not in (32, 33)]
            threads = threading.enumerate(), len(os.listdir("/proc/self/task"))
            return handlers, threads, sorted(os.listdir("/proc/self/fd"))
        before = state()
        import brickwork
        assert state() == before, (state(), before)
    """
    with program(source) as process:
        assert process.communicate(timeout=PATIENCE) == ("", "")
    assert process.returncode == 0


def test_a_program_that_leaves_its_server_in_a_daemon_thread_ends_well():
    source = """
        import threading, urllib.request, brickwork
        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [b"here"]
        server = brickwork.make_server("127.0.0.1", 0, app)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(urllib.request.urlopen(server.url).read())
    """
    for _ in range(5):
        with program(source) as process:
            assert process.communicate(timeout=PATIENCE) == ("b'here'\n", "")
        assert process.returncode == 0


def test_a_forked_child_leaves_without_waiting_for_the_servers_threads():
    source = """
        import os, sys, threading, brickwork
        def app(environ, start_response):
            start_response("200 OK", [])
            return []
        server = brickwork.make_server("127.0.0.1", 0, app)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        if (child := os.fork()) == 0:
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        server.shutdown()
    """
    with program(source) as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (stdout, process.returncode) == ("7\n", 0), stderr


def test_a_server_made_before_a_fork_can_be_served_by_the_child():
    # As live servers do that are processes: multiprocessing.Process(target=server.serve_forever).
    source = """
        import os, signal, urllib.request, brickwork
        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        server = brickwork.make_server("127.0.0.1", 0, app)
        if (child := os.fork()) == 0:
            signal.signal(signal.SIGTERM, lambda *_: os._exit(7))
            server.serve_forever()
        for _ in range(2):
            assert int(urllib.request.urlopen(server.url).read()) == child
        os.kill(child, signal.SIGTERM)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    with program(source) as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (stdout, process.returncode) == ("7\n", 0), stderr


def test_a_forked_child_can_have_a_server_of_its_own_and_lets_go_of_the_parents():
    source = """
        import os, sys, threading, urllib.request, brickwork
        def app(environ, start_response):
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(os.getpid()).encode()]
        def serve():
            server = brickwork.make_server("127.0.0.1", 0, app)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            assert int(urllib.request.urlopen(server.url).read()) == os.getpid()
            return server, thread
        server, thread = serve()
        if (child := os.fork()) == 0:
            assert os.readlink(f"/proc/self/fd/{server.fileno()}") == "/dev/null"
            own, thread = serve()
            own.shutdown()
            thread.join()
            sys.exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        assert int(urllib.request.urlopen(server.url).read()) == os.getpid()
        server.shutdown()
    """
    with program(source) as process:
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert (stdout, process.returncode) == ("7\n", 0), stderr


# The fixture


def test_the_fixture_serves_an_application(brickwork_server):
    server = brickwork_server(hello)
    other = brickwork_server(hello, threads=1)
    assert fetch(f"{server.url}/x") == fetch(f"{other.url}/x") == (200, b"hello /x")


def test_the_fixture_needs_nothing_but_the_package(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
            import urllib.request

            def app(environ, start_response):
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [b"fixed"]

            def test_it(brickwork_server):
                assert urllib.request.urlopen(brickwork_server(app).url).read() == b"fixed"
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, env=dict(os.environ))
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_guides_programs_run(brickwork_server):
    guide = pathlib.Path(__file__).resolve().parent.parent / "docs" / "guides" / "from-python.md"
    blocks = re.findall(r"```python\n(.*?)```", guide.read_text(), re.DOTALL)
    names = {}
    for block in blocks:
        # The script would serve until it is told to end.
        exec(re.sub(r"^brickwork\.serve\(.*$", "", block, flags=re.MULTILINE), names)
    assert len(blocks) == 5
    names["test_hello"](brickwork_server)
