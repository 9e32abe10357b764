"""Functions that return more than their result: what is beside it is returned by the calls that return values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import numpy as np
import scipy.sparse

from sparsead.checking.plain import copied
from sparsead.contract import Derivative
from sparsead.derivatives.calls import arranged
from sparsead.derivatives.delegating import Delegating
from sparsead.derivatives.nested import are_traced
from sparsead.keeping.pickling import sendable
from sparsead.tracing.wrappers import First

Matrix = scipy.sparse.csr_array


class WithAux(Delegating):
    """A derivative of the result of a function that returns ``(result, aux)``. Made with ``has_aux=True``.

    Calls that return a value or a derivative return `aux` as well; all others are those of `prepared`, without it:

    ================================== ========================
    call                               returns
    ================================== ========================
    ``(x)``                            ``derivative, aux``
    ``.value(x)``                      ``value, aux``
    ``.gradient(x)``                   ``gradient, aux``
    ``.value_and_jacobian(x)``         ``(value, aux), J``
    ``.value_and_gradient(x)``         ``(value, aux), g``
    ``.value_gradient_and_hessian(x)`` ``(value, aux), g, H``
    ================================== ========================

    `aux` is what the function itself returns there, of any type: it is called once more on plain arrays, and nothing
    of it is differentiated. While the function is traced, what computes `aux` runs on traced arrays as well, and must
    not branch on them. Inside a function that is differentiated `aux` is part of the program.

    Attributes
    ----------
    prepared : Jacobian, Hessian, Gradient, DifferenceJacobian or Guarded
        The derivative alone: its calls return no `aux`, and call nothing.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> def residual(x):
    ...     flux = x[1:] - x[:-1]
    ...     return flux**2, {"largest": np.max(np.abs(flux))}
    >>> jac = sad.jacobian(residual, np.ones(3), has_aux=True)
    >>> J, aux = jac(np.array([0.0, 1.0, 3.0]))
    >>> print(aux["largest"])
    2.0
    >>> (value, aux), J = jac.value_and_jacobian(np.array([0.0, 1.0, 3.0]))
    >>> value
    array([1., 4.])
    """

    def __init__(self, prepared: Any, function: First) -> None:
        self.prepared, self._first = prepared, function

    # -- calls that return what is beside -----------------------------------------------------------------------
    def __call__(self, x: Any, *args: Any, **options: Any) -> tuple[Matrix | np.ndarray, Any]:
        """Return the derivative at x, and `aux`."""
        point, options = arranged(self.signature, "__call__", (x, *args), options)
        return self.prepared(*point, **options), self._beside(point)

    def value(self, x: Any, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Return the result of the function at x, and `aux`."""
        point, options = arranged(self.signature, "value", (x, *args), options)
        return self.prepared.value(*point, **options), self._beside(point)

    def gradient(self, x: Any, *args: Any, **options: Any) -> tuple[np.ndarray, Any]:
        """Return the gradient at x, and `aux`; of a Hessian."""
        point, options = arranged(self.signature, "gradient", (x, *args), options)
        return self.prepared.gradient(*point, **options), self._beside(point)

    def value_and_jacobian(self, x: Any, *args: Any, **options: Any) -> tuple[tuple[Any, Any], Matrix]:
        """Return ``(value, aux)`` and the Jacobian at x."""
        value, matrix = self._several("value_and_jacobian", (x, *args), options)
        return value, matrix

    def value_and_gradient(self, x: Any, *args: Any, **options: Any) -> tuple[tuple[float, Any], np.ndarray]:
        """Return ``(value, aux)`` and the gradient at x."""
        value, slope = self._several("value_and_gradient", (x, *args), options)
        return value, slope

    def value_gradient_and_hessian(
        self, x: Any, *args: Any, **options: Any
    ) -> tuple[tuple[float, Any], np.ndarray, Matrix]:
        """Return ``(value, aux)``, the gradient and the Hessian at x."""
        value, slope, matrix = self._several("value_gradient_and_hessian", (x, *args), options)
        return value, slope, matrix

    def _several(self, name: str, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[Any, ...]:
        method = getattr(self.prepared, name)
        point, options = arranged(self.signature, name, args, options)
        value, *rest = method(*point, **options)
        return (value, self._beside(point)), *rest

    def _beside(self, args: tuple[Any, ...]) -> Any:
        point = args if are_traced(args) else self.signature.as_traced(tuple(map(copied, args)))
        return self._first.both(*point)[1]

    # -- the rest is that of the derivative ---------------------------------------------------------------------
    @property
    def _inner(self) -> Any:
        return self.prepared

    @property
    def function(self) -> Callable[..., Any]:  # type: ignore[override]
        """What returns the result, without `aux`."""
        return self._first

    def at(self, args: tuple[Any, ...]) -> Derivative:
        """Return the derivative alone, for these arguments."""
        return self.prepared.at(args)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("prepared", "_first"):  # pickle looks before there is one
            raise AttributeError(name)
        return getattr(self.prepared, name)

    def __reduce__(self) -> tuple[Any, ...]:
        return sendable(self._first.f, WithAux, (self.prepared, self._first))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def _facts(self) -> list[tuple[str, str]]:
        return [*self.prepared._facts(), ("beside", f"aux of {self._first.__name__}, by one call of it")]

    def __repr__(self) -> str:
        return f"<with aux {self.prepared!r}>"
