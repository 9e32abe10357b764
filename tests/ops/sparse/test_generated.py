"""Random programs with sparse matrices: formats, classes, views of each other's memory, writing in place."""

from __future__ import annotations

import operator

import numpy as np
import pytest
import scipy.sparse as sp

import sparsead as sad
from tests.reference import differences

N = 4
FORMATS = ("csr", "csc", "coo", "bsr", "dia", "lil", "dok")
CONSTANT = [sp.random_array((N, N), density=0.5, rng=np.random.default_rng(k), format=f) for k, f in enumerate(FORMATS)]


def made(rng, x):
    """Return a matrix that shares the memory of x, or not, in one of the ways to make one."""
    kind, start = rng.choice(["array", "matrix"]), int(rng.integers(0, 8))
    v = x[start : start + 8] * 1.0 if rng.random() < 0.5 else x[start : start + 8]
    rows, columns = rng.integers(0, N, 8), rng.integers(0, N, 8)
    unsorted = np.concatenate([rng.permutation(N)[:2] for _ in range(N)])
    name = rng.choice(FORMATS)
    filled = f"{rng.choice(['lil', 'dok', 'csr'])}_{kind}"

    def by_element():
        A = getattr(sp, filled)((N, N))
        for row, column, value in zip(rows[:5], columns[:5], v[:5], strict=True):
            A[int(row), int(column)] = value
        return A

    ways = [
        lambda: getattr(sp, f"coo_{kind}")((v, (rows, columns)), shape=(N, N)),
        lambda: getattr(sp, f"csr_{kind}")((v, (rows, columns)), shape=(N, N)),
        lambda: getattr(sp, f"csr_{kind}")((v, unsorted, np.arange(0, 9, 2)), shape=(N, N)),
        lambda: getattr(sp, f"csc_{kind}")((v, unsorted, np.arange(0, 9, 2)), shape=(N, N)),
        lambda: getattr(sp, f"dia_{kind}")((v.reshape(2, 4), np.array([1, -1])), shape=(N, N)),
        lambda: getattr(sp, f"bsr_{kind}")((v.reshape(2, 2, 2), np.array([1, 0]), np.array([0, 1, 2])), shape=(N, N)),
        lambda: getattr(sp, f"{name}_{kind}")(np.outer(v[:4], x[:4])),
        by_element,
    ]
    return ways[int(rng.integers(len(ways)))]()


def operations(rng, matrices, x):
    """Return ways to make a matrix of others, and ways to write into one."""
    A = matrices[int(rng.integers(len(matrices)))]
    B = matrices[int(rng.integers(len(matrices)))] if rng.random() < 0.7 else CONSTANT[int(rng.integers(7))].copy()
    i, j, s = int(rng.integers(N)), int(rng.integers(N)), x[int(rng.integers(9))]
    making = [
        lambda: A.T, lambda: A.transpose(copy=bool(i % 2)), lambda: A.asformat(FORMATS[(i * 4 + j) % 7]),
        lambda: A.tocsr(), lambda: A.tocsc(), lambda: A.tocoo(copy=bool(i % 2)), lambda: A.copy(), lambda: A + B,
        lambda: A - B, lambda: B - A, lambda: A @ B, lambda: A.multiply(B), lambda: A * s, lambda: s * A,
        lambda: A / s, lambda: -A, lambda: abs(A), lambda: A.multiply(x[:4]), lambda: A.multiply(x[:4, None]),
        lambda: A.tocsr()[[i, j, 0, 1]], lambda: A.tocsc()[:, [i, j, 2, 3]], lambda: A.power(2), lambda: A.sin(),
        lambda: sp.tril(A, k=i - 1), lambda: sp.triu(A), lambda: sp.csr_array(A), lambda: sp.csc_matrix(A),
        lambda: sp.csr_matrix(A, copy=True), lambda: sp.coo_array(A), lambda: sp.dia_array(A), lambda: sp.bsr_array(A),
        lambda: sp.csr_array((A.data, A.indices, A.indptr), shape=(N, N)) if A.format == "csr" else A,
        lambda: sp.block_array([[A.tocsr()[:2]], [B.tocsr()[2:]]]), lambda: A.reshape((2, 8)).reshape((4, 4)),
        lambda: sp.kron(A.tocsr()[:2, :2], B.tocsr()[2:, 1:3]), lambda: A.astype(float, copy=False),
    ]  # fmt: skip
    writing = [
        lambda: operator.setitem(A, (i, j), s), lambda: operator.setitem(A, (i, slice(None)), x[3:7]),
        lambda: operator.setitem(A, (slice(0, 2), slice(1, 3)), B.tocsr()[:2, :2]), lambda: A.setdiag(x[:4]),
        lambda: A.setdiag(s), lambda: A.setdiag(x[:3], 1), lambda: A.sort_indices(), lambda: A.sum_duplicates(),
        lambda: operator.setitem(A.data, 0, s), lambda: operator.imul(A.data, s),
        lambda: setattr(A, "data", A.data * s),
        lambda: operator.imul(A, s), lambda: operator.itruediv(A, 2.0), lambda: operator.iadd(A, B),
        lambda: operator.setitem(A, ([i, j], [0, 1]), x[:2]), lambda: A.copy().eliminate_zeros(),
    ]  # fmt: skip
    return making, writing


def program(seed):
    """Return a function of 16 unknowns that makes matrices of each other and writes into them."""

    def f(x):
        rng = np.random.default_rng(seed)
        matrices = [made(rng, x), made(rng, x)]
        for _ in range(6):
            making, writing = operations(rng, matrices, x)
            if rng.random() < 0.6:
                matrices.append(making[int(rng.integers(len(making)))]())
            else:
                writing[int(rng.integers(len(writing)))]()
        return np.concatenate([np.reshape(A.toarray(), -1) for A in matrices])

    return f


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("block", range(4))
def test_random_programs_agree_with_numbers(block):
    """Values and slopes are those of the same program on numbers."""
    compared = 0
    for seed in range(20 * block, 20 * block + 20):
        f, x = program(seed), np.random.default_rng(seed).uniform(0.3, 1.7, 16)
        try:
            expected = f(x.copy())
        except (AttributeError, TypeError, NotImplementedError, ValueError, IndexError):
            continue  # not every format can do everything
        jac = sad.jacobian(f, x, check=False)
        np.testing.assert_allclose(jac.value(x), expected, rtol=1e-12, atol=1e-13, err_msg=f"seed {seed}")
        if seed % 4 == 0:
            slope = differences(lambda z, f=f: f(z.copy()), x)
            np.testing.assert_allclose(jac(x).toarray(), slope, rtol=1e-6, atol=1e-7, err_msg=f"seed {seed}")
        if seed % 4 == 1:
            hess = sad.hessian(lambda z, f=f: np.sum(np.sin(f(z))), x, check=False, backend="python")
            slopes = differences(hess.gradient, x)
            np.testing.assert_allclose(hess(x).toarray(), slopes, rtol=1e-5, atol=1e-5, err_msg=f"seed {seed}")
        compared += 1
    assert compared >= 5
