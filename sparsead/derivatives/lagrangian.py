"""The Hessian of a Lagrangian, with multipliers as runtime values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Unpack

import numpy as np
import scipy.sparse

from sparsead.checking.plain import copied
from sparsead.contract import AFTER_A_VECTOR, AT_A_POINT, OF_MANY_POINTS
from sparsead.derivatives.delegating import Delegating
from sparsead.derivatives.hessian import hessian
from sparsead.derivatives.nested import are_traced
from sparsead.derivatives.options import HessianOptions
from sparsead.derivatives.validation import check_options
from sparsead.errors import InputError
from sparsead.tracing.arguments import flattened
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.floats import real_array
from sparsead.tracing.trace import trace

OWN = 3  # arguments of a Lagrangian that are not those of its functions: x, multipliers, sigma


def lagrangian_hessian(
    f: Callable[..., Any],
    c: Callable[..., Any],
    x0: Any,
    *args: Any,
    guard: Literal["error", "record"] = "error",
    **options: Unpack[HessianOptions],
) -> LagrangianHessian:
    """Prepare the Hessian in x of a Lagrangian: an objective, and constraints with multipliers.

    It is the Hessian of ``sigma * f(x) + multipliers @ c(x)``; multipliers and sigma are runtime values.

    Parameters
    ----------
    f, c : callable
        The objective, ``f(x, *args)``, one number; the constraints, ``c(x, *args)``, an array of
        any shape, or a dict or another container of arrays.
    x0, *args
        As in `hessian`.
    guard : {"error", "record"}
        What to do about Python branches on values in `f` and `c`, as in `hessian`; the number of constraints is that
        of x0.
    **options
        Those of `hessian`.

    Returns
    -------
    LagrangianHessian
        Called as ``lag(x, multipliers, *args, sigma=1.0)``.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> lag = sad.lagrangian_hessian(lambda x: np.sum(x**2), lambda x: x[1:] * x[:-1], np.ones(3))
    >>> lag(np.zeros(3), np.array([5.0, 7.0]), sigma=0.5).toarray()
    array([[1., 5., 0.],
           [5., 1., 7.],
           [0., 7., 1.]])
    """
    check_options(guard=guard)
    program, _ = trace(c, (x0, *args), decisions=None if guard == "error" else Decisions(masks=True))
    size, whole = program.output.index.size, Lagrangian(f, c)
    prepared: Any
    if guard == "record":
        prepared = hessian(whole, x0, np.ones(size), 1.0, *args, guard="record", **options)
    else:
        prepared = hessian(whole, x0, np.ones(size), 1.0, *args, **options)
    return LagrangianHessian(prepared, size)


class Lagrangian:
    """The function ``sigma * f(x, *args) + multipliers . c(x, *args)``."""

    def __init__(self, f: Callable[..., Any], c: Callable[..., Any]) -> None:
        self.f, self.c = f, c
        self.__name__ = f"sigma * {getattr(f, '__name__', 'f')} + multipliers . {getattr(c, '__name__', 'c')}"

    def __call__(self, x: Any, multipliers: Any, sigma: Any, *args: Any) -> Any:
        """Return the value at x; `f` and `c` get arrays of their own, which they may change."""
        value, constraints = (called(*map(copied, (x, *args))) for called in (self.f, self.c))
        return sigma * value + _weighted_sum(multipliers, constraints)


def weighted(c: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``v . c(x, *args)`` as a function of x, v and the other arguments."""

    def combined(x: Any, v: Any, *args: Any) -> Any:
        return _weighted_sum(v, c(x, *args))

    combined.__name__ = f"v . {getattr(c, '__name__', 'c')}"
    return combined


def _weighted_sum(weights: Any, value: Any) -> Any:
    """Return the sum of all that a function has returned, each element times its weight."""
    return np.sum(weights * flattened(value))


class LagrangianHessian(Delegating):
    """The Hessian of a Lagrangian; ``hessian`` is the prepared Hessian of x, multipliers, sigma and args."""

    def __init__(self, hessian: Any, size: int) -> None:
        self.hessian, self._size = hessian, size

    @property
    def _inner(self) -> Any:
        return self.hessian

    def __call__(
        self, x: Any, multipliers: Any, *args: Any, sigma: float = 1.0, **options: Any
    ) -> scipy.sparse.csr_array:
        """Return the Hessian at x.

        Parameters
        ----------
        x : array_like
            The point, of the shape that was prepared.
        multipliers : array_like
            One for each value of `c`, in any shape of that size; in the order of a container.
        *args
            The other arguments of `f` and `c`.
        sigma : float
            The factor of the objective.
        **options
            ``out``, ``triangle`` and ``verify``, as in a call of a `Hessian`.

        Returns
        -------
        scipy.sparse.csr_array, shape (n, n)

        Raises
        ------
        InputError
            If the number of multipliers or a shape does not fit.
        """
        return self.hessian(x, *self._others(multipliers, sigma, args), **options)

    def values(self, x: Any, multipliers: Any, *args: Any, sigma: float = 1.0, **options: Any) -> np.ndarray:
        """Return the values of the entries; `options` are those of `PreparedMatrix.values`."""
        return self.hessian.values(x, *self._others(multipliers, sigma, args), **options)

    def value(  # type: ignore[override]  # multipliers are an argument more
        self, x: Any, multipliers: Any, *args: Any, sigma: float = 1.0
    ) -> float:
        """Return the Lagrangian at x, from the compiled kernels."""
        return self.hessian.value(x, *self._others(multipliers, sigma, args))

    def function(self, x: Any, multipliers: Any, *args: Any, sigma: float = 1.0) -> float:
        """Return the Lagrangian at x, from the functions themselves."""
        return self.hessian.function(x, *self._others(multipliers, sigma, args))

    def gradient(self, x: Any, multipliers: Any, *args: Any, sigma: float = 1.0) -> np.ndarray:
        """Return the gradient of the Lagrangian at x, in the shape of x."""
        return self.hessian.gradient(x, *self._others(multipliers, sigma, args))

    def hvp(self, x: Any, v: Any, multipliers: Any, *args: Any, sigma: float = 1.0) -> np.ndarray:
        """Return ``H @ v`` without forming H; v (n,) or (n, k)."""
        return self.hessian.hvp(x, v, *self._others(multipliers, sigma, args))

    def _others(self, multipliers: Any, sigma: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return what follows x, as the Hessian takes it."""
        self._count(args)
        return self._checked(multipliers), self._scale(sigma), *args

    def _count(self, args: tuple[Any, ...]) -> None:
        """Refuse too few or too many arguments in the user's words: the Hessian has sigma among its own."""
        wanted = len(self.hessian.signature.arguments) - OWN
        if len(args) != wanted:
            raise InputError(
                f"after x and multipliers, f and c were prepared with {wanted} other arguments, got {len(args)}; "
                "sigma is given by its name: sigma=1.0"
            )

    def _checked(self, multipliers: Any) -> Any:
        if are_traced((multipliers,)):
            return multipliers
        multipliers = real_array(multipliers, "multipliers").reshape(-1)
        if multipliers.size != self._size:
            raise InputError(f"expected {self._size} multipliers, one per constraint, got {multipliers.size}")
        return multipliers

    def _scale(self, sigma: Any) -> Any:
        if are_traced((sigma,)):
            return sigma
        check_options(sigma=sigma)
        return float(sigma)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "hessian":  # while it is unpickled there is no such attribute yet
            raise AttributeError(name)
        found = getattr(self.hessian, name)
        if name not in AT_A_POINT | OF_MANY_POINTS | {"prepared_call"}:
            return found

        def method(x: Any, *args: Any, sigma: Any = 1.0, **options: Any) -> Any:
            vector, args = (args[:1], args[1:]) if name in AFTER_A_VECTOR else ((), args)
            multipliers, *rest = args or (options.pop("multipliers", ()),)
            self._count(tuple(rest))
            multipliers = multipliers if name in OF_MANY_POINTS else self._checked(multipliers)  # or one row a point
            return found(x, *vector, multipliers, self._scale(sigma), *rest, **options)

        return method

    def __repr__(self) -> str:
        return repr(self.hessian)
