"""The supervisor and its workers: start, death, number, signals, and what is around them."""

import collections
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import brickwork
import pytest
from harness.deadline import wait_until
from harness.interpreter import interpreter_for_all
from harness.processes import alive, is_alive, kill, stop, wait_for_workers, workers
from harness.request import get
from harness.server import APPS, Server, run

PROBE = "processes_probe:application"

# The supervisor's program.
SUPERVISOR = pathlib.Path(brickwork.__file__).with_name("brickwork-supervisor")


def pid_of(server):
    return int(server.get("/").content.split()[0])


def test_also_a_single_worker_is_supervised(serve):
    with serve(PROBE) as server:
        (worker,) = wait_for_workers(server, 1)
        assert pid_of(server) == worker != server.process.pid


def test_the_supervisor_has_no_interpreter(serve):
    with serve(PROBE) as server:
        (worker,) = wait_for_workers(server, 1)
        programs = [os.path.realpath(f"/proc/{pid}/exe") for pid in [server.process.pid, worker]]
        assert programs == [str(SUPERVISOR.resolve()), os.path.realpath(sys.executable)]


def test_without_the_supervisor_s_program_a_server_says_what_is_missing(tmp_path):
    shutil.copytree(SUPERVISOR.parent, tmp_path / "brickwork", ignore=shutil.ignore_patterns(SUPERVISOR.name))
    files = [tmp_path / "socket", tmp_path / "pid"]
    completed = run(PROBE, "--bind", f"unix:{files[0]}", "--pid", files[1], env={"PYTHONPATH": str(tmp_path)})
    assert completed.returncode == 1 and not any(file.exists() for file in files)
    missing = tmp_path / "brickwork" / SUPERVISOR.name
    assert f"could not start: the supervisor's program, {missing}, cannot take over: No such file" in completed.stderr


@pytest.mark.parametrize("arguments", [(), ("@supervisor,takeover=90",), ("app:application",)])
def test_the_supervisor_s_program_is_not_for_people(arguments):
    completed = subprocess.run([SUPERVISOR, *arguments], capture_output=True, text=True, timeout=20)
    assert completed.returncode == 2 and "what the command brickwork becomes" in completed.stderr


def test_names_of_files_need_not_be_text(serve, tmp_path):
    directory = pathlib.Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    directory.mkdir()
    (directory / "named.py").write_text(SHOWS_THE_PATH)
    pid_file = directory / "pid"
    with serve("named:application", "--pid", pid_file, cwd=directory) as server:
        assert server.get("/").content == ascii([str(directory)]).encode()
        assert int(pid_file.read_text()) == server.process.pid
    assert not pid_file.exists()


def test_an_application_that_goes_elsewhere_is_not_followed(serve, tmp_path):
    """sys.path names directories, and not whichever one is current."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "moving.py").write_text(SHOWS_THE_PATH + "os.chdir('/')\n")
    with serve("moving:application", "--chdir", "site", cwd=tmp_path) as server:
        assert server.get("/").content == ascii([str(tmp_path / "site"), str(tmp_path)]).encode()


# The entries of sys.path before those of the interpreter.
SHOWS_THE_PATH = """
import os, sys
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    own = [path for path in sys.path if not path.startswith((sys.prefix, sys.base_prefix))]
    return [ascii(own).encode()]
"""


@pytest.mark.parametrize("arguments", [(), ("--preload",)], ids=["plain", "preload"])
def test_a_dead_worker_is_replaced_and_what_waits_is_served(serve, arguments):
    with serve(PROBE, *arguments) as server:
        first = pid_of(server)
        stop(first)
        with server.connect() as waiting:
            waiting.send(get("/"))
            kill(first)
            # The connection was in the listener's queue: it belongs to no worker.
            assert int(waiting.receive().content.split()[0]) != first
        server.wait_for_log(rf"worker {first} \(generation 1\) was killed by SIGKILL")


def test_what_a_killed_worker_had_in_flight_is_all_that_is_lost(serve, tmp_path):
    with serve(PROBE, "-w", "2") as server:
        wait_for_workers(server, 2)
        with server.connect() as lost:
            lost.send(get(f"/wait-for-file?{tmp_path}/never"))
            others = [server.connect() for _ in range(16)]
            pids = [int(other.exchange(get("/")).content.split()[0]) for other in others]
            victim = next(pid for pid in set(pids) if pid in alive(server))
            kill(victim)
            for other, pid in zip(others, pids):
                if pid != victim:
                    assert int(other.exchange(get("/")).content.split()[0]) == pid
                other.close()
        wait_for_workers(server, 2)
        (tmp_path / "never").touch()


def test_no_worker_outlives_a_supervisor_that_was_killed(tmp_path):
    server = Server(tmp_path, PROBE, "-w", "2").start()
    pids = wait_for_workers(server, 2)
    server.kill()
    wait_until(lambda: not any(map(is_alive, pids)), f"workers {pids} to end")


EARLY = ("--health-path", "/healthz")


@pytest.mark.parametrize(
    "arguments", [(), ("--preload",), EARLY, ("--preload", *EARLY)], ids=["plain", "preload", "early", "responder"]
)
def test_nothing_outlives_a_supervisor_that_was_killed_while_the_application_is_imported(tmp_path, arguments):
    code = "import os, time\nos.write(2, b'%d\\n' % os.getpid())\ntime.sleep(60)\n"
    (tmp_path / "waits.py").write_text(code)
    server = Server(tmp_path, "waits:app", *arguments, cwd=tmp_path).launch()
    importer = int(server.wait_for_log(r"(?m)^(\d+)\n").group(1))
    server.kill()
    wait_until(lambda: not is_alive(importer), f"process {importer} to end")


@pytest.mark.parametrize(
    "arguments",
    [(), ("-w", "3"), ("--preload",), ("--preload", *EARLY)],
    ids=["one", "three", "preload", "responder"],
)
def test_a_server_that_cannot_start_exits_1_with_one_traceback(tmp_path, arguments):
    (tmp_path / "broken.py").write_text("raise ValueError('why')\n")
    code, log = ended(run("broken:app", "--bind", "127.0.0.1:0", *arguments, cwd=tmp_path))
    assert code == 1
    assert log.count("Traceback") == 1 and "ValueError: why" in log, log


def ended(completed):
    return completed.returncode, completed.stderr


def test_a_worker_that_dies_while_it_starts_is_told_by_its_signal(tmp_path):
    (tmp_path / "dies.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    code, log = ended(run("dies:app", "--bind", "127.0.0.1:0", cwd=tmp_path))
    assert code == 1 and "was killed by SIGSEGV" in log, log


def test_ttin_and_ttou_change_the_number_of_workers(serve):
    with serve(PROBE) as server:
        server.signal(signal.SIGTTIN)
        wait_for_workers(server, 2)
        server.signal(signal.SIGTTIN)
        wait_for_workers(server, 3)
        server.signal(signal.SIGTTOU)
        wait_for_workers(server, 2)
        server.signal(signal.SIGTTOU)
        wait_for_workers(server, 1)
        server.signal(signal.SIGTTOU)  # never none
        server.wait_for_log("(?s)1 workers from now on.*1 workers from now on")
        assert server.get("/").status == 200


@pytest.mark.parametrize("numbers", [[signal.SIGINT, signal.SIGINT], [signal.SIGQUIT]], ids=["INT INT", "QUIT"])
def test_the_quick_end_does_not_wait_for_requests(tmp_path, numbers):
    server = Server(tmp_path, PROBE).start()
    with server.connect() as connection:
        connection.send(get(f"/wait-for-file?{tmp_path}/never"))
        wait_until(lambda: server.is_running(), "the server")
        for number in numbers:
            server.signal(number)
            if len(numbers) > 1 and number is numbers[0]:
                server.wait_for_log("INT: finishing")
                numbers = numbers[1:]
        assert server.wait() == 0


def test_usr1_opens_rotated_logs_again(serve, tmp_path):
    error, access = tmp_path / "error.log", tmp_path / "access.log"
    with serve(PROBE, "--error-logfile", error, "--access-logfile", access) as server:
        server.get("/before")
        wait_until(lambda: "/before" in access.read_text(), "the access log")
        error.rename(tmp_path / "error.1")
        access.rename(tmp_path / "access.1")
        server.signal(signal.SIGUSR1)
        wait_until(lambda: error.exists() and error.read_text().count("opened again") == 2, "both to open the log again")
        wait_until(access.exists, "the new access log")
        server.get("/after")
        wait_until(lambda: "/after" in access.read_text(), "the new access log")
        assert "/after" not in (tmp_path / "access.1").read_text()


def test_the_pid_file_names_the_supervisor_while_it_runs(serve, tmp_path):
    path = tmp_path / "server.pid"
    path.write_text("4194304\n")  # left behind by a dead one
    with serve(PROBE, "--pid", path) as server:
        assert int(path.read_text()) == server.process.pid
        second = run(PROBE, "--bind", "127.0.0.1:0", "--pid", path)
        assert second.returncode == 1 and f"process {server.process.pid} runs already" in second.stderr
    assert not path.exists()


def test_workers_get_the_environment_the_name_and_the_umask(serve):
    with serve(PROBE, "--env", "PROBE_A=1=2", "-e", "PROBE_B=", "--name", "shop", "--umask", "027") as server:
        assert server.get("/env?PROBE_A").content == b"1=2"
        assert server.get("/env?PROBE_B").content == b""
        assert server.get("/identity").content.split()[2:] == [b"27", b"shop"]


NOBODY = 65534


@pytest.fixture(scope="module")
def for_all(tmp_path_factory):
    """A directory that every user can enter and only root can write to, with an interpreter that every user can start."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="brickwork-for-all-"))
    directory.chmod(0o755)
    (directory / "open").mkdir()
    (directory / "open").chmod(0o777)
    shutil.copy(APPS / "processes_probe.py", directory)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def serve_as(for_all):
    if os.getuid() != 0:
        pytest.skip("only root can become somebody else")

    def server_of(user, group, *arguments):
        log = for_all / "open" / f"error-{os.urandom(4).hex()}.log"
        arguments = ("--user", user, "--group", group, "--umask", "027", "--error-logfile", log, *arguments)
        server = Server(for_all / "open", PROBE, *arguments, cwd=for_all)
        server.command[0], variables = interpreter_for_all(for_all)
        server.env.update(variables)
        return server

    return server_of


@pytest.mark.parametrize("arguments", [(), ("--preload",)], ids=["plain", "preload"])
def test_root_becomes_the_user_when_everything_is_open(serve_as, for_all, arguments):
    access, socket_path, pid_file = (for_all / "open" / name for name in ["access.log", "socket", "pid"])
    server = serve_as(
        NOBODY, NOBODY, "--bind", f"unix:{socket_path}", "--access-logfile", access, "--pid", pid_file, *arguments
    ).start()
    try:
        assert server.get("/identity").content.split()[:3] == [b"65534", b"65534", b"27"]
        (worker,) = wait_for_workers(server, 1)
        for pid in [server.process.pid, worker]:
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            identity = dict(line.split(":\t", 1) for line in status.splitlines())
            assert set(identity["Uid"].split()) == {str(NOBODY)} == set(identity["Gid"].split())
            # Nothing of root's is left: neither its groups nor what it may do.
            assert identity["Groups"].split() in ([], [str(NOBODY)]) and int(identity["CapEff"], 16) == 0
        assert socket_path.stat().st_uid == NOBODY
        # The logs can be opened again by who we are now.
        for path in [server.log_path, access]:
            assert os.stat(path).st_uid == NOBODY and path.stat().st_mode & 0o777 == 0o640
            path.rename(path.with_suffix(".1"))
        server.signal(signal.SIGUSR1)
        wait_until(lambda: server.log().count("opened again") == 2, "both processes to open the log again")
        server.get("/after")
        wait_until(lambda: access.exists() and "/after" in access.read_text(), "the new access log")
        # A reload starts processes as the user that the supervisor has become.
        server.signal(signal.SIGHUP)
        server.wait_for_log("generation 2 serves\n")
        assert server.get("/identity").content.split()[:3] == [b"65534", b"65534", b"27"]
        server.stop_cleanly()
        assert not socket_path.exists() and not pid_file.exists()
    finally:
        server.kill()


def test_neither_a_home_nor_a_writable_file_system_is_needed(serve_as, for_all):
    server = serve_as(NOBODY, NOBODY, "--chdir", for_all)
    # Not even the log is a file; and the user may write nowhere.
    server.command = [word for word in server.command if word not in ("--error-logfile", str(server.log_path))]
    server.log_path = server.stderr_path
    server.env.update(TMPDIR=str(for_all), HOME="/nonexistent")
    server.start()
    try:
        server.wait_for_log("cannot write to the spool directory")
        assert run("reload", "--wait", str(server.process.pid), env={"HOME": None}).returncode == 0
        assert server.get("/identity").content.split()[0] == str(NOBODY).encode()
        server.stop_cleanly()
    finally:
        server.kill()


def test_what_the_user_may_not_remove_does_not_spoil_the_end(serve_as, for_all):
    server = serve_as(NOBODY, NOBODY, "--pid", for_all / "pid").start()
    try:
        assert (for_all / "pid").read_text() == f"{server.process.pid}\n"
        server.stop_cleanly()
        # Emptied, as it cannot be removed: nobody takes the number for that of a server.
        assert (for_all / "pid").read_text() == ""
    finally:
        server.kill()


def test_a_user_may_be_a_number_without_a_name(serve_as):
    server = serve_as(123456, 123457).start()
    try:
        assert server.get("/identity").content.split()[:2] == [b"123456", b"123457"]
        server.stop_cleanly()
    finally:
        server.kill()


def test_an_unknown_user_is_an_error_before_anything_starts():
    completed = run(PROBE, "--bind", "127.0.0.1:0", "--user", "no-such-user")
    assert completed.returncode == 1 and "there is no user 'no-such-user'" in completed.stderr
    completed = run(PROBE, "--bind", "127.0.0.1:0", "--user", "123456")
    assert completed.returncode == 1 and "say --group too" in completed.stderr


def test_a_socket_of_the_service_manager_is_taken(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # The process must say LISTEN_PID itself, and have the socket as descriptor 3.
        code = (
            f"import os; os.dup2({listener.fileno()}, 3); os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1');"
            f"os.execv({sys.executable!r}, [{sys.executable!r}, '-m', 'brickwork', {PROBE!r}])"
        )
        server = Server(tmp_path, PROBE, "--bind", "127.0.0.1:0", pass_fds=(listener.fileno(),))
        server.command = [sys.executable, "-c", code]
        server.start()
        try:
            assert server.port == listener.getsockname()[1]
            assert server.get("/env?LISTEN_FDS").content == b"None"
        finally:
            server.stop_cleanly()


def test_the_service_manager_is_told(serve, tmp_path):
    path = tmp_path / "notify.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.settimeout(15)

        def told():
            return manager.recv(4096).decode().splitlines()[0]

        with serve(PROBE, env={"NOTIFY_SOCKET": str(path)}) as server:
            assert told() == "READY=1"
            assert server.get("/env?NOTIFY_SOCKET").content == b"None"
            server.signal(signal.SIGHUP)
            assert [told(), told()] == ["RELOADING=1", "READY=1"]
            server.stop()
            assert told() == "STOPPING=1"


def test_orphans_of_the_application_are_buried(serve, tmp_path):
    (tmp_path / "orphans.py").write_text(
        """
import subprocess

def application(environ, start_response):
    shell = subprocess.run(["sh", "-c", "sleep 0.2 & echo $!"], stdout=subprocess.PIPE)
    start_response("200 OK", [])
    return [shell.stdout]
"""
    )
    with serve("orphans:application", cwd=tmp_path) as server:
        orphan = int(server.get("/").content)
        wait_until(lambda: not os.path.exists(f"/proc/{orphan}"), f"process {orphan} to be reaped")


def spread_of_64_connections(server):
    """How many each worker that has any has got."""
    connections = [server.connect() for _ in range(64)]
    pids = collections.Counter(connection.exchange(get("/")).content for connection in connections)
    for connection in connections:
        connection.close()
    return sorted(pids.values())


@pytest.mark.parametrize("count", [2, 4])
def test_keep_alive_connections_are_spread_over_the_workers(serve, count):
    with serve(PROBE, "-w", str(count)) as server:
        wait_for_workers(server, count)
        # A worker that the kernel does not run for a while, because the machine is busy, takes none: three attempts.
        spreads = [spread_of_64_connections(server) for _ in range(3)]
        print(f"spread of 64 connections over {count} workers: {spreads}")
        assert any(len(spread) == count and spread[0] >= 64 // count // 2 for spread in spreads), spreads


def test_web_concurrency_is_the_number_of_workers_and_plan_tells_why(serve):
    with serve(PROBE, env={"WEB_CONCURRENCY": "2"}) as server:
        wait_for_workers(server, 2)
    plan = run("plan", "-w", "auto")
    assert plan.returncode == 0 and "processors can be used" in plan.stdout and "memory" in plan.stdout


def test_preload_imports_once_and_forks_workers_from_there(serve, tmp_path):
    (tmp_path / "once.py").write_text(
        """
import gc, os, socket, threading

IMPORTED_BY = os.getpid()
listener = socket.create_server(("127.0.0.1", 0))
client = socket.create_connection(listener.getsockname())
threading.Thread(target=threading.Event().wait, name="heartbeat", daemon=True).start()
hooks = []
os.register_at_fork(after_in_child=lambda: hooks.append(os.getpid()))

def application(environ, start_response):
    start_response("200 OK", [])
    return [f"{IMPORTED_BY} {os.getpid()} {hooks[-1]} {gc.get_freeze_count()}".encode()]
"""
    )
    with serve("once:application", "--preload", "-w", "2", cwd=tmp_path) as server:
        wait_for_workers(server, 2)
        answers = {tuple(map(int, server.get("/").content.split())) for _ in range(32)}
        assert len({importer for importer, *_ in answers}) == 1
        for importer, worker, hooked, frozen in answers:
            assert importer != worker == hooked and frozen > 1000
        server.wait_for_log("started while the application was imported do not run in workers: heartbeat")
        server.wait_for_log(r"connections made while the application was imported .*127\.0\.0\.1:\d+")
        zygote = next(iter(answers))[0]
        kill(zygote)
        kill(workers(server)[0])
        wait_for_workers(server, 2)
    assert not is_alive(zygote)


def test_a_supervisor_does_not_start_on_an_address_that_is_taken(serve):
    with serve(PROBE) as server:
        second = run(PROBE, "--bind", f"127.0.0.1:{server.port}")
        assert second.returncode == 1 and "Address already in use" in second.stderr


def test_a_child_s_command_line_is_not_for_people():
    completed = subprocess.run(
        [sys.executable, "-m", "brickwork", "@worker,version=0,generation=1,control=90,board=92,place=0,first=0,listeners=91", PROBE],
        capture_output=True, text=True, timeout=20,
    )
    assert completed.returncode == 2 and "children of a brickwork supervisor" in completed.stderr
