"""A server inside a Python program: ``make_server`` where ``wsgiref.simple_server`` was, ``serve`` for a script.

The engine (sockets, threads, HTTP) is the extension module's. Here is what the caller's thread does: it waits, obeys
signals as Python sets them up, and sees to the order of start, shutdown and close. Nothing happens on import, no signal
handler is left behind, and no log is set up unless a setting asks for one.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import threading
import time
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from brickwork import _brickwork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from types import FrameType, TracebackType

    from typing_extensions import Self, Unpack

    Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Settings(TypedDict, total=False):
    """The settings of a server: the flags of the command with underscores, all optional.

    A number is seconds or bytes; text is what the command takes (``"500ms"``, ``"64KiB"``). ``static`` maps parts of the
    URL's path to directories: ``{"/static": "shop/static"}``. ``brickwork --help`` says what each means and what it is
    when it is left out; but here ``timeout`` and ``slow_request`` are 0 then, the access log is off, and the error log
    is not set up unless ``log_level``, ``log_format`` or ``error_logfile`` is given. That log is then the process's,
    for good.
    """

    static: Mapping[str, str | os.PathLike[str]]
    sendfile_root: str | os.PathLike[str]
    cache_control: str
    dotfiles: bool
    backlog: int
    forwarded_allow_ips: str
    threads: int
    queue_timeout: float | str
    timeout: float | str
    slow_request: float | str
    keep_alive: float | str
    head_timeout: float | str
    content_timeout: float | str
    content_grace: float | str
    content_rate: int | str
    write_timeout: float | str
    graceful_timeout: float | str
    limit_request_line: int | str
    limit_request_fields: int
    limit_request_field_size: int | str
    limit_request_head: int | str
    limit_content: int | str
    limit_chunk_line: int | str
    limit_trailers: int | str
    spool_threshold: int | str
    spool_memory: int | str
    spool_dir: str | os.PathLike[str]
    error_logfile: str | os.PathLike[str]
    log_level: str
    access_logfile: str | os.PathLike[str]
    debug: bool
    log_format: str


LOG_SETTINGS = {"error_logfile", "log_level", "log_format"}
"""Any of these asks for the error log."""

POLL_INTERVAL = 0.5
"""Seconds between two looks at what nothing announces."""

LAST_WAIT = 2.0
"""Seconds that an exiting program waits for a server that was left running."""


def serve(app: Application, bind: str | Sequence[str] = "127.0.0.1:8000", **settings: Unpack[Settings]) -> None:
    """Serve a WSGI application (PEP 3333) until Ctrl-C or SIGTERM; then finish what is in flight, and return.

    ``bind`` is one address or several: ``HOST:PORT``, ``[::1]:PORT`` or ``unix:PATH``. A second Ctrl-C ends at once.
    SIGTERM is obeyed when this is the main thread and the program has no handler of its own for it.

    Raises OSError if an address cannot be bound, ValueError or TypeError for a setting that cannot be.
    """
    is_end = contextlib.suppress(KeyboardInterrupt, _Terminated)
    with Server(app, bind, **settings) as server, _sigterm_raises(), is_end:
        server.serve_forever()


def make_server(host: str, port: int, app: Application, **settings: Unpack[Settings]) -> Server:
    """Make a server that listens on ``host`` and ``port``, as ``wsgiref.simple_server.make_server`` does.

    Port 0 takes a free one: see ``server_port``. An empty host is every IPv4 address of this machine. Clients can
    connect from now on; they are answered once ``serve_forever`` or ``handle_request`` is called.

    Other than with wsgiref, the application is called by threads of the server's own, several at once unless the
    setting ``threads=1`` is given, and connections are kept open.

    Raises OSError if the address cannot be bound, ValueError or TypeError for a setting that cannot be.
    """
    return Server(app, f"[{host}]:{port}" if ":" in host else f"{host}:{port}", **settings)


class Server:
    """An application on listening sockets. Made by ``make_server``; there may be several in one process.

    As a context manager it is closed at the end.
    """

    def __init__(self, app: Application, bind: str | Sequence[str], **settings: Unpack[Settings]) -> None:
        _check_application(app)
        binds = [bind] if isinstance(bind, str) else list(bind)
        if not binds:
            raise ValueError("there is no address to bind")
        flags = [f"--bind={address}" for address in binds] + _flags(settings)
        self.application = app
        self.timeout: float | None = None
        """Seconds that ``handle_request`` waits for a client; None: as long as it takes."""
        self._embedded = _brickwork.EmbeddedServer(app, flags, not LOG_SETTINGS.isdisjoint(settings))
        self.addresses: list[tuple[str, int] | str] = self._embedded.addresses()
        """Where it listens: (host, port) each, or the path of a unix socket."""
        self.urls: list[str] = self._embedded.urls()
        """The same as URLs: ``http://127.0.0.1:8000``, or ``unix:PATH``."""
        self._lock = threading.Lock()
        self._run: _brickwork.ServerRun | None = None
        self._is_idle = threading.Event()
        self._is_idle.set()
        # A shutdown that came before the thread that was started to serve got so far.
        self._has_served = False
        self._is_unwanted = False

    @property
    def server_address(self) -> tuple[str, int] | str:
        """The first address: (host, port), or the path of a unix socket."""
        return self.addresses[0]

    @property
    def server_name(self) -> str:
        """The host of the first address, not looked up anywhere; the path of a unix socket."""
        address = self.server_address
        return address if isinstance(address, str) else address[0]

    @property
    def server_port(self) -> int:
        """The port of the first address, the real one where 0 was asked for; 0 of a unix socket."""
        address = self.server_address
        return 0 if isinstance(address, str) else address[1]

    @property
    def url(self) -> str:
        """The first address as a URL without a path: ``http://127.0.0.1:8000``."""
        return self.urls[0]

    def fileno(self) -> int:
        """The first listening socket's descriptor, or -1 once it is closed."""
        return next(iter(self._embedded.descriptors()), -1)

    def serve_forever(self, poll_interval: float = POLL_INTERVAL) -> None:
        """Serve until ``shutdown`` is called in another thread. May be called again afterwards.

        An exception that a signal handler raises in this thread, such as KeyboardInterrupt, makes the server finish
        what is in flight (within ``graceful_timeout``) and is then raised; a second one makes it end at once.
        Ends and signals are noticed when they come; ``poll_interval`` is after how many seconds a signal is noticed
        that came in the very moment of going to sleep.

        Raises RuntimeError if it is being served already, ValueError if it is closed.
        """
        with self._serving(self._embedded.start) as run:
            if run is not None:
                _wait_for_end(run, poll_interval)

    def set_app(self, app: Application) -> None:
        """Serve another application from the next ``serve_forever`` or ``handle_request`` on."""
        _check_application(app)
        self._embedded.set_application(app)
        self.application = app

    def get_app(self) -> Application:
        """The application, as ``application`` is."""
        return self.application

    def handle_timeout(self) -> None:
        """Called by ``handle_request`` when ``timeout`` seconds have passed without a client; does nothing here."""

    def handle_request(self) -> None:
        """Answer exactly one request, and return when it is over; wait for a client as long as ``timeout`` says.

        One connection is accepted, one request is served on it (in a thread of the server's, as always), and it is
        closed behind the answer, which says so. Other clients wait in the kernel's queue, for the next call. A client
        that leaves without a request, or sends none within ``head_timeout``, does not count; one whose request is
        malformed does: it got its answer.

        Raises what ``serve_forever`` raises.
        """
        deadline = None if self.timeout is None else time.monotonic() + self.timeout
        while True:
            if not _sleep_until_readable(self._embedded.descriptors(), deadline):
                self.handle_timeout()
                return
            with self._serving(self._embedded.start_one) as run:
                if run is not None:
                    _wait_for_end(run, POLL_INTERVAL)
                    if run.requests():
                        return

    def shutdown(self) -> None:
        """Stop serving: finish what is in flight, and return when ``serve_forever`` is about to.

        Not to be called by the application itself: it would wait for its own end.
        """
        with self._lock:
            if self._run is not None:
                self._run.drain()
            elif not self._has_served:
                self._is_unwanted = True
        self._is_idle.wait()

    def server_close(self) -> None:
        """Close the listening sockets. A server that is still serving is shut down first."""
        if self._run is not None:
            self.shutdown()
        self._embedded.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.server_close()

    def __repr__(self) -> str:
        return f"<brickwork.Server {' '.join(self.urls)}>"

    @contextlib.contextmanager
    def _serving(self, start: Callable[[], _brickwork.ServerRun | None]) -> Iterator[_brickwork.ServerRun | None]:
        """Keep the order: one run at a time, None if it is unwanted already, and whoever waits learns of the end."""
        with self._lock:
            if self._run is not None:
                raise RuntimeError("this server is serving already")
            self._has_served = True
            self._run = run = None if self._is_unwanted else start()
            self._is_unwanted = False
            if run is not None:
                self._is_idle.clear()
        if run is None:
            yield None
            return
        forget = _end_at_exit(run, self._is_idle)
        try:
            yield run
        finally:
            run.stop_now()
            forget()
            with self._lock:
                self._run = None
            self._is_idle.set()
        if run.abandoned():
            warnings.warn(f"{run.abandoned()} requests are still in the application", RuntimeWarning, stacklevel=4)


def _wait_for_end(run: _brickwork.ServerRun, poll_interval: float) -> None:
    try:
        _sleep_until_over(run, poll_interval)
    except BaseException:
        run.drain()
        try:
            _sleep_until_over(run, poll_interval)
        except BaseException:
            run.stop_now()
            _sleep_until_over(run, poll_interval)
            raise
        raise


def _sleep_until_over(run: _brickwork.ServerRun, poll_interval: float) -> None:
    poll = select.poll()
    poll.register(run.fileno(), select.POLLIN)
    while not run.is_over():
        poll.poll(poll_interval * 1000)


def _sleep_until_readable(descriptors: list[int], deadline: float | None) -> bool:
    """Until a client waits; not for ever, because the sockets may be closed meanwhile. False: the deadline has passed."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, select.POLLIN)
    left = POLL_INTERVAL if deadline is None else max(0.0, min(POLL_INTERVAL, deadline - time.monotonic()))
    is_readable = bool(poll.poll(left * 1000 if descriptors else 0))
    return is_readable or not descriptors or deadline is None or time.monotonic() < deadline


def _check_application(app: object) -> None:
    if not callable(app):
        raise TypeError(f"a WSGI application is callable, and this is not: {app!r}")


def _end_at_exit(run: _brickwork.ServerRun, is_idle: threading.Event) -> Callable[[], None]:
    """End a server that a daemon thread serves before the interpreter takes itself apart. Returns what undoes this."""
    process = os.getpid()

    def end() -> None:
        # A forked child has the server's memory, and none of its threads.
        if os.getpid() == process:
            run.stop_now()
            is_idle.wait(LAST_WAIT)

    atexit.register(end)
    return lambda: atexit.unregister(end)


def _flags(settings: Settings) -> list[str]:
    """The settings as flags of the command, which checks them."""
    flags = []
    for name, value in settings.items():
        if name not in Settings.__annotations__:
            raise TypeError(f"{name!r} is not a setting: see brickwork.server.Settings")
        if name == "static":
            if not isinstance(value, Mapping):
                raise TypeError(f"static maps prefixes to directories, and this does not: {value!r}")
            flags += [f"--static={prefix}={os.fspath(directory)}" for prefix, directory in value.items()]
        else:
            flags.append(f"--{name.replace('_', '-')}={_text(value)}")
    return flags


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{round(value * 1000)}ms"
    return os.fspath(value) if isinstance(value, os.PathLike) else str(value)


class _Terminated(BaseException):
    """SIGTERM came."""


@contextlib.contextmanager
def _sigterm_raises() -> Iterator[None]:
    """Make SIGTERM an exception, where nobody has a use for it and a handler can be set."""
    is_ours = (
        threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    )
    if is_ours:
        signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        if is_ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _raise_terminated(number: int, frame: FrameType | None) -> None:
    raise _Terminated
