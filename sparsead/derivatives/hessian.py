"""The prepared symmetric sparse Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import numpy as np
import scipy.sparse

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring.cached import cached_property
from sparsead.derivatives.auxiliary import WithAux
from sparsead.derivatives.cells import stages
from sparsead.derivatives.dispatch import prepare_derivative
from sparsead.derivatives.gradient import traced_scalar
from sparsead.derivatives.guard import Guarded
from sparsead.derivatives.matrix import PreparedMatrix
from sparsead.derivatives.modes import chosen_engine
from sparsead.derivatives.nested import NestedHessian, composable
from sparsead.derivatives.options import HessianOptions
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.prepared import ScalarDerivative
from sparsead.derivatives.products import HVP
from sparsead.derivatives.record import Preparation
from sparsead.derivatives.second_order import second_order
from sparsead.derivatives.self_check import checked
from sparsead.derivatives.validation import check_options
from sparsead.derivatives.vectors import checked_pair, new_or_checked
from sparsead.emit.sweep import DEFAULT_BACKEND
from sparsead.errors import InputError
from sparsead.keeping.pickling import Recipe
from sparsead.kernels.kernel import Kernels
from sparsead.stages import Timings, Watcher
from sparsead.tracing.arguments import Argnum
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.order import for_order

if TYPE_CHECKING:
    from sparsead.derivatives.device import HessianOnDevice


class Hessian(PreparedMatrix, ScalarDerivative):
    """A Hessian prepared once, evaluated many times. Made by `hessian`.

    ``mode`` is ``"star"``, ``"acyclic"``, ``"column"`` or ``"direct"``. Both triangles are stored, and equal to the
    bit. See `sparsead.derivatives.matrix.PreparedMatrix` for the other attributes.
    """

    derivative = "hessian"
    _title = "sparse Hessian"
    _symmetric = True
    _products = (HVP,)

    def __call__(
        self,
        x: Any,
        *args: Any,
        out: scipy.sparse.csr_array | None = None,
        triangle: str | None = None,
        keep_constants: bool = False,
        verify: bool | str = False,
        **named: Any,
    ) -> scipy.sparse.csr_array:
        """Return the Hessian at x.

        Parameters
        ----------
        x : array_like
            The point, of the shape that was prepared.
        *args
            The other arguments of the function.
        out : scipy.sparse.csr_array, optional
            A full result of an earlier call, to be overwritten.
        triangle : {"full", "lower", "upper"}, optional
            What to return, where that is not what was prepared: copied out of it. The diagonal belongs to both
            triangles.
        keep_constants : bool
            Leave entries alone that do not depend on x, where `out` holds them from an earlier call with
            ``keep_constants`` and equal `args`. You promise that you have not changed the values in `out` since.
            It saves something in direct mode only.
        verify : bool or str
            True compares the matrix along a random vector with its product without the matrix, and with differences
            of the gradient (some ten calls of it); ``"products"`` leaves out the differences.
        **named
            Arguments by their names.

        Returns
        -------
        scipy.sparse.csr_array, shape (n, n)
            The structure is the same at every call; its index arrays are shared and read-only.

        Raises
        ------
        InputError
            If a shape differs from the prepared one, or `out` does not fit.
        CheckFailed
            If `verify` finds that something disagrees.
        """
        args = self._args(x, args, named) if named else (x, *args)
        if triangle is not None:
            check_options(self.signature, triangle=triangle)
        if triangle is None or triangle == self.structure.triangle:
            return self._evaluated_matrix(args, out, keep_constants, verify)
        if out is not None:
            raise InputError(f"out= goes with triangle={self.structure.triangle!r}, as it was prepared; see `hessian`")
        other = self.structure.other(self.structure.format, triangle)
        data = self.values(*args, keep_constants=keep_constants, verify=verify)
        return other.matrix(self.structure.converted(data, other))

    def gradient(self, x: Any, *args: Any, out: np.ndarray | None = None, **named: Any) -> np.ndarray:
        """Return the gradient at x, by one reverse sweep.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray of float64, optional
            Where to write it, in the shape of x.
        **named
            Arguments by their names.

        Returns
        -------
        ndarray
            In the shape of x.
        """
        args = self._args(x, args, named)
        return self._evaluated("gradient", args, out, self._fast_gradient)

    @composable
    def gradient_batch(
        self, X: Any, *args: Any, out: np.ndarray | None = None, axis: int = 0, **named: Any
    ) -> np.ndarray:
        """Return the gradients at many points.

        Parameters
        ----------
        X, *args, out, axis
            As in `batch`.
        **named
            Arguments by their names.

        Returns
        -------
        ndarray
            In the shape of X.
        """
        return self._batches("gradient")(self._args(X, args, named), out, axis)

    @composable
    def hvp(self, x: Any, v: Any, *args: Any, **named: Any) -> np.ndarray:
        """Return ``H @ v`` without forming H.

        Parameters
        ----------
        x, *args
            As in a call.
        v : array_like, shape (n,) or (n, k)
            One direction, or k of them as columns.
        **named
            Arguments by their names.

        Returns
        -------
        ndarray, shape (n,) or (n, k)

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        return self._product(HVP, v, self._args(x, args, named))

    @composable
    def value_gradient_and_hessian(
        self,
        x: Any,
        *args: Any,
        out: tuple[np.ndarray | None, scipy.sparse.csr_array | None] | None = None,
        verify: bool | str = False,
        **named: Any,
    ) -> tuple[float, np.ndarray, scipy.sparse.csr_array]:
        """Return ``f(x, *args)``, its gradient and its Hessian, from one sweep.

        Parameters
        ----------
        x, *args, verify
            As in a call.
        out : tuple, optional
            ``(g, H)``, both from an earlier call, to be overwritten; None in place of one of them for a new one.
        **named
            Arguments by their names.

        Returns
        -------
        value : float
        gradient : ndarray
            In the shape of x.
        H : scipy.sparse.csr_array, shape (n, n)
            As a call returns it.
        """
        args = self._args(x, args, named)
        name = "value_gradient_and_hessian"
        given, matrix = checked_pair(name, out)
        y, g = np.empty(1), new_or_checked(name, given, self.program.wrt.shape)
        taken = self._fast_filled(args, (y, g), matrix, verify)
        matrix = self._filled(name, args, {"y": y, "g": g}, matrix, verify) if taken is None else taken
        return float(y[0]), self.signature.like_x(g), matrix

    @cached_property
    def _fast_both(self) -> Callable[..., bool]:
        return self._fast_entry({"y": (1,), "g": (self.program.wrt.size,)}, self._both)

    @property
    def _nested(self) -> NestedHessian:
        return NestedHessian(self.program, self.signature, self._kernels_written_out)

    @property
    def _differentiated(self) -> Kernels:
        return self.gradient_kernels


@overload
def hessian(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    has_aux: Literal[True],
    guard: Literal["error", "record"] = "error",
    **options: Unpack[HessianOptions],
) -> WithAux: ...
@overload
def hessian(
    f: Callable[..., Any], x0: Any, *args: Any, guard: Literal["record"], **options: Unpack[HessianOptions]
) -> Guarded: ...
@overload
def hessian(
    f: Callable[..., Any], x0: Any, *args: Any, device: Literal["cuda"], **options: Unpack[HessianOptions]
) -> HessianOnDevice: ...
@overload
def hessian(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    guard: Literal["error"] = "error",
    **options: Unpack[HessianOptions],
) -> Hessian: ...
def hessian(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    argnum: Argnum = 0,
    mode: str = "auto",
    pattern: Any = None,
    coloring: Any = None,
    order: Any = "auto",
    guard: str = "error",
    threads: int | None = None,
    backend: str = DEFAULT_BACKEND,
    check: bool = True,
    format: str = "csr",
    triangle: str = "full",
    has_aux: bool = False,
    progress: bool | Watcher = False,
    device: str | None = None,
    **named: Any,
) -> Hessian | Guarded | WithAux | HessianOnDevice:
    """Prepare the sparse Hessian of a scalar NumPy function.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``: NumPy code that returns one number.
    x0, *args, argnum, pattern, order, guard, threads, backend, check, format, has_aux, progress, device, **named
        As in `jacobian`.
    mode : str
        ``"star"``: star coloring, direct recovery; ``"acyclic"``: acyclic coloring, recovery by substitution;
        ``"column"``: column coloring; ``"compressed"``: the cheapest of these three; ``"direct"``: element Hessians
        are accumulated without seeds; ``"auto"``: the cheapest of those that recover directly, by counted costs
        (substitution adds up rounding errors, see the page on numerical edges).
    coloring : optional
        A result of `coloring.color` of the pattern, an array of column colors, or ``"none"``: one pass per column.
    triangle : {"full", "lower", "upper"}
        What a call returns and computes; the diagonal belongs to both triangles.

    Returns
    -------
    Hessian (or `Guarded`, or `WithAux`)

    Raises
    ------
    InputError
        If `f` does not return a single number, or an argument cannot be used.
    UnsupportedOperationError, TracedBranchError, CheckFailed
        As in `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> hess = sad.hessian(lambda x: np.sum(x[1:] * x[:-1] ** 2), np.ones(3))
    >>> hess(np.array([1.0, 2.0, 3.0])).toarray()
    array([[4., 2., 0.],
           [2., 6., 4.],
           [0., 4., 0.]])
    """
    check_options(hessian_mode=mode, pattern=pattern, coloring=coloring, coloring_order=order)
    check_options(format=format, triangle=triangle)
    engine = chosen_engine(backend, threads)
    options = Options(argnum, mode, pattern, coloring, order, engine, check, format, triangle, symmetric=True)
    return prepare_derivative(
        prepared, NestedHessian, f, (x0, *args), named, options,
        has_aux=has_aux, guard=guard, progress=progress, device=device,
    )  # fmt: skip


def prepared(
    f: Callable[..., Any], args: tuple[Any, ...], options: Options, decisions: Decisions | None = None
) -> Hessian:
    """Run all stages; branches on traced values are recorded in `decisions`, and refused without."""
    timings = Timings()
    with for_order(2):
        program, signature, cells = traced_scalar(f, args, options, timings, decisions)
    lowered, of_cell, filled = stages(program, cells, options, second_order, timings)
    if of_cell is None:
        options = replace(options, loops=lowered().loops)
    recipe = Recipe(prepared, f, args, options)
    made = Hessian(Preparation(recipe, program, signature, lowered, options.engine, timings, of_cell), filled)
    return checked(made, args, options.check, timings, decisions)
