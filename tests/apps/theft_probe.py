"""What an application can do to the thread that called it: hold the interpreter lock, compute, wait, fork, start threads."""

import contextvars
import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

c = ctypes.PyDLL(None)  # calls through it keep the interpreter lock
gate = threading.Event()
local = threading.local()
context = contextvars.ContextVar("context", default=None)
entered = threading.Semaphore(0)
running = 0
most = 0
lock = threading.Lock()


def hold(environ):
    """Keeps the interpreter lock for so many milliseconds, in C."""
    entered.release()
    c.usleep(int(environ["QUERY_STRING"]) * 1000)
    return "held"


def compute(environ):
    """Computes in Python for so many milliseconds of processor time."""
    end = time.thread_time() + int(environ["QUERY_STRING"]) / 1000
    while time.thread_time() < end:
        pass
    return "computed"


def wait(environ):
    """Waits until `/open` is called."""
    entered.release()
    gate.wait(30)
    return "waited"


def open_gate(environ):
    gate.set()
    return "opened"


def has_entered(environ):
    """Whether a `/wait` or `/hold` has begun since the last time."""
    return "yes" if entered.acquire(blocking=False) else "no"


def stable(environ):
    """Thread-locals and context variables set before a wait are there after it, in the same thread, and are not a former request's."""
    mark = environ["QUERY_STRING"]
    before = threading.get_ident()
    leaked = context.get()
    token = context.set(mark)
    local.mark = mark
    for _ in range(3):
        time.sleep(0.005)
        if (threading.get_ident(), context.get(), local.mark) != (before, mark, mark):
            return "changed"
    context.reset(token)
    return "leaked" if leaked is not None else "stable"


def fork(environ):
    """Forks; the child leaves at once, the parent answers with its status."""
    pid = os.fork()
    if pid == 0:
        os._exit(7)
    return f"child {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}"


def fork_and_return(environ):
    """Forks, and the child returns from the application too."""
    pid = os.fork()
    if pid == 0:
        return "from the child"
    return f"child {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}"


def fork_and_linger(environ):
    """Leaves a child behind that lives until it is killed; its number."""
    pid = os.fork()
    if pid == 0:
        signal.pause()
        os._exit(0)
    return str(pid)


def square(number):
    return number * number


def processes(environ):
    """multiprocessing and subprocess from inside a request."""
    with multiprocessing.get_context("fork").Pool(2) as pool:
        squares = pool.map(square, range(5))
    echoed = subprocess.run([sys.executable, "-c", "print('echo')"], capture_output=True, text=True, check=True)
    return f"{squares} {echoed.stdout.strip()}"


def threads(environ):
    """Threads of the application's own, which outlive no request."""
    results = []
    started = [threading.Thread(target=lambda n=n: results.append(n * n)) for n in range(8)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    return str(sorted(results))


def count(environ):
    """How many calls ran at once at the most; each lets the lock go for a moment."""
    global running, most
    with lock:
        running += 1
        most = max(most, running)
    time.sleep(0.002)
    with lock:
        running -= 1
    return str(most)


def switch_interval(environ):
    sys.setswitchinterval(float(environ["QUERY_STRING"]))
    return str(sys.getswitchinterval())


def multithread(environ):
    return str(environ["wsgi.multithread"])


def quick(environ):
    return "quick " + environ["QUERY_STRING"]


ROUTES = {
    f"/{name}": function
    for name, function in {
        "hold": hold, "compute": compute, "wait": wait, "open": open_gate, "entered": has_entered, "stable": stable,
        "fork": fork, "fork-and-return": fork_and_return, "fork-and-linger": fork_and_linger, "processes": processes,
        "threads": threads, "count": count, "switch-interval": switch_interval, "multithread": multithread,
        "quick": quick,
    }.items()
}  # fmt: skip


def stream(environ, start_response):
    """A stream of blocks that a slow reader cannot take at once."""
    start_response("200 OK", [("Content-Type", "application/octet-stream")])
    for _ in range(200):
        yield b"x" * 65536


def application(environ, start_response):
    if environ["PATH_INFO"] == "/stream":
        return stream(environ, start_response)
    answer = ROUTES[environ["PATH_INFO"]](environ)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [answer.encode()]
