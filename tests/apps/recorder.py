"""Remembers every request it was called for: `/seen` answers with method, target and content of those so far, in JSON.

`?name` of `/seen` selects the requests whose path contains the name, so that tests can share one server. The content
is read unless the path contains `unread`.
"""

import json
from wsgiref.validate import validator

seen = []


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/seen":
        body = json.dumps([entry for entry in seen if environ["QUERY_STRING"] in entry[1]]).encode("ascii")
    else:
        content = "" if "unread" in path else environ["wsgi.input"].read(1 << 30).decode("latin-1")
        seen.append((environ["REQUEST_METHOD"], path, content))
        body = path.encode("latin-1")
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
    return [body]


validated = validator(application)
