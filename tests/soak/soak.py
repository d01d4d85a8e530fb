"""The soak: minutes of mixed load while processes are killed, reloaded and broken. Run it with `make soak`.

Nothing may be lost but what a killed process held; no descriptors, no memory, no threads and no zombies may be left
behind. What the clients and the chaos do follows from SEED, which is printed; when they do it, of course, does not.
"""

import argparse
import collections
import os
import pathlib
import shutil
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import chaos  # noqa: E402
import clients  # noqa: E402
from harness.deadline import wait_until  # noqa: E402
from harness.processes import alive, is_alive, wait_for_workers, workers  # noqa: E402
from harness.server import APPS, Server  # noqa: E402
from losses import Losses  # noqa: E402

WORKERS = 3
SETTINGS = (
    *("--workers", str(WORKERS), "--health-path", "/healthz", "--access-logfile", "none"),
    *("--timeout", "4s", "--hang-timeout", "5s", "--graceful-timeout", "20s", "--max-requests", "30000"),
    *("--max-requests-jitter", "10000", "--max-worker-rss", "400MiB", "--threads", "16"),
)
# The part of the time in which nobody is killed, so that what grows can be seen growing.
CALM = 0.25
MEMORY_GROWTH = 8 << 20


class Soak:
    def __init__(self, seconds, seed, directory):
        self.seconds, self.seed = seconds, seed
        path = directory / "soak_app.py"
        shutil.copy(HERE / "soak_app.py", path)
        # With an arena for each of the first threads, glibc keeps so much that a leak could hide in it.
        environment = {"PYTHONPATH": str(APPS), "PYTHONDONTWRITEBYTECODE": "1", "MALLOC_ARENA_MAX": "1"}
        self.server = Server(directory, "soak_app:application", *SETTINGS, cwd=directory, env=environment)
        self.losses = Losses()
        self.chaos = chaos.Chaos(seed, self.server, self.losses, path, WORKERS)
        self.events = collections.Counter()
        self.zombies = collections.Counter()
        self.faults = []
        self.crowd = []

    def run(self):
        self.server.start()
        try:
            wait_for_workers(self.server, WORKERS)
            self.before = {pid: Usage(pid) for pid in [self.server.process.pid, *alive(self.server)]}
            self.fresh = Usage(alive(self.server)[0])
            self.gather()
            self.disturb(self.seconds * (1 - CALM))
            self.calm(self.seconds * CALM)
            self.disperse()
            self.check_what_is_left()
            self.server.stop_cleanly()
            wait_until(lambda: not any(map(is_alive, workers(self.server))), "all workers to end")
        except BaseException:
            print(self.server.describe())
            raise
        finally:
            self.server.kill()
        self.judge()

    def gather(self):
        polite, slow = ("polite", 6, clients.POLITE), ("slow", 3, clients.SLOW)
        kinds = [polite, slow, ("rude", 2, clients.RUDE), ("late", 1, clients.LATE)]
        for kind, count, acts in kinds:
            for number in range(count):
                self.crowd.append(clients.Client(f"{kind}-{number}", self.seed, self.server, self.losses, acts))
        for client in self.crowd:
            client.start()

    def disturb(self, seconds):
        end, is_over = time.monotonic() + seconds, threading.Event()
        while time.monotonic() < end:
            name, outcome = self.chaos.next()
            self.events[name] += 1
            self.look_for_zombies()
            print(f"{end - time.monotonic() + self.seconds * CALM:5.0f} s left: {name} {outcome or ''}", flush=True)
            chaos.pause(self.chaos.random, is_over)

    def calm(self, seconds):
        """Nobody is killed: what a worker uses at a third of the time it uses at the end, or less."""
        self.chaos.events = [self.chaos.ask_for_status]
        wait_until(lambda: len(alive(self.server)) == WORKERS, "the workers", chaos.LONG)
        time.sleep(seconds / 3)
        early = {pid: Usage(pid) for pid in [self.server.process.pid, *alive(self.server)]}
        time.sleep(seconds * 2 / 3)
        for pid, usage in early.items():
            if is_alive(pid):
                growth = Usage(pid).memory - usage.memory
                print(f"process {pid}: {usage.memory >> 20} MiB and {growth >> 10} KiB more in {seconds * 2 / 3:.0f} s")
                if growth > MEMORY_GROWTH:
                    self.faults.append(f"process {pid} grew by {growth >> 20} MiB in the calm")

    def disperse(self):
        for client in self.crowd:
            client.is_over.set()
        for client in self.crowd:
            client.join(clients.PATIENCE)
            if client.is_alive():
                self.faults.append(f"client {client.name} waits for an answer that does not come")

    def look_for_zombies(self):
        """A zombie that is seen twice was not buried."""
        found = set(zombies_of(self.server.process.pid))
        self.zombies = collections.Counter({pid: self.zombies[pid] + 1 for pid in found})
        self.faults += [f"process {pid} is not buried" for pid, times in self.zombies.items() if times == 2]

    def check_what_is_left(self):
        """With nobody connected, a worker has the descriptors of a fresh one; its threads leave after a while."""
        supervisor = self.server.process.pid
        wait_until(lambda: len(alive(self.server)) == WORKERS, "the workers", chaos.LONG)
        for pid in alive(self.server):
            self.settle(pid, "descriptors", lambda: Usage(pid).descriptors <= self.fresh.descriptors)
            self.settle(pid, "threads", lambda: Usage(pid).threads <= self.fresh.threads + 1)
        self.settle(
            supervisor, "descriptors", lambda: Usage(supervisor).descriptors <= self.before[supervisor].descriptors
        )
        growth = Usage(supervisor).memory - self.before[supervisor].memory
        if growth > 8 << 20:
            self.faults.append(f"the supervisor grew by {growth >> 20} MiB")
        self.look_for_zombies()

    def settle(self, pid, what, claim):
        try:
            wait_until(claim, what, 60)
        except AssertionError:
            self.faults.append(f"process {pid} keeps {what}: {Usage(pid)}, a fresh worker {self.fresh}, {names(pid)}")

    def judge(self):
        counts = sum((client.counts for client in self.crowd), collections.Counter())
        unexcused = self.losses.unexcused()
        excused = sum(outage.losses for outage in self.losses.outages)
        print(f"clients: {dict(counts)}")
        print(f"events: {dict(self.events)}")
        print(f"workers: {len(workers(self.server))}; requests lost with killed ones: {excused}")
        for outage in self.losses.outages:
            # Each client has one thing in hand. One that hangs for seconds may cost a client more than that.
            if outage.why in ("killed", "crashed") and outage.losses > len(self.crowd):
                self.faults.append(f"{outage.losses} losses with worker {outage.pid}, which was {outage.why}")
        log = self.server.log()
        self.faults += [f"lost: {one}" for one in unexcused]
        self.faults += [f"the log says {words!r}" for words in ("panicked at", "a fault in the server") if words in log]
        for client in self.crowd:
            if not sum(client.counts.values()):
                self.faults.append(f"client {client.name} got nothing done")


class Usage:
    """What a process uses."""

    def __init__(self, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.partition(":")[::2] for line in status.splitlines())
        self.memory = int(fields["VmRSS"].split()[0]) << 10
        self.threads = int(fields["Threads"])
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))

    def __repr__(self):
        return f"{self.memory >> 20} MiB, {self.threads} threads, {self.descriptors} descriptors"


def names(pid):
    """What its descriptors and threads are, for a report."""
    links = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]
    tasks = pathlib.Path(f"/proc/{pid}/task").iterdir()
    threads = [(task / "comm").read_text().strip() for task in tasks]
    return sorted(links), sorted(threads)


def zombies_of(parent):
    for process in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = process.read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(ppid) == parent:
            yield int(process.parent.name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", default=None)
    options = parser.parse_args()
    seed = options.seed or str(int.from_bytes(os.urandom(4), "big"))
    print(f"soak: {options.seconds:.0f} s, SEED={seed}", flush=True)
    directory = pathlib.Path(tempfile.mkdtemp(prefix="brickwork-soak-"))
    soak = Soak(options.seconds, seed, directory)
    soak.run()
    if soak.faults:
        print(*soak.faults[:30], sep="\n")
        print(f"{len(soak.faults)} faults; SEED={seed}; the log is {soak.server.log_path}")
        return 1
    shutil.rmtree(directory)
    print(f"green; SEED={seed}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
