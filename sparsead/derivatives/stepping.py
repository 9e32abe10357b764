"""Values of a function and differences between them: what is known of one that cannot be traced."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import numpy as np

from coloring import SparsityPattern
from sparsead.checking.doubt import Doubt
from sparsead.checking.plain import copied
from sparsead.checking.preparation import CHANGES, DRAWN, largest
from sparsead.checking.report import CheckFailed, Comparison, Report
from sparsead.derivatives.nested import are_traced
from sparsead.errors import InputError
from sparsead.tracing.arguments import Signature

METHODS = ("finite-difference", "central-difference", "complex-step")
STEPS = {"finite-difference": np.finfo(float).eps ** 0.5, "central-difference": np.finfo(float).eps ** (1 / 3)}
ACCURACY = {"finite-difference": 1e-6, "central-difference": 1e-8, "complex-step": 1e-12}
COMPLEX_STEP = 1e-30
PROBES = (1e-4, 1e-1, 3.0)  # relative perturbations that look for a dependence


class Stepping:
    """Calls a function at points beside each other; part of `DifferenceJacobian`.

    Attributes
    ----------
    function, signature
        What is called, and how its arguments are built.
    mode : str
        The method.
    calls : int
        Calls so far.
    """

    function: Callable[..., Any]
    signature: Signature
    mode: str
    calls: int
    shape: tuple[int, int]
    _step: np.ndarray

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "f")

    @property
    def _nested(self) -> NoReturn:
        """Refuse to be part of a program."""
        raise InputError(
            f"{self._name} is differenced (method={self.mode!r}), so its derivative has none that could be traced: "
            "inside a function that is differentiated prepare with method='ad'"
        )

    def _flat(self, args: tuple[Any, ...]) -> np.ndarray:
        if are_traced(args):
            self._nested  # noqa: B018
        return self.signature.vector(args)

    def _returned(self, args: tuple[Any, ...], point: np.ndarray) -> Any:
        self.calls += 1
        return self.function(*map(copied, self.signature.with_x(args, point)))

    def _value(self, args: tuple[Any, ...], point: np.ndarray) -> np.ndarray:
        return np.array(self.signature.flat(self._returned(args, point)))  # f may return the same array at every call

    def _steps(self, point: np.ndarray) -> np.ndarray:
        if self.mode == "complex-step":
            return np.ones(point.size)
        moved = point + np.broadcast_to(self._step, point.shape) * np.maximum(np.abs(point), 1.0)
        return moved - point  # the step that is really taken

    def _start(self, args: tuple[Any, ...], point: np.ndarray) -> np.ndarray:
        if self.mode != "finite-difference":
            return np.zeros(self.shape[0])
        return self._value(args, point).astype(np.float64)

    def _difference(self, args: tuple[Any, ...], point: np.ndarray, step: np.ndarray, start: np.ndarray) -> np.ndarray:
        """Return the change of the function along a step."""
        match self.mode:
            case "finite-difference":
                return self._value(args, point + step) - start
            case "central-difference":
                return 0.5 * (self._value(args, point + step) - self._value(args, point - step))
        y = self._value(args, point + 1j * COMPLEX_STEP * step)
        if y.dtype.kind != "c":
            raise InputError(
                f"{self._name} returned {y.dtype} for a complex argument, so the complex step is lost (abs, max or "
                "float() do that); use method='central-difference'"
            )
        return y.imag / COMPLEX_STEP

    def _check_again(self, args: tuple[Any, ...], point: np.ndarray, first: np.ndarray) -> None:
        """Refuse a function that has another value when it is called again."""
        again = self._value(args, point)
        with np.errstate(all="ignore"):
            differ = again.shape != first.shape or (np.abs(again - first) > DRAWN * largest(first)).any()
        if differ:
            raise CheckFailed(Report(self._name, [Comparison("two calls of the function", np.inf, 0.0, CHANGES)]))

    def _check_complex(self, args: tuple[Any, ...], point: np.ndarray) -> None:
        """Refuse a function that drops a part of the complex step, as abs, norms and casts do, near a point."""
        rng = np.random.default_rng(0)
        x = point + 0.1 * np.where(point == 0.0, 1.0, np.abs(point)) * rng.uniform(0.5, 1.0, point.size)
        name = self._name

        def values(x: np.ndarray) -> np.ndarray:
            with np.errstate(all="ignore"):
                return self._value(args, x).astype(np.float64)

        def elsewhere(z: np.ndarray, d: np.ndarray) -> np.ndarray:
            return self._difference(args, z, d, z)

        product = partial(elsewhere, x)

        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            try:
                start, slope = values(x), product(x - point)
            except np.exceptions.ComplexWarning as warning:
                raise InputError(
                    f"{name} drops the complex step ({warning}); use method='central-difference'"
                ) from None
            except InputError:
                raise
            except Exception:  # x may be outside of the domain of the user's function
                return
        terms = np.abs(slope) + 1e-3 * np.abs(start)
        doubt = Doubt(name, values, x, start, product, lambda d: terms, lambda: np.zeros(start.size), elsewhere)
        _, error, allowed = doubt.refuted(x - point)
        if np.any(error > allowed):
            row = int(np.argmax(error > allowed))
            raise InputError(
                f"{name} drops a part of the complex step in row {row} (abs, norms and conj do that): the derivative "
                "is not that of its values; use method='central-difference'"
            )

    def _probe(self, args: tuple[Any, ...], point: np.ndarray) -> SparsityPattern:
        """Perturb one column at a time, by several sizes; an output that changes at all depends on it."""
        rows, columns = [], []
        scale = np.maximum(np.abs(point), 1.0)
        start = self._value(args, point).reshape(-1)
        for j in range(point.size):
            changed = np.zeros(start.size, dtype=np.bool_)
            for size in PROBES:
                moved = point.copy()
                moved[j] += size * scale[j]
                y = self._value(args, moved).reshape(-1)
                changed |= (y != start) & ~(np.isnan(y) & np.isnan(start))
            rows.append(np.flatnonzero(changed))
            columns.append(np.full(rows[-1].size, j))
        shape = (start.size, point.size)
        empty = [np.empty(0, dtype=np.int64)]
        return SparsityPattern.from_coo(np.concatenate(rows or empty), np.concatenate(columns or empty), shape)
