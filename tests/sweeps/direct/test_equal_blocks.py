"""Programs side by side: one stands for all where it is decided what to do without."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.kernels.pattern import detect
from sparsead.sweeps.direct import elimination
from sparsead.sweeps.direct.counting import Counts
from sparsead.sweeps.direct.equal_blocks import one_of_equals

CELLS = 150
A = np.random.default_rng(3).uniform(0.1, 1.0, (6, 6)) * (np.arange(36).reshape(6, 6) % 3 == 0)
B = np.random.default_rng(4).uniform(0.1, 1.0, (6, 6)) * (np.arange(36).reshape(6, 6) % 2 == 0)


def rates(y):
    """Cells along the first axis."""
    u = np.exp(np.sin(y) @ A)
    return np.tanh(u * (u @ B)) * y[:, ::-1]


def turned(y):
    """Cells along the last axis."""
    return rates(y.T).T


def by_complex_step(f, x):
    steps = 1e-30j * np.eye(x.size).reshape(-1, *x.shape)
    return np.stack([f(x + e).imag.reshape(-1) / 1e-30 for e in steps], axis=1)


def linear_of(f, x):
    linear = sad.jacobian(f, x, mode="forward", check=False).linear
    return linear, detect(linear)


@pytest.mark.parametrize(("f", "shape"), [(rates, (CELLS, 6)), (turned, (6, CELLS))])
def test_one_stands_for_all(f, shape):
    linear, patterns = linear_of(f, np.full(shape, 0.5))
    one = one_of_equals(linear, patterns)
    assert one is not None and one.count == CELLS
    alone, whole = Counts(one.linear, one.patterns).cost(one.linear), Counts(linear, patterns).cost(linear)
    assert CELLS * alone == pytest.approx(whole, rel=elimination.EQUAL)


@pytest.mark.parametrize(("f", "shape"), [(rates, (CELLS, 6)), (turned, (6, CELLS))])
def test_what_is_found_for_one_is_what_is_found_for_all(f, shape, monkeypatch):
    linear, patterns = linear_of(f, np.full(shape, 0.5))
    found = elimination.eliminated(linear, patterns)
    monkeypatch.setattr(elimination, "one_of_equals", lambda *_: None)
    linear, patterns = linear_of(f, np.full(shape, 0.5))
    searched = elimination.eliminated(linear, patterns)
    assert bool(searched.arrays) == (f is rates)
    assert (found.arrays, found.cost) == (searched.arrays, searched.cost)


@pytest.mark.parametrize(("f", "shape"), [(rates, (9, 6)), (turned, (6, 9)), (rates, (70, 6))])
def test_the_matrix_is_the_same(f, shape):
    x = np.random.default_rng(1).uniform(0.1, 1.0, shape)
    jac = sad.jacobian(f, x, mode="direct")
    np.testing.assert_allclose(jac(x).toarray(), by_complex_step(f, x), rtol=1e-11, atol=1e-12)


def test_the_whole_is_not_searched_where_nothing_is_gained(monkeypatch):
    sizes = []
    pairs = Counts.pairs
    monkeypatch.setattr(elimination, "WORTH", 0.0)
    monkeypatch.setattr(
        Counts,
        "pairs",
        lambda self, kernels, b: sizes.append(sum(np.prod(k.domain) for k in kernels)) or pairs(self, kernels, b),
    )
    linear, patterns = linear_of(rates, np.full((CELLS, 6), 0.5))
    elimination.eliminated(linear, patterns)
    assert sizes
    assert max(sizes) <= sum(np.prod(k.domain) for k in linear.kernels) // 10


def coupled(y):
    return rates(y) + np.roll(y, 1, axis=0)


def unequal(y):
    return np.concatenate([rates(y).reshape(-1), y[0] * np.sum(y[0])])


@pytest.mark.parametrize("f", [coupled, unequal])
def test_no_one_stands_for_programs_that_are_coupled_or_differ(f):
    assert one_of_equals(*linear_of(f, np.full((CELLS, 6), 0.5))) is None
