"""Constant load while something else happens: clients that send one request after the other and count what fails.

A client with keep-alive follows the rules: it goes on with its connection until an answer says `Connection: close`. If the
connection ends before a single byte of an answer, on a connection that has carried an answer before, it may have crossed with the
server's close: such a request is repeated on a new connection, once, as RFC 9112 section 9.3.1 allows, and counted apart.
"""

import threading

from harness.request import get


class Load:
    """`with Load(server, clients=4) as load: ...`; `load.failures` must be empty in the end."""

    def __init__(self, server, clients=4, keep_alive=True, target="/"):
        self.server, self.keep_alive, self.target = server, keep_alive, target
        self.answered = 0
        self.crossed = 0
        self.failures = []
        self.contents = set()
        self.lock = threading.Lock()
        self.is_over = threading.Event()
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(clients)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join(30)

    def run(self):
        connection, is_used = None, False
        while not self.is_over.is_set():
            try:
                if connection is None:
                    connection, is_used = self.server.connect(), False
                connection.send(get(self.target) if self.keep_alive else get(self.target, "Connection: close"))
                response = connection.receive()
            except Exception as error:  # noqa: BLE001: whatever it was, a request was lost
                with self.lock:
                    if is_used and not (connection and connection.buffer):
                        self.crossed += 1
                    else:
                        self.failures.append(repr(error))
                if connection:
                    connection.close()
                connection = None
                continue
            is_used = True
            with self.lock:
                self.answered += 1
                self.contents.add(bytes(response.content))
                if response.status != 200:
                    self.failures.append(repr(response))
            if not self.keep_alive or response.is_last:
                connection.close()
                connection = None
        if connection:
            connection.close()
