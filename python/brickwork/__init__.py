"""Brickwork, a web server for Python (WSGI) applications: the command is ``brickwork module:callable``.

From a program: ``serve`` for a script that is a server, ``make_server`` for a server inside something else, such as a
test. ``brickwork.http1`` is HTTP/1.1 without sockets. Importing this changes nothing in the process.
"""

from brickwork._brickwork import RequestTimeout, __version__

# As typing's, which is not imported: see `__getattr__`.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from brickwork.server import Server, make_server, serve

__all__ = ["RequestTimeout", "Server", "__version__", "make_server", "serve"]


def __getattr__(name: str) -> object:
    """Import ``brickwork.server`` when it is asked for: the command's processes do without its imports."""
    if name not in ("Server", "make_server", "serve", "server"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import brickwork.server as module

    return module if name == "server" else getattr(module, name)
