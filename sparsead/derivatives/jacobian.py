"""The prepared sparse Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

import numpy as np
import scipy.sparse

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring.cached import cached_property
from sparsead.derivatives.beside import WithAux
from sparsead.derivatives.cells import cells_in, stages
from sparsead.derivatives.differences import DifferenceJacobian, check_method
from sparsead.derivatives.given import by_name, check_given
from sparsead.derivatives.guard import Guarded
from sparsead.derivatives.matrix import PreparedMatrix
from sparsead.derivatives.modes import chosen_engine
from sparsead.derivatives.nested import NestedJacobian, composes
from sparsead.derivatives.normal import WithNormalEquations
from sparsead.derivatives.options import Difference, DifferenceOptions, MatrixOptions
from sparsead.derivatives.plain import never
from sparsead.derivatives.preparation import Options, asked_for
from sparsead.derivatives.products import JVP, VJP
from sparsead.derivatives.record import Preparation
from sparsead.derivatives.subject import checked
from sparsead.derivatives.vectors import checked_pair, new_or_checked
from sparsead.emit.sweep import DEFAULT_BACKEND
from sparsead.keeping.pickling import Recipe
from sparsead.stages import Timings, Watcher
from sparsead.tracing.arguments import Argnum
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.trace import trace
from sparsead.tracing.trees import Leaf

if TYPE_CHECKING:
    from sparsead.derivatives.device import JacobianOnDevice


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
        args = self._args(x, args, named)
        return self._evaluated_matrix(args, out, keep_constants, verify)

    @composes
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
        if (taken := self._plain_filled(args, (room,), matrix, verify)) is not None:
            return room, taken
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
        return self._evaluated("value", args, out, self._plain_value, self.signature.shaped)

    @composes
    def jvp(self, x: Any, v: Any, *args: Any, **named: Any) -> np.ndarray:
        """Return ``J @ v`` without forming J.

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
        ndarray, shape (m,) or (m, k)

        Raises
        ------
        InputError
            If a shape does not fit.
        """
        return self._product(JVP, v, self._args(x, args, named))

    @composes
    def vjp(self, x: Any, w: Any, *args: Any, **named: Any) -> np.ndarray:
        """Return ``J.T @ w`` without forming J.

        Parameters
        ----------
        x, *args
            As in a call.
        w : array_like, shape (m,) or (m, k)
            Weights of the components of `f`, or k sets of them as columns.
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
    def _plain_value(self) -> Callable[..., bool]:
        return self._plain_function("value") if isinstance(self.signature.result, Leaf) else never

    @cached_property
    def _plain_both(self) -> Callable[..., bool]:
        if not isinstance(self.signature.result, Leaf):
            return never
        return self._plain_entry({"y": self.program.output.shape}, self._both)

    @property
    def _nested(self) -> NestedJacobian:
        return NestedJacobian(self.program, self.signature, self._kernels_written_out)


@overload
def jacobian(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    has_aux: Literal[True],
    method: str = "ad",
    step: Any = None,
    guard: Literal["error", "record"] = "error",
    **options: Unpack[MatrixOptions],
) -> WithAux: ...
@overload
def jacobian(
    f: Callable[..., Any], x0: Any, *args: Any, guard: Literal["record"], **options: Unpack[MatrixOptions]
) -> Guarded: ...
@overload
def jacobian(
    f: Callable[..., Any], x0: Any, *args: Any, method: Difference, **options: Unpack[DifferenceOptions]
) -> DifferenceJacobian: ...
@overload
def jacobian(
    f: Callable[..., Any], x0: Any, *args: Any, device: Literal["cuda"], **options: Unpack[MatrixOptions]
) -> JacobianOnDevice: ...
@overload
def jacobian(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    method: Literal["ad"] = "ad",
    guard: Literal["error"] = "error",
    **options: Unpack[MatrixOptions],
) -> Jacobian: ...
def jacobian(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    argnum: Argnum = 0,
    mode: str = "auto",
    pattern: Any = None,
    coloring: Any = None,
    order: Any = "auto",
    method: str = "ad",
    step: Any = None,
    guard: str = "error",
    threads: int | None = None,
    backend: str = DEFAULT_BACKEND,
    check: bool = True,
    format: str = "csr",
    has_aux: bool = False,
    progress: bool | Watcher = False,
    device: str | None = None,
    **named: Any,
) -> Jacobian | DifferenceJacobian | Guarded | WithAux | JacobianOnDevice:
    """Prepare the sparse Jacobian of a NumPy function.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``: NumPy code that returns an array, a number, or a list, tuple, dict or dataclass of them.
    x0 : array_like, dict, list, tuple, named tuple or dataclass
        An example of x: an array, or a container of float arrays and floats, whose leaves are the columns in order.
        Only shapes matter; integers are converted to float64, but in containers they are fixed.
    *args
        Examples of the other arguments. Floats and float arrays, also in containers, are runtime values: new ones
        need no new preparation. Everything else (integers, sparse matrices, objects) is fixed here.
    argnum : int, str, or tuple of them
        The argument to differentiate with respect to, by place or by name; of several, the columns follow one
        another.
    mode : str
        ``"forward"``: column coloring and JVP sweeps; ``"reverse"``: row coloring and VJP sweeps;
        ``"bidirectional"``: bicoloring and both; ``"compressed"``: the cheapest of these three; ``"direct"``:
        coefficients are accumulated without seeds; ``"auto"``: the cheapest of all, by counted costs.
    pattern : SparsityPattern or scipy.sparse matrix, optional
        A pattern to use instead of the detected one. It may be larger, never smaller.
    coloring : optional
        A result of `coloring.color`, an array of colors (checked), or ``"none"``: one pass per column (forward) or
        row (reverse).
    order : str, callable or list
        The order of the coloring, see `coloring.color`.
    method : str
        ``"ad"``; or, for functions that cannot be traced, ``"finite-difference"`` (forward),
        ``"central-difference"`` or ``"complex-step"``: the result is then a `DifferenceJacobian`, and `pattern` is
        found by probing (n calls of `f` or more) unless it is given.
    step : float or array_like, shape (n,), optional
        Step of the differences, relative to ``max(abs(x), 1)``.
    guard : {"error", "record"}
        What a Python branch on a traced value does: raise TracedBranchError, or be decided by `x0` and `args`,
        recorded, and checked at every evaluation; the result is then a `Guarded`, which prepares again where a branch
        flips.
    threads : int, optional
        How many threads share each large loop; the values are the same for any number. Default: what the environment
        variable ``SPARSEAD_THREADS`` says, else 1.
    backend : str
        ``"llvm"``, ``"numba"`` or ``"python"``: what compiles the generated code.
    check : bool
        Compare what was traced with `f` on plain arrays, before anything is returned: values at `x0` and at a point
        nearby, and the derivative between the two. It costs two calls of `f`, more where they disagree at first
        sight; ``jac.checked`` says what was compared, and what could not be.
    format : {"csr", "csc", "coo", "bsr", "dense"}
        What a call returns: a ``scipy.sparse`` array of this format, whose values are written in its own order, or an
        ndarray. The blocks of ``"bsr"`` are the largest square ones, up to 8 x 8, that the entries fill to 80 percent.
    has_aux : bool
        True where `f` returns ``(result, aux)``: the derivative is that of the result, and calls that return a value
        or a derivative return `aux`, of any type, beside it; see `WithAux`.
    progress : bool or callable
        True prints each stage of the preparation on standard error while it runs, and its seconds; a function is
        called with ``(stage, None)`` when one begins and ``(stage, seconds)`` when it ends.
    device : {"cuda"}, optional
        Where the derivative is evaluated: on a CUDA device, through CuPy, on arrays that lie there. What is prepared,
        on the CPU, is then returned as one of ``sparsead.derivatives.device``.
    **named
        Examples of arguments of `f` by their names, such as those that it takes by name only; they follow `args`.

    Returns
    -------
    Jacobian or DifferenceJacobian (or `Guarded`, or `WithAux`)

    Raises
    ------
    UnsupportedOperationError
        `f` uses something that is not supported; the message has the place in the user's file.
    TracedBranchError
        `f` branches in Python on a traced value.
    InputError
        An argument, or the value of `f`, cannot be used.
    CheckFailed
        What was traced is not `f`.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> jac = sad.jacobian(lambda x: x[1:] ** 2 - x[:-1], np.ones(4))
    >>> jac(np.array([1.0, 2.0, 3.0, 4.0])).toarray()
    array([[-1.,  4.,  0.,  0.],
           [ 0., -1.,  6.,  0.],
           [ 0.,  0., -1.,  8.]])
    >>> sad.jacobian(lambda x: x[1:] ** 2 - x[:-1], np.ones(4), mode="forward").passes
    {'jvp': 2, 'vjp': 0}
    """
    check_given(jacobian_mode=mode, pattern=pattern, coloring=coloring, coloring_order=order, guard=guard)
    check_given(method=method, step=step, check=check, format=format, has_aux=has_aux, progress=progress, device=device)
    f, args = by_name(f, (x0, *args), named, "jacobian")
    check_method(method, mode)
    options = Options(argnum, mode, pattern, coloring, order, chosen_engine(backend, threads), check, format)
    prepare: Callable[..., Any] = prepared
    on_device = None
    if device is not None:
        from sparsead.derivatives.device import JacobianOnDevice, usable_cupy  # what few need

        on_device = partial(JacobianOnDevice, cupy=usable_cupy(method, guard, format, has_aux=has_aux))
    if method != "ad":
        prepare, guard = partial(DifferenceJacobian, method=method, step=step), "error"  # it calls f, branches and all
    return asked_for(
        prepare, NestedJacobian, f, args, options,
        has_aux=has_aux, guard=guard, progress=progress, on_device=on_device,
    )  # fmt: skip


def prepared(
    f: Callable[..., Any], args: tuple[Any, ...], options: Options, decisions: Decisions | None = None
) -> Jacobian:
    """Run all stages; branches on traced values are recorded in `decisions`, and refused without."""
    timings = Timings()
    with timings.stage("trace"):
        program, signature = trace(f, args, options.argnum, decisions)
        cells = cells_in(program, options)
    options, of_cell, kernels, filled = stages(program, cells, options, timings)
    recipe = Recipe(prepared, f, args, options)
    made = Jacobian(Preparation(recipe, program, signature, kernels, options.engine, timings, of_cell), filled)
    return checked(made, args, options.check, timings, decisions)
