"""The routes of test_frameworks.py in Falcon."""

import hashlib
import pathlib
import secrets

import falcon

HERE = pathlib.Path(__file__)


def say(response, text):
    response.content_type, response.text = falcon.MEDIA_TEXT, text


class Text:
    """Answers GET with a text. Falcon leaves HEAD to the application."""

    def __init__(self, text):
        self.text = text

    def on_get(self, request, response):
        say(response, self.text)

    on_head = on_get


class Names:
    def on_get(self, request, response, name):
        say(response, name)


class Query:
    def on_get(self, request, response):
        response.media = {key: request.get_param_as_list(key) for key in request.params}


class Form:
    def on_post(self, request, response):
        form = request.get_media()
        response.media = {key: value if isinstance(value, list) else [value] for key, value in form.items()}


class Upload:
    def on_post(self, request, response):
        answer = {}
        for part in request.get_media():
            if part.name == "file":
                content = part.stream.read()
                answer.update(name=part.filename, size=len(content), digest=hashlib.sha256(content).hexdigest())
            else:
                answer["comment"] = part.text
        response.media = answer


class Raw:
    def on_post(self, request, response):
        content = request.bounded_stream.read()
        response.media = {"size": len(content), "digest": hashlib.sha256(content).hexdigest()}

    on_put = on_post


class Cookies:
    def on_get(self, request, response):
        response.media = request.cookies


class SetCookies:
    def on_get(self, request, response):
        response.set_cookie("first", "1", secure=False)
        response.set_cookie("second", "two words", secure=False)
        say(response, "set")


class Session:
    """Falcon has no sessions of its own: one here is a name that the server remembers under a random cookie."""

    visitors = {}

    def on_get(self, request, response):
        say(response, self.visitors.get(request.cookies.get("session"), "nobody"))

    def on_post(self, request, response):
        key = secrets.token_hex()
        self.visitors[key] = request.get_media()["visitor"]
        say(response, self.visitors[key])
        response.set_cookie("session", key, secure=False, path="/")


class Redirection:
    def on_get(self, request, response):
        raise falcon.HTTPFound("/landed")

    def on_post(self, request, response):
        raise falcon.HTTPSeeOther("/landed")


class Stream:
    def on_get(self, request, response):
        response.content_type = falcon.MEDIA_TEXT
        response.stream = (f"line {number}\n".encode() for number in range(1000))

    on_head = on_get


class File:
    def on_get(self, request, response):
        response.content_type = "text/x-python"
        response.set_stream(HERE.open("rb"), HERE.stat().st_size)

    on_head = on_get


class Method:
    def on_get(self, request, response):
        say(response, request.method)

    on_head = on_post = on_put = on_patch = on_delete = on_options = on_get


class Error:
    def on_get(self, request, response):
        raise RuntimeError("an error of the application")


class Unread:
    def on_post(self, request, response):
        say(response, "not read")


class RemotePort:
    def on_get(self, request, response):
        say(response, request.env["REMOTE_PORT"])


def create():
    app = falcon.App()
    app.req_options.media_handlers[falcon.MEDIA_MULTIPART].parse_options.max_body_part_buffer_size = 1 << 25
    for path, resource in {
        "/": Text("hello from falcon"),
        "/names/{name}": Names(),
        "/query": Query(),
        "/form": Form(),
        "/upload": Upload(),
        "/raw": Raw(),
        "/cookies": Cookies(),
        "/cookies/set": SetCookies(),
        "/session": Session(),
        "/redirect": Redirection(),
        "/landed": Text("landed"),
        "/stream": Stream(),
        "/file": File(),
        "/method": Method(),
        "/error": Error(),
        "/unread": Unread(),
        "/remote-port": RemotePort(),
    }.items():
        app.add_route(path, resource)
    return app
