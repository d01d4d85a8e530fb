"""How many calls are inside the application at once: `/` stays for a while, `/most` tells the highest number.

`/stream` is inside while its blocks are made, too: iterating is the application's code as well.
"""

import json
import threading
import time
from wsgiref.validate import validator

lock = threading.Lock()
inside = most = calls = 0
# Seconds; long enough for another thread to come in, if the server lets one.
STAY = 0.005


class Inside:
    def __enter__(self):
        global inside, most, calls
        with lock:
            inside += 1
            calls += 1
            most = max(most, inside)
        time.sleep(STAY)

    def __exit__(self, *_):
        global inside
        with lock:
            inside -= 1


def application(environ, start_response):
    path = environ["PATH_INFO"]
    start_response("200 OK", [("Content-Type", "application/json")])
    if path == "/most":
        return [json.dumps([most, calls, environ["wsgi.multithread"]]).encode()]
    if path == "/stream":
        return stream()
    if path == "/read":
        with Inside():
            environ["wsgi.input"].read(1 << 20)
        return [b"read"]
    with Inside():
        return [b"stayed"]


def stream():
    with Inside():
        for _ in range(5):
            yield b"block "
            time.sleep(STAY)


validated = validator(application)
