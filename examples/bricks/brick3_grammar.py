"""Brick 3: parse by the grammar. What does not match it is refused, with a reason.

    python examples/bricks/brick3_grammar.py 8080
    printf 'GET / HTTP/1.1\\r\\nContent Length: 5\\r\\n\\r\\n' | nc 127.0.0.1 8080
"""

import re
import socket
import sys

# RFC 9110 section 5.6.2: token = 1*tchar
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
# RFC 9112 section 3: request-line = method SP request-target SP HTTP-version
REQUEST_LINE = re.compile(rb"(?P<method>%s) (?P<target>[!-~]+) HTTP/1\.(?P<minor>[0-9])" % TOKEN)
# RFC 9112 section 5: field-line = field-name ":" OWS field-value OWS
FIELD_LINE = re.compile(rb"(?P<name>%s):[ \t]*(?P<value>[\t -~\x80-\xff]*?)[ \t]*" % TOKEN)
# RFC 9110 section 8.6: Content-Length = 1*DIGIT
DIGITS = re.compile(rb"[0-9]{1,18}")


class Refused(Exception):
    """The request breaks a rule."""


def parse_head(head):
    """Method, target, minor version, and the fields as a list: their order counts, and a name may come twice."""
    first, *rest = head.split(b"\r\n")
    # fullmatch, because `$` would let a line feed pass; no int() or strip(), which accept more than the grammar does.
    request_line = REQUEST_LINE.fullmatch(first)
    if not request_line:
        raise Refused(f"not a request-line: {first!r}")
    fields = []
    for line in rest:
        field = FIELD_LINE.fullmatch(line)
        if not field:
            raise Refused(f"not a field-line: {line!r}")
        fields.append((field["name"].lower(), field["value"]))
    return request_line["method"], request_line["target"], request_line["minor"], fields


def content_length(fields):
    """How much content follows; whatever could be read in two ways is refused (RFC 9112 section 6.3)."""
    lengths = [value for name, value in fields if name == b"content-length"]
    if any(name == b"transfer-encoding" for name, _ in fields):
        raise Refused("chunked is the previous brick's")
    if len(lengths) > 1 or not all(map(DIGITS.fullmatch, lengths)):
        raise Refused(f"Content-Length: {lengths}")
    return int(lengths[0]) if lengths else 0


def answer(client):
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65536) or b"\r\n\r\n"
    head, _, content = received.partition(b"\r\n\r\n")
    try:
        method, target, minor, fields = parse_head(head)
        length = content_length(fields)
        while len(content) < length and (data := client.recv(65536)):
            content += data
        status, lines = b"200 OK", [b"method %s, target %s, HTTP/1.%s" % (method, target, minor)]
        lines += [b"%s = %s" % field for field in fields] + [b"%d bytes of content" % len(content[:length])]
    except Refused as refused:
        status, lines = b"400 Bad Request", [str(refused).encode()]
    text = b"".join(line + b"\n" for line in lines)
    client.sendall(b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(text), text))


def serve(port):
    with socket.create_server(("127.0.0.1", port)) as listener:
        print("listening on http://127.0.0.1:%d" % listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            with client:
                answer(client)


if __name__ == "__main__":
    serve(int(sys.argv[1]) if len(sys.argv) > 1 else 8080)
