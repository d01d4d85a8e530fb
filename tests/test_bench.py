"""The benchmarks' driver: who is loaded when, what is measured again where a virtual machine's host takes time, what is counted."""

import os
from dataclasses import replace
from types import SimpleNamespace

import pytest
from driver import goals, rounds, steal, table
from driver.reference_answer import NoAnswer, WrongAnswer
from driver.server_process import DidNotStart
from driver.suites import SUITES, plan

PLAN = SimpleNamespace(scenario=None, server_cores=frozenset({0}), client_core=1)
SERVER = SimpleNamespace(port=1, processor_time=lambda: 1.0, is_running=lambda: True)


@pytest.fixture
def trials(monkeypatch):
    """Makes the trials of one measurement: for each what the host took, and what the load brought (None: no answer)."""

    def least_disturbed(*outcomes):
        left = iter(outcomes)

        class Watch:
            def __init__(self, cores):
                self.share, self.load = next(left)
                monkeypatch.setattr(rounds.load, "put", self.put)

            def put(self, *unused):
                if self.load is None:
                    raise NoAnswer("no answer at all")
                return self.load

            def stolen(self):
                return self.share

        monkeypatch.setattr(rounds, "Watch", Watch)
        monkeypatch.setattr(rounds, "ask", lambda *unused: None)
        trial = rounds.least_disturbed(PLAN, SERVER, 1, None)
        return trial.load, trial.stolen, len(list(left))

    return least_disturbed


def test_the_first_undisturbed_trial_is_the_last(trials):
    assert trials((0.5, "a"), (0.02, "b"), (0.0, "c")) == ("b", 0.02, 1)


def test_of_disturbed_trials_the_least_disturbed_counts_whatever_it_brought(trials):
    shares = [0.5, 0.4, 0.3, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert trials(*[(share, number) for number, share in enumerate(shares)]) == (3, 0.1, 0)


def test_no_answer_is_the_servers_fault_only_where_nothing_was_taken(trials):
    assert trials((0.5, None), (0.01, "b")) == ("b", 0.01, 0)
    with pytest.raises(NoAnswer):
        trials((0.5, "a"), (0.01, None))
    with pytest.raises(NoAnswer):
        trials(*[(0.5, None)] * rounds.TRIALS)


def test_servers_are_loaded_by_turns_and_one_that_fails_ends_at_once(monkeypatch):
    seen = []

    class Candidate:
        def __init__(self, plan, name, scratch, environment):
            if name == "absent":
                raise DidNotStart("exit 1")
            self.name = name

        def load(self):
            seen.append(self.name)
            if self.name == "wrong":
                raise WrongAnswer("not that")

        def measurement(self):
            return f"of {self.name}"

        def end(self):
            seen.append(f"end {self.name}")

    monkeypatch.setattr(rounds, "Candidate", Candidate)
    measurements, failures = rounds.measure(SimpleNamespace(turns=2), ["one", "absent", "wrong", "other"], None, {})
    assert seen == ["one", "wrong", "end wrong", "other", "other", "one", "end one", "end other"]
    assert measurements == {"one": "of one", "other": "of other"}
    assert sorted(failures) == ["absent", "wrong"]


def test_one_that_answers_wrongly_at_first_is_ended(monkeypatch):
    ended = []

    def answer_wrongly(*unused):
        raise WrongAnswer("not that")

    monkeypatch.setattr(rounds, "ServerProcess", lambda *unused: SimpleNamespace(port=1, end=lambda: ended.append(True)))
    monkeypatch.setattr(rounds, "ask", answer_wrongly)
    with pytest.raises(WrongAnswer):
        rounds.Candidate(plan(SUITES["hello"][0], None, 1, [0, 1]), "bjoern", None, {})
    assert ended == [True]


@pytest.fixture
def make_rounds(monkeypatch):
    """Makes the rounds of a row of four, from what the host takes in each; the shares that are left over."""

    def make(shares, earlier=None):
        left = iter(shares)

        def measure(plan, names, *unused):
            share = next(left)
            return {name: rounds.Measurement(1.0, 1.0, 1, 1, 1, 1.0, stolen=share) for name in names}, {}

        monkeypatch.setattr(rounds, "measure", measure)
        monkeypatch.setattr(rounds.PEERS["brickwork"].__class__, "absence", lambda peer: "")
        row = replace(SUITES["hello"][0], peers=["brickwork", "bjoern"])
        return rounds.run(plan(row, 4, 1, [0, 1]), None, {}, earlier), list(left)

    return make


def rounds_of(result):
    return [value["round"] for value in result["measured"]["bjoern"]]


def test_a_disturbed_round_is_made_up_for(make_rounds):
    result, left = make_rounds([0.0, 0.5, 0.0, 0.0, 0.0, 0.0])
    assert (rounds_of(result), left) == ([1, 2, 3, 4, 5], [0.0])


def test_no_more_than_half_as_many_rounds_again_are_made(make_rounds):
    result, left = make_rounds([0.5] * 7)
    assert (rounds_of(result), left) == ([1, 2, 3, 4, 5, 6], [0.5])


def test_an_earlier_result_is_added_to(make_rounds):
    earlier, _ = make_rounds([0.5] * 4 + [0.0] * 2)
    earlier = {**earlier, "measured": {name: values[1:5] for name, values in earlier["measured"].items()}}
    result, left = make_rounds([0.0] * 2, earlier)
    assert (rounds_of(result), left) == ([2, 3, 4, 5, 6], [0.0])
    assert make_rounds([], result)[0] == result


def measured(**shares):
    """A result in which each server was measured in rounds from 1 on, at a rate of 100 times the round."""
    values = {
        name: [
            {"round": number, "rate": 100.0 * number, "cpu": 10.0, "p50": 1, "p99": 2, "resident": 1, "start_up": 0.1}
            | ({} if share is None else {"stolen": share})
            for number, share in enumerate(of, start=1)
        ]
        for name, of in shares.items()
    }
    return {"name": "hello", "scenario": "hello", "seconds": 1, "measured": values, "excluded": {}}


def test_what_stayed_disturbed_is_in_no_figure():
    result = steal.without_disturbed(measured(brickwork=[0.0, 0.5, 0.03], bjoern=[0.5, 0.5, 0.5], old=[None, None, None]))
    assert [value["round"] for value in result["measured"]["brickwork"]] == [1, 3]
    assert len(result["measured"]["old"]) == 3
    assert "bjoern" not in result["measured"] and "3%" in result["excluded"]["bjoern"]
    assert "not counted: 4 measurements" in table.show(result)


def test_pipelined_requests_have_no_percentiles():
    result = steal.without_disturbed(measured(brickwork=[0.0]))
    assert table.show(result).split()[-4:-2] == ["1", "2"]
    assert table.show(result | {"scenario": "pipelined"}).split()[-4:-2] == ["-", "-"]


def test_a_ratio_without_a_common_round_is_that_of_the_medians():
    result = steal.without_disturbed(measured(brickwork=[0.0, 0.5], bjoern=[0.5, 0.0]))
    ratio = table.ratio(result["measured"], "brickwork", "bjoern", "rate")
    assert (ratio.mean, ratio.low, ratio.pairs) == (0.5, None, 0)


def test_no_goal_rests_on_servers_without_a_common_round():
    def lines(**shares):
        result = steal.without_disturbed(measured(**shares)) | {"scenario": "django-sqlite"}
        found = [line for line in goals.show([result]) if line.startswith("| django-sqlite ")]
        assert len(found) == 3
        return found

    assert all("| not measured | 0 | no |" in line for line in lines(brickwork=[0.0, 0.5], bjoern=[0.5, 0.0]))
    assert all("| 1 | yes |" in line for line in lines(brickwork=[0.0, 0.5], bjoern=[0.0, 0.0]))


def test_a_whole_interval_is_asked_only_of_one_that_there_is():
    def first_line(number):
        shares = dict.fromkeys(("brickwork", "bjoern", "fastwsgi"), [0.0] * number)
        result = steal.without_disturbed(measured(**shares)) | {"scenario": "hello"}
        for value in result["measured"]["brickwork"]:
            value["cpu"] /= 2
        return goals.show([result])[2]

    assert first_line(4).endswith("| 4 | no |")
    assert first_line(5).endswith("| 5 | yes |")


def test_rounds_in_which_nobody_was_disturbed_are_counted_also_of_earlier_results():
    assert rounds.count(measured(brickwork=[0.0, 0.5, 0.0], bjoern=[0.0, 0.0, 0.2])["measured"]) == (3, 1)
    assert rounds.count({"brickwork": []}) == (0, 0)


def test_what_was_taken_is_that_of_the_core_from_which_most_was(monkeypatch, tmp_path):
    # user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice
    stat = tmp_path / "stat"
    stat.write_text("cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 10 0 0 5 0 0 0 20 7 0\ncpu1 0 0 0 0 0 0 0 0 0 0\ncpu2 0 0 0 0 0 0 0 0 0 0\n")
    monkeypatch.setattr(steal, "STAT", stat)
    watch = steal.Watch({0, 1})
    stat.write_text("cpu  9 9 9 9 9 9 9 9 9 9\ncpu0 50 0 5 15 0 0 5 60 47 0\ncpu1 60 0 0 30 0 0 0 10 0 0\ncpu2 0 0 0 0 0 0 0 90 0 0\n")
    assert watch.stolen() == 0.4
    assert steal.Watch({0, 1}).stolen() == 0


def test_the_kernel_counts_it():
    watch = steal.Watch(os.sched_getaffinity(0))
    assert set(watch.before) == os.sched_getaffinity(0)
    assert 0 <= watch.stolen() <= 1
