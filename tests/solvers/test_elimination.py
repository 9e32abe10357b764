"""Elimination of many matrices of one pattern, against NumPy's solutions of each."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from coloring import SparsityPattern
from sparsead.errors import InputError
from sparsead.solvers import elimination
from sparsead.solvers.elimination import WIDTH, Elimination


def dense(pattern, values):
    """Return the matrices of all points, (points, n, n)."""
    return np.stack([pattern.to_scipy(column).toarray() for column in values.T])


def solutions(pattern, values, right):
    return np.linalg.solve(dense(pattern, values), right.T[..., None])[..., 0].T


@st.composite
def systems(draw):
    """Draw a pattern that some permutation is part of, values, and right-hand sides of a few points."""
    n, points = draw(st.integers(1, 12)), draw(st.integers(1, 2 * WIDTH + 1))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    places = rng.random((n, n)) < draw(st.floats(0.0, 0.6))
    rows = rng.permutation(n)
    places[rows, np.arange(n)] = True
    pattern = SparsityPattern.from_scipy(scipy.sparse.csr_array(places))
    base = rng.uniform(-1.0, 1.0, (n, n))
    base[rows, np.arange(n)] = n * rng.choice([-1.0, 1.0], n)
    values = base[pattern.rows, pattern.indices][:, None] * rng.uniform(0.9, 1.1, (pattern.nnz, points))
    return pattern, values, rng.normal(size=(n, points))


@given(systems())
@settings(max_examples=60, deadline=None)
def test_the_solutions_are_those_of_each_system(system):
    pattern, values, right = system
    found = Elimination(pattern, values[:, 0]).solve(values, right)
    np.testing.assert_allclose(found, solutions(pattern, values, right), rtol=1e-10, atol=1e-12)


def test_fill_stays_small_on_a_grid():
    n = 20
    line = scipy.sparse.diags_array([np.ones(n - 1), np.ones(n), np.ones(n - 1)], offsets=[-1, 0, 1])
    pattern = SparsityPattern.from_scipy(scipy.sparse.kronsum(line, line))
    values = np.where(pattern.rows == pattern.indices, 4.0, -1.0)
    natural = n * n * (2 * n + 1)  # the whole band
    planned = Elimination(pattern, values)
    assert pattern.nnz < planned._filled.size < 0.5 * natural
    right = np.random.default_rng(0).normal(size=(n * n, 3))
    found = planned.solve(np.repeat(values[:, None], 3, axis=1), right)
    np.testing.assert_allclose(pattern.to_scipy(values) @ found, right, rtol=0, atol=1e-12)


def test_a_point_with_other_pivots_is_solved_with_its_own():
    pattern = SparsityPattern.from_scipy(scipy.sparse.csr_array(np.ones((2, 2))))
    values = np.array([[2.0, 0.0, 1e-18], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [2.0, 0.0, 1.0]])
    right = np.array([[3.0, 2.0, 2.0], [3.0, 5.0, 3.0]])
    found = Elimination(pattern, values[:, 0]).solve(values, right)
    np.testing.assert_allclose(found, solutions(pattern, values, right), rtol=1e-12)


def test_singular_points_are_nan_and_leave_the_others_alone():
    pattern = SparsityPattern.from_scipy(scipy.sparse.csr_array(np.ones((2, 2))))
    values = np.array([[2.0, 1.0, np.nan], [1.0, 2.0, 1.0], [1.0, 2.0, 1.0], [2.0, 4.0, 1.0]])
    found = Elimination(pattern, values[:, 0]).solve(values, np.ones((2, 3)))
    np.testing.assert_allclose(found[:, 0], [1 / 3, 1 / 3])
    assert np.isnan(found[:, 1:]).all()


def test_patterns_without_a_matching_are_said_to_be_singular():
    pattern = SparsityPattern.from_scipy(scipy.sparse.csr_array([[1.0, 1.0], [0.0, 0.0]]))
    with pytest.raises(RuntimeError, match="singular whatever the values"):
        Elimination(pattern, np.ones(2))


def test_a_plan_that_does_not_fit_is_refused(monkeypatch):
    asked = []

    def refuse(size, what, advice):
        asked.append(size)
        raise InputError(f"{what}: {advice}")

    monkeypatch.setattr(elimination, "require", refuse)
    pattern = SparsityPattern.from_scipy(scipy.sparse.csr_array(np.ones((5, 5))))
    with pytest.raises(InputError, match="without batch="):
        Elimination(pattern, np.eye(5).ravel() + 1.0)
    assert asked == [4.0 * sum(k * (5 - 1 - i) for i, k in zip(range(5), [1] * 5, strict=True) for k in [4 - i])]
