"""Statements for users: a function of their own, element by element, and code to trace in place of a function."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from sparsead.errors import InputError, unsupported
from sparsead.ops.arrays import any_traced
from sparsead.ops.evaluated import by_library
from sparsead.tracing.late import late
from sparsead.tracing.replacing.loaded import LOADED
from sparsead.tracing.replacing.names import patch

Definition = TypeVar("Definition", bound=Callable[..., Any])


def elementwise(
    function: Callable[..., Any], *derivatives: Callable[..., Any] | None, name: str | None = None
) -> Callable[..., Any]:
    """Return `function` as an operation, element by element, that traced functions may use; with second derivatives.

    The function itself computes its values, at run time, so it may be compiled code or a table. Its derivatives are
    written in NumPy, or by further operations of this kind: they are traced, and second derivatives are those of their
    formulas.

    Parameters
    ----------
    function : callable
        ``function(*operands)`` on float64 arrays of one shape, returning an array of that shape.
    *derivatives : callable or None
        ``derivative(*operands)``, the derivative in each operand, in turn. None for an operand that may not be
        unknown.
    name : str, optional
        For messages; by default that of the function.

    Returns
    -------
    callable
        The same function on plain numbers and arrays; what is unknown becomes a step of the program.

    Raises
    ------
    InputError
        If something given is not callable, or there are as many operands as there are not derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> from scipy.interpolate import CubicSpline
    >>> table = CubicSpline(np.linspace(0.0, 2.0, 21), np.sin(np.linspace(0.0, 2.0, 21)))
    >>> bent = sad.extend.elementwise(table.derivative(2), table.derivative(3))
    >>> slope = sad.extend.elementwise(table.derivative(), bent)
    >>> measured = sad.extend.elementwise(table, slope, name="measured")
    >>> hess = sad.hessian(lambda x: np.sum(measured(x)), np.ones(3))
    >>> bool(np.allclose(hess(np.ones(3)).diagonal(), -np.sin(1.0), atol=1e-3))
    True
    """
    given = [function, *(d for d in derivatives if d is not None)]
    if not derivatives or not all(map(callable, given)):
        raise InputError(
            "elementwise expects a function and its derivative in each operand, functions too (or None for an operand "
            f"that may not be unknown), got {', '.join(type(g).__name__ for g in (function, *derivatives))}"
        )
    title = str(name or getattr(function, "__name__", type(function).__name__))

    def named(*points: Any) -> Any:
        return function(*points)

    named.__name__ = f"{title} (sparsead.extend.elementwise)"
    slopes = [None if d is None else functools.partial(_without_value, d) for d in derivatives]

    @functools.wraps(named)
    def call(*operands: Any) -> Any:
        if len(operands) != len(slopes):
            raise InputError(f"{title} takes {len(slopes)} operands, one for each derivative, got {len(operands)}")
        if not any_traced(*operands):
            return function(*operands)
        for number, (slope, operand) in enumerate(zip(slopes, operands, strict=True)):
            if slope is None and any_traced(operand):
                raise unsupported(f"{title} with unknowns in operand {number}", "State its derivative in that operand.")
        return late.as_numbers(by_library(named, slopes, operands))

    call.__name__ = title
    return call


def _without_value(derivative: Callable[..., Any], *operands_and_value: Any) -> Any:
    return derivative(*operands_and_value[:-1])


def composite(function: Callable[..., Any]) -> Callable[[Definition], Definition]:
    """State NumPy code that is traced in place of a function: compiled code, say, that the user's code calls.

    While a function is traced, calls of `function` with unknowns go to the definition, by whatever names modules have
    it. All other calls are calls of `function`. The check of each preparation compares the values of the two.

    Parameters
    ----------
    function : callable
        What cannot be traced.

    Returns
    -------
    callable
        A decorator of the definition, which takes the same arguments and returns the same; the definition stays a
        function of its own.

    Raises
    ------
    InputError
        If something given is not callable.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> from sparsead.extend import composite
    >>> def compiled(x):  # reads memory, as compiled code does
    ...     return np.frombuffer(x.tobytes()) ** 2
    >>> @composite(compiled)
    ... def squares(x):
    ...     return x**2
    >>> sad.jacobian(compiled, np.ones(3))(np.arange(3.0)).diagonal()
    array([0., 2., 4.])
    """
    if not callable(function):
        raise InputError(f"composite expects the function that is stated, got {type(function).__name__}")

    def state(definition: Definition) -> Definition:
        if not callable(definition):
            raise InputError(f"composite expects a definition to trace, got {type(definition).__name__}")

        def call(*args: Any, **kwargs: Any) -> Any:
            return (definition if any_traced(args, kwargs) else function)(*args, **kwargs)

        patch(function, call)
        LOADED.add_homes_of(function)
        return definition

    return state
