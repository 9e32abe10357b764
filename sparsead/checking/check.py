"""Checks of a prepared Jacobian or Hessian against values of the user's own function."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from sparsead.checking.directional import EPS, Function, Slope, slope_along
from sparsead.checking.doubt import halved
from sparsead.checking.jumps import jumps
from sparsead.checking.plain import plain_value, quietly, real
from sparsead.checking.report import CheckFailed, Comparison, Report
from sparsead.contract import Derivative
from sparsead.errors import InputError

SAFETY = 20.0  # times the estimated error of the differences
PROBES = 6  # sets of columns that are moved to look for entries outside the pattern
MOVE = 2.0**-6  # how far, relative to x
TINY = 1e-300


def check(prepared: Derivative, x: Any, *args: Any, seed: int = 0) -> Report:
    """Compare a prepared Jacobian or Hessian with differences of the function itself.

    Products of the matrix with random vectors are compared with its products without the matrix, and with central
    differences of the function along the same vectors: along one that moves all of x alike, and along one that moves
    every element in proportion to its size. Steps are chosen for each direction, and each row is allowed the error
    that its differences can have. A missing entry shows as a disagreement in its row; the column is then found by
    halving the direction. Entries outside the pattern are also looked for by moving random sets of columns: rows that
    have no entry there must not change. A Hessian must be symmetric to the bit, and its gradient must agree with the
    function. Rows without a derivative (a kink or a jump at x) are left out of the comparison with differences, and
    counted.

    It costs about 25 calls of the function.

    Parameters
    ----------
    prepared : Jacobian, Hessian, LagrangianHessian, DifferenceJacobian or Guarded
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
    if not isinstance(prepared, Derivative):
        raise InputError(
            f"check expects what sparsead.jacobian, hessian or gradient returned, got {type(prepared).__name__}; "
            "prepare first: sparsead.check(sparsead.jacobian(f, x0), x)"
        )
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"seed must be a whole number from 0 on, got {seed!r}")
    checked = _checker(prepared, (x, *args), np.random.default_rng(seed))
    checked.everything(checked.matrix())
    return checked.verdict()


def verify(prepared: Derivative, how: bool | str, matrix: Any, args: tuple[Any, ...]) -> None:
    """Compare a matrix that was just computed with its products and with the function, along one random vector.

    Parameters
    ----------
    prepared
        What computed it.
    how : bool or str
        True; False for nothing; ``"products"`` to leave out the differences, and with them all calls of the function.
    matrix : csr_array
        What is in doubt.
    args
        Where it was computed: x and the other arguments.

    Raises
    ------
    CheckFailed
        If something disagrees.
    """
    if how not in (False, True, "products"):
        raise InputError(f"verify={how!r} is not known; expected True, False or 'products'")
    if how:
        checked = _checker(prepared, args, np.random.default_rng())
        checked.residuals(matrix, differences=how is True)
        checked.verdict()


def _checker(prepared: Derivative, args: tuple[Any, ...], rng: np.random.Generator) -> _JacobianCheck:
    """Return the comparisons for what was prepared, at a point."""
    kinds = {"jacobian": _JacobianCheck, "hessian": _HessianCheck, "gradient": _GradientCheck}
    return kinds[prepared.derivative](prepared.at(args), args, rng)


class _JacobianCheck:
    """The comparisons for a Jacobian; `product_name` is its product, `differenced` what it is the derivative of."""

    letter, product_name, differenced = "J", "jvp", "the function"
    rows = "rows"

    def __init__(self, prepared: Any, args: tuple[Any, ...], rng: np.random.Generator) -> None:
        self.prepared, self.args, self.rng = prepared, args, rng
        self.x = prepared.signature.vector(args)
        self.accuracy = prepared.accuracy
        self.report = Report(self.title())

    def title(self) -> str:
        """Return what is checked, in words."""
        m, n = self.prepared.shape
        return f"a {m} x {n} matrix with {self.prepared.pattern.nnz} entries"

    def matrix(self) -> Any:
        """Return the whole matrix at the point, by rows."""
        return self.prepared.pattern.to_scipy(self.prepared.values(*self.args, order="csr"))

    def verdict(self) -> Report:
        """Return the report, or raise it."""
        if not self.report.passed:
            self.report.notes += self.prepared.surroundings.changes()
            raise CheckFailed(self.report)
        return self.report

    # -- what is compared -----------------------------------------------------------------------------------
    def everything(self, matrix: Any) -> None:
        """Make all comparisons."""
        v = self.rng.uniform(0.5, 1.5, matrix.shape[1])
        self.product(matrix, v)
        pulled = self.transposed(matrix)
        start, alike = self.start(matrix, v), v * self.size()
        slope = self.along(f"differences of {self.differenced}", matrix, alike, start)
        if pulled is not None:
            self.pulled_back(*pulled, alike, slope)
        uneven = self.rng.choice([-1.0, 1.0], v.size) * v * self.sizes()
        self.along("differences in proportion to x", matrix, uneven, start)
        self.outside(f"{self.rows} without an entry in the columns that move", start)

    def residuals(self, matrix: Any, differences: bool) -> None:
        """Compare one product with the product sweep, and with differences of the function."""
        v = self.rng.uniform(0.5, 1.5, matrix.shape[1])
        self.product(matrix, v)
        if differences:
            start = self.start(matrix, v)
            self.along(f"differences of {self.differenced}", matrix, v * self.size(), start)

    def product(self, matrix: Any, v: np.ndarray) -> None:
        """Compare the product with the matrix and without it."""
        scale, name = abs(matrix) @ np.abs(v), f"{self.letter} @ v by the matrix and by {self.product_name.upper()}"
        self.equal(name, matrix @ v, self.at_x(self.product_name, v), scale)

    def transposed(self, matrix: Any) -> tuple[np.ndarray, np.ndarray] | None:
        """Compare a product with the transpose; return its vector and the product."""
        w = self.rng.uniform(0.5, 1.5, matrix.shape[0])
        pulled = self.at_x("vjp", w)
        columns = abs(matrix).T @ np.ones(w.size)
        self.equal("J.T @ w by the matrix and by VJP", matrix.T @ w, pulled, columns)
        return w, pulled

    def start(self, matrix: Any, v: np.ndarray) -> np.ndarray:
        """Return what differences start from, compared itself: the value of the function at x."""
        return self.values(matrix)

    def differentiated(self, x: np.ndarray) -> np.ndarray:
        """Return what the matrix is the derivative of, at another x."""
        return self.function(x)

    def values(self, matrix: Any) -> np.ndarray:
        """Compare the values of the function: with the kernels, and with themselves; return them."""
        start, again = self.function(self.x), self.function(self.x)
        self.equal("the function called twice", start, again, np.zeros(start.size), "it gives other values each time")
        ours = self.flat(self.prepared.value(*self.args))
        self.has_values(start)
        scale = np.abs(start) + 1e-3 * (abs(matrix) @ np.abs(self.x))  # of the terms that may have cancelled
        self.equal("the value by the kernels and by the function", ours, start, scale)
        return start

    def has_values(self, start: np.ndarray) -> None:
        """Record how many rows have a value at x; without any there is nothing to compare."""
        count = int(np.count_nonzero(np.isfinite(start)))
        if count < start.size:
            words = "the function has no finite value at x: nothing can be compared there"
            undecided = start.size - count
            failed = Comparison("the function has values", float(not count), 0.0, words, undecided)
            self.report.comparisons.append(failed)

    def pulled_back(self, w: np.ndarray, pulled: np.ndarray, v: np.ndarray, slope: Slope) -> None:
        """Compare ``(J.T @ w) @ v`` with ``w @ (J @ v)``, the latter by differences, where all rows are decided."""
        if not slope.decided.all():
            return
        allowed = SAFETY * np.abs(w) @ slope.error + self.accuracy * np.abs(pulled) @ np.abs(v) + TINY
        name = "J.T @ w and differences of w @ f"
        self.compare(name, np.array([pulled @ v]), np.array([w @ slope.value]), np.array([allowed]))

    # -- the function and its neighbourhood -----------------------------------------------------------------
    def function(self, x: np.ndarray) -> np.ndarray:
        """Call the user's function."""
        self.report.calls += 1
        return self.flat(plain_value(self.prepared.function, self.arguments(x)))

    def flat(self, value: Any) -> np.ndarray:
        """Return a value of the function as one vector."""
        return real(self.prepared.signature.flat(value))

    def arguments(self, x: np.ndarray) -> tuple[Any, ...]:
        """Return the arguments of the function at another x."""
        return self.prepared.signature.with_x(self.args, x)

    def at_x(self, product: str, v: np.ndarray) -> np.ndarray:
        """Return a product at x, from the prepared object."""
        return getattr(self.prepared, product)(self.args[0], v, *self.args[1:])

    def size(self) -> float:
        """Return the length of a direction: that of x, within limits."""
        largest = float(np.max(np.abs(self.x), initial=0.0, where=np.isfinite(self.x)))
        return min(max(largest, 1e-3), 1.0)

    def sizes(self) -> np.ndarray:
        """Return the size of every element of x; of those that are zero or no numbers, that of x as a whole."""
        known = np.isfinite(self.x) & (self.x != 0.0)
        return np.where(known, np.abs(self.x), self.size())

    # -- comparisons ----------------------------------------------------------------------------------------
    def equal(self, name: str, ours: np.ndarray, theirs: np.ndarray, scale: np.ndarray, words: str = "") -> None:
        """Compare two exact computations."""
        self.compare(name, ours, theirs, self.accuracy * np.maximum(scale, TINY) + TINY, words)

    def compare(
        self, name: str, ours: np.ndarray, theirs: np.ndarray, allowed: np.ndarray, words: str = "", undecided: int = 0
    ) -> int | None:
        """Record a comparison; return the worst row if it failed."""
        with np.errstate(invalid="ignore", over="ignore"):
            same = (np.isnan(ours) & np.isnan(theirs)) | (ours == theirs)
            error = np.where(same, 0.0, np.abs(ours - theirs))
            error = np.where(np.isnan(error), np.inf, error)
            allowed = np.where(np.isfinite(allowed), allowed, TINY)  # infinite terms excuse nothing
            row = int(np.argmax(error / allowed)) if error.size else None
        if row is None:
            self.report.comparisons.append(Comparison(name, 0.0, 0.0, undecided=undecided))
            return None
        detail = f"worst in row {row}: {ours[row]:.17g} against {theirs[row]:.17g}" + (f"; {words}" if words else "")
        comparison = Comparison(name, float(error[row]), float(allowed[row]), detail, undecided)
        self.report.comparisons.append(comparison)
        return None if comparison.passed else row

    def explained(self, words: str) -> None:
        """Add words to the latest comparison."""
        last = self.report.comparisons.pop()
        detail = f"{last.detail}; {words}"
        self.report.comparisons.append(Comparison(last.name, last.error, last.allowed, detail, last.undecided))

    def along(self, what: str, matrix: Any, v: np.ndarray, start: np.ndarray) -> Slope:
        """Compare ``matrix @ v`` with differences along v, in words `what`."""
        noise = EPS * (np.abs(start) + abs(matrix) @ np.abs(self.x))
        slope = slope_along(_forgiving(self.differentiated, start.size), self.x, v, start, noise)
        ours = matrix @ v
        allowed = SAFETY * slope.error + self.accuracy * (abs(matrix) @ np.abs(v)) + TINY
        theirs = np.where(slope.decided, slope.value, ours)
        undecided = int(np.count_nonzero(~slope.decided))
        name = f"{self.letter} @ v and {what}"
        row = self.compare(name, ours, theirs, np.where(slope.decided, allowed, TINY), undecided=undecided)
        if row is not None:
            self.explained(self.culprit(matrix, v, row, start, noise))
        return slope

    def culprit(self, matrix: Any, v: np.ndarray, row: int, start: np.ndarray, noise: np.ndarray) -> str:
        """Find a column that explains the disagreement in a row, by halving the direction."""

        def off(part: np.ndarray) -> bool:
            slope = slope_along(_forgiving(self.differentiated, start.size), self.x, part, start, noise)
            difference = abs((matrix @ part)[row] - slope.value[row])
            return bool(difference > SAFETY * slope.error[row] + self.accuracy * abs(slope.value[row]))

        column = halved(np.flatnonzero(v), v, off)
        stored = matrix[[row], :].indices
        kind = "its value is wrong" if column in stored else "the pattern has no entry there"
        return f"column {column} explains it: {kind}"

    def outside(self, name: str, start: np.ndarray) -> None:
        """Move random sets of columns; rows that have no entry there must stay as they are."""
        pattern = self.prepared.pattern.to_scipy().astype(np.bool_)
        m, n = pattern.shape
        often = min(0.5, m / max(pattern.nnz, 1))  # such that a third of the rows or more are outside
        moved = self.sizes() * MOVE
        call = _forgiving(self.differentiated, m)
        rounding = 1e-12 * (np.abs(start) + np.max(self.sizes(), initial=0.0)) + TINY
        worst: tuple[float, str] = (0.0, "")
        for _ in range(PROBES if n and m else 0):
            chosen = self.rng.random(n) < often
            outside = ~(pattern @ chosen) & np.isfinite(start)

            def change(part: np.ndarray, outside: np.ndarray = outside) -> np.ndarray:
                with np.errstate(invalid="ignore"):
                    error = np.abs(call(self.x + part) - start) / rounding
                return np.where(outside, np.where(np.isnan(error), np.inf, error), 0.0)

            part = np.where(chosen, moved, 0.0)
            change_now = change(part)
            if change_now.max() > 1.0:
                change_now[jumps(call, self.x, part, change_now * rounding, rounding)] = 0.0
            row = int(np.argmax(change_now))
            if change_now[row] > max(worst[0], 1.0) and chosen.any():

                def moves(half: np.ndarray, row: int = row, change: Function = change) -> bool:
                    return bool(change(half)[row] > 1.0)

                column = halved(np.flatnonzero(part), part, moves)
                words = f"row {row} depends on column {column}: the pattern has no entry there"
                worst = float(change_now[row]), words
        self.report.comparisons.append(Comparison(name, worst[0] * 1e-12, 1e-12, worst[1]))


class _HessianCheck(_JacobianCheck):
    """The comparisons for a Hessian: the gradient is the function, and must itself be right."""

    letter, product_name, differenced = "H", "hvp", "the gradient"
    rows = "gradient rows"

    def start(self, matrix: Any, v: np.ndarray) -> np.ndarray:
        return self.first_order(v)

    def transposed(self, matrix: Any) -> None:
        """Compare H with its transpose, to the bit."""
        mirrored = scipy.sparse.csr_array(matrix.T)
        mirrored.sort_indices()
        row = self.compare("H and its transpose", matrix.data, mirrored.data, np.full(matrix.data.size, TINY))
        if row is not None:
            i = int(np.searchsorted(matrix.indptr, row, side="right")) - 1
            self.explained(f"entry {i}, {matrix.indices[row]} and its mirror image")

    def first_order(self, v: np.ndarray) -> np.ndarray:
        """Compare the gradient along v with differences of the function; return it."""
        start, again = self.function(self.x), self.function(self.x)
        self.equal("the function called twice", start, again, np.zeros(1), "it gives other values each time")
        self.has_values(start)
        gradient, v = self.differentiated(self.x), v * self.size()
        noise = EPS * (np.abs(start) + np.abs(gradient) @ np.abs(self.x))
        slope = slope_along(_forgiving(self.function, 1), self.x, v, start, noise)
        if slope.decided[0]:
            allowed = SAFETY * slope.error + self.accuracy * np.abs(gradient) @ np.abs(v) + TINY
            self.compare("gradient . v and differences of f", np.array([gradient @ v]), slope.value, allowed)
        return gradient

    def differentiated(self, x: np.ndarray) -> np.ndarray:
        """Return the compiled gradient, flat."""
        return self.prepared.signature.flat_x(self.prepared.gradient(*self.arguments(x)))


class _GradientCheck(_HessianCheck):
    """The comparison for a gradient that was prepared alone."""

    def title(self) -> str:
        return f"a gradient of {self.prepared.program.wrt.size} elements"

    def matrix(self) -> None:
        return None

    def everything(self, matrix: Any) -> None:
        self.first_order(self.rng.uniform(0.5, 1.5, self.x.size))

    def differentiated(self, x: np.ndarray) -> np.ndarray:
        return self.prepared.signature.flat_x(self.prepared(*self.arguments(x)))


def _forgiving(function: Function, size: int) -> Function:
    """Return the function with NaN for its values where it raises an arithmetic error, as scalar code does."""
    heard = quietly()

    def call(x: np.ndarray) -> np.ndarray:
        with heard():
            try:
                return function(x)
            except (ArithmeticError, ValueError):
                return np.full(size, np.nan)

    return call
