"""One server under measurement: started on a core of its own, asked what it used, ended.

Processor time is that of the kernel's clock for each process of the tree (nanoseconds, all its threads, also those that
have ended), not the ticks of 10 ms in /proc/PID/stat.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from .peers import BENCH, Peer

# Seconds a server has to start, and to go when told.
PATIENCE = 20


class DidNotStart(Exception):
    pass


class ServerProcess:
    def __init__(self, peer: Peer, app: str, cores: set[int], scratch: Path, environment: dict[str, str]):
        self.peer, self.port = peer, free_port()
        self.log_path = scratch / f"{peer.name}.log"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRICKWORK_")}
        # Not every server looks in the current directory.
        inherited["PYTHONPATH"] = os.pathsep.join([str(BENCH / "apps"), *peer.python_path])
        self.started = time.monotonic()
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                peer.command(app, self.port, scratch),
                cwd=BENCH / "apps",
                env=inherited | environment | peer.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        try:
            self.wait_until_reachable()
        except BaseException:
            self.end()
            raise

    def age(self) -> float:
        """Seconds since it was started."""
        return time.monotonic() - self.started

    def wait_until_reachable(self) -> None:
        while self.age() < PATIENCE:
            if self.process.poll() is not None:
                raise DidNotStart(f"exit {self.process.returncode}: {self.last_log_line()}")
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.002)
        raise DidNotStart(f"not reachable after {PATIENCE} s: {self.last_log_line()}")

    def last_log_line(self) -> str:
        return (self.log_path.read_text(errors="replace").strip().splitlines() or ["it said nothing"])[-1]

    def processes(self) -> list[int]:
        """The process and its descendants."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    waiting += [int(word) for word in children.read_text().split()]
                except OSError:
                    pass
        return found

    def processor_time(self) -> float:
        """Seconds used so far by all of its processes."""
        return sum(time.clock_gettime(processor_clock(pid)) for pid in self.processes())

    def resident(self) -> int:
        """Bytes of memory at their most, pages shared between its processes counted once for each."""
        lines = [line for pid in self.processes() for line in Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

    def is_running(self) -> bool:
        return self.process.poll() is None

    def end(self) -> None:
        """TERM, and KILL for the whole group if that is not enough (bjoern and fastwsgi wait for ever)."""
        for number, patience in [(signal.SIGTERM, 0.5), (signal.SIGKILL, PATIENCE)]:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass
            try:
                self.process.wait(patience)
            except subprocess.TimeoutExpired:
                continue
        self.process.wait()


def processor_clock(pid: int) -> int:
    """What clock_getcpuclockid(3) returns: the complement of the pid, and "scheduler time of the whole process"."""
    return (~pid << 3) | 2


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]
