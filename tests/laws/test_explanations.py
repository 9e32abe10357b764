"""Every entry of the matrices of random programs is explained: a line brings it in, or it is zero."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import sparsead as sad
from tests.laws.explained import assert_all_explained
from tests.laws.program import point
from tests.laws.programs import random_program
from tests.laws.test_loop_programs import N
from tests.laws.test_loop_programs import random_program as random_loop
from tests.laws.test_random_programs import COUNT


def weighted(f):
    """Return a sum of the values of `f` that couples nothing by itself."""

    def total(*args):
        y = f(*args)
        return np.sum(np.arange(1.0, np.size(y) + 1.0).reshape(np.shape(y)) * y)

    return total


@pytest.mark.parametrize("first", range(0, COUNT, 10))
def test_every_entry_of_random_programs(first):
    for seed in range(first, first + 10):
        program = random_program(Random(seed), smooth=False)
        x, p = point(program.shape), point(program.shape, 6)
        with np.errstate(all="ignore"):
            assert_all_explained(sad.jacobian(program, x, p, backend="python"), x, p)


@pytest.mark.parametrize("first", range(0, COUNT // 2, 10))
def test_every_entry_of_random_hessians(first):
    for seed in range(first, first + 10):
        program = random_program(Random(seed), smooth=True)
        x, p = point(program.shape), point(program.shape, 6)
        with np.errstate(all="ignore"):
            assert_all_explained(sad.hessian(weighted(program), x, p, backend="python"), x, p)


@pytest.mark.parametrize("seed", range(8))
def test_every_entry_of_loops(seed):
    x = np.linspace(0.2, 0.9, N)
    assert_all_explained(sad.jacobian(random_loop(seed), x, backend="python"), x)
