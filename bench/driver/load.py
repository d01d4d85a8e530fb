"""Load on a server from a core of its own, by wrk or by the client of load/, and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass

from .peers import BENCH
from .reference_answer import NoAnswer, ReferenceAnswer, WrongAnswer
from .scenarios import Scenario
from .server_process import ServerProcess

# Seconds that opening connections and waiting for last answers may take beyond the load itself.
PATIENCE = 40

# What a server adds to an answer behind which it closes the connection.
CLOSE_LINE = b"Connection: close\r\n"


@dataclass(frozen=True)
class Load:
    requests: int
    seconds: float
    # Microseconds. Unless there is a fixed rate, a client waits for an answer before it sends the next request, so
    # these do not show what a stalled server would have done to requests that were never sent (coordinated omission).
    p50: int
    p99: int


def put(server: ServerProcess, scenario: Scenario, seconds: int, core: int, reference: ReferenceAnswer) -> Load:
    by = by_client if scenario.is_beyond_wrk() else by_wrk
    return by(server, scenario, seconds, core, reference)


def by_wrk(server: ServerProcess, scenario: Scenario, seconds: int, core: int, reference: ReferenceAnswer) -> Load:
    """Raises WrongAnswer if one answer was refused, cut or lost."""
    fields = [word for name, value in scenario.fields for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{scenario.connections}", f"-d{seconds}s", "--timeout", "30s", *fields]
    command += ["-s", str(BENCH / "wrk/report.lua"), f"http://127.0.0.1:{server.port}{scenario.path}"]
    command += ["--", scenario.method, str(scenario.content), str(scenario.depth)]
    output = run(command, core, seconds)
    report = json.loads(output.rpartition("REPORT ")[2])
    check(report, scenario, reference, server.peer.closes_some)
    return Load(report["requests"], report["microseconds"] / 1e6, report["p50"], report["p99"])


def by_client(server: ServerProcess, scenario: Scenario, seconds: int, core: int, reference: ReferenceAnswer) -> Load:
    """Raises WrongAnswer. Percentiles are those of the requests that are not slow on purpose."""
    command = [str(BENCH / "build/load/release/brickwork-load"), "--address", f"127.0.0.1:{server.port}"]
    command += ["--path", scenario.path, "--length", str(len(reference.content)), "--seconds", str(seconds)]
    command += ["--connections", str(scenario.connections), "--idle", str(scenario.idle), "--rate", str(scenario.rate)]
    command += ["--slow-path", scenario.slow_path, "--slow-one-in", str(scenario.slow_one_in)]
    report = json.loads(run(command, core, seconds))
    normal, slow = report["normal"], report["slow"]
    if report["errors"] or report["idle_dropped"]:
        dropped = f", {report['idle_dropped']} idle connections dropped"
        raise WrongAnswer(f"{report['errors']} errors{dropped}, the first: {report['first_error'] or 'none'}")
    if not normal["requests"]:
        raise NoAnswer("no answer at all")
    return Load(normal["requests"] + slow["requests"], report["seconds"], normal["p50"], normal["p99"])


def run(command: list[str], core: int, seconds: float) -> str:
    try:
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=seconds + PATIENCE,
            preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        )
    except subprocess.TimeoutExpired:
        raise WrongAnswer(f"{PATIENCE} s after its end the load has not ended") from None
    if result.returncode:
        raise WrongAnswer(f"{command[0]}: {result.stderr.strip()[-200:]}")
    return result.stdout


def check(report: dict[str, int], scenario: Scenario, reference: ReferenceAnswer, closes_some: bool) -> None:
    for what in ("connect", "read", "write", "status", "timeout"):
        if report[what]:
            raise WrongAnswer(f"{report[what]} errors of kind {what!r} in {report['requests']} requests")
    if not report["requests"]:
        raise NoAnswer("no answer at all")
    # Answers that were under way at the end have been counted in bytes only, at most one window of each connection.
    expected = report["requests"] * reference.size
    unfinished = scenario.connections * scenario.depth * reference.size
    # Chunks may be cut differently each time.
    slack = expected // 33
    more = len(CLOSE_LINE) * report["requests"] if closes_some else 0
    if not expected - slack <= report["bytes"] <= expected + unfinished + slack + more:
        raise WrongAnswer(f"{report['requests']} answers of {reference.size} bytes made {report['bytes']}")
