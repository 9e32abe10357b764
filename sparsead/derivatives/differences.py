"""Sparse Jacobians of functions that cannot be traced: differences of their values, compressed by a coloring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NoReturn, Self

import numpy as np
import scipy.sparse.linalg

import coloring as graph
from coloring import ColoringResult, SparsityPattern
from coloring.cached import cached_property
from coloring.pictures.thumbnail import thumbnail
from coloring.words import dimensions, several
from sparsead.checking.check import verify
from sparsead.checking.report import Report
from sparsead.contract import Matrix, Partial
from sparsead.derivatives.batch import Batch, WithBatches
from sparsead.derivatives.blocks import Blocks, blocks_of
from sparsead.derivatives.fast_calls import kept_arguments
from sparsead.derivatives.modes import given_coloring
from sparsead.derivatives.normal import WithNormalEquations
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.printing import Printable
from sparsead.derivatives.stepping import ACCURACY, STEPS, Stepping
from sparsead.derivatives.structure import FixedStructure
from sparsead.derivatives.validation import check_options
from sparsead.derivatives.vectors import as_operator, checked_pair, checked_vector, new_or_checked
from sparsead.errors import InputError, NotOfferedError
from sparsead.keeping.pickling import sendable
from sparsead.keeping.saving import save
from sparsead.program.nodes import Program, whole
from sparsead.stages import Timings
from sparsead.tracing.arguments import result_of, signature_of
from sparsead.tracing.surroundings import Surroundings
from sparsead.tracing.trees import Leaf

MADE_AGAIN = ("structure", "surroundings", "_by_rows", "_normal", "_matrix_batch", "_value_batch")  # after a pickle


class DifferenceJacobian(Printable, Partial, Stepping, WithBatches, WithNormalEquations, Matrix):
    """A Jacobian from values of the function. Made by ``jacobian(..., method=...)``.

    It offers what a `Jacobian` offers, but for what needs generated code.

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

    derivative = "jacobian"
    reasons: tuple[str, ...] = ()

    def __init__(
        self, function: Callable[..., Any], args: tuple[Any, ...], options: Options, method: str, step: Any
    ) -> None:
        self.function, self.mode, self.calls = function, method, 0
        self.accuracy, self.engine = ACCURACY[method], options.engine
        self.timings, self.surroundings = Timings(), Surroundings(function)
        self.checked = Report("a preparation", notes=[f"nothing was compared: method={method!r} calls the function"])
        self.signature = signature_of(function, args, options.argnum)
        self._step = np.asarray(STEPS.get(method, 1.0) if step is None else step, dtype=np.float64)
        point = self._flat(args)
        if self._step.size not in (1, point.size):
            raise InputError(f"step must be a number, or one for each of {point.size} elements, got {self._step.size}")
        self._step = self._step.reshape(-1)
        with self.timings.stage("detect"):
            self.signature = replace(self.signature, result=result_of(self._returned(args, point)))
            y = self._value(args, point)
            if y.dtype.kind == "f" and y.dtype.itemsize < 8 and step is None and method != "complex-step":
                raise InputError(
                    f"{self._name} returned {y.dtype}: differences at the usual steps would have no digits; let it "
                    "compute in float64, or give step="
                )
            if options.check:
                self._check_again(args, point, y)
            self.probed = options.pattern is None
            given = options.pattern
            self.pattern = self._probe(args, point) if self.probed else _given(given, y.size, point.size)
        with self.timings.stage("color"):
            if options.coloring is None:
                self.coloring: ColoringResult = graph.color(self.pattern, partition="column", order=options.order)
            else:
                self.coloring = given_coloring(self.pattern, options.coloring, "column")
        self.structure = FixedStructure(self.pattern, options.format)
        self._colors = np.asarray(self.coloring.colors)
        if method == "complex-step":
            self._check_complex(args, point)

    # -- evaluation -----------------------------------------------------------------------------------------
    def __call__(
        self,
        x: Any,
        *args: Any,
        out: Any = None,
        keep_constants: bool = False,
        verify: bool | str = False,
        **named: Any,
    ) -> scipy.sparse.csr_array:
        """Return the Jacobian at x; see `Jacobian.__call__`. All entries are computed, `keep_constants` or not."""
        args = self.signature.placed((x, *args), named)
        check_options(self.signature, keep_constants=keep_constants)
        data = self.structure.new_or_checked(out)
        self._fill(data, args, verify)
        return self.structure.matrix(data) if out is None else out

    def value_and_jacobian(
        self, x: Any, *args: Any, out: Any = None, verify: bool | str = False, **named: Any
    ) -> tuple[np.ndarray, scipy.sparse.csr_array]:
        """Return ``f(x, *args)`` and its Jacobian; see `Jacobian.value_and_jacobian`."""
        args = self.signature.placed((x, *args), named)
        given, matrix = checked_pair("value_and_jacobian", out)
        data = self.structure.new_or_checked(matrix)
        start = self._fill(data, args, verify)
        flat = start if self.mode == "finite-difference" else self._value(args, self._flat(args))
        y = self._written("value_and_jacobian", flat, given)
        return y, self.structure.matrix(data) if matrix is None else matrix

    def values(
        self,
        x: Any,
        *args: Any,
        out: np.ndarray | None = None,
        order: str | None = None,
        keep_constants: bool = False,
        verify: bool | str = False,
        **named: Any,
    ) -> np.ndarray:
        """Return the values alone in a fixed order; see `PreparedMatrix.values`."""
        args = self.signature.placed((x, *args), named)
        check_options(self.signature, values_order=order, keep_constants=keep_constants)
        return self.structure.values(lambda data: self._fill(data, args, verify), out, order)

    def value(self, x: Any, *args: Any, out: np.ndarray | None = None, **named: Any) -> np.ndarray:
        """Return ``f(x, *args)``."""
        args = self.signature.placed((x, *args), named)
        return self._written("value", self._value(args, self._flat(args)), out)

    def _written(self, name: str, flat: np.ndarray, out: np.ndarray | None) -> Any:
        """Return a value of the function, in `out` if it is given."""
        if out is None:
            return self.signature.shaped(flat)
        result = self.signature.result
        room = new_or_checked(name, out, result.shape if isinstance(result, Leaf) else flat.shape)
        room[:] = flat
        return out if isinstance(result, Leaf) else self.signature.shaped(room)

    def diagonal(self, x: Any, *args: Any, out: np.ndarray | None = None, **named: Any) -> np.ndarray:
        """Return the diagonal of the matrix at x, at the cost of all of it."""
        data = new_or_checked("diagonal", out, (min(self.shape),))
        data[:] = self._rows(self.signature.placed((x, *args), named)).diagonal()
        return data if out is None else out

    def jvp(self, x: Any, v: Any, *args: Any, **named: Any) -> np.ndarray:
        """Return ``J @ v`` by a difference along v; v (n,) or (n, k)."""
        v = checked_vector("jvp", v, self.shape[1])
        args = self.signature.placed((x, *args), named)
        point = self._flat(args)
        if v.ndim == 2:
            return np.stack([self.jvp(args[0], column, *args[1:]) for column in v.T], axis=1)
        step = np.linalg.norm(np.maximum(np.abs(point), 1.0)) / max(float(np.linalg.norm(v)), 1e-300)
        scale = 1.0 if self.mode == "complex-step" else step * float(np.max(self._step)) / np.sqrt(max(v.size, 1))
        start = self._start(args, point)
        return self._difference(args, point, scale * v, start).reshape(-1) / scale

    def vjp(self, x: Any, w: Any, *args: Any, **named: Any) -> np.ndarray:
        """Return ``J.T @ w``, from the matrix."""
        args = self.signature.placed((x, *args), named)
        return self._rows(args).T @ checked_vector("vjp", w, self.shape[0])

    def linear_operator(self, x: Any, *args: Any, **named: Any) -> scipy.sparse.linalg.LinearOperator:
        """Return the matrix at x, computed once, as an operator."""
        matrix = self._rows(self.signature.placed((x, *args), named))
        return as_operator(self.shape, lambda v: matrix @ v, lambda w: matrix.T @ w)

    def blocks(self, matrix: Any) -> Blocks:
        """Return the blocks of a matrix that a call returned, by name; see `PreparedMatrix.blocks`."""
        return blocks_of(matrix, self.shape, self.signature)

    def value_batch(self, X: Any, *args: Any, out: np.ndarray | None = None, axis: int = 0, **named: Any) -> np.ndarray:
        """Return the values of the function at many points, one after the other."""
        return self._value_batch(self.signature.placed((X, *args), named), out, axis)

    def prepared_call(self, x: np.ndarray, *args: Any, out: Any, **named: Any) -> Callable[[], None]:
        """Return a function without arguments that evaluates at what these arrays hold when it is called."""
        data = self.structure.given_room(out)
        kept = tuple(kept_arguments(self.signature, self.signature.placed((x, *args), named), data))

        def evaluate() -> None:
            self._fill(data, kept, False)

        return evaluate

    @cached_property
    def _matrix_batch(self) -> Batch:
        return self._batch_of(("data", (self.structure.size,)), self.values)

    @cached_property
    def _value_batch(self) -> Batch:
        result = self.signature.result
        return self._batch_of(("y", result.shape if isinstance(result, Leaf) else (self.shape[0],)), self.value)

    def _batch_of(self, output: tuple[str, tuple[int, ...]], single: Callable[..., np.ndarray]) -> Batch:
        """Return batches that call what computes one point."""
        inputs = self.signature.inputs()
        arguments = Program(tuple(inputs), inputs[0], whole(inputs[0]), self._name)
        return Batch(arguments, self.signature, self.engine, output, lambda: None, single)

    # -- what was prepared ----------------------------------------------------------------------------------
    @property
    def argnum(self) -> int:
        """Which argument x is; the first of several."""
        return self.signature.argnum

    @property
    def shape(self) -> tuple[int, int]:  # type: ignore[override]
        """Rows and columns."""
        return self.pattern.shape

    @property
    def passes(self) -> dict[str, int]:
        """Calls of the function that one evaluation costs."""
        per_color = 2 if self.mode == "central-difference" else 1
        start = 1 if self.mode == "finite-difference" else 0
        return {"calls": per_color * self.coloring.num_colors + start}

    def compile(self, *names: str) -> None:
        """Do nothing: there is no code to compile."""

    def save(self, path: Any) -> None:
        """Write pattern, method and coloring to an ``.npz`` file; `sparsead.load` reads it, and does not probe."""
        check_options(path=path)
        save(self, path)

    def __reduce__(self) -> tuple[Any, ...]:
        state = {name: value for name, value in self.__dict__.items() if name not in MADE_AGAIN}
        return sendable(self.function, _restored, (state, self.structure.format))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def explain(self, row: int | None = None, column: int | None = None) -> NoReturn:
        """Raise InputError: only what was traced knows its lines."""
        raise NotOfferedError(f"method={self.mode!r} sees values only, not lines of code; explain needs method='ad'")

    def _lacks(self, name: str) -> str:
        return (
            f"{name} needs generated code, and method={self.mode!r} calls {self._name} itself; prepare with method='ad'"
        )

    @property
    def title(self) -> str:
        """What it is, in words."""
        return f"sparse Jacobian of {self._name}"

    def _heading(self) -> str:
        return f"{self.title}: {dimensions(self.shape)}, {several(self.pattern.nnz, 'nonzero')}"

    def _facts(self) -> list[tuple[str, str]]:
        calls = several(self.passes["calls"], "call")
        return [
            ("mode", f"{self.mode}: {calls} of {self._name} instead of {self.shape[1]:,}"),
            ("pattern", "found by probing near x0" if self.probed else "given"),
            ("calls", f"{self.calls:,} so far"),
        ]

    def _picture(self) -> str:
        return thumbnail(self.pattern)

    def __repr__(self) -> str:
        entries = several(self.pattern.nnz, "nonzero")
        return f"<sparse Jacobian, {dimensions(self.shape)}, {entries}, {self.mode}, passes {self.passes}>"

    # -- parts ----------------------------------------------------------------------------------------------
    @cached_property
    def _by_rows(self) -> FixedStructure:
        return FixedStructure(self.pattern)

    def _rows(self, args: tuple[Any, ...]) -> scipy.sparse.csr_array:
        """Return the matrix by rows, whatever the format of a call is."""
        return self._by_rows.matrix(self.values(*args, order="csr"))

    def _fill(self, data: np.ndarray, args: tuple[Any, ...], how: bool | str) -> np.ndarray:
        """Write all values, once all are known; return what they are differences to."""
        check_options(self.signature, verify=how)
        point = self._flat(args)
        steps, found = self._steps(point), np.empty(self.pattern.nnz)
        start = self._start(args, point)
        for color in range(self.coloring.num_colors):
            direction = np.where(self._colors == color, steps, 0.0)
            change = self._difference(args, point, direction, start)
            self.coloring.plan.decompress_block(change.reshape(-1, 1), color, found)
        found /= steps[self.pattern.indices]
        data[self.structure.storage.padding] = 0.0
        self._by_rows.converted(found, self.structure, out=data)
        verify(self, how, self.structure.by_rows(data), args)
        return start


def _restored(state: dict[str, Any], format: str) -> DifferenceJacobian:
    """Return the object that was pickled."""
    made = DifferenceJacobian.__new__(DifferenceJacobian)
    made.__dict__.update(state)
    made.structure, made.surroundings = FixedStructure(made.pattern, format), Surroundings(made.function)
    return made


def _given(pattern: Any, m: int, n: int) -> SparsityPattern:
    given = pattern if isinstance(pattern, SparsityPattern) else SparsityPattern.from_scipy(pattern)
    if given.shape != (m, n):
        raise InputError(f"pattern has shape {given.shape}, but the Jacobian is {m} x {n}")
    return given


def check_method(method: str, mode: str) -> None:
    """Raise InputError for a method that does not go with the mode."""
    if method != "ad" and mode not in ("auto", "compressed", "forward"):
        raise InputError(f"method={method!r} goes column by column; mode={mode!r} needs method='ad'")
