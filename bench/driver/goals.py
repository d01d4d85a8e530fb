"""What the project asks of itself, beside what was measured: ratios to peers and to the limit, and plain figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from .ratio import Ratio, median
from .suites import LIMIT
from .table import ratio

OURS = "brickwork"
NOT_PEERS = (OURS, "brickwork-log", "limit-fixed", LIMIT, "nginx")

# What was measured of each server, by scenario.
Measured = dict[str, dict[str, list[dict]]]


class Reached(NamedTuple):
    # The figure.
    text: str
    # Whether it is what was asked.
    is_met: bool
    # In how many it was measured: of a ratio, the number of pairs.
    rounds: int


@dataclass(frozen=True)
class Goal:
    scenario: str
    asked: str
    # None if it was not measured.
    reached: Callable[[Measured], Reached | None]


def show(results: list[dict]) -> list[str]:
    """The lines of a table in Markdown."""
    # A scenario is also measured at other numbers of connections, later.
    measured: Measured = {}
    for result in results:
        measured.setdefault(result["scenario"], result["measured"])
    lines = ["| scenario | asked | reached | rounds | |", "|---|---|---|--:|---|"]
    for goal in GOALS:
        reached = goal.reached(measured) if OURS in measured.get(goal.scenario, {}) else None
        text, is_met, rounds = reached or Reached("not measured", False, 0)
        lines.append(f"| {goal.scenario} | {goal.asked} | {text} | {rounds} | {'yes' if is_met else 'no'} |")
    return lines


def processor_time(scenario: str, most: float, *names: str, surely: bool = False) -> Goal:
    """At most so many times what each peer (all, if none is named) takes; with `surely`, by its whole interval."""

    def reached(measured: Measured) -> Reached | None:
        if not (found := worst_of(max, measured[scenario], names, "cpu")):
            return None
        name, worst = found
        is_met = (worst.high is not None and worst.high < most) if surely else worst.mean <= most
        return Reached(f"{worst} ({name})", is_met, worst.pairs)

    whom = " and ".join(names) or "the best peer's"
    return Goal(scenario, f"processor time {'below' if surely else 'at most'} {most:.2g} of {whom}", reached)


def latency(scenario: str, key: str) -> Goal:
    """At most that of the peer with the highest rate: one that starves connections is quick for the rest."""

    def reached(measured: Measured) -> Reached | None:
        servers = measured[scenario]
        rates = {name: median([one["rate"] for one in servers[name]]) for name in peers(servers, ())}
        if not rates:
            return None
        fastest = max(rates, key=lambda name: rates[name])
        value = ratio(servers, OURS, fastest, key)
        if not value.pairs:
            return None
        return Reached(f"{value} ({fastest})", value.mean <= 1, value.pairs)

    return Goal(scenario, f"{key} at most that of the peer with the highest rate", reached)


def rate_of(scenario: str, least: float, *names: str) -> Goal:
    """At least so many times the rate of each of these; of all peers, if none is named."""

    def reached(measured: Measured) -> Reached | None:
        if not (found := worst_of(min, measured[scenario], names, "rate")):
            return None
        name, worst = found
        return Reached(f"{worst} ({name})", worst.mean >= least, worst.pairs)

    return Goal(scenario, f"rate at least {least:.2g} of {' and '.join(names) or 'the best peer'}", reached)


def figure(scenario: str, key: str, asked: str, shown: Callable[[float], str], is_met: Callable[[float], bool]) -> Goal:
    def reached(measured: Measured) -> Reached:
        values = [one[key] for one in measured[scenario][OURS]]
        value = median(values)
        return Reached(shown(value), is_met(value), len(values))

    return Goal(scenario, asked, reached)


def worst_of(
    worst: Callable, servers: dict[str, list[dict]], names: tuple[str, ...], key: str
) -> tuple[str, Ratio] | None:
    """The peer beside which ours stands worst, and our ratio to it, unless no round has both; `worst` is `max` or `min`."""
    ratios = {name: ratio(servers, OURS, name, key) for name in peers(servers, names)}
    found = worst(ratios.items(), key=lambda item: item[1].mean, default=None)
    return found if found and found[1].pairs else None


def peers(servers: dict, names: tuple[str, ...]) -> Iterator[str]:
    """Those that were measured."""
    return (name for name in servers if (name in names if names else name not in NOT_PEERS))


def beside_idle(key: str, asked: str, judge: Callable[[float, float], tuple[str, bool]]) -> Goal:
    """32 active connections with 10,000 idle ones, and without."""
    scenario = "active-32-idle-10000"

    def reached(measured: Measured) -> Reached | None:
        if OURS not in measured.get("active-32", {}):
            return None
        idle, without = ([one[key] for one in measured[name][OURS]] for name in (scenario, "active-32"))
        return Reached(*judge(median(idle), median(without)), min(len(idle), len(without)))

    return Goal(scenario, asked, reached)


def per_second(least: float) -> dict:
    return {"shown": lambda value: f"{value:,.0f}/s", "is_met": lambda value: value >= least}


GOALS = [
    processor_time("hello", 1.0, "bjoern", "fastwsgi", surely=True),
    processor_time("hello", 0.55, "granian"),
    rate_of("hello", 0.85, LIMIT),
    processor_time("close", 1.0, "bjoern"),
    rate_of("close", 0.9, LIMIT),
    processor_time("pipelined", 0.33, "fastwsgi"),
    rate_of("pipelined", 0.4, LIMIT),
    processor_time("fields", 0.65, "fastwsgi"),
    rate_of("fields", 0.7, LIMIT),
    processor_time("post-16k", 0.9),
    rate_of("post-16k", 0.9, LIMIT),
    processor_time("post-1m", 1.0),
    rate_of("post-1m", 0.9, LIMIT),
    processor_time("megabyte", 1.0),
    rate_of("megabyte", 0.95, LIMIT),
    processor_time("generator", 1.0),
    rate_of("generator", 0.95, LIMIT),
    processor_time("file", 1.0),
    rate_of("file", 0.9, "nginx"),
    processor_time("flask", 1.0),
    rate_of("flask", 0.95, LIMIT),
    processor_time("django", 1.0),
    rate_of("django", 0.95, LIMIT),
    *[
        goal
        for scenario in ("django-sqlite", "flask-log")
        for goal in (rate_of(scenario, 1.0), latency(scenario, "p50"), latency(scenario, "p99"))
    ],
    *[
        goal
        for scenario in ("sleep-20ms", "sleep-20ms-1000")
        for goal in (
            rate_of(scenario, 1.0, "granian-64", "gunicorn-gthread-64"),
            processor_time(scenario, 0.8, "granian-64"),
            figure(scenario, "rate", "rate at least 0.95 of 64 threads / 20 ms", **per_second(0.95 * 3_200)),
        )
    ],
    figure("mixed", "rate", "rate at least 0.97 of 64 connections / 2.5 ms", **per_second(0.97 * 25_600)),
    figure("mixed", "p99", "p99 of hello at most 1 ms", lambda value: f"{value:,.0f} us", lambda value: value <= 1_000),
    processor_time("mixed", 0.7, "granian-64"),
    beside_idle(
        "resident",
        "at most 1 KB for each idle connection",
        lambda idle, without: (f"{(idle - without) / 10_000:,.0f} bytes", idle - without <= 10_000 * 1_000),
    ),
    beside_idle(
        "rate",
        "rate unchanged within 5 %",
        lambda idle, without: (f"{idle / without:.3f}", idle >= 0.95 * without),
    ),
    figure(
        "hello",
        "resident",
        "at most 15 MB",
        lambda value: f"{value / 1e6:.1f} MB in two processes",
        lambda value: value <= 15e6,
    ),
    figure(
        "hello",
        "start_up",
        "first answer within 60 ms",
        lambda value: f"{value * 1000:.0f} ms",
        lambda value: value <= 0.060,
    ),
]
