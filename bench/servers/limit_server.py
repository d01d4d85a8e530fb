"""The limit servers: APP HOST PORT; the application `fixed` is none at all."""

import importlib
import signal
import sys

import limit

name, _, port = sys.argv[1:]
# They never come back to Python to see a signal.
signal.signal(signal.SIGTERM, signal.SIG_DFL)
if name == "fixed":
    limit.serve_fixed(int(port))
module, _, attribute = name.partition(":")
limit.serve(getattr(importlib.import_module(module), attribute), int(port))
