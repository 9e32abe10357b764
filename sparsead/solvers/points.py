"""Newton's method at many points at once: the same equations, from other starts and with other arguments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import scipy.optimize

from sparsead.derivatives.prepared_jacobian import Jacobian
from sparsead.errors import InputError
from sparsead.solvers.diagnosis import singular_because
from sparsead.solvers.elimination import WIDTH, Elimination
from sparsead.solvers.globalize import DECREASE, SHORTEST
from sparsead.solvers.structure import check_square
from sparsead.tracing.trees import Leaf, built

OPEN, CONVERGED, TOO_MANY, SINGULAR, STUCK, NOT_FINITE = range(-1, 5)
WORDS = {
    TOO_MANY: "no convergence in {} iterations",
    SINGULAR: "singular Jacobian",
    STUCK: "no step lowers the residual",
    NOT_FINITE: "f or its Jacobian is not finite",
}
CACHE = 1 << 22  # bytes of matrices that are computed and solved with at a time
ROUNDING = 100 * np.finfo(np.float64).eps


class NewtonBatchResult(scipy.optimize.OptimizeResult):
    """What `newton` found for many points; ``print(result)`` says how they ended.

    Attributes
    ----------
    x, fun : ndarray
        The latest points, and f there, with the axis of points where it was in x0.
    success : ndarray of bool, shape (points,)
        Which are solutions.
    status : ndarray of int, shape (points,)
        0 converged, 1 too many iterations, 2 singular Jacobian, 3 no step lowers the residual, 4 not finite.
    message : str
        The same in words, with a point of each kind.
    nit : ndarray of int, shape (points,)
        Iterations of each.
    nfev, njev : int
        Evaluations of f and of the Jacobian, over all points.
    jac : sparsead.Jacobian
        The prepared Jacobian, to be passed on to the next solve.
    """

    x: np.ndarray
    fun: np.ndarray
    success: np.ndarray
    status: np.ndarray
    message: str
    nit: np.ndarray
    nfev: int
    njev: int
    jac: Jacobian

    def __str__(self) -> str:
        return self.message


class Systems:
    """The equations of all points; arrays of unknowns are (n, points).

    Parameters
    ----------
    jac : Jacobian
        Prepared for one point.
    x0, args
        The points and the other arguments, some with an axis of points.
    axis : int
        0 or -1: where that axis is.
    """

    def __init__(self, jac: Jacobian, x0: Any, args: tuple[Any, ...], axis: int) -> None:
        if not isinstance(jac, Jacobian):
            raise InputError(f"batch= needs a Jacobian made by sparsead.jacobian without guard=, got {jac!r}")
        check_square(jac)
        x0, self.shape = np.asarray(x0, dtype=np.float64), jac.program.wrt.shape
        if axis not in (0, -1) or (x0.shape[1:] if axis == 0 else x0.shape[:-1]) != self.shape:
            raise InputError(
                f"x0 has shape {x0.shape}; with batch={axis} it must be the shape of x, {self.shape}, and an axis of "
                f"points {'before' if axis == 0 else 'after'} it; batch is 0 or -1"
            )
        self.jac, self._axis = jac, axis
        self.x = np.ascontiguousarray(np.moveaxis(x0, axis, -1)).reshape(jac.shape[1], -1).copy()
        _, *self._args = jac.signature.convert((x0, *args), self._of_points)
        self.nfev = self.njev = 0

    def _of_points(self, value: Any, leaf: Leaf, title: str) -> tuple[Any, bool]:
        """Return a runtime value, points last, and whether each point has its own."""
        shape, points = leaf.shape, self.x.shape[1]
        if np.ndim(value) != len(shape) + 1:
            return value, False
        array = np.moveaxis(np.asarray(value, dtype=np.float64), self._axis, -1)
        if array.shape != (*shape, points):
            raise InputError(
                f"{title} has shape {np.shape(value)}; it must be {shape}, for all of the {points} points, or have "
                "an axis of as many points as x0"
            )
        return array, True

    def _at(self, x: np.ndarray, points: np.ndarray) -> tuple[Any, ...]:
        leaves = iter([value[..., points] if own else value for value, own in self._args])
        return (x.reshape(*self.shape, points.size), *(built(of, leaves) for of in self.jac.signature.arguments[1:]))

    def residual(self, x: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Return f, (n, points), for some of the points."""
        self.nfev += points.size
        return self.jac.value_batch(*self._at(x, points), axis=-1).reshape(-1, points.size)

    def values(self, x: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Return the entries of the Jacobians by rows, (nnz, points)."""
        self.njev += points.size
        values: Any = self.jac.batch(*self._at(x, points), axis=-1)
        structure = self.jac.structure
        return values if structure.in_order else structure.storage.read(np.ascontiguousarray(values.T)).T

    def noise(self, values: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return an estimate of the rounding errors of f, by ``|J| |x|``."""
        pattern = self.jac.pattern
        return ROUNDING * _sizes(np.add.reduceat(np.abs(values * x[pattern.indices]), pattern.indptr[:-1]))

    def given(self, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return an array over all points with its axes as the user has them."""
        return np.moveaxis(array.reshape(*shape, -1), -1, self._axis)


class _Run:
    """The state of all points: where they are, the residuals there, and how far each has come."""

    def __init__(self, systems: Systems, searches: bool, xtol: float) -> None:
        self.systems, self.searches, self.xtol = systems, searches, xtol
        self.x, count = systems.x, systems.x.shape[1]
        self.F = systems.residual(self.x, np.arange(count))
        self.status, self.nit = np.full(count, OPEN), np.zeros(count, dtype=int)
        self.status[~np.isfinite(_sizes(self.F))] = NOT_FINITE
        self.elimination: Elimination | None = None  # planned at the first step
        self.why = ""

    def iterate(self, ftol: float, atol: float, maxiter: int) -> NewtonBatchResult:
        """Take steps until every point has converged or failed."""
        tolerances = ftol * _sizes(self.F) + atol
        for _ in range(maxiter):
            self.status[(self.status == OPEN) & (_sizes(self.F) <= tolerances)] = CONVERGED
            points = np.flatnonzero(self.status == OPEN)
            if not points.size:
                break
            for some in self._blocks(points):
                self._step(some)
        self.status[(self.status == OPEN) & (_sizes(self.F) <= tolerances)] = CONVERGED
        self.status[self.status == OPEN] = TOO_MANY
        return self._result(maxiter)

    def _blocks(self, points: np.ndarray) -> Iterator[np.ndarray]:
        """Yield as many points at a time as have matrices that stay in cache."""
        size = max(WIDTH, CACHE // (8 * max(self.systems.jac.nnz, 1)) // WIDTH * WIDTH)
        yield from (points[k : k + size] for k in range(0, points.size, size))

    def _step(self, points: np.ndarray) -> None:
        """Take a step at some points."""
        self.nit[points] += 1
        values = self.systems.values(self.x[:, points], points)
        steps = self._newton_steps(values, points)
        finite = np.isfinite(values).all(axis=0)
        regular = np.isfinite(steps).all(axis=0)
        self.status[points[~regular]] = np.where(finite[~regular], SINGULAR, NOT_FINITE)
        if not regular.all():
            points, steps, values = points[regular], steps[:, regular], values[:, regular]
        small = _sizes(steps) <= self.xtol * _sizes(self.x[:, points])
        moved = self._searched(points, steps)
        self.status[points[small]] = CONVERGED
        blocked = np.flatnonzero(~moved & ~small)
        if blocked.size:
            at = points[blocked]
            rounded = _sizes(self.F[:, at]) <= self.systems.noise(values[:, blocked], self.x[:, at])
            self.status[at] = np.where(rounded, CONVERGED, STUCK)

    def _newton_steps(self, values: np.ndarray, points: np.ndarray) -> np.ndarray:
        right = -self.F[:, points]
        if self.elimination is None:
            finite = np.flatnonzero(np.isfinite(values).all(axis=0))
            example = values[:, finite[0]] if finite.size else np.ones(len(values))
            try:
                self.elimination = Elimination(self.systems.jac.pattern, example)
            except RuntimeError:
                pattern = self.systems.jac.pattern.tocsr()
                self.why = singular_because(pattern, self.systems.jac.program.output.shape, self.systems.shape)
                return np.full(right.shape, np.nan)
        return self.elimination.solve(values, right)

    def _searched(self, points: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Go along the steps of some points, by Armijo's rule; return which have moved."""
        before, t = np.sum(self.F[:, points] ** 2, axis=0), np.ones(points.size)
        trying, moved = np.arange(points.size), np.zeros(points.size, dtype=bool)
        while trying.size:
            at = points[trying]
            x = self.x[:, at] + t[trying] * steps[:, trying]
            F = self.systems.residual(x, at)
            after, share = np.sum(F**2, axis=0), t[trying]
            good = after <= (1.0 - 2.0 * DECREASE * share) * before[trying] if self.searches else np.isfinite(after)
            self.x[:, at[good]], self.F[:, at[good]] = x[:, good], F[:, good]
            moved[trying[good]] = True
            if not self.searches:
                break
            parabola = before[trying] * share / (after - before[trying] + 2.0 * share * before[trying])
            t[trying] *= np.where(np.isfinite(after), np.clip(parabola, 0.1, 0.5), 0.25)
            trying = trying[~good]
            trying = trying[t[trying] > SHORTEST]
        return moved

    def _result(self, maxiter: int) -> NewtonBatchResult:
        systems, success = self.systems, self.status == CONVERGED
        parts = [f"{np.count_nonzero(success)} of {success.size} points converged"]
        for status, words in WORDS.items():
            failed = np.flatnonzero(self.status == status)
            if failed.size:
                parts.append(f"{failed.size}: {words.format(maxiter)} (point {failed[0]})")
        fields = {
            "x": systems.given(self.x, systems.shape),
            "fun": systems.given(self.F, systems.jac.program.output.shape),
            "success": success,
            "status": self.status,
            "message": "; ".join([*parts, self.why] if self.why else parts),
            "nit": self.nit,
            "nfev": systems.nfev,
            "njev": systems.njev,
            "jac": systems.jac,
        }
        return NewtonBatchResult(**fields)


def _sizes(columns: np.ndarray) -> np.ndarray:
    return np.abs(columns).max(axis=0, initial=0.0)


def newton_of_points(
    systems: Systems, globalize: str | None, ftol: float, atol: float, xtol: float, maxiter: int
) -> NewtonBatchResult:
    """Solve the equations of all points; see `sparsead.solvers.newton`."""
    if globalize not in ("line-search", None):
        raise InputError(f"with batch=, globalize is 'line-search' or None, got {globalize!r}")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a trial step may leave the domain of f
        return _Run(systems, globalize is not None, xtol).iterate(ftol, atol, maxiter)
