"""The routes of test_frameworks.py in Bottle."""

import hashlib
import pathlib

from bottle import Bottle, redirect, request, response, static_file

HERE = pathlib.Path(__file__)
SECRET = "only for tests"

app = Bottle()


def lists(fields):
    """Bottle gives fields as latin-1, as they are in the environ; decode() makes them what the client meant."""
    fields = fields.decode()
    return {key: fields.getall(key) for key in fields}


@app.get("/")
def index():
    return "hello from bottle"


@app.get("/names/<name>")
def name_of(name):
    return name


@app.get("/query")
def query():
    return lists(request.query)


@app.post("/form")
def form():
    return lists(request.forms)


@app.post("/upload")
def upload():
    file = request.files.file
    content = file.file.read()
    digest = hashlib.sha256(content).hexdigest()
    return {"name": file.raw_filename, "size": len(content), "digest": digest, "comment": request.forms.comment}


@app.route("/raw", method=["POST", "PUT"])
def raw():
    content = request.body.read()
    return {"size": len(content), "digest": hashlib.sha256(content).hexdigest()}


@app.get("/cookies")
def cookies():
    return dict(request.cookies)


@app.get("/cookies/set")
def set_cookies():
    response.set_cookie("first", "1")
    response.set_cookie("second", "two words")
    return "set"


@app.route("/session", method=["GET", "POST"])
def visitor():
    name = request.get_cookie("visitor", "nobody", secret=SECRET)
    if request.method == "POST":
        name = request.forms.visitor
        response.set_cookie("visitor", name, secret=SECRET, path="/")
    return name


@app.route("/redirect", method=["GET", "POST"])
def redirection():
    redirect("/landed", 303 if request.method == "POST" else 302)


@app.get("/landed")
def landed():
    return "landed"


@app.get("/stream")
def stream():
    response.content_type = "text/plain"
    return (f"line {number}\n" for number in range(1000))


@app.get("/file")
def file():
    return static_file(HERE.name, root=HERE.parent, mimetype="text/x-python")


@app.route("/method", method=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def method():
    return request.method


@app.get("/error")
def error():
    raise RuntimeError("an error of the application")


@app.post("/unread")
def unread():
    return "not read"


@app.get("/remote-port")
def remote_port():
    return request.environ["REMOTE_PORT"]
