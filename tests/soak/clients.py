"""Clients of every kind, each a thread with its own random numbers: what they do is repeatable, when they do it is not."""

import collections
import hashlib
import random
import threading
import time

from harness.request import chunked, get, pieces, post
from harness.response import Incomplete

# Longer than a stopped worker takes to be noticed and replaced.
PATIENCE = 60


class Client(threading.Thread):
    """Does one thing after the other until told to stop."""

    def __init__(self, name, seed, server, losses, acts):
        super().__init__(name=name, daemon=True)
        self.random = random.Random(f"{seed}/{name}")
        self.server, self.losses, self.acts = server, losses, acts
        self.counts = collections.Counter()
        self.is_over = threading.Event()
        self.pid = None
        self.began = time.monotonic()

    def run(self):
        while not self.is_over.is_set():
            act = self.random.choice(self.acts)
            self.pid, self.began = None, time.monotonic()
            try:
                act(self)
                self.counts[act.__name__] += 1
            except (OSError, Incomplete, AssertionError) as error:
                self.losses.report(self.began, self.pid, f"{act.__name__}: {error!r}"[:300])

    def connect(self, **options):
        connection = self.server.connect(**options)
        connection.stream.settimeout(PATIENCE)
        return connection

    def exchange(self, connection, data, expected=(200,), method="GET"):
        self.began = time.monotonic()
        connection.send(data)
        return self.receive(connection, expected, method)

    def receive(self, connection, expected=(200,), method="GET"):
        response = connection.receive(method)
        worker = response.field("X-Worker")
        self.pid = int(worker) if worker else self.pid
        assert response.status in expected, f"{response.status} {bytes(response.content[:100])!r}"
        return response

    def some_get(self):
        """A request that every worker answers soon, and what its content must be; None: anything."""
        return self.random.choice(
            [
                (get("/version"), None),
                (get("/flask/"), b"hello from flask"),
                (get("/bottle/"), b"hello from bottle"),
                (get("/flask/names/%C3%A9"), None),
                (get("/bottle/query?a=1&a=2"), None),
                (get(f"/sleep?{self.random.uniform(0, 0.05):.3f}"), b"slept"),
                (get("/stream?3"), None),
                (get("/healthz/live"), None),
            ]
        )


def browse(client):
    """Several requests on a connection."""
    with client.connect() as connection:
        for _ in range(client.random.randint(1, 30)):
            data, content = client.some_get()
            response = client.exchange(connection, data)
            assert content in (None, response.content), response.content[:100]
            if response.is_last:
                return


def visit(client):
    """One request on a connection."""
    with client.connect() as connection:
        data, content = client.some_get()
        response = client.exchange(connection, data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        assert content in (None, response.content)
        connection.read_to_end()


def pipeline(client):
    """Several requests at once. Those behind an answer that is the last are not answered, and need not be."""
    with client.connect() as connection:
        count = client.random.randint(2, 8)
        client.began = time.monotonic()
        connection.send(b"".join(get("/version") for _ in range(count)))
        for _ in range(count):
            if client.receive(connection).is_last:
                return


def upload(client):
    """Content of up to 2 MiB, with a length or in chunks, at once or in parts."""
    content = client.random.randbytes(client.random.choice([1, 1000, 70_000, 600_000, 2_000_000]))
    target = client.random.choice(["/digest", "/flask/raw", "/bottle/raw"])
    if client.random.random() < 0.3:
        data = post(target, chunked(*pieces(content, 10_000)), "Transfer-Encoding: chunked")
    else:
        data = post(target, content)
    with client.connect() as connection:
        client.began = time.monotonic()
        connection.send(*pieces(data, client.random.choice([5_000, 200_000, len(data)])))
        response = client.receive(connection)
        assert hashlib.sha256(content).hexdigest().encode() in response.content, "another content arrived"


def stream(client):
    """A stream, read as fast as it comes."""
    count = client.random.randint(1, 2000)
    with client.connect() as connection:
        response = client.exchange(connection, get(f"/stream?{count}"))
        check_stream(response.content, count)


def read_slowly(client):
    """A stream to a client that has little room and takes its time."""
    count = client.random.randint(100, 400)
    with client.connect(receive_buffer=8192) as connection:
        client.began = time.monotonic()
        connection.send(get(f"/stream?{count}"))
        connection.line = slowed(connection.line, client, 0.2)
        connection.exactly = slowed(connection.exactly, client, 0.01)
        check_stream(client.receive(connection).content, count)


def slowed(read, client, most):
    def read_later(*arguments):
        client.is_over.wait(client.random.uniform(0, most) * 0.05)
        return read(*arguments)

    return read_later


def check_stream(content, count):
    assert len(content) == count << 10, f"{len(content)} bytes of {count << 10}"
    assert content.endswith(b"%1023d\n" % (count - 1)), content[-20:]


def send_slowly(client):
    """A head and a content that drip."""
    data = post("/digest", b"x" * client.random.randint(1, 40))
    with client.connect() as connection:
        client.began = time.monotonic()
        for piece in pieces(data, client.random.randint(3, 20)):
            connection.send(piece)
            client.is_over.wait(0.02)
        client.receive(connection)


def be_late(client):
    """A request that takes longer than its deadline: 504, and its worker lives on."""
    target = client.random.choice(["/sleep?9", "/forever"])
    with client.connect() as connection:
        client.exchange(connection, get(target), expected=(504,))


def hold(client):
    """A C call that holds the interpreter lock for a while; then as ever."""
    with client.connect() as connection:
        client.exchange(connection, get(f"/hold?{client.random.uniform(0.05, 0.5):.2f}"))


def be_rude(client):
    """What no client should do. What comes back, and whether anything does, is nobody's concern."""
    random = client.random
    client.is_over.wait(random.uniform(0, 0.1))
    try:
        with client.connect() as connection:
            kind = random.randrange(6)
            if kind == 0:
                connection.send(random.randbytes(random.randint(1, 3000)))
            elif kind == 1:
                connection.send(post("/digest", b"x" * 5000)[: random.randint(1, 5000)])
            elif kind == 2:
                connection.send(get(f"/stream?{random.randint(1, 3000)}"))
                connection.stream.recv(random.randint(1, 20_000))
            elif kind == 3:
                connection.send(get("/sleep?0.3"))
                connection.half_close()
            elif kind == 4:
                connection.send(b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n")
                connection.stream.recv(1000)
            else:
                connection.send(get("/sleep?0.2") * 20)
            connection.leave()
    except OSError:
        pass


POLITE = [browse, browse, visit, visit, pipeline, upload, stream]
SLOW = [read_slowly, send_slowly]
RUDE = [be_rude]
LATE = [be_late, hold, hold, hold]
