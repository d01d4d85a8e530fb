"""Reads wsgi.input as the query string says and answers, in JSON, with what each step gave.

Steps are joined by `&`: `read`, `read:5`, `readline`, `readline:3`, `readlines`, `readlines:10`, `iter`, `next`.
"""

import hashlib
import json
import os
from wsgiref.validate import validator

# Longer results are answered by their length and digest.
SHOWN = 200


def perform(stream, steps):
    """What each step gives on `stream`, in a form that fits JSON."""
    return [show(perform_step(stream, step)) for step in steps.split("&") if step]


def perform_step(stream, step):
    name, _, argument = step.partition(":")
    arguments = [None if argument == "None" else int(argument)] if argument else []
    if name == "iter":
        return list(stream)
    if name == "next":
        return next(iter(stream), b"")
    return getattr(stream, name)(*arguments)


def show(result):
    if isinstance(result, list):
        return [show(line) for line in result]
    assert type(result) is bytes, type(result)
    if len(result) > SHOWN:
        return f"{len(result)} bytes, {hashlib.sha256(result).hexdigest()}"
    return result.decode("latin-1")


def open_files():
    """What the descriptors of this process are open on."""
    for number in os.listdir("/proc/self/fd"):
        try:
            yield os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            pass


def application(environ, start_response):
    if environ["PATH_INFO"] == "/open-files":
        answer = sorted(open_files())
    else:
        answer = perform(environ["wsgi.input"], environ["QUERY_STRING"])
    body = json.dumps(answer).encode("ascii")
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]


validated = validator(application)
