"""Rows that are added up in registers: the same values to the bit, whatever their lengths, and nothing is left out."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.sweeps import row_sums, scatter_to_gather

N = 1200
RNG = np.random.default_rng(11)


def matrix(lengths):
    """Return a sparse matrix whose rows have these lengths."""
    columns = [np.sort(RNG.choice(N, size, replace=False)) for size in lengths]
    indptr = np.concatenate([[0], np.cumsum(lengths)])
    data = RNG.standard_normal(indptr[-1])
    return scipy.sparse.csr_array((data, np.concatenate(columns).astype(np.int32), indptr), (len(lengths), N))


EVEN = matrix(np.full(N, 3))
MIXED = matrix(RNG.choice([0, 1, 2, 3, 5, 40], p=[0.05, 0.1, 0.4, 0.3, 0.1, 0.05], size=N))
SHUFFLED = EVEN.tocoo()
ORDER = RNG.permutation(SHUFFLED.nnz)


@pytest.fixture(autouse=True)
def few_are_enough(monkeypatch):
    monkeypatch.setattr(row_sums, "FEWEST", 64)


FUNCTIONS = {
    "one length": lambda x: EVEN @ x**2,
    "several lengths": lambda x: MIXED @ x**2,
    "what is there before": lambda x: x[::-1] + EVEN @ np.sin(x) - MIXED @ x,
    "two halves": lambda x: np.concatenate([EVEN @ x**2, EVEN @ np.cos(x)]),
    "read again": lambda x: EVEN @ (MIXED @ x) ** 2,
    "a row here and there": lambda x: scattered(x, np.zeros(N)),
    "on top": lambda x: scattered(x, 2.0 * x),
    "rows that come twice": lambda x: twice(x),
}


def scattered(x, start):
    y = start + 0.0 * x
    np.add.at(y, np.repeat(np.arange(N)[::-1], 3), x[EVEN.indices] * EVEN.data)
    return y


def twice(x):
    y = 0.0 * x
    np.add.at(y, np.tile(np.repeat(np.arange(N // 2), 2), 2), x[np.arange(2 * N) % N] ** 2)
    return y


def of(f, monkeypatch, added_up, backend="llvm"):
    """Return value, Jacobian and both of a function, with rows added up or not, computed into rooms of nothing."""
    with monkeypatch.context() as m:
        if not added_up:
            m.setattr(scatter_to_gather, "in_rows", lambda kernel, constants: None)
        x = np.random.default_rng(5).standard_normal(N)
        jac = sad.jacobian(f, x, check=added_up, backend=backend)
        y = jac.value(x, out=np.full(jac.shape[0], np.nan))
        both, J = jac.value_and_jacobian(x)
        np.testing.assert_array_equal(J.data, jac(x).data)
        return x, y, both, J.data


@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_the_same_to_the_bit(name, monkeypatch):
    f = FUNCTIONS[name]
    x, *found = of(f, monkeypatch, added_up=True)
    _, *wanted = of(f, monkeypatch, added_up=False)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a.view(np.int64), b.view(np.int64))
    np.testing.assert_allclose(found[0], f(x), rtol=1e-12, atol=1e-12)


def test_the_back_ends_agree(monkeypatch):
    f = FUNCTIONS["several lengths"]
    _, *found = of(f, monkeypatch, added_up=True)
    _, *wanted = of(f, monkeypatch, added_up=True, backend="python")
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("name", "added"), [("one length", 0), ("several lengths", 1), ("rows that come twice", 1), ("read again", 1)]
)
def test_what_is_still_added_in_memory(name, added):
    """Rows of rare lengths; and places in two rows, whose terms would be added in another order."""
    x = np.ones(N)
    steps = scatter_to_gather.owned(sad.jacobian(FUNCTIONS[name], x, check=False).kernels.kernels).steps
    assert sum(any(s.adds for s in step.stores) for step in steps) == added


def test_products_are_the_same():
    f = FUNCTIONS["read again"]
    x, v = RNG.standard_normal(N), RNG.standard_normal(N)
    jac = sad.jacobian(f, x)
    np.testing.assert_allclose(jac.linear_operator(x) @ v, jac(x) @ v, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(jac.linear_operator(x).T @ v, jac(x).T @ v, rtol=1e-12, atol=1e-11)
