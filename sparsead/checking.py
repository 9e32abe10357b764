"""Checks of a prepared Jacobian or Hessian against values of the user's own function."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sparsead.errors import SparseADError

Along = Callable[[np.ndarray], np.ndarray]  # a direction (n,) -> the derivative along it, (m,)

SAFETY = 20.0  # times the estimated error of the differences
ROUNDING = 1e-9  # relative agreement that two exact computations must reach


class CheckFailed(SparseADError, ArithmeticError):  # noqa: N818  (the name that the API promises)
    """A derivative does not agree with the function; `report` has all comparisons."""

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report


@dataclass(frozen=True)
class Comparison:
    """One comparison: the largest disagreement, what is allowed there, and words where it is too large."""

    name: str
    error: float
    allowed: float
    detail: str = ""

    @property
    def passed(self) -> bool:
        """True where they agree."""
        return self.error <= self.allowed

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "FAILED"
        return f"{verdict:<7}{self.name}: differs by {self.error:.2e}, allowed {self.allowed:.2e}" + (
            f"\n       {self.detail}" if self.detail and not self.passed else ""
        )


@dataclass
class Report:
    """All comparisons of one check."""

    title: str
    comparisons: list[Comparison] = field(default_factory=list)
    calls: int = 0

    @property
    def passed(self) -> bool:
        """True if every comparison passed."""
        return all(c.passed for c in self.comparisons)

    def __str__(self) -> str:
        return "\n".join(
            [f"check of {self.title}", *map(str, self.comparisons), f"({self.calls} calls of the function)"]
        )


def check(prepared: Any, x: Any, *args: Any, seed: int = 0) -> Report:
    """Compare a prepared Jacobian or Hessian with differences of the function itself.

    Products of the matrix with random vectors are compared with its products without the matrix, and with central
    differences of the function along the same vectors, whose error is estimated from several steps. A missing entry
    shows as a disagreement in its row; the column is then found by halving the direction. A Hessian must also be
    symmetric, and its gradient must agree with the function.

    Parameters
    ----------
    prepared : Jacobian, Hessian, LagrangianHessian or DifferenceJacobian
        What to check.
    x, *args
        As in a call of it.
    seed : int
        Of the random vectors.

    Returns
    -------
    Report

    Raises
    ------
    CheckFailed
        If something disagrees: what, where, by how much.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> jac = sad.jacobian(lambda x: x[1:] * x[:-1], np.ones(4))
    >>> sad.check(jac, np.arange(4.0)).passed
    True
    """
    checker = _HessianCheck if hasattr(prepared, "hvp") else _JacobianCheck
    report = checker(prepared, np.asarray(x, dtype=np.float64), args, np.random.default_rng(seed)).run()
    if not report.passed:
        raise CheckFailed(report)
    return report


class _JacobianCheck:
    """The comparisons for a Jacobian."""

    def __init__(self, prepared: Any, x: np.ndarray, args: tuple[Any, ...], rng: np.random.Generator) -> None:
        self.prepared, self.x, self.args, self.rng = prepared, x, args, rng
        self.accuracy = getattr(prepared, "accuracy", ROUNDING)
        m, n = prepared.shape
        self.report = Report(f"a {m} x {n} matrix with {prepared.pattern.nnz} entries")

    def run(self) -> Report:
        matrix = self.prepared(self.x, *self.args)
        m, n = matrix.shape
        v, w = self.rng.uniform(0.5, 1.5, n), self.rng.uniform(0.5, 1.5, m)
        scale = abs(matrix) @ np.ones(n)
        self.equal("J @ v by the matrix and by JVP", matrix @ v, self.prepared.jvp(self.x, v, *self.args), scale)
        columns = abs(matrix).T @ np.ones(m)
        self.equal("J.T @ w by the matrix and by VJP", matrix.T @ w, self.prepared.vjp(self.x, w, *self.args), columns)
        self.value(self.prepared.value(self.x, *self.args), np.ravel(self.function(self.x)))
        for sign in (np.ones(n), self.rng.choice([-1.0, 1.0], n)):
            self.differences("J @ v and differences of the function", matrix, v * sign, self.function)
        return self.report

    def function(self, x: np.ndarray) -> np.ndarray:
        """Call the user's function."""
        self.report.calls += 1
        return np.asarray(self.prepared.function(x, *self.args), dtype=np.float64)

    def value(self, ours: np.ndarray, theirs: np.ndarray) -> None:
        self.equal("the value by the kernels and by the function", np.ravel(ours), theirs, np.abs(theirs))

    def equal(self, name: str, ours: np.ndarray, theirs: np.ndarray, scale: np.ndarray) -> None:
        """Compare two exact computations."""
        allowed = self.accuracy * np.maximum(scale, 1e-300) + 1e-300
        self.compare(name, ours, theirs, np.broadcast_to(allowed, np.shape(ours)))

    def compare(self, name: str, ours: np.ndarray, theirs: np.ndarray, allowed: np.ndarray) -> int | None:
        """Record a comparison; return the worst row if it failed."""
        both_undefined = (np.isnan(ours) & np.isnan(theirs)) | (ours == theirs)
        error = np.where(both_undefined, 0.0, np.abs(ours - theirs))
        error = np.where(np.isnan(error), np.inf, error)
        if not error.size:
            self.report.comparisons.append(Comparison(name, 0.0, 0.0))
            return None
        row = int(np.argmax(error / allowed))
        detail = f"worst in row {row}: {ours[row]:.17g} against {theirs[row]:.17g}"
        self.report.comparisons.append(Comparison(name, float(error[row]), float(allowed[row]), detail))
        return None if error[row] <= allowed[row] else row

    def differences(self, name: str, matrix: Any, v: np.ndarray, function: Along) -> None:
        """Compare ``matrix @ v`` with differences of the function along v."""
        slope, error = derivative_along(function, self.x, v)
        allowed = SAFETY * error + self.accuracy * (abs(matrix) @ np.abs(v)) + 1e-300
        row = self.compare(name, matrix @ v, slope, allowed)
        if row is not None:
            last = self.report.comparisons[-1]
            detail = f"{last.detail}; {self.culprit(matrix, v, row, function)}"
            self.report.comparisons[-1] = Comparison(last.name, last.error, last.allowed, detail)

    def culprit(self, matrix: Any, v: np.ndarray, row: int, function: Along) -> str:
        """Find a column that explains the disagreement in a row, by halving the direction."""
        columns = np.flatnonzero(v)
        while columns.size > 1:
            half = columns[: columns.size // 2]
            part = np.zeros(v.size)
            part[half] = v[half]
            slope, error = derivative_along(function, self.x, part)
            off = abs((matrix @ part)[row] - slope[row]) > SAFETY * error[row] + self.accuracy * abs(slope[row])
            columns = half if off else columns[columns.size // 2 :]
        column = int(columns[0])
        stored = matrix[[row], :].indices
        kind = "its value is wrong" if column in stored else "the pattern has no entry there"
        return f"column {column} explains it: {kind}"


class _HessianCheck(_JacobianCheck):
    """The comparisons for a Hessian: the gradient is the function, and must itself be right."""

    def run(self) -> Report:
        matrix = self.prepared(self.x, *self.args)
        n = matrix.shape[0]
        v = self.rng.uniform(0.5, 1.5, n)
        scale = abs(matrix) @ np.ones(n)
        self.equal("H @ v by the matrix and by HVP", matrix @ v, self.prepared.hvp(self.x, v, *self.args), scale)
        uneven = abs(matrix - matrix.T).max() if matrix.nnz else 0.0
        self.report.comparisons.append(Comparison("H and its transpose", float(uneven), 0.0))
        gradient = np.ravel(self.prepared.gradient(self.x, *self.args))
        slope, error = derivative_along(self.function, self.x, v)
        self.compare("gradient . v and differences of f", np.array([gradient @ v]), slope, SAFETY * error + 1e-300)
        self.differences("H @ v and differences of the gradient", matrix, v, self.gradient)
        return self.report

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the compiled gradient, flat."""
        return np.ravel(self.prepared.gradient(x, *self.args))


def derivative_along(function: Along, x: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the derivative of a function along v, and an estimate of its error, by extrapolated differences.

    Central differences at steps h, h/2 and h/4 are extrapolated (Ridders 1982); the error estimate is the change that
    the last extrapolation made, plus the rounding error of the differences.
    """
    v = v.reshape(x.shape)
    largest = float(np.max(np.abs(v), initial=0.0))
    if largest == 0.0:
        zero = np.zeros(np.ravel(function(x)).shape)
        return zero, zero
    scale = float(np.max(np.abs(x), initial=1.0)) if np.isfinite(x).all() else 1.0
    h = 2e-3 * max(min(scale, 1.0), 1e-3) / largest
    slopes, size = [], 0.0
    for step in (h, h / 2, h / 4):
        above, below = np.ravel(function(x + step * v)), np.ravel(function(x - step * v))
        slopes.append((above - below) / (2 * step))
        size = np.maximum(size, np.maximum(np.abs(above), np.abs(below)))
    first, second = (4 * slopes[1] - slopes[0]) / 3, (4 * slopes[2] - slopes[1]) / 3
    best = (16 * second - first) / 15
    rounding = 8 * np.finfo(float).eps * np.maximum(size, 1e-300) / h
    return best, np.abs(best - second) + rounding
