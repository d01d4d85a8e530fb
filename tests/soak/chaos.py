"""What happens to the server meanwhile: deaths, reloads, broken deployments, more and fewer workers."""

import os
import random
import re
import signal
import threading

from harness.deadline import wait_until
from harness.processes import alive, deploy, is_alive
from harness.request import get
from harness.server import run

# Seconds that anything may take on a busy machine.
LONG = 90
BROKEN = "def application(:\n"


class Chaos:
    """Each method is one event; it returns when the server has come to terms with it."""

    def __init__(self, seed, server, losses, path, workers):
        self.random = random.Random(f"{seed}/chaos")
        self.server, self.losses, self.path, self.workers = server, losses, path, workers
        self.good = path.read_text()
        self.version = 1
        self.events = [
            *[self.kill] * 4,
            *[self.crash] * 3,
            *[self.reload] * 4,
            *[self.break_and_repair] * 2,
            *[self.more_and_fewer] * 2,
            self.end_a_worker,
            self.stop_a_worker,
            self.deadlock,
            self.rotate_logs,
            self.ask_for_status,
        ]

    def next(self):
        event = self.random.choice(self.events)
        return event.__name__, event()

    def victim(self):
        wait_until(lambda: len(alive(self.server)) >= self.workers, "all workers", LONG)
        return self.random.choice(alive(self.server))

    def strike(self, number, why):
        pid = self.victim()
        outage = self.losses.strike(pid, why)
        os.kill(pid, number)
        self.wait_for_end(pid)
        self.losses.over(outage)
        return f"worker {pid}"

    def wait_for_end(self, pid):
        wait_until(lambda: not is_alive(pid), f"worker {pid} to end", LONG)
        self.server.wait_for_log(rf"worker {pid} \(generation \d+\) (exited|was killed)")

    def kill(self):
        return self.strike(signal.SIGKILL, "killed")

    def crash(self):
        return self.strike(signal.SIGSEGV, "crashed")

    def stop_a_worker(self):
        """It hangs, is noticed, replaced and killed."""
        text = self.strike(signal.SIGSTOP, "stopped")
        assert f"{text} (generation" in self.server.log() and " hangs: " in self.server.log()
        return text

    def deadlock(self):
        """A request that never gives the interpreter lock back."""
        with self.server.connect() as connection:
            pid = int(connection.exchange(get("/version")).field("X-Worker"))
            outage = self.losses.strike(pid, "deadlocked")
            connection.send(get("/deadlock"))
            self.wait_for_end(pid)
            self.losses.over(outage)
        return f"worker {pid}"

    def end_a_worker(self):
        """Nothing is lost: it is told to end, and drains."""
        pid = self.victim()
        os.kill(pid, signal.SIGTERM)
        self.wait_for_end(pid)
        return f"worker {pid}"

    def ask_for_reload(self):
        return run("reload", "--wait", str(self.server.process.pid))

    def reload(self):
        self.version += 1
        deploy(self.path, re.sub(r'VERSION = "\d+"', f'VERSION = "{self.version}"', self.good))
        completed = self.ask_for_reload()
        assert completed.returncode == 0, completed.stderr
        assert int(self.server.get("/version").content) == self.version
        return f"version {self.version}"

    def break_and_repair(self):
        deploy(self.path, BROKEN)
        completed = self.ask_for_reload()
        assert completed.returncode == 1 and "SyntaxError" in completed.stderr, completed.stderr
        assert int(self.server.get("/version").content) == self.version
        return self.reload()

    def more_and_fewer(self):
        self.server.signal(signal.SIGTTIN)
        wait_until(lambda: len(alive(self.server)) > self.workers, "one worker more", LONG)
        self.server.signal(signal.SIGTTOU)
        wait_until(lambda: len(alive(self.server)) == self.workers, "one worker fewer", LONG)

    def rotate_logs(self):
        self.server.signal(signal.SIGUSR1)

    def ask_for_status(self):
        completed = run("status", str(self.server.process.pid))
        assert completed.returncode == 0 and "all, with " in completed.stdout, completed.stderr
        return completed.stdout.splitlines()[-1]


def pause(random_generator, is_over: threading.Event):
    """Between two events."""
    is_over.wait(random_generator.uniform(0.2, 3))
