"""A bare module name finds `app` where there is no `application`; `/path` answers with the first of sys.path."""

import os
import sys
from wsgiref.validate import validator


def app(environ, start_response):
    body = {"/path": sys.path[0], "/directory": os.getcwd()}.get(environ["PATH_INFO"], "app of named_app").encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


validated = validator(app)
