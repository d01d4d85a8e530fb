"""Applications that break PEP 3333 or break down: `/MODULE/FUNCTION` calls one, `/healthy` is a good one.

`/calls?NAME` answers with what the others noted under that name, in JSON.
"""

import importlib
import json
from collections import defaultdict

TEXT = ("Content-Type", "text/plain")
notes = defaultdict(list)


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/healthy":
        start_response("200 OK", [TEXT])
        return [b"healthy"]
    if path == "/calls":
        start_response("200 OK", [TEXT])
        return [json.dumps(notes[environ["QUERY_STRING"]]).encode()]
    module, _, name = path[1:].partition("/")
    function = getattr(importlib.import_module(f"misbehaving.{module}"), name.replace("-", "_"))
    return function(environ, start_response)
