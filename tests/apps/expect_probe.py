"""What an application does about content that the client has only announced."""

from wsgiref.validate import validator

TEXT = ("Content-Type", "text/plain")


def application(environ, start_response):
    path, stream = environ["PATH_INFO"], environ["wsgi.input"]
    if path == "/refuse":
        start_response("403 Forbidden", [TEXT])
        return [b"refused"]
    if path == "/accept-unread":
        start_response("200 OK", [TEXT])
        return [b"not needed"]
    if path == "/empty-read":
        stream.read(0)
        start_response("200 OK", [TEXT])
        return [b"nothing wanted"]
    read = {
        "/read": lambda: stream.read(1 << 30),
        "/readline": lambda: stream.readline(),
        "/readlines": lambda: b"".join(stream.readlines()),
        "/iterate": lambda: b"".join(stream),
        "/read-some": lambda: stream.read(5),
    }[path]
    if environ["QUERY_STRING"] == "answer-first":
        return answer_then_read(start_response, read)
    content = read()
    start_response("200 OK", [TEXT])
    return [content]


def answer_then_read(start_response, read):
    """The head goes first; content is read when the response is on its way."""
    start_response("200 OK", [TEXT])
    yield b"head first, "
    yield read()


validated = validator(application)
