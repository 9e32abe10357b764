"""The prepared symmetric sparse Hessian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring import ColoringResult, SparsityPattern
from sparsead.derivatives import constants
from sparsead.derivatives.gradient import traced_scalar
from sparsead.derivatives.matrix import Filled, PreparedMatrix
from sparsead.derivatives.modes import HESSIAN_MODES, check_options, choose_hessian, chosen_engine
from sparsead.derivatives.nested import NestedHessian, composes, is_asked
from sparsead.derivatives.preparation import Options, finished, prepared_at
from sparsead.derivatives.prepared import OfScalar, Preparation
from sparsead.derivatives.products import HVP
from sparsead.derivatives.subject import checked
from sparsead.derivatives.vectors import checked_pair, new_or_checked
from sparsead.emit.sweep import DEFAULT_BACKEND, Engine
from sparsead.errors import InputError
from sparsead.explain.refusal import naming_lines
from sparsead.keeping.pickling import Recipe
from sparsead.kernels.gradient import gradient as gradient_kernels
from sparsead.kernels.kernel import Buffer, Kernels, LinearProgram
from sparsead.kernels.linearize import linearize
from sparsead.kernels.pattern import detect
from sparsead.stages import Timings, Watcher, reported
from sparsead.sweeps.assembly import Assembly, compressed_assembly, direct_assembly
from sparsead.sweeps.finishing import mirroring
from sparsead.tracing.arguments import Argnum
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.order import for_order

LANE = "hvp"


class Hessian(PreparedMatrix, OfScalar):
    """A Hessian prepared once, evaluated many times. Made by `hessian`.

    ``mode`` is ``"star"``, ``"acyclic"``, ``"column"`` or ``"direct"``. Both triangles are stored, and equal to the
    bit. See `sparsead.derivatives.matrix.PreparedMatrix` for the other attributes.
    """

    derivative = "hessian"
    _title = "sparse Hessian"
    _symmetric = True
    _products = (HVP,)

    def __init__(self, made: Preparation, filled: Filled, gradients: Kernels) -> None:
        super().__init__(made, filled)
        self._with_gradient(gradients)

    def __call__(
        self,
        x: Any,
        *args: Any,
        out: scipy.sparse.csr_array | None = None,
        triangle: str = "full",
        keep_constants: bool = False,
        verify: bool | str = False,
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
        triangle : {"full", "lower", "upper"}
            What to return; the diagonal belongs to both triangles.
        keep_constants : bool
            Leave entries alone that do not depend on x, where `out` holds them from an earlier call with
            ``keep_constants`` and equal `args`. You promise that you have not changed the values in `out` since.
            It saves something in direct mode only.
        verify : bool or str
            True compares the matrix along a random vector with its product without the matrix, and with differences
            of the gradient (some ten calls of it); ``"products"`` leaves out the differences.

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
        if triangle == "full" and not (keep_constants or verify) and (data := self.structure.plain(out)) is not None:
            constants.forget(data)
            if self._plain(x, *args, data):
                return self.structure.matrix(data) if out is None else out
        if is_asked((x, *args)):
            return self._nested(x, *args)  # type: ignore[return-value]  # inside a traced function
        inputs = self._inputs((x, *args))
        if triangle != "full" and out is not None:
            raise InputError("out= goes with triangle='full'; use values(x, out=, order='lower') for a triangle")
        data = self.structure.new_or_checked(out)
        self._fill(data, inputs, keep_constants)
        if verify:
            self._verified(self.structure.matrix(data), verify, (x, *args))
        if out is not None:
            return out
        return self.structure.matrix(data) if triangle == "full" else self.structure.triangle(data, triangle)

    def gradient(self, x: Any, *args: Any, out: np.ndarray | None = None) -> np.ndarray:
        """Return the gradient at x, by one reverse sweep.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray of float64, optional
            Where to write it, in the shape of x.

        Returns
        -------
        ndarray
            In the shape of x.
        """
        return self._evaluated("gradient", (x, *args), out, self._plain_gradient, self.signature.like_x)

    def gradient_batch(self, X: Any, *args: Any, out: np.ndarray | None = None, axis: int = 0) -> np.ndarray:
        """Return the gradients at many points.

        Parameters
        ----------
        X, *args, out, axis
            As in `batch`.

        Returns
        -------
        ndarray
            In the shape of X.
        """
        return self._batches("gradient")((X, *args), out, axis)

    @composes
    def hvp(self, x: Any, v: Any, *args: Any) -> np.ndarray:
        """Return ``H @ v`` without forming H.

        Parameters
        ----------
        x, *args
            As in a call.
        v : array_like, shape (n,) or (n, k)
            One direction, or k of them as columns.

        Returns
        -------
        ndarray, shape (n,) or (n, k)

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        return self._product(HVP, x, v, args)

    def value_gradient_and_hessian(
        self,
        x: Any,
        *args: Any,
        out: tuple[np.ndarray | None, scipy.sparse.csr_array | None] | None = None,
        verify: bool | str = False,
    ) -> tuple[float, np.ndarray, scipy.sparse.csr_array]:
        """Return ``f(x, *args)``, its gradient and its Hessian, from one sweep.

        Parameters
        ----------
        x, *args, verify
            As in a call.
        out : tuple, optional
            ``(g, H)``, both from an earlier call, to be overwritten; None in place of one of them for a new one.

        Returns
        -------
        value : float
        gradient : ndarray
            In the shape of x.
        H : scipy.sparse.csr_array, shape (n, n)
            As a call returns it.
        """
        name = "value_gradient_and_hessian"
        given, matrix = checked_pair(name, out)
        y, g = np.empty(1), new_or_checked(name, given, self.program.wrt.shape)
        matrix = self._filled(name, (x, *args), {"y": y, "g": g}, matrix, verify)
        return float(y[0]), self.signature.like_x(g), matrix

    @property
    def _nested(self) -> NestedHessian:
        return NestedHessian(self.program, self.signature, self.kernels)

    @property
    def _differentiated(self) -> Kernels:
        return self.gradient_kernels


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
    progress: bool | Watcher = False,
) -> Any:
    """Prepare the sparse Hessian of a scalar NumPy function.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``: NumPy code that returns one number.
    x0, *args, argnum, pattern, order, guard, threads, backend, check, progress
        As in `jacobian`.
    mode : str
        ``"star"``: star coloring, direct recovery; ``"acyclic"``: acyclic coloring, recovery by substitution;
        ``"column"``: column coloring; ``"compressed"``: the cheapest of these three; ``"direct"``: element Hessians
        are accumulated without seeds; ``"auto"``: the cheapest of those that recover directly, by counted costs
        (substitution adds up rounding errors, see the page on numerical edges).
    coloring : optional
        A result of `coloring.color` of the pattern, an array of column colors, or ``"none"``: one pass per column.

    Returns
    -------
    Hessian (or `Guarded`)

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
    check_options(mode, HESSIAN_MODES, guard)
    if is_asked((x0, *args)):
        return NestedHessian.of(f, (x0, *args), argnum)  # inside a traced function
    options = Options(argnum, mode, pattern, coloring, order, chosen_engine(backend, threads), check)
    with reported(progress):
        return prepared_at(prepared, f, (x0, *args), options, guard)


def prepared(
    f: Callable[..., Any], args: tuple[Any, ...], options: Options, decisions: Decisions | None = None
) -> Hessian:
    """Run all stages.

    Parameters
    ----------
    f, args
        The function and the example arguments.
    options : Options
        What the user chose.
    decisions : Decisions, optional
        Records the branches on traced values; without it they are refused.
    """
    timings = Timings()
    with for_order(2):
        program, signature, kernels = traced_scalar(f, args, options.argnum, timings, decisions)
    with timings.stage("linearize"):
        gradients = gradient_kernels(kernels, again=True)
        linear = second_order(gradients)
    steps = (hessian_patterns, choose_hessian, _assembly)
    with naming_lines(program, symmetric=True):
        filled = finished(linear, options, timings, *steps)
    recipe = Recipe(prepared, f, args, options)
    made = Hessian(Preparation(recipe, program, signature, kernels, options.engine, timings), filled, gradients)
    return checked(made, args, options.check, timings, decisions)


def hessian_pattern(f: Callable[..., Any], x0: Any, *args: Any, argnum: Argnum = 0) -> SparsityPattern:
    """Return the sparsity pattern of the Hessian of `f`; nothing is colored or compiled.

    Parameters
    ----------
    f, x0, *args, argnum
        As in `hessian`.

    Returns
    -------
    SparsityPattern, shape (n, n)

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> sad.hessian_pattern(lambda x: x[0] * x[1] + x[2], np.ones(3)).to_scipy().toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 0.]])
    """
    with for_order(2):
        program, _, kernels = traced_scalar(f, (x0, *args), argnum, Timings())
    linear = second_order(gradient_kernels(kernels, again=True))
    with naming_lines(program, symmetric=True):
        return hessian_patterns(linear)[linear.target]


def second_order(gradients: Kernels) -> LinearProgram:
    """Linearize gradient kernels: the matrix is the Hessian."""
    return replace(linearize(gradients), symmetric=True)


def hessian_patterns(linear: LinearProgram) -> dict[Buffer, SparsityPattern]:
    """Detect the patterns; that of the Hessian has room for every term and for its mirror image."""
    patterns = detect(linear)
    found = patterns[linear.target]
    if found != found.T:
        patterns[linear.target] = SparsityPattern.from_scipy(found.to_scipy() + found.T.to_scipy())
    return patterns


def _assembly(
    linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], colored: ColoringResult | None, engine: Engine
) -> Assembly:
    pattern = patterns[linear.target]
    if colored is not None:
        return compressed_assembly(linear, colored, LANE, "hessian", engine)
    assembly = direct_assembly(linear, patterns, {LANE: 0}, "hessian", engine)
    if linear.work:  # sums over several layers run in different orders above and below the diagonal
        assembly.finish = mirroring(pattern, engine)
    return assembly
