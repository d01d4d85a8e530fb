"""Interleaved rounds: in each, every server is started, checked and warmed; then they are loaded by turns; then all end.

Turns are short and every second one runs in the opposite order, so that a machine that gets slower or faster favours
nobody. A ratio is only ever taken between two measurements of one round.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from . import load
from .load import Load
from .peers import PEERS
from .reference_answer import NoAnswer, ReferenceAnswer, WrongAnswer, ask, check_closing
from .scenarios import Scenario
from .server_process import DidNotStart, ServerProcess
from .steal import UNDISTURBED, Watch, is_undisturbed

# Seconds of the same load before the measurement.
WARM_UP = 1

# Times that this is tried where it ends before the first answer: a busy machine takes as long to open a thousand connections.
WARM_UPS = 5

# Times that a measurement is made at most, where the host takes part of each. That from which it took least is kept, whatever
# was measured in it.
TRIALS = 8

# A round in which one stayed disturbed all the same is made up for by another, as long as there are not so many times the rounds.
MORE_ROUNDS = 1.5

# Opening so many connections takes the client about a second more.
CONNECTIONS_A_SECOND = 2_500


@dataclass(frozen=True)
class Plan:
    scenario: Scenario
    peers: list[str]
    # Those that are measured in one round of so many.
    seldom: dict[str, int]
    rounds: int
    # How often each server is loaded in a round, and for how many seconds each time.
    turns: int
    seconds: int
    server_cores: frozenset[int]
    client_core: int

    @property
    def name(self) -> str:
        cores = f", {len(self.server_cores)} cores" if len(self.server_cores) > 1 else ""
        return f"{self.scenario.name}, {self.scenario.connections} connections{cores}"

    @property
    def seconds_a_round(self) -> int:
        return self.turns * self.seconds


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
    # Seconds until it had answered a request.
    start_up: float
    # The share of a core's time that the host took during the load, in the turn in which it took most.
    stolen: float


@dataclass(frozen=True)
class Trial:
    load: Load
    # Seconds of processor time.
    used: float
    stolen: float


def run(plan: Plan, scratch: Path, environment: dict[str, str], earlier: dict | None) -> dict:
    """Measurements of each peer by round, and why a peer has none; those of an earlier result are added to."""
    measured: dict[str, list[dict]] = {name: [] for name in plan.peers}
    excluded: dict[str, str] = {}
    if earlier:
        measured |= earlier["measured"]
        excluded |= earlier["excluded"]
    for name in plan.peers:
        if absence := PEERS[name].absence():
            excluded[name] = f"absent: {absence}"
    number, undisturbed = count(measured)
    while undisturbed < plan.rounds and number < plan.rounds * MORE_ROUNDS:
        order = plan.peers if number % 2 == 0 else plan.peers[::-1]
        names = [name for name in order if name not in excluded and number % plan.seldom.get(name, 1) == 0]
        measurements, failures = measure(plan, names, scratch, environment)
        for name, measurement in measurements.items():
            measured[name].append({"round": number + 1} | asdict(measurement))
        for name, failure in failures.items():
            # One failure excludes: what failed once would be compared on the rounds in which it did not.
            excluded[name] = f"round {number + 1}: {failure}"
            print(f"  {name}: {excluded[name]}", file=sys.stderr, flush=True)
        number, undisturbed = number + 1, count(measured)[1]
        disturbed = f", {number - undisturbed} disturbed" if undisturbed < number else ""
        print(f"  {plan.name}: round {number} of {plan.rounds}{disturbed}", file=sys.stderr, flush=True)
    return {
        "name": plan.name,
        "scenario": plan.scenario.name,
        "connections": plan.scenario.connections,
        "server_cores": len(plan.server_cores),
        "seconds": plan.seconds_a_round,
        "measured": {name: values for name, values in measured.items() if name not in excluded},
        "excluded": excluded,
    }


def count(measured: dict[str, list[dict]]) -> tuple[int, int]:
    """The rounds that were made, and those in which nobody was disturbed."""
    values = list(chain.from_iterable(measured.values()))
    rounds = {value["round"] for value in values}
    disturbed = {value["round"] for value in values if not is_undisturbed(value)}
    return max(rounds, default=0), len(rounds - disturbed)


def measure(
    plan: Plan, names: list[str], scratch: Path, environment: dict[str, str]
) -> tuple[dict[str, Measurement], dict[str, Exception]]:
    """One round: the measurements, and why a server has none."""
    candidates: dict[str, Candidate] = {}
    failures: dict[str, Exception] = {}
    try:
        for name in names:
            try:
                candidates[name] = Candidate(plan, name, scratch, environment)
            except (WrongAnswer, DidNotStart) as error:
                failures[name] = error
        for turn in range(plan.turns):
            for name in names if turn % 2 == 0 else names[::-1]:
                if name in failures:
                    continue
                try:
                    candidates[name].load()
                except WrongAnswer as error:
                    failures[name] = error
                    # At once: the others are measured beside it.
                    candidates.pop(name).end()
        return {name: candidate.measurement() for name, candidate in candidates.items()}, failures
    finally:
        for candidate in candidates.values():
            candidate.end()


class Candidate:
    """A server that has answered rightly and is warm."""

    def __init__(self, plan: Plan, name: str, scratch: Path, environment: dict[str, str]):
        """Raises DidNotStart and WrongAnswer."""
        self.plan = plan
        self.extra = plan.scenario.connections // CONNECTIONS_A_SECOND
        self.trials: list[Trial] = []
        self.server = ServerProcess(PEERS[name], plan.scenario.app, set(plan.server_cores), scratch, environment)
        try:
            self.reference = ask(self.server.port, plan.scenario)
            self.start_up = self.server.age()
            if plan.scenario.closing:
                check_closing(self.server.port, plan.scenario)
            warm_up(self.server, plan.scenario, WARM_UP + self.extra, plan.client_core, self.reference)
        except BaseException:
            self.end()
            raise

    def load(self) -> None:
        self.trials.append(least_disturbed(self.plan, self.server, self.plan.seconds + self.extra, self.reference))

    def measurement(self) -> Measurement:
        loads = [trial.load for trial in self.trials]
        requests = sum(load.requests for load in loads)
        return Measurement(
            rate=requests / sum(load.seconds for load in loads),
            cpu=sum(trial.used for trial in self.trials) / requests * 1e6,
            # Of percentiles, the mean of the turns.
            p50=round(sum(load.p50 for load in loads) / len(loads)),
            p99=round(sum(load.p99 for load in loads) / len(loads)),
            resident=self.server.resident(),
            start_up=self.start_up,
            stolen=max(trial.stolen for trial in self.trials),
        )

    def end(self) -> None:
        self.server.end()


def least_disturbed(plan: Plan, server: ServerProcess, seconds: int, reference: ReferenceAnswer) -> Trial:
    """Raises WrongAnswer; NoAnswer only where that is not the host's doing."""
    trials: list[Trial] = []
    for number in range(TRIALS):
        # Answered behind what the last load's connections left in the queue when they closed.
        ask(server.port, plan.scenario)
        watch, before = Watch({*plan.server_cores, plan.client_core}), server.processor_time()
        try:
            result = load.put(server, plan.scenario, seconds, plan.client_core, reference)
        except NoAnswer:
            if watch.stolen() <= UNDISTURBED or (number == TRIALS - 1 and not trials):
                raise
            continue
        used, stolen = server.processor_time() - before, watch.stolen()
        if not server.is_running():
            raise WrongAnswer(f"the server ended: {server.last_log_line()}")
        trials.append(Trial(result, used, stolen))
        if stolen <= UNDISTURBED:
            break
    return min(trials, key=lambda trial: trial.stolen)


def warm_up(server: ServerProcess, scenario: Scenario, seconds: int, core: int, reference: ReferenceAnswer) -> None:
    """Raises WrongAnswer; NoAnswer only after so many trials."""
    for _ in range(WARM_UPS - 1):
        with suppress(NoAnswer):
            load.put(server, scenario, seconds, core, reference)
            return
    load.put(server, scenario, seconds, core, reference)
