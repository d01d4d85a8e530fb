"""Which losses are excused: those that a process took with it when it was killed, and no others."""

import dataclasses
import threading
import time


@dataclasses.dataclass
class Outage:
    """A worker that cannot be relied on, from when it was struck until it was gone."""

    pid: int
    why: str
    began: float
    ended: float = float("inf")
    losses: int = 0


# A loss is noticed at the client some time after it happened: the machine is busy.
NOTICED = 2.0


class Losses:
    def __init__(self):
        self.lock = threading.Lock()
        self.outages = []
        self.suspects = []

    def strike(self, pid, why):
        with self.lock:
            outage = Outage(pid, why, time.monotonic())
            self.outages.append(outage)
            return outage

    def over(self, outage):
        outage.ended = time.monotonic()

    def report(self, began, pid, what):
        """A request that began then was not answered as it should have been; `pid` is its worker, if known."""
        with self.lock:
            self.suspects.append((began, time.monotonic(), pid, what))

    def unexcused(self):
        """Judged in the end, when all is known."""
        guilty = []
        for began, ended, pid, what in self.suspects:
            outage = next((one for one in self.outages if self.covers(one, began, ended, pid)), None)
            if outage is None:
                guilty.append(f"{what} (worker {pid}, after {ended - began:.2f} s)")
            else:
                outage.losses += 1
        return guilty

    def covers(self, outage, began, ended, pid):
        is_same = pid is None or pid == outage.pid
        return is_same and began <= outage.ended + NOTICED and ended >= outage.began
