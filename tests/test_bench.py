"""The benchmarks' driver: who is loaded when, what is measured again where a virtual machine's host takes time, what is counted."""

from types import SimpleNamespace

import pytest
from driver import rounds, steal, table
from driver.reference_answer import NoAnswer, WrongAnswer
from driver.server_process import DidNotStart

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


def test_servers_are_loaded_by_turns_and_one_that_fails_is_left_out(monkeypatch):
    seen = []

    class Candidate:
        def __init__(self, plan, name, scratch, environment):
            self.name = name

        def load(self):
            seen.append(self.name)
            if self.name == "wrong":
                raise WrongAnswer("not that")

        def measurement(self):
            return f"of {self.name}"

        def __enter__(self):
            if self.name == "absent":
                raise DidNotStart("exit 1")
            return self

        def __exit__(self, *unused):
            seen.append(f"end {self.name}")

    monkeypatch.setattr(rounds, "Candidate", Candidate)
    plan = SimpleNamespace(turns=2)
    measurements, failures = rounds.measure(plan, ["one", "absent", "wrong", "other"], None, {})
    assert seen == ["one", "wrong", "other", "other", "one", "end other", "end wrong", "end one"]
    assert measurements == {"one": "of one", "other": "of other"}
    assert sorted(failures) == ["absent", "wrong"]


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
    return {"name": "hello", "seconds": 1, "measured": values, "excluded": {}}


def test_what_stayed_disturbed_is_in_no_figure():
    result = steal.without_disturbed(measured(brickwork=[0.0, 0.5, 0.03], bjoern=[0.5, 0.5, 0.5], old=[None, None, None]))
    assert [value["round"] for value in result["measured"]["brickwork"]] == [1, 3]
    assert len(result["measured"]["old"]) == 3
    assert "bjoern" not in result["measured"] and "3%" in result["excluded"]["bjoern"]
    assert "not counted: 4 measurements" in table.show(result)


def test_a_ratio_without_a_common_round_is_that_of_the_medians():
    result = steal.without_disturbed(measured(brickwork=[0.0, 0.5], bjoern=[0.5, 0.0]))
    ratio = table.ratio(result["measured"], "brickwork", "bjoern", "rate")
    assert (ratio.mean, ratio.low, ratio.pairs) == (0.5, None, 0)


def test_rounds_in_which_nobody_was_disturbed_are_counted_also_of_earlier_results():
    assert rounds.count(measured(brickwork=[0.0, 0.5, 0.0], bjoern=[0.0, 0.0, 0.2])["measured"]) == (3, 1)
    assert rounds.count({"brickwork": []}) == (0, 0)


def test_the_kernel_says_what_was_taken():
    watch = steal.Watch({0})
    assert watch.ticks()[0][steal.STEAL] >= 0
    watch.before = {0: [count - 1 if column == steal.STEAL else count for column, count in enumerate(watch.ticks()[0])]}
    assert 0 < watch.stolen() <= 1
