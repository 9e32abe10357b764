"""Loops of repeating tables: over periods by points of a period, to the bit what the whole tables give."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import sparsead as sad
from sparsead.sweeps import folding, row_sums

RNG = np.random.default_rng(3)
BLOCK = sp.random_array((7, 7), density=0.4, rng=RNG, format="csr")
MANY = sp.csr_array(sp.kron(sp.eye_array(12), BLOCK))
BESIDE = sp.csr_array(sp.kron(BLOCK, sp.eye_array(12)))
BENT = MANY.copy()
BENT.data[-1] += 1.0
SIGNS = sp.csr_array((np.where(np.arange(MANY.nnz) == 5, -0.0, 0.0), MANY.indices, MANY.indptr), MANY.shape)
N = MANY.shape[0]
ORDER = RNG.permutation(N)

FUNCTIONS = {
    "equal blocks": (lambda x: MANY @ x**2, True),
    "blocks beside each other": (lambda x: np.exp(BESIDE @ x), False),
    "other values in one block": (lambda x: BENT @ np.sin(x), True),
    "zeros of both signs": (lambda x: SIGNS @ np.sin(x), False),
    "factors for each block": (lambda x: np.tile(np.arange(1.0, 8.0), 12) * x**2, True),
    "two matrices": (lambda x: x + MANY @ (MANY @ x) ** 2, True),
    "no blocks": (lambda x: x[ORDER] * x, False),
    "one jump": (lambda x: np.roll(x, 1) * x, False),
}


@pytest.fixture(autouse=True)
def short_ones(monkeypatch):
    monkeypatch.setattr(folding, "SHORTEST", 3)
    monkeypatch.setattr(row_sums, "FEWEST", 8)


def results(f, monkeypatch, least, backend):
    """Return value, Jacobian, both, a gradient, and how many numbers tables hold."""
    monkeypatch.setattr(folding, "MANY_POINTS", least)
    jac = sad.jacobian(f, np.ones(N), mode="direct", backend=backend)
    x = np.linspace(-1.0, 1.0, N)
    y, J = jac.value_and_jacobian(x)
    grad = sad.gradient(lambda x: np.sum(f(x) ** 2), np.ones(N), backend=backend)
    tables = sum(a.size for s in (*jac._assembly.sweeps(), jac._sweep("value")) for a in s.source.fixed.values())
    return [jac.value(x), jac.values(x), y, J.data, grad(x)], tables


@pytest.mark.parametrize("backend", ["llvm", "python"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_values_are_the_same_to_the_bit(name, backend, monkeypatch):
    f, folds = FUNCTIONS[name]
    whole, before = results(f, monkeypatch, np.inf, backend)
    found, after = results(f, monkeypatch, 2, backend)
    for a, b in zip(whole, found, strict=True):
        np.testing.assert_array_equal(a.view(np.int64), b.view(np.int64))
    if backend == "llvm":
        assert (after < before) == folds


def test_equal_blocks_need_no_table_of_all_points(monkeypatch):
    monkeypatch.setattr(folding, "MANY_POINTS", 2)
    x = RNG.random(N)
    jac = sad.jacobian(lambda x: MANY @ np.sin(x), x)
    np.testing.assert_allclose(jac(x).toarray(), MANY.toarray() * np.cos(x), rtol=1e-14)
    assert max(a.size for a in jac._assembly.sweeps()[0].source.fixed.values()) <= BLOCK.nnz
