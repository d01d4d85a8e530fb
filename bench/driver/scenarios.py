"""What is asked of the servers: one row, one application and one kind of request, with the answer that is right."""

from __future__ import annotations

from dataclasses import dataclass

# What a browser and a load balancer send between them, with a cookie of 800 bytes: 20 field lines, and Host.
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.7,de;q=0.3",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Referer": "http://127.0.0.1/catalogue/shelves?page=3&order=title",
    "Cookie": "session=" + "0123456789abcdef" * 49 + "01234567",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Sec-Fetch-User": "?1",
    "DNT": "1",
    "Sec-GPC": "1",
    "Priority": "u=0, i",
    "Pragma": "no-cache",
    "Cache-Control": "no-cache",
    "X-Forwarded-For": "203.0.113.195",
    "X-Forwarded-Proto": "https",
    "X-Real-IP": "203.0.113.195",
    "X-Request-ID": "7f6f1d3c-6a6d-4f2e-9a40-2b9d1c9ad2e1",
}

HELLO = b"Hello, World!"


@dataclass(frozen=True)
class Scenario:
    name: str
    app: str
    path: str = "/"
    method: str = "GET"
    fields: tuple[tuple[str, str], ...] = ()
    # Bytes of request content.
    content: int = 0
    connections: int = 64
    depth: int = 1
    # The whole content of a right answer; None: any 200 whose content the first server gave.
    answer: bytes | None = HELLO
    # Bytes of a right answer too large to write down.
    length: int | None = None
    # Says how many answers of its own were closed, where the application does part of its work in close().
    closing: str = ""
    # Requests for which the client asks for this path instead, one in so many; measured apart from the others.
    slow_path: str = ""
    slow_one_in: int = 0
    # Connections that are open beside the active ones and never used.
    idle: int = 0
    # Requests a second in all; 0: as many as are answered.
    rate: int = 0
    # Whether the client is that of load/ though wrk could do it: two scenarios are only compared under the same client.
    by_own_client: bool = False

    def is_beyond_wrk(self) -> bool:
        """Whether the client is that of load/."""
        return bool(self.slow_one_in or self.idle or self.rate or self.by_own_client)


SCENARIOS = {
    scenario.name: scenario
    for scenario in [
        Scenario("hello", "plain:hello"),
        Scenario("hello-1", "plain:hello", connections=1),
        Scenario("close", "plain:hello", fields=(("Connection", "close"),)),
        Scenario("pipelined", "plain:hello", depth=16),
        Scenario("fields", "plain:hello", fields=tuple(BROWSER.items())),
        Scenario("post-16k", "plain:read", method="POST", content=16_384, answer=b"00016384"),
        Scenario("post-1m", "plain:read", method="POST", content=1_000_000, answer=b"01000000"),
        Scenario("megabyte", "large:megabyte", answer=None, length=1_000_000),
        Scenario("generator", "plain:generator", answer=None, length=64 * 16_384),
        Scenario("rows", "plain:rows", answer=None, length=50_000),
        Scenario("file", "plain:file", path="/file", answer=None, length=10_000_000, connections=8),
        # Of the directory in which the files are, without an application.
        Scenario("static-10k", "", path="/page", answer=None, length=10_000),
        Scenario("static-10m", "", path="/file", answer=None, length=10_000_000, connections=4),
        Scenario("flask", "flask_app:app", path="/hello/you", answer=b"Hello, you!"),
        Scenario("django", "django_app:app", path="/hello/you", answer=b"Hello, you!", closing="/closed"),
        Scenario("django-sqlite", "django_app:app", path="/shelf/3", answer=None, closing="/closed"),
        Scenario("flask-log", "flask_app:app", path="/logged/you", answer=b"Hello, you!"),
        Scenario("sleep-20ms", "plain:sleep_20ms"),
        Scenario("sleep-20ms-1000", "plain:sleep_20ms", connections=1000),
        Scenario("mixed", "plain:mixed", slow_path="/slow", slow_one_in=20),
        Scenario("python-1ms", "plain:python_1ms"),
        Scenario("active-32", "plain:hello", connections=32, by_own_client=True),
        Scenario("active-32-idle-10000", "plain:hello", connections=32, idle=10_000),
        Scenario("rate-20000", "plain:hello", rate=20_000),
        # Those that follow are for the scheduler: see `scheduling` in suites.py.
        Scenario("sleep-20ms-of-20", "plain:sleep_20ms_of_20"),
        Scenario("writes", "brief_releases:writes"),
        Scenario("writes-and-sleep", "brief_releases:writes_and_sleep"),
        Scenario("django-sqlite-and-sleep", "django_app:app", path="/shelf-and-sleep/3", answer=None, closing="/closed"),
        Scenario("flask-log-and-sleep", "flask_app:app", path="/logged-and-sleep/you", answer=b"Hello, you!"),
        Scenario("python-15ms-and-writes", "brief_releases:python_and_writes"),
        Scenario("waits", "brief_releases:waits"),
        Scenario("python-20ms", "plain:python_20ms"),
        Scenario("python-2ms", "plain:python_2ms"),
    ]
}
