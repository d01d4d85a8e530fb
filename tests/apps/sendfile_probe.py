"""Names the file of the query string in X-Sendfile, in every way that PEP 3333 has to answer; and Flask doing so."""

import os

closed = 0


def generator():
    global closed
    try:
        while True:
            yield b"never sent" * 10000
    finally:
        closed += 1


def application(environ, start_response):
    path = environ["PATH_INFO"]
    fields = [("Content-Type", "application/x-test"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]
    if path == "/closed":
        start_response("200 OK", fields)
        return [str(closed).encode()]
    write = start_response("200 OK", [*fields, ("X-Sendfile", environ["QUERY_STRING"])])
    if path == "/generator":
        return generator()
    if path == "/write":
        try:
            write(b"never sent")
        except BrokenPipeError:
            pass
        return []
    return [b"instead"]


def flask_application():
    import flask

    app = flask.Flask(__name__)
    app.config["USE_X_SENDFILE"] = True

    @app.get("/<path:name>")
    def send(name):
        return flask.send_from_directory(os.environ["SENDFILE_ROOT"], name)

    return app
