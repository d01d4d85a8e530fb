"""The environ: PEP 3333 sections "environ Variables" and "Unicode Issues", and what Brickwork promises beyond it."""

import json
import re

import pytest

from harness.request import chunked, get, post, request

CGI_ALWAYS = ["REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL"]
WSGI_ALWAYS = [
    "wsgi.version",
    "wsgi.url_scheme",
    "wsgi.input",
    "wsgi.errors",
    "wsgi.multithread",
    "wsgi.multiprocess",
    "wsgi.run_once",
]


@pytest.fixture(scope="module", params=["application", "validated"])
def server(request, shared):
    return shared(f"environ_probe:{request.param}")


@pytest.fixture
def ask(server):
    """Sends the bytes of a request; returns what the application saw."""

    def ask(data):
        response = server.exchange(data)
        assert response.status == 200, response
        return json.loads(response.content)

    return ask


@pytest.fixture
def environ_of(ask):
    return lambda data: ask(data)["environ"]


def test_environ_is_a_builtin_dict(ask):
    assert ask(get("/"))["environ type"] == "dict"


def test_every_required_variable_is_present(environ_of):
    environ = environ_of(get("/"))
    assert not set(CGI_ALWAYS + WSGI_ALWAYS) - set(environ)
    assert all(environ[name] for name in CGI_ALWAYS)


def test_every_cgi_variable_is_a_str(ask):
    types = ask(post("/a?b", b"content", "Content-Type: text/plain", "X-Field: value"))["types"]
    assert {name: kind for name, kind in types.items() if "." not in name and kind != "str"} == {}


def test_no_text_holds_a_character_beyond_latin1(environ_of):
    environ = environ_of(get("/%E2%98%83?%C3%A9", "X-Snow: \xe2\x98\x83"))
    for value in filter(None, environ.values()):
        value.encode("latin-1")


def test_server_variables_are_named_in_lower_case_with_dots(environ_of):
    names = [name for name in environ_of(get("/")) if not re.fullmatch("[A-Z0-9_]+", name)]
    assert [name for name in names if not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", name)] == []


def test_what_an_application_does_to_its_environ_stays_in_its_request(server):
    with server.connect() as connection:
        first = json.loads(connection.exchange(get("/?spoil")).content)["environ"]
        second = json.loads(connection.exchange(get("/")).content)["environ"]
        connection.finish()
    assert not [name for name in second if "spoilt" in name.lower()]
    assert set(first) == set(second)


def test_the_environ_of_the_process_never_leaks_in(serve):
    env = {"BRICK_CANARY": "x", "HTTP_CANARY": "x", "CONTENT_TYPE": "x", "SCRIPT_NAME": "/x", "REMOTE_USER": "x"}
    with serve("environ_probe", env=env) as server:
        environ = json.loads(server.get("/").content)["environ"]
    assert not {"BRICK_CANARY", "HTTP_CANARY", "REMOTE_USER", "PATH", "HOME", "PWD"} & set(environ)
    assert environ.get("CONTENT_TYPE", "") == "" and environ.get("SCRIPT_NAME", "") == ""


@pytest.mark.parametrize(
    "method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PURGE", "get", "M-SEARCH"]
)
def test_request_method_is_every_token_as_sent(environ_of, method):
    assert environ_of(request(method, "/"))["REQUEST_METHOD"] == method


@pytest.mark.parametrize(
    ("target", "path_info"),
    [
        ("/", "/"),
        ("/plain/path", "/plain/path"),
        ("/a%20b", "/a b"),
        ("/a+b", "/a+b"),
        ("/100%25", "/100%"),
        ("/%41%7a", "/Az"),
        ("/%c3%A9", "/\xc3\xa9"),
        ("/%E9", "/\xe9"),
        ("/%ff", "/\xff"),
        ("/a%2Fb", "/a/b"),
        ("/a%3Fb", "/a?b"),
        ("/a/../b", "/a/../b"),
        ("/a/./b", "/a/./b"),
        ("/%2e%2e/b", "/../b"),
        ("//double//slash", "//double//slash"),
        ("/semi;colon=1", "/semi;colon=1"),
        ("/%2525", "/%25"),
        ("/[x]{y}|z^\\`", "/[x]{y}|z^\\`"),
        ("/path?query", "/path"),
    ],
)
def test_path_info_is_percent_decoded_once_and_otherwise_as_sent(environ_of, target, path_info):
    assert environ_of(get(target))["PATH_INFO"] == path_info


def test_script_name_is_empty_at_the_root(environ_of):
    assert environ_of(get("/a")).get("SCRIPT_NAME", "") == ""


@pytest.mark.parametrize(
    ("target", "query"),
    [
        ("/", ""),
        ("/?", ""),
        ("/?a=1&b=2", "a=1&b=2"),
        ("/?a=%20b+c", "a=%20b+c"),
        ("/?a?b", "a?b"),
        ("/?a/b", "a/b"),
        ("/?%C3%A9", "%C3%A9"),
        ("/?a[]=1|2", "a[]=1|2"),
    ],
)
def test_query_string_is_not_decoded(environ_of, target, query):
    assert environ_of(get(target)).get("QUERY_STRING", "") == query


@pytest.mark.parametrize("target", ["/a%20b?c=%20d", "/?", "/a/../b;p", "//x", "/%2F%2f", "/[x]?{y}"])
def test_the_target_is_kept_as_sent(environ_of, target):
    environ = environ_of(get(target))
    assert environ["RAW_URI"] == target
    assert environ["REQUEST_URI"] == target


def test_content_type_and_content_length_are_not_http_variables(environ_of):
    environ = environ_of(post("/", b"12345", "Content-Type: text/plain; charset=utf-8"))
    assert environ["CONTENT_TYPE"] == "text/plain; charset=utf-8"
    assert environ["CONTENT_LENGTH"] == "5"
    assert not {"HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"} & set(environ)


def test_content_type_and_content_length_are_empty_or_absent_without_content(environ_of):
    environ = environ_of(get("/"))
    assert environ.get("CONTENT_TYPE", "") == ""
    assert environ.get("CONTENT_LENGTH", "") == ""


def test_chunked_content_is_decoded_and_its_coding_is_gone(environ_of):
    """So that frameworks which go by CONTENT_LENGTH, and those which decode chunks themselves, both see content."""
    environ = environ_of(request("POST", "/", "Transfer-Encoding: chunked", content=chunked(b"123", b"45")))
    assert environ["CONTENT_LENGTH"] == "5"
    assert "HTTP_TRANSFER_ENCODING" not in environ


def test_trailer_fields_never_reach_the_environ(environ_of):
    content = chunked(b"12345", trailers=b"X-Trailer: 1\r\nX-Field: 2\r\nContent-Type: text/evil\r\n")
    environ = environ_of(request("POST", "/", "Transfer-Encoding: chunked", "X-Field: 1", content=content))
    assert environ["HTTP_X_FIELD"] == "1"
    assert "HTTP_X_TRAILER" not in environ and environ.get("CONTENT_TYPE", "") == ""


@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_server_protocol_is_the_version_of_the_request(server, version):
    response = server.exchange(get("/", version=version), version=version)
    assert json.loads(response.content)["environ"]["SERVER_PROTOCOL"] == version


def test_server_name_and_port_say_where_the_server_listens(server, environ_of):
    environ = environ_of(get("/"))
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", str(server.port))


def test_remote_addr_and_remote_port_are_the_clients(server):
    with server.connect() as connection:
        environ = json.loads(connection.exchange(get("/")).content)["environ"]
        assert (environ["REMOTE_ADDR"], environ["REMOTE_PORT"]) == ("127.0.0.1", str(connection.port))


@pytest.mark.parametrize(
    ("lines", "name", "value"),
    [
        (["X-Custom-Name: value"], "HTTP_X_CUSTOM_NAME", "value"),
        (["x-LOWER-case: value"], "HTTP_X_LOWER_CASE", "value"),
        (["X-Trimmed:\t  value \t"], "HTTP_X_TRIMMED", "value"),
        (["X-Tight:value"], "HTTP_X_TIGHT", "value"),
        (["X-Inner: a  b\tc"], "HTTP_X_INNER", "a  b\tc"),
        (["X-Empty:"], "HTTP_X_EMPTY", ""),
        (["X-Blank:   "], "HTTP_X_BLANK", ""),
        (["X-Latin1: caf\xe9 \xff\x80"], "HTTP_X_LATIN1", "caf\xe9 \xff\x80"),
        (["X-Digits-123: 1"], "HTTP_X_DIGITS_123", "1"),
        (["X-Colons: a:b:c"], "HTTP_X_COLONS", "a:b:c"),
        (["X-List: a", "X-List: b"], "HTTP_X_LIST", "a, b"),
        (["X-List: a", "X-Between: 1", "x-list: b, c", "X-LIST: d"], "HTTP_X_LIST", "a, b, c, d"),
        (["X-List: a", "X-List:", "X-List: c"], "HTTP_X_LIST", "a, , c"),
        (["Accept: text/html", "Accept: text/plain"], "HTTP_ACCEPT", "text/html, text/plain"),
        (["Cookie: a=1", "Cookie: b=2", "cookie: c=3"], "HTTP_COOKIE", "a=1; b=2; c=3"),
        (["X_Under: evil", "X-Under: good"], "HTTP_X_UNDER", "good"),
        (["X-Under: good", "X_Under: evil"], "HTTP_X_UNDER", "good"),
        (["X-Under: good", "X-Under_: evil"], "HTTP_X_UNDER", "good"),
        (["!#$%&'*+-.^`|~: odd but a token"], "HTTP_!#$%&'*+_.^`|~", "odd but a token"),
    ],
)
def test_field_lines_become_http_variables(environ_of, lines, name, value):
    assert environ_of(get("/", *lines))[name] == value


@pytest.mark.parametrize(
    "line",
    ["X_Under: 1", "Content_Length: 5", "Content_Type: text/evil", "Transfer_Encoding: chunked", "_: 1", "Ho_st: x"],
)
def test_a_field_name_with_an_underscore_is_dropped(environ_of, line):
    variables = {
        "HTTP_X_UNDER",
        "HTTP_CONTENT_LENGTH",
        "HTTP_CONTENT_TYPE",
        "HTTP_TRANSFER_ENCODING",
        "HTTP__",
        "HTTP_HO_ST",
    }
    environ = environ_of(get("/", line))
    assert not variables & set(environ)
    assert environ.get("CONTENT_LENGTH", "") == "" and environ.get("CONTENT_TYPE", "") == ""


def test_a_field_that_was_not_sent_has_no_variable(environ_of):
    assert [name for name in environ_of(get("/")) if name.startswith("HTTP_")] == ["HTTP_HOST"]


@pytest.mark.parametrize(
    ("target", "host", "path_info", "query"),
    [
        ("http://other.example/x%20y?q=1", "other.example", "/x y", "q=1"),
        ("http://other.example:81/x", "other.example:81", "/x", ""),
        ("http://other.example/", "other.example", "/", ""),
        ("HTTP://Other.Example/x", "Other.Example", "/x", ""),
        ("http://[::1]:8000/x", "[::1]:8000", "/x", ""),
    ],
)
def test_absolute_form_names_the_host_and_the_host_field_is_ignored(environ_of, target, host, path_info, query):
    """RFC 9112 section 3.2.2."""
    environ = environ_of(get(target, host="ignored.example"))
    assert environ["HTTP_HOST"] == host
    assert (environ["PATH_INFO"], environ.get("QUERY_STRING", "")) == (path_info, query)
    assert environ["RAW_URI"] == environ["REQUEST_URI"] == target


def test_absolute_form_without_a_path_is_the_root(environ_of):
    environ = environ_of(get("http://other.example?q", host="other.example"))
    assert environ["PATH_INFO"] in ("", "/") and environ["QUERY_STRING"] == "q"


def test_asterisk_form_reaches_the_application(environ_of):
    environ = environ_of(request("OPTIONS", "*"))
    assert (environ["REQUEST_METHOD"], environ["RAW_URI"]) == ("OPTIONS", "*")


def test_wsgi_variables_have_the_values_of_the_pep(ask):
    answer = ask(get("/"))
    assert answer["version"] == [1, 0] and answer["types"]["wsgi.version"] == "tuple"
    assert answer["environ"]["wsgi.url_scheme"] == "http"
    assert answer["flags"]["wsgi.multithread"]
    assert not answer["flags"]["wsgi.multiprocess"]
    assert not answer["flags"]["wsgi.run_once"]
    assert answer["flags"]["wsgi.input_terminated"] is True
    assert "wsgi.file_wrapper" in answer["callables"]


@pytest.mark.parametrize("target", ["/", "/a%20b/c?d=e", "/%C3%A9"])
def test_the_url_can_be_reconstructed(ask, target):
    assert ask(get(target, host="example.org:8080"))["request_uri"] == f"http://example.org:8080{target}"


def test_the_url_can_be_reconstructed_without_a_host(ask, server):
    answer = json.loads(server.exchange(get("/x", host=None, version="HTTP/1.0"), version="HTTP/1.0").content)
    name, port = answer["environ"]["SERVER_NAME"], answer["environ"]["SERVER_PORT"]
    assert answer["request_uri"] == f"http://{name}:{port}/x"


@pytest.mark.parametrize(
    "name",
    ["Host", "User-Agent", "Accept", "Accept-Language", "Connection", "Cookie", "Authorization", "X-Request-ID", "X-Own"],
)
def test_a_value_is_the_one_that_this_request_sent(server, name):
    """Values are kept from request to request, for those that say the same again: equal lengths, lines that are missing, and long ones."""
    key = "HTTP_" + name.upper().replace("-", "_")
    values = ["close", "cl0se", "cl0se", None, "cl0se", "close", "x" * 256, "x" * 255 + "y", "x" * 300, "x" * 299 + "y"]
    if name in ("Host", "Connection"):
        values = ["upgrade", "upgrad3", "upgrad3", "x" * 255, "x" * 254 + "y"]
    with server.connect() as connection:
        for value in values:
            fields = [f"{name}: {value}"] if value is not None and name != "Host" else []
            message = get("/", *fields)
            if name == "Host":
                message = message.replace(b"Host: ", f"Host: {value}".encode() + b"\r\nX-Was: ", 1)
            seen = json.loads(connection.exchange(message).content)["environ"]
            assert seen.get(key) == value


def test_the_table_of_an_environ_need_not_grow(ask):
    """It has its size from the start, whatever is added; a dictionary that grows costs as much as many variables."""

    def size(lines):
        fields = "".join(f"X-Field-{number}: x\r\n" for number in range(lines))
        return ask(f"GET / HTTP/1.0\r\n{fields}\r\n".encode())["environ size"]

    assert size(0) == size(13) < size(14) == size(35)


@pytest.mark.parametrize("count", [0, 12, 13, 14, 15, 34, 35, 36, 90])
def test_every_field_line_arrives_however_many_there_are(environ_of, count):
    environ = environ_of(get("/", *[f"X-Field-{number}: value {number}" for number in range(count)]))
    assert {key: value for key, value in environ.items() if key.startswith("HTTP_X_FIELD_")} == {
        f"HTTP_X_FIELD_{number}": f"value {number}" for number in range(count)
    }
    assert not [key for key in environ if key.startswith("key ")]
