"""An application with a megabyte of its own, apart from those whose servers' memory is measured."""

CONTENT = b"x" * 1_000_000
FIELDS = [("Content-Type", "application/octet-stream"), ("Content-Length", str(len(CONTENT)))]


def megabyte(environ, start_response):
    start_response("200 OK", FIELDS)
    return [CONTENT]
