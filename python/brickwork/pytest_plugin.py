"""The pytest fixture ``brickwork_server``: a real server around the application under test."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from brickwork.server import Server


@pytest.fixture
def brickwork_server() -> Iterator[Callable[..., Server]]:
    """Serve an application on a free port of the loopback interface, from now to the end of the test.

    ``server = brickwork_server(app, **settings)``; its address is ``server.url``. May be called several times. What the
    application raises is on the standard error stream, which pytest shows when the test fails.
    """
    from brickwork.server import make_server

    with contextlib.ExitStack() as stack:

        def start(app: Any, **settings: Any) -> Server:
            server = stack.enter_context(make_server("127.0.0.1", 0, app, **settings))
            thread = threading.Thread(target=server.serve_forever, name="brickwork_server")
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return server

        yield start
