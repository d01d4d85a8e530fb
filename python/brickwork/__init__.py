"""Brickwork, a web server for Python (WSGI) applications: the command is ``brickwork module:callable``.

From a program: ``serve`` for a script that is a server, ``make_server`` for a server inside something else, such as a
test. ``brickwork.http1`` is HTTP/1.1 without sockets. Importing this changes nothing in the process.
"""

from brickwork._brickwork import RequestTimeout, __version__
from brickwork.server import Server, make_server, serve

__all__ = ["RequestTimeout", "Server", "__version__", "make_server", "serve"]
