"""Ways for a worker to die, or to stand still.

`/crash?SIGNAL` dies of that signal; `/exit?N` ends the process; `/allocate?MIB` allocates and keeps so much; `/hold?SECONDS` keeps the
interpreter lock in a C call; `/deadlock` keeps it for ever. `/leak?MIB` keeps so much more memory than before. The rest is
processes_probe. With CGROUP in the environment the process moves itself there while it is imported.
"""

import ctypes
import faulthandler
import os
import signal
import threading

import processes_probe

if "CGROUP" in os.environ:
    with open(os.path.join(os.environ["CGROUP"], "cgroup.procs"), "w") as processes:
        processes.write(str(os.getpid()))

libc_with_lock = ctypes.PyDLL(None)
kept = []


def keep(mebibytes):
    block = bytearray(mebibytes << 20)
    block[::4096] = b"x" * len(block[::4096])
    kept.append(block)


def segfault_in_c():
    faulthandler._sigsegv()


def application(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/crash" and query == "SIGSEGV":
        segfault_in_c()
    elif path == "/crash":
        signal.pthread_kill(threading.get_ident(), getattr(signal, query))
    elif path == "/exit":
        os._exit(int(query))
    elif path in ("/allocate", "/leak"):
        keep(int(query))
    elif path == "/hold":
        # PyDLL does not let the lock go.
        libc_with_lock.sleep(int(query))
    elif path == "/deadlock":
        libc_with_lock.pause()
    return processes_probe.application(environ, start_response)
