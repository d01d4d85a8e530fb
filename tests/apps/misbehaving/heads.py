"""Wrong arguments of start_response, and wrong calls of it: nothing of what is passed here may reach the wire."""

from misbehaving import TEXT


def answering(status, headers):
    """An application that answers like this, with a body of one block."""

    def application(environ, start_response):
        start_response(status, headers)
        return [b"should not be sent"]

    return application


status_int = answering(200, [TEXT])
status_bytes = answering(b"200 OK", [TEXT])
status_none = answering(None, [TEXT])
status_empty = answering("", [TEXT])
status_without_number = answering("OK", [TEXT])
status_two_digits = answering("20 OK", [TEXT])
status_four_digits = answering("2000 OK", [TEXT])
status_zero = answering("000 Nothing", [TEXT])
status_signed = answering("+20 OK", [TEXT])
status_superscript = answering("20\xb2 OK", [TEXT])
status_interim = answering("100 Continue", [])
status_switching = answering("101 Switching Protocols", [])
status_crlf = answering("200 OK\r\nX-Injected: yes", [TEXT])
status_line_feed = answering("200 OK\n", [TEXT])
status_nul = answering("200 O\0K", [TEXT])
status_snow = answering("200 \u2603", [TEXT])

fields_none = answering("200 OK", None)
fields_dict = answering("200 OK", {"Content-Type": "text/plain"})
fields_tuple = answering("200 OK", (TEXT,))
fields_iterator = answering("200 OK", iter([TEXT]))
field_none = answering("200 OK", [TEXT, None])
field_str = answering("200 OK", [TEXT, "X-Bad: 1"])
field_of_one = answering("200 OK", [TEXT, ("X-Bad",)])
field_of_three = answering("200 OK", [TEXT, ("X-Bad", "1", "2")])

name_int = answering("200 OK", [TEXT, (1, "X-Bad")])
name_bytes = answering("200 OK", [TEXT, (b"X-Bad", "1")])
name_empty = answering("200 OK", [TEXT, ("", "X-Bad")])
name_space = answering("200 OK", [TEXT, ("X Bad", "1")])
name_trailing_space = answering("200 OK", [TEXT, ("X-Bad ", "1")])
name_colon = answering("200 OK", [TEXT, ("X-Bad:", "1")])
name_crlf = answering("200 OK", [TEXT, ("X-Bad\r\nX-Injected", "yes")])
name_latin1 = answering("200 OK", [TEXT, ("X-B\xe4d", "1")])
name_snow = answering("200 OK", [TEXT, ("X-Bad-\u2603", "1")])

value_int = answering("200 OK", [TEXT, ("X-Bad", 1)])
value_none = answering("200 OK", [TEXT, ("X-Bad", None)])
value_bytes = answering("200 OK", [TEXT, ("X-Bad", b"1")])
value_crlf = answering("200 OK", [TEXT, ("X-Bad", "1\r\nX-Injected: yes")])
value_response = answering("200 OK", [TEXT, ("X-Bad", "1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")])
value_line_feed = answering("200 OK", [TEXT, ("X-Bad", "1\nX-Injected: yes")])
value_carriage_return = answering("200 OK", [TEXT, ("X-Bad", "1\rX-Injected: yes")])
value_trailing_line_feed = answering("200 OK", [TEXT, ("X-Bad", "1\n")])
value_nul = answering("200 OK", [TEXT, ("X-Bad", "1\0")])
value_escape = answering("200 OK", [TEXT, ("X-Bad", "\x1b[31m")])
value_delete = answering("200 OK", [TEXT, ("X-Bad", "\x7f")])
value_snow = answering("200 OK", [TEXT, ("X-Bad", "\u2603")])

length_word = answering("200 OK", [TEXT, ("Content-Length", "many")])
length_negative = answering("200 OK", [TEXT, ("Content-Length", "-1")])
length_signed = answering("200 OK", [TEXT, ("Content-Length", "+18")])
length_spaced = answering("200 OK", [TEXT, ("Content-Length", "1 8")])
length_empty = answering("200 OK", [TEXT, ("Content-Length", "")])
length_huge = answering("200 OK", [TEXT, ("Content-Length", "9" * 40)])
length_twice = answering("200 OK", [TEXT, ("Content-Length", "18"), ("content-length", "5")])


def no_arguments(environ, start_response):
    start_response()
    return [b"should not be sent"]


def called_twice(environ, start_response):
    start_response("200 OK", [TEXT])
    start_response("201 Created", [TEXT])
    return [b"should not be sent"]


def called_twice_with_none(environ, start_response):
    start_response("200 OK", [TEXT])
    start_response("201 Created", [TEXT], None)
    return [b"should not be sent"]


def called_again_after_a_refusal(environ, start_response):
    """The first call raised; without exc_info a second one is a fault all the same."""
    try:
        start_response("200 OK", [("X-Bad", "\r\n")])
    except Exception:
        pass
    start_response("200 OK", [TEXT])
    return [b"should not be sent"]


def refusal_swallowed(environ, start_response):
    """Ignores that start_response raised, and answers as if nothing were wrong."""
    try:
        start_response("200 OK", [TEXT, ("X-Bad", "\r\n")])
    except Exception:
        pass
    return [b"should not be sent"]


def never_called(environ, start_response):
    return [b"should not be sent"]


def never_called_generator(environ, start_response):
    yield b"should not be sent"


def never_called_empty(environ, start_response):
    return []


def called_too_late(environ, start_response):
    yield b"should not be sent"
    start_response("200 OK", [TEXT])
