"""What the log says of a worker that ended, and what becomes of one that stands still or grows."""

import contextlib
import os
import pathlib
import re
import shutil
import signal
import sys

import pytest
from harness.deadline import wait_until
from harness.load import Load
from harness.processes import alive, application, is_alive, kill, wait_for_workers
from harness.request import get
from harness.server import APPS, Server, run
from harness.standstill import Standstill

PROBE = "deaths_probe:application"


def pid_of(server):
    return int(server.get("/").content.split()[0])


def send_and_lose(server, target):
    """Sends a request that the worker does not survive."""
    with server.connect() as connection:
        connection.send(get(target))
        connection.expect_close()


@pytest.mark.parametrize("arguments", [(), ("--preload",)], ids=["plain", "preload"])
def test_a_crash_is_certified_with_its_signal_its_requests_and_its_stacks(serve, tmp_path, arguments):
    with serve(PROBE, *arguments) as server, server.connect() as other:
        first = pid_of(server)
        other.send(get(f"/wait-for-file?{tmp_path}/never"))
        # Read together with the next request, it might only wait for its turn: in flight, but on no stack.
        wait_until((tmp_path / "never.awaited").exists, "the first call to begin")
        send_and_lose(server, "/crash?SIGSEGV")
        line = server.wait_for_log(rf"worker {first} \(generation 1\) was killed by SIGSEGV.*").group()
        assert re.search(r"it lived for [\d.]+s, had 3 requests and at most \d+ MiB; in flight: ", line), line
        # Names of the query are shown, values are not.
        assert "GET /wait-for-file?[redacted] (" in line and "GET /crash?[redacted] (" in line, line
        assert line.endswith("; its last stacks:")
        server.wait_for_log("  Fatal Python error: Segmentation fault\n")
        assert 'deaths_probe.py", line' in server.log() and "in segfault_in_c" in server.log()
        assert "in wait_for_file" in server.log()
        wait_for_workers(server, 1)
        # A replacement begins with nothing on its account.
        second = pid_of(server)
        kill(second)
        server.wait_for_log(rf"worker {second} .* was killed by SIGKILL; .*1 requests .*; nothing was in flight\n")


@pytest.mark.parametrize("name", ["SIGABRT", "SIGBUS", "SIGFPE"])
def test_other_crashes_show_stacks_too(serve, name):
    with serve(PROBE) as server:
        send_and_lose(server, f"/crash?{name}")
        server.wait_for_log(f"was killed by {name}.*its last stacks:\n  Fatal Python error")


def test_a_worker_that_ends_itself_is_told_by_its_status(serve):
    with serve(PROBE) as server:
        first = pid_of(server)
        send_and_lose(server, "/exit?7")
        line = server.wait_for_log(rf"worker {first} \(generation 1\) exited with status 7;.*").group()
        assert "in flight: GET /exit?[redacted]" in line and "stacks" not in line


def test_also_an_orderly_end_has_its_line(serve):
    with serve(PROBE) as server:
        first = pid_of(server)
        server.signal(signal.SIGHUP)
        end = "exited with status 0; it lived for .*, had 1 requests .*; nothing was in flight\n"
        server.wait_for_log(rf"\[INFO\] .* worker {first} \(generation 1\) {end}")


def test_a_crash_while_it_starts_shows_its_stacks(tmp_path):
    (tmp_path / "dies.py").write_text("import faulthandler\n\ndef boom():\n    faulthandler._sigsegv()\n\nboom()\n")
    completed = run("dies:app", "--bind", "127.0.0.1:0", cwd=tmp_path)
    assert completed.returncode == 1 and "was killed by SIGSEGV" in completed.stderr
    assert "in boom" in completed.stderr and "Fatal Python error" in completed.stderr


def memory_cgroup():
    """A new memory cgroup beneath our own, of either version; skips, and says why, where there can be none."""
    membership = pathlib.Path("/proc/self/cgroup").read_text()
    version_1 = re.search(r"^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$", membership, re.M)
    version_2 = re.search(r"^0::(.*)$", membership, re.M)
    if version_1:
        parent, limit = pathlib.Path(f"/sys/fs/cgroup/memory{version_1[1]}"), "memory.limit_in_bytes"
    elif version_2:
        parent, limit = pathlib.Path(f"/sys/fs/cgroup{version_2[1]}"), "memory.max"
    else:
        pytest.skip("this system has no memory cgroups")
    path = parent / f"brickwork-test-{os.getpid()}"
    try:
        path.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    if not (path / limit).exists():
        path.rmdir()
        pytest.skip("the memory controller is not passed on to new cgroups here")
    return path, limit


@contextlib.contextmanager
def cgroup(limit):
    path, file = memory_cgroup()
    try:
        (path / file).write_text(str(limit))
        for swap in ["memory.memsw.limit_in_bytes", "memory.swap.max"]:
            with contextlib.suppress(OSError):
                (path / swap).write_text(str(limit) if "memsw" in swap else "0")
        yield path
    finally:
        wait_until(lambda: not (path / "cgroup.procs").read_text(), "the processes of the cgroup to end")
        path.rmdir()


def test_the_kernels_out_of_memory_killer_is_named_and_no_other_killer_is_mistaken_for_it(serve):
    with cgroup(200 << 20) as path, serve(PROBE, env={"CGROUP": str(path)}) as server:
        first = pid_of(server)
        send_and_lose(server, "/allocate?400")
        line = server.wait_for_log(rf"worker {first} \(generation 1\) was killed by SIGKILL.*").group()
        assert "by the kernel's out-of-memory killer (" in line and "in flight: GET /allocate?" in line, line
        wait_for_workers(server, 1)
        second = pid_of(server)
        kill(second)
        line = server.wait_for_log(rf"worker {second} \(generation 1\) was killed by SIGKILL.*").group()
        assert "out-of-memory" not in line
        wait_for_workers(server, 1)
        third = pid_of(server)
        send_and_lose(server, "/crash?SIGSEGV")
        line = server.wait_for_log(rf"worker {third} \(generation 1\) was killed by SIGSEGV.*").group()
        assert "out-of-memory" not in line
        server.stop_cleanly()


@pytest.mark.parametrize("arguments", [(), ("--preload",)], ids=["plain", "preload"])
def test_the_out_of_memory_killer_is_named_when_not_even_the_import_fits(tmp_path, arguments):
    (tmp_path / "large.py").write_text("kept = bytearray(b'x') * (400 << 20)\n")
    with cgroup(150 << 20) as path:
        server = Server(tmp_path, "large:application", *arguments, cwd=tmp_path)
        # The whole server is in the cgroup, as in a container.
        entering = f"import os; open('{path}/cgroup.procs', 'w').write(str(os.getpid())); os.execv({sys.executable!r}, "
        server.command = [sys.executable, "-c", f"{entering}{server.command!r})"]
        server.launch()
        assert server.wait() == 1
        assert "was killed by SIGKILL by the kernel's out-of-memory killer (" in server.log(), server.log()


def test_a_worker_that_has_grown_too_large_is_replaced_before_it_drains(serve):
    with serve(PROBE, "--max-worker-rss", "150MiB") as server:
        first = pid_of(server)
        with Load(server) as load:
            assert server.get("/leak?200").status == 200
            server.wait_for_log(rf"worker {first} .* has \d+ MiB, more than --max-worker-rss allows \(150 MiB\)")
            wait_until(lambda: not is_alive(first), "the large worker to end")
        assert load.answered and not load.failures, load.failures[:3]
        events = re.findall(r"worker \d+ \(generation 1\) is (ready|replaced)", server.log())
        assert events == ["ready", "ready", "replaced"]
        wait_for_workers(server, 1)


def test_a_worker_in_which_nobody_gets_the_interpreter_lock_is_shown_and_replaced(serve):
    with serve(PROBE, "--hang-timeout", "1s", "-w", "2") as server:
        wait_for_workers(server, 2)
        with server.connect() as stuck:
            victim = int(stuck.exchange(get("/")).content.split()[0])
            stuck.send(get("/deadlock?secret=1"))
            line = server.wait_for_log(rf"worker {victim} \(generation 1\) hangs.*").group()
            assert "nobody could get the interpreter lock for 1.0s; in flight: GET /deadlock?secret=[redacted]" in line
            stacks = r"is here:\n(  .*\n)*  .*deaths_probe.py\", line \d+ in application"
            server.wait_for_log(rf"worker {victim} \(generation 1\) {stacks}")
            # Its client is told, and the replacement was ready before.
            response = stuck.receive()
            assert response.status == 503 and response.is_last
        wait_until(lambda: not is_alive(victim), "the stuck worker to end")
        log = server.log()
        assert log.index("still hangs and is replaced") > [m.end() for m in re.finditer("is ready", log)][2]
        server.wait_for_log(rf"worker {victim} \(generation 1\) (exited|was killed)")
        wait_for_workers(server, 2)


def test_a_stopped_worker_is_noticed_and_replaced(serve):
    with serve(PROBE, "--hang-timeout", "1s") as server:
        first = pid_of(server)
        os.kill(first, signal.SIGSTOP)
        server.wait_for_log(rf"worker {first} \(generation 1\) hangs: the event loop has made no turn")
        server.wait_for_log("does not write its stacks")
        wait_until(lambda: not is_alive(first), "the stopped worker to end")
        assert pid_of(server) != first


def test_a_worker_that_goes_on_before_it_is_replaced_ends_in_order(serve, tmp_path):
    path = application(tmp_path, "deaths_probe")
    shutil.copy(APPS / "processes_probe.py", tmp_path)
    with serve(PROBE, "--hang-timeout", "1s", cwd=tmp_path) as server, server.connect() as held:
        first = pid_of(server)
        # The replacement takes its time.
        path.write_text(
            "import os, time\nwhile not os.path.exists('go'):\n    time.sleep(0.01)\n" + path.read_text()
        )
        held.send(get("/hold?3"))
        server.wait_for_log(rf"worker {first} \(generation 1\) hangs")
        assert held.receive().status == 200
        server.wait_for_log(rf"worker {first} \(generation 1\) goes on")
        held.close()
        (tmp_path / "go").touch()
        server.wait_for_log(rf"worker {first} \(generation 1\) is replaced and drains")
        server.wait_for_log(rf"\[INFO\] .* worker {first} \(generation 1\) exited with status 0")


def test_a_long_call_with_the_lock_below_the_bound_harms_nobody(serve):
    with serve(PROBE, "--hang-timeout", "3s") as server:
        first = pid_of(server)
        assert server.get("/hold?2").status == 200
        assert pid_of(server) == first
        assert "hangs" not in server.log()


def test_neither_an_idle_worker_nor_one_whose_requests_wait_hangs(serve, tmp_path):
    for trial in range(3):
        go = tmp_path / f"go-{trial}"
        with serve(PROBE, "--hang-timeout", "800ms", "-w", "3") as server, server.connect() as busy, Standstill() as standstill:
            pids = wait_for_workers(server, 3)
            waiting = int(busy.exchange(get("/")).content.split()[0])
            busy.send(get(f"/wait-for-file?{go}"))
            victims = []
            # A stopped one is the clock: when it has been noticed twice over, the others have had their time too.
            for _ in range(2):
                victim = next(pid for pid in alive(server) if pid not in (waiting, pids[-1]))
                victims.append(victim)
                os.kill(victim, signal.SIGSTOP)
                server.wait_for_log(rf"worker {victim} \(generation 1\) hangs")
                wait_until(lambda: not is_alive(victim), "the stopped worker to end")
                wait_for_workers(server, 3)
            go.touch()
            assert busy.receive().status == 200
            hanging = [int(pid) for pid in re.findall(r"worker (\d+) \(generation 1\) hangs: ", server.log())]
        # Where a processor was away for half of that time, a worker on it could not beat, and this trial says nothing.
        if hanging == victims or standstill.longest() < 0.4:
            break
    assert hanging == victims, (standstill.longest(), server.log())


def test_status_shows_workers_and_adds_up_also_those_that_have_ended(serve):
    with serve(PROBE, "-w", "2", "--name", "deaths") as server:
        wait_for_workers(server, 2)
        for _ in range(5):
            server.get("/")
        kill(pid_of(server))
        wait_for_workers(server, 2)
        server.get("/")
        completed = run("status", str(server.process.pid))
        assert completed.returncode == 0, completed.stderr
        head, *rows, total = completed.stdout.splitlines()
        assert head == f"server {server.process.pid} (deaths): generation 1, 2 workers wanted"
        assert len(rows) == 2 and all(re.search(r"serves, [\d.]+s old, \d+ MiB, connections \d+", row) for row in rows)
        assert total == "all, with 1 that have ended, connections 7, requests 7, refused 0, queued 0, timed out 0"
    assert run("status", "4194304").returncode == 1
