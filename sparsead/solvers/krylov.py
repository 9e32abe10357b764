"""GMRES with an incomplete LU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse.linalg

from sparsead.solvers.factors import superlu

ATTEMPTS = 4  # at a preconditioner that is good enough


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
