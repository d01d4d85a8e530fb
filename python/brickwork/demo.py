"""The page that ``brickwork demo`` serves: a request as the server understood it, and its walk through the house.

A WSGI application (PEP 3333) like any other. Everything that came from the client is escaped before it is shown; nothing
is loaded from elsewhere. What an environ cannot tell (the bytes of the head, the spans in it, the framing decision) comes
from the extension module, for the request that this thread is answering.
"""

from __future__ import annotations

import threading
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from brickwork._brickwork import __version__, request_as_understood

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from brickwork._brickwork import UnderstoodRequest

CONTENT_READ = 64 * 1024
"""So many bytes of content are read; the server discards the rest."""

CONTENT_SHOWN = 4 * 1024
"""So many bytes of content are shown as they came."""


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer every request with a page about itself."""
    if environ["PATH_INFO"] == "/favicon.ico":
        start_response("404 Not Found", [("Content-Type", "text/plain"), ("Content-Length", "0")])
        return []
    content = environ["wsgi.input"].read(CONTENT_READ)
    page = render(environ, content, request_as_understood()).encode("utf-8", "replace")
    fields = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Length", str(len(page))),
        ("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
        ("Cache-Control", "no-store"),
    ]
    start_response("200 OK", fields)
    return [page]


def render(environ: dict[str, Any], content: bytes, understood: UnderstoodRequest | None) -> str:
    """The whole page."""
    sections = [TRY_IT]
    if content:
        sections.insert(0, section("The content", content_html(environ, content)))
    if understood is not None:
        sections += [
            section("The head, byte for byte", LEGEND + head_html(understood)),
            section("What was decided", decisions_html(understood)),
        ]
    sections += [
        section("Its walk through the house", walk_html(environ, content, understood)),
        section("The environ that the application got", environ_html(environ)),
    ]
    method, path = escape(environ["REQUEST_METHOD"]), escape(environ["PATH_INFO"])
    title = f"<p>This is how Brickwork {escape(__version__)} understood <code>{method} {path}</code>.</p>"
    return "\n".join([PAGE_START, title, *sections, PAGE_END])


def section(title: str, html: str) -> str:
    return f"<section><h2>{escape(title)}</h2>\n{html}</section>"


def head_html(understood: UnderstoodRequest) -> str:
    """The bytes of the head, each span in the colour of its kind."""
    head, at, parts = understood["head"], 0, []
    for kind, start, length in sorted(understood["spans"], key=lambda span: span[1]):
        if start < at:
            continue
        parts.append(bytes_html(head[at:start]))
        parts.append(f'<mark class="{escape(kind)}">{bytes_html(head[start:start + length])}</mark>')
        at = start + length
    parts.append(bytes_html(head[at:]))
    return f"<pre>{''.join(parts)}</pre>"


def bytes_html(data: bytes) -> str:
    """Bytes as text: printable ASCII as it is, everything else as an escape that cannot be mistaken for text."""
    parts = []
    for byte in data:
        if byte == 0x0A:
            parts.append("<i>\\n</i>\n")
        elif byte == 0x0D:
            parts.append("<i>\\r</i>")
        elif 0x20 <= byte < 0x7F:
            parts.append(escape(chr(byte)))
        else:
            parts.append(f"<i>\\x{byte:02x}</i>")
    return "".join(parts)


def decisions_html(understood: UnderstoodRequest) -> str:
    expects = "yes: 100 Continue is sent when the application reads" if understood["expects_continue"] else "no"
    rows = [
        ("Socket pair", f"{understood['remote']} to {understood['local']}"),
        ("Request on this connection", f"number {understood['request_number']}"),
        ("Version", understood["version"]),
        ("Form of the request-target (RFC 9112 section 3.2)", understood["target_form"]),
        ("Message framing (RFC 9112 section 6.3)", understood["framing"]),
        ("Expect: 100-continue (RFC 9110 section 10.1.1)", expects),
        ("Persistence (RFC 9112 section 9.3)", understood["persistence"]),
    ]
    return table_html(rows)


def content_html(environ: dict[str, Any], content: bytes) -> str:
    """The content as it came, and as a form if it is one."""
    parts = [f"<p>{len(content)} bytes{' or more' if len(content) == CONTENT_READ else ''}.</p>"]
    if environ.get("CONTENT_TYPE", "").split(";")[0].strip().lower() == "application/x-www-form-urlencoded":
        try:
            pairs = parse_qsl(content.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=100)
        except ValueError as error:
            parts.append(f"<p>Not a form that could be read: {escape(str(error))}.</p>")
        else:
            parts.append(table_html(pairs))
    parts.append(f"<pre>{bytes_html(content[:CONTENT_SHOWN])}</pre>")
    return "".join(parts)


def environ_html(environ: dict[str, Any]) -> str:
    return table_html(sorted((key, repr(value)) for key, value in environ.items()), "environ")


def table_html(rows: Iterable[tuple[str, str]], kind: str = "plain") -> str:
    lines = (f"<tr><th scope=row>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in rows)
    return f"<table class={kind}>{''.join(lines)}</table>"


def walk_html(environ: dict[str, Any], content: bytes, understood: UnderstoodRequest | None) -> str:
    """The nine steps of a request, with what this one did at each."""
    remote, local, head_length, fields, framing, persistence = "the client", "the listener", "all", "its", "", ""
    if understood is not None:
        remote, local = understood["remote"], understood["local"]
        head_length = str(len(understood["head"]))
        fields = str(sum(kind == "field-name" for kind, _, _ in understood["spans"]))
        framing, persistence = understood["framing"], understood["persistence"]
    thread = f"thread {threading.get_native_id()}"
    steps = [
        ("accept", f"A connection from {remote} came in at {local}. It got a slot and was registered once."),
        ("fill", f"Its bytes were read into a receive buffer: {head_length} of them are the head."),
        ("parse", f"The request-line and {fields} field lines were found in one pass and kept as spans, not copies."),
        ("frame", sentence(framing) or "How long is the content? Numbered steps of the specification decide."),
        ("set out", f"The head and {len(content)} bytes of content left as an exchange; the socket stayed."),
        ("handle", f"The application got an environ of {len(environ)} keys, on the loop's own thread ({thread})."),
        ("write", "The status-line, the fields and this page go to the kernel, in as few calls as they fit in."),
        ("reclaim", "A call of milliseconds keeps the loop; if this one blocked, another thread would take it."),
        ("persist or close", sentence(persistence) or "The connection stays open if both sides want it to."),
    ]
    lines = (f"<li><b>{escape(name)}</b> {escape(text)}</li>" for name, text in steps)
    return f"<ol>{''.join(lines)}</ol>"


def sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}." if words else ""


LEGEND = """<p class=legend><mark class=method>method</mark> <mark class=request-target>request-target</mark>
<mark class=field-name>field-name</mark> <mark class=field-value>field-value</mark> <i>escaped</i></p>
"""

TRY_IT = """<section><h2>Send something</h2>
<form method=post action="/echo?from=form"><label>Name <input name=name value="Ada"></label>
<label>Words <textarea name=words rows=2>Hällo &amp; welcome</textarea></label> <button>POST it</button></form>
<p>Or from a terminal, with this address: <code>curl -d hello -H 'Transfer-Encoding: chunked'</code></p></section>
"""

PAGE_START = """<!doctype html>
<html lang=en><head><meta charset=utf-8><meta name=viewport content="width=device-width"><title>Brickwork demo</title>
<style>
:root { color-scheme: light dark; --ink: #2b2220; --paper: #faf6f2; --card: #fff; --line: #e4d9d0; --brick: #a63d23;
  --a: #ffe0b8; --b: #cfe8ff; --c: #d9f2d5; --d: #f3e3ff; --faint: #8a7b74; }
@media (prefers-color-scheme: dark) { :root { --ink: #efe6e0; --paper: #1b1614; --card: #26201d; --line: #40352f;
  --brick: #f08a6c; --a: #5c4010; --b: #17415f; --c: #21491d; --d: #472b5e; --faint: #a3938b; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { color: var(--brick); margin: 0; } h2 { font-size: 1.1rem; margin: 0 0 .5rem; color: var(--brick); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 1rem; margin: 1rem 0; }
section > :last-child { margin-bottom: 0; }
pre, code, td, .environ th { font-family: ui-monospace, monospace; font-size: .85rem; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; word-break: break-all; margin: .5rem 0; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; }
th { font-weight: 500; width: 32%; overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: .25rem .8rem .25rem 0; border-top: 1px solid var(--line); }
td { white-space: pre-wrap; } tr:first-child > * { border-top: 0; }
ol { padding-left: 1.5rem; } li { margin: .3rem 0; } i { color: var(--faint); font-style: normal; }
mark { color: inherit; border-radius: 2px; } .legend { font-size: .85rem; margin: 0; }
.method { background: var(--a); } .request-target { background: var(--b); } .field-name { background: var(--c); }
.field-value { background: var(--d); }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: start; }
label { display: flex; gap: .4rem; } input, textarea, button { font: inherit; max-width: 100%; }
@media (max-width: 40rem) {
  th, td { display: block; width: auto; padding: 0; } td { border-top: 0; padding-bottom: .4rem; }
  th { padding-top: .4rem; } label { flex-direction: column; width: 100%; }
}
</style></head>
<body><h1>Brickwork</h1>"""

PAGE_END = "</body></html>\n"
