"""Interleaved rounds: in each, every server is started, checked, warmed, loaded and ended, one after the other.

Every second round runs in the opposite order, so that a machine that gets slower or faster favours nobody. A ratio is
only ever taken between two measurements of one round.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from . import load
from .load import Load
from .peers import PEERS
from .reference_answer import NoAnswer, ReferenceAnswer, WrongAnswer, ask, check_closing
from .scenarios import Scenario
from .server_process import DidNotStart, ServerProcess
from .theft import UNDISTURBED, Watch

# Seconds of the same load before the measurement.
WARM_UP = 1

# Times that this is tried where it ends before the first answer: a busy machine takes as long to open a thousand connections.
WARM_UPS = 5

# Times that a measurement is made at most, where the host took part of each. That from which it took least counts, whatever
# was measured in it.
TRIALS = 8

# Opening so many connections takes the client about a second more.
CONNECTIONS_A_SECOND = 2_500


@dataclass(frozen=True)
class Plan:
    scenario: Scenario
    peers: list[str]
    # Those that are measured in one round of so many.
    seldom: dict[str, int]
    rounds: int
    seconds: int
    server_cores: frozenset[int]
    client_core: int

    @property
    def name(self) -> str:
        cores = f", {len(self.server_cores)} cores" if len(self.server_cores) > 1 else ""
        return f"{self.scenario.name}, {self.scenario.connections} connections{cores}"


@dataclass(frozen=True)
class Measurement:
    # Requests a second.
    rate: float
    # Microseconds of processor time for each request, of all the server's processes.
    cpu: float
    # Microseconds.
    p50: int
    p99: int
    # Bytes, at their most.
    resident: int
    # Bytes after the load, shared pages divided among those that share them.
    proportional: int
    # Seconds until it had answered a request.
    start_up: float
    # The share of a core's time that the host took during the load.
    stolen: float


@dataclass(frozen=True)
class Trial:
    load: Load
    # Seconds of processor time.
    used: float
    stolen: float


def run(plan: Plan, scratch: Path, environment: dict[str, str]) -> dict:
    """Measurements of each peer by round, and why a peer has none."""
    measured: dict[str, list[dict]] = {name: [] for name in plan.peers}
    excluded: dict[str, str] = {}
    for name in plan.peers:
        if absence := PEERS[name].absence():
            excluded[name] = f"absent: {absence}"
    for number in range(plan.rounds):
        order = plan.peers if number % 2 == 0 else plan.peers[::-1]
        for name in order:
            if name in excluded or number % plan.seldom.get(name, 1):
                continue
            try:
                measurement = measure(plan, name, scratch, environment)
            except (WrongAnswer, DidNotStart) as error:
                # One failure excludes: what failed once would be compared on the rounds in which it did not.
                excluded[name] = f"round {number + 1}: {error}"
                print(f"  {name}: {excluded[name]}", file=sys.stderr, flush=True)
                continue
            measured[name].append({"round": number + 1} | asdict(measurement))
        print(f"  {plan.name}: round {number + 1} of {plan.rounds}", file=sys.stderr, flush=True)
    return {
        "name": plan.name,
        "scenario": plan.scenario.name,
        "connections": plan.scenario.connections,
        "server_cores": len(plan.server_cores),
        "seconds": plan.seconds,
        "measured": {name: values for name, values in measured.items() if name not in excluded},
        "excluded": excluded,
    }


def measure(plan: Plan, name: str, scratch: Path, environment: dict[str, str]) -> Measurement:
    scenario = plan.scenario
    with ServerProcess(PEERS[name], scenario.app, set(plan.server_cores), scratch, environment) as server:
        reference = ask(server.port, scenario)
        start_up = server.age()
        if scenario.closing:
            check_closing(server.port, scenario)
        extra = scenario.connections // CONNECTIONS_A_SECOND
        warm_up(server, scenario, WARM_UP + extra, plan.client_core, reference)
        trial = least_disturbed(plan, server, plan.seconds + extra, reference)
        return Measurement(
            rate=trial.load.requests / trial.load.seconds,
            cpu=trial.used / trial.load.requests * 1e6,
            p50=trial.load.p50,
            p99=trial.load.p99,
            resident=server.resident(),
            proportional=server.proportional(),
            start_up=start_up,
            stolen=trial.stolen,
        )


def least_disturbed(plan: Plan, server: ServerProcess, seconds: int, reference: ReferenceAnswer) -> Trial:
    trials: list[Trial] = []
    while len(trials) < TRIALS and not (trials and trials[-1].stolen <= UNDISTURBED):
        # Answered behind what the last load's connections left in the queue when they closed.
        ask(server.port, plan.scenario)
        watch, before = Watch({*plan.server_cores, plan.client_core}), server.processor_time()
        result = load.put(server, plan.scenario, seconds, plan.client_core, reference)
        used, stolen = server.processor_time() - before, watch.stolen()
        if not server.is_running():
            raise WrongAnswer(f"the server ended: {server.last_log_line()}")
        trials.append(Trial(result, used, stolen))
    return min(trials, key=lambda trial: trial.stolen)


def warm_up(server: ServerProcess, scenario: Scenario, seconds: int, core: int, reference: ReferenceAnswer) -> None:
    """Raises WrongAnswer; NoAnswer only after so many trials."""
    for _ in range(WARM_UPS - 1):
        with suppress(NoAnswer):
            load.put(server, scenario, seconds, core, reference)
            return
    load.put(server, scenario, seconds, core, reference)
