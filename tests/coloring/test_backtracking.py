"""Backtracking in sets of bits goes the way of the compiled kernel, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from coloring.kernels.backtracking import FOUND, GIVEN_UP, IMPOSSIBLE
from coloring.problems import small
from coloring.problems.small import SmallProblem


def problems(rng, count):
    for number in range(count):
        n = int(rng.integers(0, 13))
        above = np.triu(rng.random((n, n)) < rng.random(), 1)
        neighbors = [set(np.flatnonzero(row).tolist()) for row in above | above.T]
        side = rng.integers(0, 2, n).tolist() if number % 2 else [0] * n
        weights = (1, 1) if number % 3 else (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        yield SmallProblem(neighbors, "distance one", side, [False] * n, weights)


def test_both_know_the_same_after_as_many_steps():
    rng = np.random.default_rng(0)
    met = set()
    for problem in problems(rng, 200):
        most, steps = int(rng.integers(0, 8)), int(rng.choice([5, 50, 2000]))
        status, _ = problem._search(most, steps)
        met.add(status)
        assert problem.backtrack(most, steps) is {FOUND: True, IMPOSSIBLE: False, GIVEN_UP: None}[status]
    assert met == {FOUND, IMPOSSIBLE, GIVEN_UP}


def test_few_steps_compile_nothing(monkeypatch):
    monkeypatch.setattr(small.kernels.backtracking, "find", None)
    triangle = SmallProblem([{1, 2}, {0, 2}, {0, 1}], "distance one", [0] * 3, [False] * 3)
    assert [triangle.backtrack(most, 100) for most in (2, 3)] == [False, True]
    with pytest.raises(TypeError):
        triangle.backtrack(2, small.FEW_STEPS + 1)
