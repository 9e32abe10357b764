"""Every entry of every matrix is explained: a line brings it in, or it is zero."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import sparsead as sad
from tests.laws.program import point
from tests.laws.programs import random_program
from tests.laws.test_loop_programs import N
from tests.laws.test_loop_programs import random_program as random_loop
from tests.laws.test_random_programs import COUNT
from tests.laws.test_registry import SAMPLES, X


def assert_explained(prepared, matrix, side, number):
    pattern = prepared.pattern if side == "row" else prepared.pattern.T
    expected = pattern.indices[pattern.indptr[number] : pattern.indptr[number + 1]]
    found = prepared.explain(**{side: number})
    parts = [line.entries for line in found.lines]
    np.testing.assert_array_equal(np.unique(np.concatenate([np.empty(0, int), *parts])), expected)
    values = matrix[[number], :] if side == "row" else matrix[:, [number]].T
    for k, line in enumerate(found.lines):
        others = np.concatenate([np.empty(0, int), *parts[:k], *parts[k + 1 :]])
        assert line.only == np.setdiff1d(line.entries, others).size
        assert not line.text.startswith("always zero") or not values.toarray()[0, line.entries].any()
    assert str(found)
    assert found._repr_html_()


def assert_all_explained(prepared, *point):
    matrix = prepared(*point)
    for side, size in zip(("row", "column"), prepared.shape, strict=True):
        for number in {0, size // 2, size - 1} if size else ():
            assert_explained(prepared, matrix, side, number)
    assert str(prepared.explain())
    assert prepared.explain()._repr_html_()


def weighted(f):
    """Return a sum of the values of `f` that couples nothing by itself."""

    def total(*args):
        y = f(*args)
        return np.sum(np.arange(1.0, np.size(y) + 1.0).reshape(np.shape(y)) * y)

    return total


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_entry_of_a_registered_operation(sample):
    assert_all_explained(sad.jacobian(sample, X, backend="python"), X)


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_entry_of_its_second_derivative(sample):
    assert_all_explained(sad.hessian(weighted(sample), X, backend="python"), X)


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
