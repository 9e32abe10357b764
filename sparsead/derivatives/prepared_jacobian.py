"""The prepared sparse Jacobian: its calls, and the stages that make it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring import ColoringResult
from coloring.cached import cached_property
from sparsead.derivatives.cells import cells_in, stages
from sparsead.derivatives.colorings import HESSIAN_COLORINGS
from sparsead.derivatives.matrix import PreparedMatrix
from sparsead.derivatives.nested import NestedJacobian, composable
from sparsead.derivatives.normal import WithNormalEquations
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.products import JVP, VJP
from sparsead.derivatives.record import Preparation
from sparsead.derivatives.rerolling import linearized
from sparsead.derivatives.second_order import of_gradient
from sparsead.derivatives.self_check import checked
from sparsead.derivatives.vectors import checked_pair, new_or_checked
from sparsead.keeping.pickling import Recipe
from sparsead.program.potential import potential_of
from sparsead.stages import Timings
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.trace import trace


class Jacobian(PreparedMatrix, WithNormalEquations):
    """A Jacobian prepared once, evaluated many times. Made by `jacobian`.

    ``shape`` is ``(m, n)``, the sizes of ``f(x)`` and of x; rows and columns follow their C order. ``mode`` is
    ``"forward"``, ``"reverse"``, ``"bidirectional"`` or ``"direct"``. See
    `sparsead.derivatives.matrix.PreparedMatrix` for the other attributes.
    """

    derivative = "jacobian"
    _title = "sparse Jacobian"
    _products = (JVP, VJP)

    def __call__(
        self,
        x: Any,
        *args: Any,
        out: scipy.sparse.csr_array | None = None,
        keep_constants: bool = False,
        verify: bool | str = False,
        **named: Any,
    ) -> scipy.sparse.csr_array:
        """Return the Jacobian at x.

        Parameters
        ----------
        x : array_like
            The point, of the shape that was prepared.
        *args
            The other arguments of the function.
        out : scipy.sparse.csr_array, optional
            A result of an earlier call. Its data are overwritten, every entry, and it is returned; nothing that
            grows with the problem is allocated.
        keep_constants : bool
            Leave entries alone that do not depend on x, where `out` holds them from an earlier call with
            ``keep_constants`` and equal `args`. You promise that you have not changed the values in `out` since.
            It saves something in direct mode only.
        verify : bool or str
            True compares the matrix along a random vector with its product without the matrix, and with differences
            of the function (some ten calls of it); ``"products"`` leaves out the differences.
        **named
            Arguments by their names.

        Returns
        -------
        scipy.sparse.csr_array, shape (m, n)
            Sorted indices; explicit zeros are kept, so the structure is the same at every call. The index arrays
            are shared between results and read-only; ``J.copy()`` has its own.

        Raises
        ------
        InputError
            If a shape differs from the prepared one, or `out` has another structure.
        CheckFailed
            If `verify` finds that something disagrees.
        """
        args = self._args(x, args, named) if named else (x, *args)
        return self._evaluated_matrix(args, out, keep_constants, verify)

    @composable
    def value_and_jacobian(
        self,
        x: Any,
        *args: Any,
        out: tuple[np.ndarray | None, scipy.sparse.csr_array | None] | None = None,
        verify: bool | str = False,
        **named: Any,
    ) -> tuple[np.ndarray, scipy.sparse.csr_array]:
        """Return ``f(x, *args)`` and its Jacobian, from one sweep.

        Parameters
        ----------
        x, *args, verify
            As in a call.
        out : tuple, optional
            ``(y, J)``, both from an earlier call, to be overwritten; None in place of one of them for a new one.
        **named
            Arguments by their names.

        Returns
        -------
        y : ndarray
            The value, in its own shape.
        J : scipy.sparse.csr_array, shape (m, n)
            As a call returns it.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> y, J = sad.jacobian(lambda x: x**2, np.ones(3)).value_and_jacobian(np.array([1.0, 2.0, 3.0]))
        >>> y, J.diagonal()
        (array([1., 4., 9.]), array([2., 4., 6.]))
        """
        args = self._args(x, args, named)
        given, matrix = checked_pair("value_and_jacobian", out)
        room = np.empty(self.program.output.shape) if given is None else given
        if (taken := self._fast_filled(args, (room,), matrix, verify)) is not None:
            return (room if self._functions["value"].built is None else self.signature.shaped(room)), taken
        y = new_or_checked("value_and_jacobian", given, self.program.output.shape)
        matrix = self._filled("value_and_jacobian", args, {"y": y}, matrix, verify)
        return self.signature.shaped(y), matrix

    def value(self, x: Any, *args: Any, out: np.ndarray | None = None, **named: Any) -> np.ndarray:
        """Return ``f(x, *args)``, from the compiled kernels.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray of float64, optional
            Where to write it, in the shape of the value.
        **named
            Arguments by their names.

        Returns
        -------
        ndarray
            In the shape in which `f` returns it.
        """
        args = self._args(x, args, named)
        return self._evaluated("value", args, out, self._fast_value)

    @composable
    def jvp(self, x: Any, v: Any, *args: Any, **named: Any) -> np.ndarray:
        """Return ``J @ v`` without forming J.

        Parameters
        ----------
        x, *args
            As in a call.
        v : array_like, shape (n,) or (n, k)
            One direction, or k of them as columns; or one that is built like x, for a product built like the result.
        **named
            Arguments by their names.

        Returns
        -------
        ndarray, shape (m,) or (m, k)

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        return self._product(JVP, v, self._args(x, args, named))

    @composable
    def vjp(self, x: Any, w: Any, *args: Any, **named: Any) -> np.ndarray:
        """Return ``J.T @ w`` without forming J.

        Parameters
        ----------
        x, *args
            As in a call.
        w : array_like, shape (m,) or (m, k)
            Weights of the components of `f`, or k sets of them as columns; or built like the result, for a product
            built like x.
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
        return self._product(VJP, w, self._args(x, args, named))

    @cached_property
    def _fast_value(self) -> Callable[..., bool]:
        return self._fast_function("value")

    @cached_property
    def _fast_both(self) -> Callable[..., bool]:
        return self._fast_entry({"y": self.program.output.shape}, self._both)

    @property
    def _nested(self) -> NestedJacobian:
        return NestedJacobian(self.program, self.signature, self._kernels_written_out)


def prepared(
    f: Callable[..., Any], args: tuple[Any, ...], options: Options, decisions: Decisions | None = None
) -> Jacobian:
    """Run all stages; branches on traced values are recorded in `decisions`, and refused without."""
    timings = Timings()
    with timings.stage("trace"):
        program, signature = trace(f, args, options.argnum, decisions)
        potential = potential_of(program) if _as_hessian(options) else None
        stated, lower = (program, linearized) if potential is None else (potential, of_gradient)
        cells = cells_in(stated, options, total=potential is not None)
    lowered, of_cell, filled = stages(stated, cells, options, lower, timings)
    if of_cell is None:
        options = replace(options, loops=lowered().loops)
    recipe = Recipe(prepared, f, args, options)
    made = Jacobian(Preparation(recipe, program, signature, lowered, options.engine, timings, of_cell), filled)
    return checked(made, args, options.check, timings, decisions)


def _as_hessian(options: Options) -> bool:
    """Tell whether the Jacobian of a gradient may be computed as a Hessian: who names a mode of Jacobians gets that."""
    by_mode = options.mode in ("auto", "direct", *HESSIAN_COLORINGS) and options.pattern is None
    coloring = options.coloring
    is_symmetric = isinstance(coloring, ColoringResult) and coloring.structure == "symmetric"
    return by_mode and (coloring is None or is_symmetric)
