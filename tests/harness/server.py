"""One server process: started on loopback, watched through its log, spoken to in connections, ended by a signal."""

import itertools
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

from harness.connection import Connection
from harness.deadline import wait_until
from harness.request import get

APPS = pathlib.Path(__file__).resolve().parent.parent / "apps"

# The line of the log by which the server says that it can be reached; one for each address.
LISTENING = re.compile(r"listening on ([^\s\"]+)(?=.*\n)")

# Seconds a server has to start, and to go when told.
PATIENCE = 20


class DidNotStart(Exception):
    """The process ended, or said nothing, before it listened."""


def environment(overrides=None):
    """The variables of a server: ours, without those that configure one; an override of None takes a variable away."""
    inherited = {
        name: value for name, value in os.environ.items() if name != "PORT" and not name.startswith("BRICKWORK_")
    }
    inherited.update(overrides or {})
    return {name: value for name, value in inherited.items() if value is not None}


def run(*arguments, env=None, cwd=APPS, pass_fds=()):
    """Runs a command line that is to end by itself; returns its exit code, standard output and standard error."""
    command = [sys.executable, "-m", "brickwork", *map(str, arguments)]
    return subprocess.run(
        command, env=environment(env), cwd=cwd, pass_fds=pass_fds, capture_output=True, text=True, timeout=PATIENCE
    )


class Server:
    """`python -m brickwork ARGUMENTS`, with `--bind 127.0.0.1:0` unless the arguments bind."""

    numbers = itertools.count(1)

    def __init__(self, directory, *arguments, env=None, cwd=APPS, pass_fds=()):
        arguments = [str(argument) for argument in arguments]
        self.env = environment(env)
        binds = sum(argument in ("--bind", "-b") for argument in arguments)
        if not binds and "BRICKWORK_BIND" not in self.env:
            arguments += ["--bind", "127.0.0.1:0"]
        self.expected_addresses = max(binds, 1)
        name = f"server-{next(self.numbers)}"
        self.stdout_path = directory / f"{name}.stdout"
        self.stderr_path = directory / f"{name}.stderr"
        self.log_path = self.stderr_path
        if "--error-logfile" in arguments:
            self.log_path = pathlib.Path(arguments[arguments.index("--error-logfile") + 1])
        self.command = [sys.executable, "-m", "brickwork", *arguments]
        self.cwd, self.pass_fds = cwd, pass_fds
        self.process = None
        self.addresses = []

    def __repr__(self):
        return " ".join(self.command[1:])

    def launch(self):
        """Starts the process, and waits for nothing."""
        with open(self.stdout_path, "wb") as stdout, open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                env=self.env,
                cwd=self.cwd,
                pass_fds=self.pass_fds,
                # Its own process group: a Ctrl-C at the tests is not one at the server.
                start_new_session=True,
            )
        return self

    def start(self):
        """Starts the process, and waits until it listens."""
        self.launch()
        try:
            wait_until(self.is_listening, f"{self!r} to listen", PATIENCE)
        except BaseException:
            self.kill()
            print(self.describe())
            raise
        return self

    def is_listening(self):
        if self.process.poll() is not None:
            raise DidNotStart(f"{self!r}: exit {self.process.returncode}\n{self.log()}")
        self.addresses = LISTENING.findall(self.log())
        return len(self.addresses) >= self.expected_addresses

    # Speaking to it.

    def connect(self, address=0, receive_buffer=None):
        """A new connection to the numbered address. `receive_buffer` in bytes makes a client that can hold little."""
        scheme, _, rest = self.addresses[address].partition(":")
        if scheme == "unix":
            stream = socket.socket(socket.AF_UNIX)
            peer = rest
        else:
            host, _, port = rest.removeprefix("//").rpartition(":")
            stream = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET)
            peer = (host.strip("[]"), int(port))
        if receive_buffer:
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        stream.settimeout(PATIENCE)
        try:
            stream.connect(peer)
        except BaseException:
            stream.close()
            raise
        return Connection(stream)

    def exchange(self, data, method="GET", version="HTTP/1.1"):
        """One request on a connection of its own; nothing may follow its response."""
        with self.connect() as connection:
            response = connection.exchange(data, method, version)
            connection.finish()
            return response

    def get(self, target, *fields):
        """One GET on a connection of its own."""
        return self.exchange(get(target, *fields))

    @property
    def url(self):
        """The first address, as a browser would take it."""
        return self.addresses[0]

    @property
    def port(self):
        return int(self.url.rpartition(":")[2])

    # Watching it.

    def log(self, since=0):
        """The error log from byte `since` on; it need not exist yet."""
        try:
            return self.log_path.read_bytes()[since:].decode("utf-8", "backslashreplace")
        except FileNotFoundError:
            return ""

    def log_size(self):
        """A mark for `log(since=...)`."""
        return self.log_path.stat().st_size

    def stdout(self):
        return self.stdout_path.read_bytes().decode("utf-8", "backslashreplace")

    def wait_for_log(self, pattern, since=0):
        """Waits for a match of the regular expression in the error log; returns it."""
        return wait_until(lambda: re.search(pattern, self.log(since)), f"{pattern!r} in the log of {self!r}")

    def wait_for_stdout(self, pattern):
        return wait_until(lambda: re.search(pattern, self.stdout()), f"{pattern!r} on the standard output of {self!r}")

    def is_running(self):
        return self.process.poll() is None

    def refuses_connections(self):
        try:
            self.connect().close()
        except (ConnectionRefusedError, FileNotFoundError):
            return True
        except ConnectionResetError:
            # It was in the kernel's queue when the listener closed; the next one will tell.
            return False
        return False

    def describe(self):
        """What a failed test shows of it."""
        return f"--- {self!r}\n{self.log()[-6000:]}"

    # Ending it.

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """The exit code, once there is one."""
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self!r} did not end within {PATIENCE} s\n{self.describe()}") from None

    def stop(self):
        """TERM, and the exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def stop_cleanly(self):
        """Stops it if it still runs; a graceful stop exits 0, and no server panics."""
        if self.is_running():
            code = self.stop()
            assert code == 0, f"exit {code} after TERM\n{self.describe()}"
        assert "panicked at" not in self.log(), self.describe()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
