"""Brickwork, a web server for Python (WSGI) applications: the command is ``brickwork module:callable``."""

from brickwork._brickwork import __version__

__all__ = ["__version__"]
