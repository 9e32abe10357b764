"""Patterns: exact at generic points where nothing is chosen, never missing an entry where something is."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad

RNG = np.random.default_rng(5)
A = scipy.sparse.random_array((9, 9), density=0.3, random_state=RNG, format="csr")


def through_layers(x):
    return np.exp(A @ np.sin(A @ x)) * x


def scattered(x):
    out = np.zeros(9, x.dtype)
    np.add.at(out, [0, 3, 3, 8], x[:4] * x[4:8])
    return out


def overwritten(x):
    out = x * x[::-1]
    out[2:5] = x[0]
    out[4] = 1.0
    return out


def factors_of_zero(x):
    return 0.0 * np.sin(x) + x**0 + 3.0 * x[::-1] - x[0] * 0.0


@pytest.mark.parametrize("f", [through_layers, scattered, overwritten, factors_of_zero])
def test_exact_where_nothing_is_chosen(f):
    x = RNG.uniform(0.2, 1.0, 9)
    dense = np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(9)], axis=1)
    np.testing.assert_array_equal(sad.jacobian_pattern(f, x).to_scipy().toarray() != 0, dense != 0)


def test_choices_keep_both_sides():
    pattern = sad.jacobian_pattern(lambda x: np.where(x[:4] > 0, x[4:8], x[:4] ** 2), np.ones(9))
    np.testing.assert_array_equal(pattern.to_scipy().toarray(), np.hstack([np.eye(4), np.eye(4), np.zeros((4, 1))]))


def test_large_patterns_are_fast_and_exact():
    n = 200_000
    pattern = sad.jacobian_pattern(lambda x: np.roll(x, 1) - 2 * x + np.roll(x, -1), np.ones(n))
    assert pattern.nnz == 3 * n
    assert (np.diff(pattern.indptr) == 3).all()


def test_no_dependence_is_an_empty_pattern():
    pattern = sad.jacobian_pattern(lambda x: np.ones(4), np.ones(3))
    assert (pattern.shape, pattern.nnz) == ((4, 3), 0)


def test_hopeless_sizes_are_refused_before_they_are_allocated():
    n = 100_000

    def coupled(x):
        return np.exp(np.sum(x) * x) * np.sum(np.sin(x) ** 2)

    with pytest.raises(MemoryError, match="nearly every element depends on nearly every x"):
        sad.jacobian_pattern(coupled, np.ones(n))
