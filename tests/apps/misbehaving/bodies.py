"""Wrong content: of the wrong type, where none may be, or raised instead of given."""

from misbehaving import TEXT, notes


class Block(bytes):
    """A subclass is bytes too."""


def returning(result, headers=(TEXT,)):
    def application(environ, start_response):
        start_response("200 OK", list(headers))
        return result

    return application


class RaisingLength(list):
    def __len__(self):
        raise RuntimeError("nobody knows the length")


class RaisingIter:
    def __iter__(self):
        raise RuntimeError("this is not for reading")

    def close(self):
        notes["raising-iter"].append("closed")


class NotAnIterator:
    def __iter__(self):
        return 42


none = returning(None)
number = returning(42)
a_str = returning("text instead of blocks")
list_of_str = returning(["text instead of bytes"])
list_of_none = returning([None])
list_of_int = returning([65, 66])
nested_list = returning([[b"nested"]])
str_then_bytes = returning(["", b"the first item is an empty str"])
str_with_length = returning(["text"], [TEXT, ("Content-Length", "4")])
raising_length = returning(RaisingLength([b"healthy ", b"content"]))
raising_iter = returning(RaisingIter())
not_an_iterator = returning(NotAnIterator())
bytes_subclass = returning([Block(b"a subclass "), Block(b"of bytes")])
single_bytes_subclass = returning([Block(b"one block")])
a_bytes = returning(b"abc")


def generator_of_str(environ, start_response):
    start_response("200 OK", [TEXT])
    yield "text instead of bytes"


def str_after_bytes(environ, start_response):
    start_response("200 OK", [TEXT])
    yield b"bytes "
    yield "and then text"


def write_str(environ, start_response):
    start_response("200 OK", [TEXT])("text instead of bytes")
    return []


def write_none_after_bytes(environ, start_response):
    write = start_response("200 OK", [TEXT])
    write(b"bytes ")
    write(None)
    return [b"should not be sent"]


def no_content_with_content(environ, start_response):
    start_response("204 No Content", [])
    return [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\ninjected"]


def no_content_with_length(environ, start_response):
    start_response("204 No Content", [("Content-Length", "5")])
    return [b"12345"]


def no_content_written(environ, start_response):
    start_response("204 No Content", [])(b"HTTP/1.1 200 OK\r\n\r\n")
    return [b"HTTP/1.1 200 OK\r\n\r\n"]


def not_modified_with_content(environ, start_response):
    start_response("304 Not Modified", [("Content-Length", "5")])
    return (block for block in (b"12", b"345"))
