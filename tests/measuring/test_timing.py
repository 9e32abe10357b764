"""Times are taken in turn, and ratios within a round."""

import numpy as np

from sparsead.measuring.timing import Times, interleaved


def test_calls_run_in_turn():
    ran = []
    times = interleaved({"a": lambda: ran.append("a"), "b": lambda: ran.append("b")}, seconds=0.0, at_least=3)
    assert "".join(ran) == "ab" * 4
    assert list(times) == ["a", "b"] and times["a"].shape == (3,)


def test_rounds_are_limited():
    assert interleaved({"a": lambda: None}, seconds=60.0, at_most=7)["a"].shape == (7,)


def test_a_ratio_compares_runs_of_one_round():
    times = Times(a=np.array([2.0, 20.0, 2.0]), b=np.array([1.0, 10.0, 1.0]))
    assert times.ratio("a", "b") == 2.0
    assert times.median("a") == 2.0


def test_the_clock_can_be_chosen():
    ticks = iter(range(100))
    times = interleaved({"a": lambda: None, "b": lambda: next(ticks)}, at_most=5, clock=lambda: float(next(ticks)))
    assert set(times["a"]) == {1.0} and set(times["b"]) == {2.0}


def test_short_calls_are_repeated_and_their_mean_counts():
    """A clock that a call moves by one second: six repetitions fill six seconds, and one takes one."""
    now = [0.0]

    def call():
        now[0] += 1.0

    times = interleaved({"a": call}, seconds=0.0, at_least=2, clock=lambda: now[0], each=6.0)
    assert now[0] == 1 + 1 + 2 * 6
    assert set(times["a"]) == {1.0}
