"""fastwsgi from its Python interface, which has settings that its command lacks: APP HOST PORT."""

import importlib
import sys

import fastwsgi

name, host, port = sys.argv[1:]
module, _, attribute = name.partition(":")
# Nagle's algorithm off, as everywhere else; its log only of errors, which is the default.
fastwsgi.server.tcp_nodelay = 1
fastwsgi.run(wsgi_app=getattr(importlib.import_module(module), attribute), host=host, port=int(port), loglevel=2)
