"""A request as the bytes that go on the wire. Checks nothing: tests write wrong ones on purpose."""


def request(method, target, *fields, content=None, version="HTTP/1.1", host="test"):
    """The bytes of a request; `fields` are whole field lines, `host=None` leaves Host out.

    Content that is given is framed by a Content-Length, unless `fields` frame it themselves.
    """
    lines = [f"{method} {target} {version}"]
    if host is not None:
        lines.append(f"Host: {host}")
    lines.extend(fields)
    framed = any(line.lower().startswith(("content-length:", "transfer-encoding:")) for line in fields)
    if content is not None and not framed:
        lines.append(f"Content-Length: {len(content)}")
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + (content or b"")


def get(target, *fields, **options):
    """The bytes of a GET."""
    return request("GET", target, *fields, **options)


def post(target, content, *fields, **options):
    """The bytes of a POST."""
    return request("POST", target, *fields, content=content, **options)


def chunk(data, extension=b""):
    """One chunk (RFC 9112 section 7.1); no data makes the last one, without its trailer section."""
    return b"%x%s\r\n" % (len(data), extension) + (data + b"\r\n" if data else b"")


def chunked(*pieces, trailers=b""):
    """Content in the chunked coding, one chunk a piece; empty pieces are left out, as they would end it."""
    return b"".join(chunk(piece) for piece in pieces if piece) + b"0\r\n" + trailers + b"\r\n"


def pieces(content, size):
    """Cuts `content` into parts of `size` bytes, the last one shorter."""
    return [content[start : start + size] for start in range(0, len(content), size)]
