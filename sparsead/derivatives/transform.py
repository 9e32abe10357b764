"""The gradient as a plain transform of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from sparsead.derivatives.gradient import gradient
from sparsead.derivatives.nested import NestedGradient, are_traced
from sparsead.derivatives.validation import check_options
from sparsead.errors import InputError
from sparsead.tracing.arguments import Argnum

MOST = 16  # preparations that are kept


def grad(
    g: Callable[..., Any], argnum: Argnum = 0, *, guard: Literal["error", "record"] = "error"
) -> Callable[..., Any]:
    """Return the gradient of a scalar function as a function.

    It is prepared when it is first called with arguments of some shapes and memory orders. Inside a function that
    sparsead differentiates it is part of the program, to any depth.

    Parameters
    ----------
    g : callable
        ``g(x, *args)``: NumPy code that returns one number.
    argnum : int, str, or tuple of them
        The argument to differentiate with respect to, as in `gradient`.
    guard : {"error", "record"}
        What to do about Python branches on values, as in `gradient`. Inside a function that is differentiated they are
        refused.

    Returns
    -------
    callable
        ``grad(g)(x, *args)`` is the gradient in the shape of x.

    Examples
    --------
    The Jacobian of a gradient is a Hessian:

    >>> import numpy as np
    >>> import sparsead as sad
    >>> slope = sad.grad(lambda x: np.sum(x[1:] * x[:-1] ** 2))
    >>> slope(np.array([1.0, 2.0, 3.0]))
    array([ 4., 13.,  4.])
    >>> sad.jacobian(slope, np.ones(3))(np.array([1.0, 2.0, 3.0])).toarray()
    array([[4., 2., 0.],
           [2., 6., 4.],
           [0., 4., 0.]])
    """
    check_options(guard=guard)
    prepared: list[Any] = []

    def slope(*args: Any) -> Any:
        if are_traced(args):
            return NestedGradient.of(g, args, argnum)(*args)
        made = next((one for one in prepared if _fits(one, args)), None)
        if made is None:
            made = _prepared(g, args, argnum, guard)
            prepared[:] = [made, *prepared[: MOST - 1]]
        return made(*args)

    slope.__name__ = f"gradient of {getattr(g, '__name__', type(g).__name__)}"
    return slope


def _prepared(g: Callable[..., Any], args: tuple[Any, ...], argnum: Argnum, guard: str) -> Any:
    if guard == "record":
        return gradient(g, *args, argnum=argnum, guard="record")
    return gradient(g, *args, argnum=argnum)


def _fits(prepared: Any, args: tuple[Any, ...]) -> bool:
    try:
        prepared.signature.convert(args)
    except InputError:
        return False
    return bool(prepared.signature.lie_alike(args))
