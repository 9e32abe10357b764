"""The prepared gradient of a scalar function."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring.cached import cached_property
from sparsead.checking.report import unchecked
from sparsead.derivatives.batch import Batch, batch_of
from sparsead.derivatives.described import Described
from sparsead.derivatives.export import export_gradient
from sparsead.derivatives.modes import chosen_engine
from sparsead.derivatives.nested import NestedGradient, composes, is_asked
from sparsead.derivatives.plain import plain_entry
from sparsead.derivatives.subject import checked
from sparsead.emit.sweep import DEFAULT_BACKEND, Engine, compile_together
from sparsead.errors import InputError
from sparsead.keeping.pickling import Recipe, Sendable
from sparsead.kernels.gradient import gradient as gradient_kernels
from sparsead.kernels.kernel import Kernels, combined
from sparsead.kernels.lower import lower
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.vector import value_sweep
from sparsead.tracing.arguments import Argnum, Signature
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.trace import trace


class Gradient(Described, Sendable):
    """A gradient prepared once, evaluated many times. Made by `gradient`.

    Attributes
    ----------
    timings : Timings
        Seconds of each stage of the preparation.
    """

    def __init__(
        self,
        recipe: Recipe,
        program: Program,
        signature: Signature,
        kernels: Kernels,
        engine: Engine,
        timings: Timings,
    ) -> None:
        self.recipe = recipe
        self.timings = timings
        self.program = program
        self.kernels = kernels
        self.engine = engine
        self.gradient_kernels = gradient_kernels(kernels)
        self.engine = engine
        self.function = recipe.function
        self.checked = unchecked()
        self.signature = signature
        self._both = combined(kernels, self.gradient_kernels)
        self._gradient = value_sweep(self.gradient_kernels, engine)
        self._value = value_sweep(kernels, engine)
        self._value_and_gradient = value_sweep(self._both, engine)

    def compile(self) -> None:
        """Compile what the calls need."""
        compile_together([self._value, self._gradient, self._value_and_gradient])

    def __call__(self, x: Any, *args: Any) -> np.ndarray:
        """Return the gradient at x.

        Parameters
        ----------
        x : array_like
            The point, of the shape that was prepared.
        *args
            The other arguments of the function.

        Returns
        -------
        ndarray
            In the shape of x.

        Raises
        ------
        InputError
            If a shape differs from the prepared one.
        """
        room = np.empty(self.program.wrt.shape)
        if self._plain(x, *args, room):
            return room
        if is_asked((x, *args)):
            return self._nested(x, *args)
        g = np.empty(self.program.wrt.size)
        self._gradient(**self._inputs((x, *args)), g=g)
        return self.signature.like_x(g)

    def batch(self, X: Any, *args: Any, out: np.ndarray | None = None, axis: int = 0) -> np.ndarray:
        """Return the gradients at many points.

        Parameters
        ----------
        X : array_like, shape (points, ...)
            The points; with ``axis=-1`` of shape ``(*x.shape, points)``, else ``(points, *x.shape)``.
        *args
            The other arguments of the function: of the shape that was prepared, for all points, or with an axis of
            points as X has.
        out : ndarray of float64, optional
            Where to write them, in the shape of X.
        axis : int
            Where the points are, in arguments and results: 0 or -1.

        Returns
        -------
        ndarray
            In the shape of X; the gradients of single calls, to the bit.

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        return self._batch((X, *args), out, axis)

    @cached_property
    def _batch(self) -> Batch:
        return batch_of(self, self.gradient_kernels, ("g", self.program.wrt.shape))

    def value(self, x: Any, *args: Any) -> float:
        """Return ``f(x, *args)``, from the compiled kernels.

        Parameters
        ----------
        x, *args
            As in a call.
        """
        y = np.empty(1)
        if not self._plain_value(x, *args, y):
            self._value(**self._inputs((x, *args)), y=y)
        return float(y[0])

    @composes
    def value_and_gradient(self, x: Any, *args: Any) -> tuple[float, np.ndarray]:
        """Return ``f(x, *args)`` and its gradient, from one sweep.

        Parameters
        ----------
        x, *args
            As in a call.

        Returns
        -------
        value : float
        gradient : ndarray
            In the shape of x.
        """
        y, g = np.empty(1), np.empty(self.program.wrt.size)
        self._value_and_gradient(**self._inputs((x, *args)), y=y, g=g)
        return float(y[0]), self.signature.like_x(g)

    @property
    def argnum(self) -> int:
        """Which argument x is."""
        return self.signature.argnum

    def export(self, path: Any) -> tuple[Path, Path]:
        """Write C code that computes the function and its gradient without Python.

        Parameters
        ----------
        path : path-like
            Where, without a suffix: ``"folder/name"`` writes ``name.c`` and ``name.h``, whose functions are called
            ``name_value`` and ``name_gradient``.

        Returns
        -------
        source, header : Path
            Standard C99, to be linked with the mathematical library (``-lm``) and nothing else. The header says what
            each function takes.

        Raises
        ------
        InputError
            If the name cannot begin C names, or the function calls Python at run time.
        """
        return export_gradient(self, path)

    @cached_property
    def _plain_value(self) -> Callable[..., bool]:
        return plain_entry(self.program, self.signature, [self._value], {"y": (1,)})

    @cached_property
    def _plain(self) -> Callable[..., bool]:
        return plain_entry(self.program, self.signature, [self._gradient], {"g": self.program.wrt.shape})

    @property
    def _nested(self) -> NestedGradient:
        return NestedGradient(self.program, self.signature, self.kernels)

    def _heading(self) -> str:
        return f"gradient of {self.program.name}: {self.program.wrt.size} elements"

    def _facts(self) -> list[tuple[str, str]]:
        kernels, arrays = self.gradient_kernels.kernels, self.gradient_kernels.work
        return [
            ("kernels", f"{len(kernels)}, {len(arrays)} intermediate arrays"),
            ("prepared", f"in {self.timings.total:.3g} s ({self.timings})"),
        ]

    def __repr__(self) -> str:
        return f"<{self._heading()}>"

    @property
    def source(self) -> str:
        """The generated code."""
        return self._gradient.source.text

    def _inputs(self, args: tuple[Any, ...]) -> dict[str, np.ndarray]:
        arrays = self.signature.convert(args)
        return {node.name: array for node, array in zip(self.program.inputs, arrays, strict=True)}


def gradient(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    argnum: Argnum = 0,
    threads: int | None = None,
    backend: str = DEFAULT_BACKEND,
    check: bool = True,
) -> Gradient:
    """Prepare the gradient of a scalar NumPy function.

    Parameters
    ----------
    f, x0, *args, argnum, threads, backend, check
        As in `hessian`.

    Returns
    -------
    Gradient

    Raises
    ------
    InputError, UnsupportedOperationError, TracedBranchError, CheckFailed
        As in `hessian`.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> grad = sad.gradient(lambda x: np.sum(x**3), np.ones(3))
    >>> grad(np.array([1.0, 2.0, 3.0]))
    array([ 3., 12., 27.])
    """
    if is_asked((x0, *args)):
        return NestedGradient.of(f, (x0, *args), argnum)  # type: ignore[return-value]  # inside a traced function
    return _prepared(f, (x0, *args), (argnum, chosen_engine(backend, threads), check))


def _prepared(f: Callable[..., Any], args: tuple[Any, ...], options: tuple[Argnum, Engine, bool]) -> Gradient:
    argnum, engine, wanted = options
    timings = Timings()
    program, signature, kernels = traced_scalar(f, args, argnum, timings)
    with timings.stage("linearize"):
        made = Gradient(Recipe(_prepared, f, args, options), program, signature, kernels, engine, timings)
    with timings.stage("compile"):
        made.compile()
    return checked(made, args, wanted, timings)


def traced_scalar(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    argnum: Argnum,
    timings: Timings,
    decisions: Decisions | None = None,
) -> tuple[Program, Signature, Kernels]:
    """Trace and lower a function that must return one number."""
    with timings.stage("trace"):
        program, signature = trace(f, args, argnum, decisions)
    if program.output.index.size != 1:
        raise InputError(
            f"{program.name} returned an array of shape {program.output.shape}; a gradient or Hessian needs a function "
            "that returns one number (for an array use sparsead.jacobian)"
        )
    with timings.stage("lower"):
        return program, signature, lower(program)
