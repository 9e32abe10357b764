"""The prepared gradient of a scalar function."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

import numpy as np

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring.words import several
from sparsead.derivatives.auxiliary import WithAux
from sparsead.derivatives.cells import cells_in
from sparsead.derivatives.dispatch import prepare_derivative
from sparsead.derivatives.guard import Guarded
from sparsead.derivatives.modes import chosen_engine
from sparsead.derivatives.nested import NestedGradient, composable
from sparsead.derivatives.of_cell import Lowered, OfCell, of_whole
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.prepared import ScalarDerivative
from sparsead.derivatives.record import Preparation
from sparsead.derivatives.rerolling import rerolled
from sparsead.derivatives.self_check import checked
from sparsead.emit.sweep import DEFAULT_BACKEND
from sparsead.errors import InputError
from sparsead.keeping.pickling import Recipe
from sparsead.kernels.gradient import gradient as gradient_kernels
from sparsead.kernels.lower import lower
from sparsead.program.cells import Cells
from sparsead.program.nodes import Program
from sparsead.stages import Timings, Watcher
from sparsead.sweeps.cells import VALUE
from sparsead.tracing.arguments import Argnum, Signature
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.trace import trace

if TYPE_CHECKING:
    from sparsead.derivatives.device import GradientOnDevice


class Gradient(ScalarDerivative):
    """A gradient prepared once, evaluated many times. Made by `gradient`.

    See `sparsead.derivatives.prepared.Prepared` for its attributes.
    """

    derivative = "gradient"

    def compile(self, *names: str) -> None:
        """Compile what the calls need, all at once; or what is named.

        Parameters
        ----------
        *names
            Methods, such as ``"value"``; by default value, gradient, and both together.
        """
        super().compile(*(names or ("value", "gradient", "value_and_gradient")))

    def __call__(self, x: Any, *args: Any, out: np.ndarray | None = None, **named: Any) -> np.ndarray:
        """Return the gradient at x.

        Parameters
        ----------
        x : array_like
            The point, of the shape that was prepared.
        *args
            The other arguments of the function.
        out : ndarray of float64, optional
            Where to write it, in the shape of x.
        **named
            Arguments by their names.

        Returns
        -------
        ndarray
            In the shape of x.

        Raises
        ------
        InputError
            If a shape differs from the prepared one.
        """
        args = self._args(x, args, named)
        return self._evaluated("gradient", args, out, self._fast_gradient)

    @composable
    def batch(self, X: Any, *args: Any, out: np.ndarray | None = None, axis: int = 0, **named: Any) -> np.ndarray:
        """Return the gradients at many points.

        Parameters
        ----------
        X : array_like, shape (points, ...)
            The points; with ``axis=-1`` of shape ``(*x.shape, points)``, else ``(points, *x.shape)``.
        *args
            The other arguments of the function: of the shape that was prepared, for all points, or with an axis of
            points as X has; of a dict or another container, each of the arrays and numbers in it.
        out : ndarray of float64, optional
            Where to write them, in the shape of X.
        axis : int
            Where the points are, in arguments and results: 0 or -1.
        **named
            Arguments by their names.

        Returns
        -------
        ndarray
            In the shape of X; the gradients of single calls, to the bit but for the order of terms in sums over an
            axis.

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        return self._batches("gradient")(self._args(X, args, named), out, axis)

    @property
    def _nested(self) -> NestedGradient:
        return NestedGradient(self.program, self.signature, self._kernels_written_out)

    def _heading(self) -> str:
        return f"gradient of {self.program.name}: {several(self.program.wrt.size, 'element')}"

    def _facts(self) -> list[tuple[str, str]]:
        lowered = self._lowered() if self.of_cell is None else self.of_cell.lowered
        gradients = lowered.functions["gradient"]
        return [
            *self._cells_in_words(),
            ("kernels", f"{len(gradients.kernels)}, {len(gradients.work)} intermediate arrays"),
            ("prepared", f"in {self.timings.total:.3g} s ({self.timings})"),
        ]

    def __repr__(self) -> str:
        return f"<{self._heading()}>"

    @property
    def source(self) -> str:
        """The generated code."""
        return self._sweep("gradient").source.text


class GradientOptions(TypedDict, total=False):
    """What `gradient` takes beside `has_aux`, `guard` and `device`."""

    argnum: Argnum
    threads: int | None
    backend: str
    check: bool
    progress: bool | Watcher


@overload
def gradient(
    f: Callable[..., Any], x0: Any, *args: Any, device: Literal["cuda"], **options: Unpack[GradientOptions]
) -> GradientOnDevice: ...
@overload
def gradient(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    has_aux: Literal[True],
    guard: Literal["error", "record"] = "error",
    **options: Unpack[GradientOptions],
) -> WithAux: ...
@overload
def gradient(
    f: Callable[..., Any], x0: Any, *args: Any, guard: Literal["record"], **options: Unpack[GradientOptions]
) -> Guarded: ...
@overload
def gradient(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    guard: Literal["error"] = "error",
    has_aux: Literal[False] = False,
    device: None = None,
    **options: Unpack[GradientOptions],
) -> Gradient: ...
def gradient(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    argnum: Argnum = 0,
    guard: str = "error",
    threads: int | None = None,
    backend: str = DEFAULT_BACKEND,
    check: bool = True,
    has_aux: bool = False,
    progress: bool | Watcher = False,
    device: str | None = None,
    **named: Any,
) -> Gradient | Guarded | WithAux | GradientOnDevice:
    """Prepare the gradient of a scalar NumPy function.

    Parameters
    ----------
    f, x0, *args, argnum, guard, threads, backend, check, has_aux, progress, device, **named
        As in `hessian`.

    Returns
    -------
    Gradient (or `Guarded`, or `WithAux`)

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
    options = Options(argnum, engine=chosen_engine(backend, threads), check=check)
    return prepare_derivative(
        _prepared, NestedGradient, f, (x0, *args), named, options,
        has_aux=has_aux, guard=guard, progress=progress, device=device,
    )  # fmt: skip


def _prepared(
    f: Callable[..., Any], args: tuple[Any, ...], options: Options, decisions: Decisions | None = None
) -> Gradient:
    timings = Timings()
    program, signature, cells = traced_scalar(f, args, options, timings, decisions)
    of_cell = None if cells is None else OfCell.of(cells, program, options, _lowered, timings)
    if of_cell is not None and of_cell.sweep("gradient", options.engine) is None:
        of_cell = None
    lowered = of_whole(program, options, _lowered, timings) if of_cell is None else of_cell.whole
    recipe = Recipe(_prepared, f, args, options)
    made = Gradient(Preparation(recipe, program, signature, lowered, options.engine, timings, of_cell))
    with timings.stage("compile"):
        made.compile()
    return checked(made, args, options.check, timings, decisions)


def _lowered(program: Program, options: Options, timings: Timings, output: str = VALUE) -> Lowered:
    """Lower a program, its equal turns as loops, and differentiate it backwards."""
    with timings.stage("lower"):
        short = program if options.loops is False else rerolled(program, options.engine, products=True)
        kernels = lower(short, output)
    with timings.stage("linearize"):
        return Lowered({"value": kernels, "gradient": gradient_kernels(kernels)})


def traced_scalar(
    f: Callable[..., Any],
    args: tuple[Any, ...],
    options: Options,
    timings: Timings,
    decisions: Decisions | None = None,
) -> tuple[Program, Signature, Cells | None]:
    """Trace a function that must return one number, and look for cells that add up to it."""
    with timings.stage("trace"):
        program, signature = trace(f, args, options.argnum, decisions)
        if program.output.index.size == 1:
            return program, signature, cells_in(program, options, total=True)
    raise InputError(
        f"{program.name} returned an array of shape {program.output.shape}; a gradient or Hessian needs a function "
        "that returns one number (for an array use sparsead.jacobian)"
    )
