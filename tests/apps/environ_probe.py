"""Answers with the environ as it was called with, in JSON: text as it is, anything else as a note of its type."""

import json
import sys
from wsgiref.util import request_uri
from wsgiref.validate import validator


def application(environ, start_response):
    seen = {key: value if isinstance(value, str) else None for key, value in environ.items()}
    answer = {
        "environ": seen,
        "types": {key: type(value).__name__ for key, value in environ.items()},
        "environ type": type(environ).__name__,
        "environ size": sys.getsizeof(environ),
        "version": list(environ["wsgi.version"]),
        "flags": {
            key: environ.get(key)
            for key in ("wsgi.multithread", "wsgi.multiprocess", "wsgi.run_once", "wsgi.input_terminated")
        },
        "callables": [key for key, value in environ.items() if callable(value)],
        "request_uri": request_uri(environ),
    }
    if environ["QUERY_STRING"] == "spoil":
        environ["probe.spoilt"] = environ["HTTP_SPOILT"] = "yes"
        del environ["SERVER_NAME"], environ["wsgi.version"]
    body = json.dumps(answer).encode("ascii")
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


validated = validator(application)
