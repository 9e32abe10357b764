"""LU factors of one sparse matrix after the other; what depends on the pattern alone is found once."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from sparsead.errors import InputError
from sparsead.extras import optional

Solve = Callable[[np.ndarray], np.ndarray]
# MKL's own settings for unsymmetric matrices (order by METIS, scale and match), spelled out: where the first is 0, two
# steps of refinement follow every solution, and double its time. Those after a perturbed pivot remain.
IPARM = {1: 1, 2: 2, 10: 13, 11: 1, 13: 1}
SYMMETRIC = 0.9  # share of entries with a mirror image from which a pattern counts as symmetric


def symmetry(A: Any) -> float:
    """Return the share of the entries of a square pattern or sparse matrix that have a mirror image in it."""
    pattern = scipy.sparse.csr_array((np.ones(A.indices.size, np.int8), A.indices, A.indptr), shape=A.shape)
    return pattern.multiply(pattern.T).nnz / max(pattern.nnz, 1)


def column_order(A: Any) -> str:
    """Return SuperLU's name of the ordering that leaves the least fill, by the pattern of A."""
    return "MMD_AT_PLUS_A" if symmetry(A) >= SYMMETRIC else "COLAMD"


def superlu(A: Any, order: str) -> Any:
    """Factor a sparse matrix in compressed columns."""
    return scipy.sparse.linalg.splu(A, permc_spec=order)  # type: ignore[call-overload]


def same_pattern(A: Any, B: Any) -> bool:
    """Tell whether two compressed matrices, or None, store their entries at the same places."""
    return (
        A is not None
        and A.shape == B.shape
        and np.array_equal(A.indptr, B.indptr)
        and np.array_equal(A.indices, B.indices)
    )


def direct_solver(kind: str | Callable[[Any], Solve], pattern: Any) -> Callable[[Any], Solve]:
    """Return a function from a matrix (CSC, of a known pattern) to the solution of systems with it.

    Parameters
    ----------
    kind : str or callable
        ``"superlu"``, ``"pardiso"`` (package pypardiso), or any such function, as `scipy.sparse.linalg.factorized`.
    pattern : SparsityPattern
        Decides on the order of SuperLU's columns.
    """
    if callable(kind):
        return kind
    if kind == "superlu":
        return SuperLU(column_order(pattern))
    if kind == "pardiso":
        return Pardiso()
    raise InputError(f"unknown linear solver {kind!r}; expected 'superlu', 'pardiso', 'krylov' or a function of A")


class SuperLU:
    """SciPy's SuperLU, called with one matrix (CSC) after the other: real or complex, in single or double precision.

    Rows and columns of a matrix with a known pattern are put in the order that the first one got.

    Parameters
    ----------
    order : str
        SuperLU's name of the ordering.
    """

    def __init__(self, order: str) -> None:
        self._order = order
        self._known: Any = None
        self._permutation = self._places = np.zeros(0, np.intp)
        self._ordered: Any = None  # the pattern in this order

    def __call__(self, A: Any) -> Solve:
        """Factor A."""
        if not same_pattern(self._known, A):
            factors = superlu(A, self._order)
            self._known, self._ordered, self._permutation = A, None, np.argsort(factors.perm_c)
            return lambda b: factors.solve(_cast(b, A.dtype))
        if self._ordered is None:
            self._reorder(A)
        P = self._ordered
        return partial(self._solve, superlu(_csc(A.data[self._places], P.indices, P.indptr), "NATURAL"), A.dtype)

    def _reorder(self, A: Any) -> None:
        p = self._permutation
        numbered = _csc(np.arange(A.nnz), A.indices, A.indptr)
        self._ordered = scipy.sparse.csc_array(numbered[p][:, p])
        self._ordered.sort_indices()
        self._places = self._ordered.data

    def _solve(self, factors: Any, dtype: Any, b: np.ndarray) -> np.ndarray:
        x = np.empty(b.shape, dtype)
        x[self._permutation] = factors.solve(_cast(b[self._permutation], dtype))
        return x


def _csc(data: np.ndarray, indices: np.ndarray, indptr: np.ndarray) -> Any:
    n = indptr.size - 1
    return scipy.sparse.csc_array((data, indices, indptr), shape=(n, n))


def _cast(b: np.ndarray, dtype: Any) -> np.ndarray:
    return b.astype(np.result_type(dtype, np.float32), copy=False)


class Pardiso:
    """MKL's PARDISO (package pypardiso), called with one matrix after the other; only the latest can be solved with.

    The analysis of the pattern is kept as long as the pattern is the same: pypardiso has this step, but no public name
    for it.
    """

    def __init__(self) -> None:
        self._package = optional("pypardiso")
        self._solver = self._package.PyPardisoSolver()
        for number, value in IPARM.items():
            self._solver.set_iparm(number, value)
        self._analysed: Any = None

    def __call__(self, A: Any) -> Solve:
        """Factor A."""
        if np.iscomplexobj(A.data):
            raise InputError("pypardiso factors real matrices only, and Radau needs complex ones; use BDF or superlu")
        rows = scipy.sparse.csr_matrix(A)
        rows.sort_indices()
        self._call(22 if same_pattern(self._analysed, rows) else 12, rows, np.zeros((A.shape[0], 1)))
        self._analysed = rows
        return lambda b: self._call(33, rows, np.array(b, dtype=np.float64, order="F").reshape(-1, 1)).reshape(-1)

    def _call(self, phase: int, rows: Any, b: np.ndarray) -> np.ndarray:
        self._solver.set_phase(phase)
        try:
            return self._solver._call_pardiso(rows, b)
        except self._package.PyPardisoError as error:
            raise RuntimeError(f"exactly singular, or worse, for PARDISO: {error}") from error
