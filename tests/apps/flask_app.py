"""The routes of test_frameworks.py in Flask."""

import hashlib
import pathlib

from flask import Flask, Response, jsonify, redirect, request, send_file, session

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

app = Flask(__name__)
app.secret_key = "only for tests"


@app.get("/")
def index():
    return "hello from flask"


@app.get("/names/<name>")
def name_of(name):
    return name


@app.get("/query")
def query():
    return jsonify({key: request.args.getlist(key) for key in request.args})


@app.post("/form")
def form():
    return jsonify({key: request.form.getlist(key) for key in request.form})


@app.post("/upload")
def upload():
    file = request.files["file"]
    content = file.read()
    return jsonify(
        name=file.filename,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        comment=request.form["comment"],
    )


@app.route("/raw", methods=["POST", "PUT"])
def raw():
    content = request.get_data()
    return jsonify(size=len(content), digest=hashlib.sha256(content).hexdigest())


@app.get("/cookies")
def cookies():
    return jsonify(request.cookies)


@app.get("/cookies/set")
def set_cookies():
    response = Response("set")
    response.set_cookie("first", "1")
    response.set_cookie("second", "two words")
    return response


@app.route("/session", methods=["GET", "POST"])
def visitor():
    if request.method == "POST":
        session["visitor"] = request.form["visitor"]
    return session.get("visitor", "nobody")


@app.route("/redirect", methods=["GET", "POST"])
def redirection():
    return redirect("/landed", 303 if request.method == "POST" else 302)


@app.get("/landed")
def landed():
    return "landed"


@app.get("/stream")
def stream():
    return Response((f"line {number}\n" for number in range(1000)), mimetype="text/plain")


@app.get("/file")
def file():
    return send_file(pathlib.Path(__file__), mimetype="text/x-python")


@app.route("/method", methods=METHODS, provide_automatic_options=False)
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
