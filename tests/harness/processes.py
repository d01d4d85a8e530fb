"""The processes of a server, as the kernel and the log tell of them."""

import os
import re
import shutil
import signal
import time
from itertools import count

from harness.deadline import wait_until
from harness.server import APPS

READY = re.compile(r"worker (\d+) \(generation (\d+)\) is ready")
DEPLOYMENTS = count(1)


def workers(server):
    """Process ids of all workers that ever got ready, in that order."""
    return [int(pid) for pid, _ in READY.findall(server.log())]


def is_alive(pid):
    """Whether the process runs; a zombie does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def alive(server):
    return [pid for pid in workers(server) if is_alive(pid)]


def wait_for_workers(server, count):
    """Waits until so many workers run that are ready; returns their process ids."""
    wait_until(lambda: len(alive(server)) == count, f"{count} workers of {server!r}, not {alive(server)}")
    return alive(server)


def kill(pid, number=signal.SIGKILL):
    os.kill(pid, number)
    if number == signal.SIGKILL:
        wait_until(lambda: not is_alive(pid), f"process {pid} to end")


def stop(pid):
    """Stops a process, and waits until each of its threads stands still: one on another processor runs a moment longer."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: states(pid) <= {"T", "t"}, f"process {pid} to stop")


def states(pid):
    """The states of a process's threads, each a letter as in /proc."""
    found = set()
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/stat") as stat:
            found.add(stat.read().rpartition(")")[2].split()[0])
    return found


def application(directory, name="processes_probe"):
    """A copy of a probe that a test may edit; returns its path."""
    path = directory / f"{name}.py"
    shutil.copy(APPS / f"{name}.py", path)
    return path


def deploy(path, version):
    """Puts a new version of the code in place, as a deployment does: at once. `version` is its number, or the whole source."""
    draft = path.with_suffix(".new")
    source = re.sub(r'VERSION = "\d+"', f'VERSION = "{version}"', path.read_text()) if isinstance(version, int) else version
    draft.write_text(source)
    # Python takes a source of the same second and length for the one that it has compiled already.
    later = time.time() + 2 * next(DEPLOYMENTS)
    os.utime(draft, (later, later))
    draft.replace(path)
