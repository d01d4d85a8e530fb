"""The routes of test_frameworks.py in Pyramid."""

import hashlib
import pathlib

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPFound, HTTPSeeOther
from pyramid.response import FileResponse, Response
from pyramid.session import SignedCookieSessionFactory


def index(request):
    return Response("hello from pyramid")


def name_of(request):
    return Response(request.matchdict["name"])


def lists(fields):
    return {key: fields.getall(key) for key in fields}


def query(request):
    return Response(json=lists(request.GET))


def form(request):
    return Response(json=lists(request.POST))


def upload(request):
    file = request.POST["file"]
    content = file.file.read()
    digest = hashlib.sha256(content).hexdigest()
    comment = request.POST["comment"]
    return Response(json={"name": file.filename, "size": len(content), "digest": digest, "comment": comment})


def raw(request):
    return Response(json={"size": len(request.body), "digest": hashlib.sha256(request.body).hexdigest()})


def cookies(request):
    return Response(json=dict(request.cookies))


def set_cookies(request):
    response = Response("set")
    response.set_cookie("first", "1")
    response.set_cookie("second", "two words")
    return response


def visitor(request):
    if request.method == "POST":
        request.session["visitor"] = request.POST["visitor"]
    return Response(request.session.get("visitor", "nobody"))


def redirection(request):
    return (HTTPSeeOther if request.method == "POST" else HTTPFound)("/landed")


def landed(request):
    return Response("landed")


def stream(request):
    return Response(app_iter=(b"line %d\n" % number for number in range(1000)), content_type="text/plain")


def file(request):
    return FileResponse(pathlib.Path(__file__), request, content_type="text/x-python")


def method(request):
    return Response(request.method)


def error(request):
    raise RuntimeError("an error of the application")


def unread(request):
    return Response("not read")


def remote_port(request):
    return Response(request.environ["REMOTE_PORT"])


def create():
    with Configurator() as config:
        config.set_session_factory(SignedCookieSessionFactory("only for tests"))
        for path, view in {
            "/": index,
            "/names/{name}": name_of,
            "/query": query,
            "/form": form,
            "/upload": upload,
            "/raw": raw,
            "/cookies": cookies,
            "/cookies/set": set_cookies,
            "/session": visitor,
            "/redirect": redirection,
            "/landed": landed,
            "/stream": stream,
            "/file": file,
            "/method": method,
            "/error": error,
            "/unread": unread,
            "/remote-port": remote_port,
        }.items():
            config.add_route(path, path)
            config.add_view(view, route_name=path)
        return config.make_wsgi_app()


application = create()
