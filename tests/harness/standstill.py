"""Whether the machine ran at all: a virtual processor may be taken away for a second, and who runs on it then stands still for no
fault of his own."""

import os
import threading
import time

# Seconds.
INTERVAL = 0.01


class Standstill:
    """A context that watches each processor with a thread of its own, which does nothing but wake up in time."""

    def __init__(self):
        self.gaps = dict.fromkeys(os.sched_getaffinity(0), 0.0)
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.watch, args=(processor,)) for processor in self.gaps]

    def watch(self, processor):
        os.sched_setaffinity(threading.get_native_id(), {processor})
        before = time.monotonic()
        while not self.over.wait(INTERVAL):
            now = time.monotonic()
            self.gaps[processor] = max(self.gaps[processor], now - before)
            before = now

    def longest(self):
        """Seconds."""
        return max(self.gaps.values())

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()
