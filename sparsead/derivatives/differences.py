"""Sparse Jacobians of functions that cannot be traced: differences of their values, compressed by a coloring."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn, Self

import numpy as np
import scipy.sparse

import coloring as graph
from coloring import ColoringResult, SparsityPattern
from coloring.pictures.thumbnail import thumbnail
from sparsead.checking.check import verify
from sparsead.checking.doubt import Doubt
from sparsead.checking.plain import copied
from sparsead.derivatives.described import Described
from sparsead.derivatives.modes import given_coloring
from sparsead.derivatives.structure import FixedStructure
from sparsead.derivatives.vectors import checked_vector
from sparsead.errors import InputError
from sparsead.keeping.pickling import sendable
from sparsead.stages import Timings
from sparsead.tracing.arguments import Argnum, result_of, signature_of

METHODS = ("finite-difference", "central-difference", "complex-step")
STEPS = {"finite-difference": np.finfo(float).eps ** 0.5, "central-difference": np.finfo(float).eps ** (1 / 3)}
ACCURACY = {"finite-difference": 1e-6, "central-difference": 1e-8, "complex-step": 1e-12}
COMPLEX_STEP = 1e-30
PROBES = (1e-4, 1e-1, 3.0)  # relative perturbations that look for a dependence


class DifferenceJacobian(Described):
    """A Jacobian from values of the function. Made by ``jacobian(..., method=...)``.

    Attributes
    ----------
    pattern : coloring.SparsityPattern
        As given, or found by probing: one column at a time was perturbed, and the outputs that changed are its
        entries. A probed pattern holds near x0; an entry that a branch switches off there is missing.
    coloring : coloring.ColoringResult
        A column coloring; each color costs one call of the function (two for central differences).
    signature : Signature
        How the arguments are built, and which of them x is.
    calls : int
        Calls of the function so far, probing included.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        argnum: Argnum,
        method: str,
        step: Any,
        pattern: Any,
        coloring: Any,
        order: Any,
    ) -> None:
        self.function, self.mode, self.calls = function, method, 0
        self.timings = Timings()
        self.signature = signature_of(function, args, argnum)
        self._step = np.asarray(STEPS.get(method, 1.0) if step is None else step, dtype=np.float64)
        point = self._flat(args)
        with self.timings.stage("detect"):
            self.signature = replace(self.signature, result=result_of(self._returned(args, point)))
            y = self._value(args, point)
            if y.dtype.kind == "f" and y.dtype.itemsize < 8 and step is None and method != "complex-step":
                raise InputError(
                    f"{self._name} returned {y.dtype}: differences at the usual steps would have no digits; let it "
                    "compute in float64, or give step="
                )
            self.probed = pattern is None
            self.pattern = self._probe(args, point) if pattern is None else _given(pattern, y.size, point.size)
        with self.timings.stage("color"):
            if coloring is None:
                self.coloring: ColoringResult = graph.color(self.pattern, partition="column", order=order)
            else:
                self.coloring = given_coloring(self.pattern, coloring, "column")
        self.structure = FixedStructure(self.pattern)
        self._columns = self.coloring.column_colors
        self._groups = self.coloring.groups()
        if method == "complex-step":
            self._check_complex(args, point)

    # -- evaluation -----------------------------------------------------------------------------------------
    def __call__(
        self, x: Any, *args: Any, out: scipy.sparse.csr_array | None = None, verify: bool | str = False
    ) -> scipy.sparse.csr_array:
        """Return the Jacobian at x; see `Jacobian.__call__`."""
        data = self.structure.new_or_checked(out)
        self._fill(data, (x, *args), verify)
        return self.structure.matrix(data) if out is None else out

    def value_and_jacobian(
        self, x: Any, *args: Any, verify: bool | str = False
    ) -> tuple[np.ndarray, scipy.sparse.csr_array]:
        """Return ``f(x, *args)`` and its Jacobian."""
        data = np.empty(self.pattern.nnz)
        start = self._fill(data, (x, *args), verify)
        flat = start if self.mode == "finite-difference" else self._value((x, *args), self._flat((x, *args)))
        return self.signature.shaped(flat), self.structure.matrix(data)

    def values(
        self, x: Any, *args: Any, out: np.ndarray | None = None, order: str = "csr", verify: bool | str = False
    ) -> np.ndarray:
        """Return the values alone in a fixed order; see `PreparedMatrix.values`."""
        return self.structure.values(lambda data: self._fill(data, (x, *args), verify), out, order)

    def value(self, x: Any, *args: Any) -> np.ndarray:
        """Return ``f(x, *args)``."""
        return self.signature.shaped(self._value((x, *args), self._flat((x, *args))))

    def jvp(self, x: Any, v: Any, *args: Any) -> np.ndarray:
        """Return ``J @ v`` by a difference along v; v (n,) or (n, k)."""
        v = checked_vector("jvp", v, self.shape[1])
        point = self._flat((x, *args))
        if v.ndim == 2:
            return np.stack([self.jvp(x, column, *args) for column in v.T], axis=1)
        step = np.linalg.norm(np.maximum(np.abs(point), 1.0)) / max(float(np.linalg.norm(v)), 1e-300)
        scale = 1.0 if self.mode == "complex-step" else step * float(np.max(self._step)) / np.sqrt(max(v.size, 1))
        start = self._start((x, *args), point)
        return self._difference((x, *args), point, scale * v, start).reshape(-1) / scale

    def vjp(self, x: Any, w: Any, *args: Any) -> np.ndarray:
        """Return ``J.T @ w``, from the matrix."""
        return self(x, *args).T @ checked_vector("vjp", w, self.shape[0])

    # -- what was prepared ----------------------------------------------------------------------------------
    @property
    def argnum(self) -> int:
        """Which argument x is; the first of several."""
        return self.signature.argnum

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pattern.shape

    @property
    def passes(self) -> dict[str, int]:
        """Calls of the function that one evaluation costs."""
        per_color = 2 if self.mode == "central-difference" else 1
        start = 1 if self.mode == "finite-difference" else 0
        return {"calls": per_color * self.coloring.num_colors + start}

    def __reduce__(self) -> tuple[Any, ...]:
        return sendable(self.function, _restored, (self.__dict__ | {"structure": None},))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    @property
    def accuracy(self) -> float:
        """Relative accuracy that can be expected of the entries."""
        return ACCURACY[self.mode]

    def explain(self, row: int | None = None, column: int | None = None) -> NoReturn:
        """Raise InputError: only what was traced knows its lines."""
        raise InputError(f"method={self.mode!r} sees values only, not lines of code; explain needs method='ad'")

    def _heading(self) -> str:
        m, n = self.shape
        return f"sparse Jacobian of {self._name}: {m} x {n}, {self.pattern.nnz} nonzeros"

    def _facts(self) -> list[tuple[str, str]]:
        return [
            ("mode", f"{self.mode}: {self.passes['calls']} calls of {self._name} instead of {self.shape[1]}"),
            ("pattern", "found by probing near x0" if self.probed else "given"),
            ("calls", f"{self.calls} so far"),
        ]

    def _picture(self) -> str:
        return thumbnail(self.pattern)

    @property
    def _name(self) -> str:
        return getattr(self.function, "__name__", "f")

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<sparse Jacobian, {m} x {n}, {self.pattern.nnz} nonzeros, {self.mode}, passes {self.passes}>"

    # -- parts ----------------------------------------------------------------------------------------------
    def _flat(self, args: tuple[Any, ...]) -> np.ndarray:
        return self.signature.vector(args)

    def _returned(self, args: tuple[Any, ...], point: np.ndarray) -> Any:
        self.calls += 1
        return self.function(*map(copied, self.signature.with_x(args, point)))

    def _value(self, args: tuple[Any, ...], point: np.ndarray) -> np.ndarray:
        return np.array(self.signature.flat(self._returned(args, point)))  # f may use its memory again

    def _fill(self, data: np.ndarray, args: tuple[Any, ...], how: bool | str) -> np.ndarray:
        """Write all values; return what they are differences to."""
        point = self._flat(args)
        steps = self._steps(point)
        start = self._start(args, point)
        for color, columns in enumerate(self._groups):
            direction = np.zeros(point.size)
            direction[columns] = steps[columns]
            change = self._difference(args, point, direction, start)
            self.coloring.plan.decompress_block(change.reshape(-1, 1), color, data)
        data /= steps[self.pattern.indices]
        verify(self, how, self.structure.matrix(data), args)
        return start

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
            name = getattr(self.function, "__name__", "f")
            raise InputError(
                f"{name} returned {y.dtype} for a complex argument, so the complex step is lost (abs, max or float() "
                "do that); use method='central-difference'"
            )
        return y.imag / COMPLEX_STEP

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
        doubt = Doubt(values, x, start, product, lambda d: terms, lambda: np.zeros(start.size), elsewhere)
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


def _restored(state: dict[str, Any]) -> DifferenceJacobian:
    """Return the object that was pickled."""
    made = DifferenceJacobian.__new__(DifferenceJacobian)
    made.__dict__.update(state, structure=FixedStructure(state["pattern"]))
    return made


def _given(pattern: Any, m: int, n: int) -> SparsityPattern:
    given = pattern if isinstance(pattern, SparsityPattern) else SparsityPattern.from_scipy(pattern)
    if given.shape != (m, n):
        raise InputError(f"pattern has shape {given.shape}, but the Jacobian is {m} x {n}")
    return given
