"""Ways to solve with a sparse matrix: LU with the order that fits its pattern, PARDISO, GMRES with ILU."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

from sparsead.errors import InputError

Solve = Callable[[np.ndarray], np.ndarray]
# MKL's own settings for unsymmetric matrices (order by METIS, scale and match), spelled out: where the first is 0, two
# steps of refinement follow every solution, and double its time. Those after a perturbed pivot remain.
IPARM = {1: 1, 2: 2, 10: 13, 11: 1, 13: 1}
ATTEMPTS = 4  # at a preconditioner that is good enough
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
        order = column_order(pattern)
        return lambda A: superlu(A, order).solve
    if kind == "pardiso":
        return Pardiso()
    raise InputError(f"unknown linear solver {kind!r}; expected 'superlu', 'pardiso', 'krylov' or a function of A")


class Pardiso:
    """MKL's PARDISO (package pypardiso), called with one matrix after the other; only the latest can be solved with.

    The analysis of the pattern is kept as long as the pattern is the same: pypardiso has this step, but no public name
    for it.
    """

    def __init__(self) -> None:
        self._package = importlib.import_module("pypardiso")
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
        self._call(22 if self._known(rows) else 12, rows, np.zeros((A.shape[0], 1)))
        self._analysed = rows
        return lambda b: self._call(33, rows, np.array(b, dtype=np.float64, order="F").reshape(-1, 1)).reshape(-1)

    def _known(self, rows: Any) -> bool:
        known = self._analysed
        return (
            known is not None
            and known.shape == rows.shape
            and np.array_equal(known.indptr, rows.indptr)
            and np.array_equal(known.indices, rows.indices)
        )

    def _call(self, phase: int, rows: Any, b: np.ndarray) -> np.ndarray:
        self._solver.set_phase(phase)
        try:
            return self._solver._call_pardiso(rows, b)
        except self._package.PyPardisoError as error:
            raise RuntimeError(f"exactly singular, or worse, for PARDISO: {error}") from error


class Krylov:
    """GMRES with products from the derivative program, preconditioned by an incomplete LU of an earlier matrix.

    The preconditioner is computed anew once it costs twice the iterations that it cost when it was fresh; where even
    a fresh one fails, fewer entries are dropped from then on.
    """

    def __init__(self, order: str, drop_tol: float = 1e-4, fill_factor: float = 10.0) -> None:
        self._options: dict[str, Any] = {"drop_tol": drop_tol, "fill_factor": fill_factor, "permc_spec": order}
        self._incomplete: Any = None
        self._fresh, self._last = 0, 0

    def solve(self, matrix: Callable[[], Any], operator: Any, b: np.ndarray, rtol: float) -> np.ndarray:
        """Return x with ``|operator x - b| <= rtol |b|``, or the best that was found."""
        if self._incomplete is not None and self._last <= max(10, 2 * self._fresh):
            x, failed = self._gmres(operator, b, rtol)
            if not failed:
                return x
        for _ in range(ATTEMPTS):
            self._incomplete = self._preconditioner(matrix())
            x, failed = self._gmres(operator, b, rtol)
            self._fresh = self._last
            if not failed:
                break
            self._options["drop_tol"] /= 100.0
            self._options["fill_factor"] *= 2.0
        return x

    def _preconditioner(self, A: Any) -> Any:
        try:
            return scipy.sparse.linalg.spilu(A, **self._options)
        except RuntimeError:  # a pivot was dropped; the matrix itself need not be singular
            return superlu(A, self._options["permc_spec"])

    def _gmres(self, operator: Any, b: np.ndarray, rtol: float) -> tuple[np.ndarray, int]:
        residuals: list[float] = []
        preconditioner = scipy.sparse.linalg.LinearOperator(operator.shape, self._incomplete.solve, dtype=np.float64)
        x, info = scipy.sparse.linalg.gmres(
            operator, b, rtol=rtol, restart=50, maxiter=4, M=preconditioner, callback=residuals.append,
            callback_type="pr_norm",
        )  # fmt: skip
        self._last = len(residuals)
        return x, info
