"""Who serves, and with which code: the answers tests of processes ask for.

`/` says pid and version; `/version` only the latter. `/environ?NAME` shows a variable of the environ, `/env?NAME` one of
the process. `/wait-for-file?PATH` waits until the file exists; when it has begun to, there is PATH.awaited.
"""

import os
import time

VERSION = "1"


def wait_for_file(path):
    open(path + ".awaited", "w").close()
    deadline = time.monotonic() + 40
    while not os.path.exists(path) and time.monotonic() < deadline:
        time.sleep(0.01)


def application(environ, start_response):
    path, query = environ["PATH_INFO"], environ["QUERY_STRING"]
    if path == "/version":
        text = VERSION
    elif path == "/environ":
        text = str(environ.get(query))
    elif path == "/env":
        text = str(os.environ.get(query))
    elif path == "/identity":
        with open("/proc/self/status") as status:
            fields = dict(line.strip().partition(":")[::2] for line in status)
        text = f"{os.getuid()} {os.getgid()} {int(fields['Umask'], 8):o} {fields['Name'].strip()}"
    else:
        if path == "/wait-for-file":
            wait_for_file(query)
        text = f"{os.getpid()} {VERSION}"
    body = text.encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]
