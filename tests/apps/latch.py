"""Requests that wait for one another: each path names what it does, the query string names the latch or the file.

`/wait` blocks until `/release`; `/wait-for-file` until the file exists; `/waiting` says how many wait now.
"""

import os
import threading
import time
from collections import Counter, defaultdict
from wsgiref.validate import validator

# Seconds after which a wait that nobody ends is answered all the same, as a failure.
LONGEST = 40

latches = defaultdict(threading.Event)
waiting = Counter()
lock = threading.Lock()


def wait(name):
    return latches[name].wait(LONGEST)


def wait_for_file(path):
    deadline = time.monotonic() + LONGEST
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def application(environ, start_response):
    path, name = environ["PATH_INFO"], environ["QUERY_STRING"]
    status, body = "200 OK", path
    if path == "/release":
        latches[name].set()
    elif path == "/waiting":
        body = str(waiting[name])
    elif path in ("/wait", "/wait-for-file"):
        with lock:
            waiting[name] += 1
        if not (wait if path == "/wait" else wait_for_file)(name):
            status = "504 Nobody released it"
        with lock:
            waiting[name] -= 1
    start_response(status, [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body.encode()]


validated = validator(application)
