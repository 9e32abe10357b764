"""The function that prepares sparse Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from sparsead.derivatives.auxiliary import WithAux
from sparsead.derivatives.differences import DifferenceJacobian, check_method
from sparsead.derivatives.dispatch import prepare_derivative
from sparsead.derivatives.guard import Guarded
from sparsead.derivatives.modes import chosen_engine
from sparsead.derivatives.nested import NestedJacobian
from sparsead.derivatives.options import Difference, DifferenceOptions, MatrixOptions
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.prepared_jacobian import Jacobian, prepared
from sparsead.derivatives.validation import check_options
from sparsead.emit.sweep import DEFAULT_BACKEND
from sparsead.stages import Watcher
from sparsead.tracing.arguments import Argnum

if TYPE_CHECKING:
    from sparsead.derivatives.device import JacobianOnDevice


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
    check_options(jacobian_mode=mode, pattern=pattern, coloring=coloring, coloring_order=order, format=format)
    check_options(method=method, step=step)
    check_method(method, mode)
    options = Options(argnum, mode, pattern, coloring, order, chosen_engine(backend, threads), check, format)
    prepare = prepared if method == "ad" else partial(DifferenceJacobian, method=method, step=step)
    return prepare_derivative(
        prepare, NestedJacobian, f, (x0, *args), named, options,
        method=method, has_aux=has_aux, guard=guard, progress=progress, device=device,
    )  # fmt: skip
