"""Which scenarios are run against whom, and how often."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .rounds import Plan
from .scenarios import SCENARIOS

FAST = ["brickwork", "bjoern", "fastwsgi", "granian"]
WITH_THREADS = ["granian-64", "gunicorn-gthread", "gunicorn-gthread-64", "waitress", "cheroot", "uwsgi"]
LIMIT = "limit-wsgi"
LIMITS = ["limit-fixed", LIMIT]
SLOW = ["gunicorn-sync", "gunicorn-gthread", "waitress", "cheroot", "uwsgi"]
ALL = [*FAST, *SLOW]
SCHEDULERS = ["brickwork-product", "brickwork-inline", "brickwork-pool"]

# A ratio that a claim rests on has so many pairs.
HEADLINE = 20

# Servers that are several times slower are measured in one round of so many: where they stand takes no fine interval.
SELDOM = {**dict.fromkeys(SLOW, 4), "http.server": 3}


@dataclass(frozen=True)
class Row:
    scenario: str
    peers: list[str]
    rounds: int
    connections: int | None = None
    cores: int = 1
    # Where answers take long, a short measurement would count its first and last ones wrong.
    least_seconds: int = 0
    # Where a goal rests on a server of SELDOM, it is measured in every round.
    seldom: bool = True


# A directory of files, without an application.
FILE_SERVERS = ["brickwork-static", "nginx", "nginx-default", "http.server"]
STATIC = [
    Row("static-10k", FILE_SERVERS, 6),
    *[Row("static-10m", FILE_SERVERS, 6, connections) for connections in (1, 4, 64)],
]

SUITES: dict[str, list[Row]] = {
    "hello": [Row("hello", FAST, HEADLINE)],
    "quick": [Row("hello", FAST, 6), Row("fields", FAST, 3), Row("flask", FAST, 2)],
    "static": STATIC,
    "full": [
        Row("hello", [*ALL, *LIMITS, "brickwork-log"], HEADLINE),
        Row("close", [*ALL, *LIMITS], HEADLINE),
        Row("pipelined", [*ALL, *LIMITS], HEADLINE),
        Row("fields", [*ALL, *LIMITS], HEADLINE),
        Row("post-16k", [*ALL, LIMIT], 6),
        Row("post-1m", [*ALL, LIMIT], 6),
        Row("megabyte", [*ALL, LIMIT], 10),
        Row("generator", [*ALL, LIMIT], 10),
        Row("rows", ALL, 6),
        Row("file", [*ALL, "nginx"], 6, seldom=False),
        *STATIC,
        Row("flask", [*ALL, LIMIT], 10),
        Row("django", [*ALL, LIMIT], 10),
        Row("django-sqlite", ALL, 12),
        Row("flask-log", ALL, 12),
        Row("sleep-20ms", ["brickwork", *WITH_THREADS], 6, least_seconds=3),
        Row("sleep-20ms-1000", ["brickwork", *WITH_THREADS], 12, least_seconds=6),
        Row("mixed", [*FAST, "granian-default", *WITH_THREADS], 6, least_seconds=3),
        Row("python-1ms", [*ALL, LIMIT], 6),
        Row("hello-1", [*ALL, LIMIT], 10),
        Row("rate-20000", FAST, 6),
        Row("active-32", FAST, 6),
        Row("active-32-idle-10000", FAST, 6),
        *[Row("hello", FAST, 5, connections) for connections in (10, 100, 1_000, 10_000)],
    ],
    "scheduling": [
        Row(scenario, SCHEDULERS, 5, connections, cores)
        for scenario in (
            "hello",
            "sleep-20ms",
            "sleep-20ms-of-20",
            "writes",
            "writes-and-sleep",
            "django-sqlite",
            "django-sqlite-and-sleep",
            "flask-log",
            "flask-log-and-sleep",
            "python-15ms-and-writes",
            "waits",
            "python-20ms",
            "python-2ms",
        )
        for connections in (1, 8, 64)
        for cores in (1, 2)
    ],
}


def plan(row: Row, rounds: int | None, seconds: int, available: list[int]) -> Plan:
    """The server gets the first core or cores, the client the next, or with two cores in all the second, shared."""
    scenario = SCENARIOS[row.scenario]
    if row.connections is not None:
        scenario = replace(scenario, connections=row.connections)
    client = available[row.cores] if len(available) > row.cores else available[-1]
    cores = frozenset(available[: row.cores])
    turn = max(1, row.least_seconds)
    turns = max(1, seconds // turn)
    return Plan(scenario, row.peers, SELDOM if row.seldom else {}, rounds or row.rounds, turns, turn, cores, client)
