"""bjoern has no command of its own: APP HOST PORT. It has no settings beyond its backlog, whose default is 1024."""

import importlib
import sys

import bjoern

name, host, port = sys.argv[1:]
module, _, attribute = name.partition(":")
bjoern.run(getattr(importlib.import_module(module), attribute), host, int(port))
