"""Brick 5: many at once, in one thread. The kernel says which connection can go on; none is waited for.

    python examples/bricks/brick5_many.py 8080

Open a hundred connections that say nothing: they cost a little memory, and everybody else is answered.
"""

import selectors
import socket
import sys


class Connection:
    """What is known of one connection between two events."""

    def __init__(self, client):
        self.client = client
        self.received = b""
        self.unsent = b""


class Loop:
    def __init__(self, listener):
        self.listener = listener
        self.selector = selectors.DefaultSelector()
        listener.setblocking(False)
        self.selector.register(listener, selectors.EVENT_READ)

    def turn(self):
        """Wait until something can go on, and carry it as far as it goes."""
        for key, _ in self.selector.select():
            if key.data is None:
                self.accept()
            else:
                try:
                    self.write(key.data) if key.data.unsent else self.read(key.data)
                except OSError:
                    self.close(key.data)

    def accept(self):
        client, _ = self.listener.accept()
        client.setblocking(False)
        self.selector.register(client, selectors.EVENT_READ, Connection(client))

    def read(self, connection):
        data = connection.client.recv(65536)
        connection.received += data
        if not data:
            self.close(connection)
        elif b"\r\n\r\n" in connection.received:
            connection.unsent = respond(connection.received)
            self.write(connection)

    def write(self, connection):
        # The kernel takes what fits; the rest waits until the client has read some. Waiting here would stop everybody.
        sent = connection.client.send(connection.unsent)
        connection.unsent = connection.unsent[sent:]
        if connection.unsent:
            self.selector.modify(connection.client, selectors.EVENT_WRITE, connection)
        else:
            self.close(connection)

    def close(self, connection):
        self.selector.unregister(connection.client)
        connection.client.close()


def respond(request):
    """Called on the loop's own thread. If this sleeps, all sleep."""
    text = request.partition(b"\r\n")[0] + b"\n"
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(text), text)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8080)) as listener:
        print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
        loop = Loop(listener)
        while True:
            loop.turn()
