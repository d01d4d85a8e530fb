"""One application in every shape of callable that a module can offer."""

import functools
from wsgiref.validate import validator

TEXT = ("Content-Type", "text/plain")


def function(it, /, begin):
    """The parameters have other names, and the first cannot be given by name: servers call by position."""
    begin("200 OK", [TEXT])
    return [b"callable"]


class Class:
    def __init__(self, environ, start_response):
        self.start_response = start_response

    def __iter__(self):
        self.start_response("200 OK", [TEXT])
        yield b"callable"


class Instance:
    def __call__(self, environ, start_response):
        return function(environ, start_response)

    def method(self, environ, start_response):
        return function(environ, start_response)


class Holder:
    inner = Instance()
    partial = functools.partial(lambda extra, environ, start_response: function(environ, start_response), "extra")

    @staticmethod
    def static(environ, start_response):
        return function(environ, start_response)


def create():
    return function


def fail_to_create():
    raise LookupError("this factory never delivers")


instance = Instance()
not_callable = "a string"
# What a bare module name means.
application = function
validated = validator(function)
