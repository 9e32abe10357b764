"""Series of `numpy.polynomial` with unknown coefficients: derivatives, integrals, fits, sums and products.

NumPy's own functions say what these are: of unit vectors they give the matrix of what is linear, and of pairs of them
the numbers that a product is made of. NumPy leaves out highest coefficients that are zero; unknown ones are taken not
to be.
"""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced
from sparsead.ops.polynomials import polyadd
from sparsead.ops.probed import by_units, linear
from sparsead.ops.registry import Sample, patched_later
from sparsead.program.room import require_products
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.replacing.methods import replace_method_always

KINDS = {"polynomial": "poly", "chebyshev": "cheb", "legendre": "leg", "hermite": "herm", "hermite_e": "herme",
         "laguerre": "lag"}  # fmt: skip
BASE = ("numpy.polynomial._polybase", "ABCPolyBase")


@cache
def _products(multiply: Callable[..., Any], m: int, n: int) -> scipy.sparse.csr_array:
    """Return the coefficients of all products of two members of a basis, those of a product in one column."""
    require_products(float(m * n) * (m + n), multiply.__name__)
    columns = np.zeros((m + n - 1, m * n))
    for k, (i, j) in enumerate(itertools.product(np.eye(m), np.eye(n))):
        found = multiply(i, j)
        columns[: len(found), k] = found
    return scipy.sparse.csr_array(columns)


def _times(multiply: Callable[..., Any], c1: Any, c2: Any) -> Any:
    """Return the coefficients of a product."""
    c1, c2 = (np.atleast_1d(stack_objects(c)) for c in (c1, c2))
    return traced(_products(multiply, len(c1), len(c2)) @ np.reshape(np.outer(c1, c2), -1))


def _plus(c1: Any, c2: Any) -> Any:
    """Return the sum of two series, the lowest coefficients first."""
    c1, c2 = (np.atleast_1d(stack_objects(c)) for c in (c1, c2))
    return np.flip(polyadd(np.flip(c1), np.flip(c2)))


def _sample(module: str, name: str, *others: Any, place: int = 0) -> Sample:
    return lambda x: getattr(importlib.import_module(module), name)(*others[:place], x[0], *others[place:]) ** 2


def _pair(module: str, name: str, rule: Callable[[Any, Any], Any], *samples: Sample) -> None:
    @patched_later(module, name, *samples)
    def of_both(c1: Any, c2: Any) -> Any:
        return rule(c1, c2)


def _products_of(module: str, name: str) -> Callable[[Any, Any], Any]:
    return lambda c1, c2: _times(getattr(importlib.import_module(module), name), c1, c2)


for _name, _short in KINDS.items():
    _module = f"numpy.polynomial.{_name}"
    linear(_module, f"{_short}der", "c", _sample(_module, f"{_short}der", 2))
    linear(_module, f"{_short}int", "c", _sample(_module, f"{_short}int", 1, [3.0]))
    linear(_module, f"{_short}fit", "y", _sample(_module, f"{_short}fit", [0.0, 0.5, 2.0, 3.0], 2, place=1))
    _pair(_module, f"{_short}add", _plus, _sample(_module, f"{_short}add", [1.0, 2.0]))
    _pair(_module, f"{_short}sub", lambda c1, c2: _plus(c1, np.negative(stack_objects(c2))),
          _sample(_module, f"{_short}sub", [1.0, 2.0]))  # fmt: skip
    _pair(_module, f"{_short}mul", _products_of(_module, f"{_short}mul"), _sample(_module, f"{_short}mul", [1.0, 2.0]),
          lambda x, m=_module, n=f"{_short}mul": getattr(importlib.import_module(m), n)(x[0], x[1]))  # type: ignore[misc]  # fmt: skip


# -- objects ----------------------------------------------------------------------------------------------------------
def _like(series: Any, coef: Any) -> Any:
    return type(series)(coef, series.domain, series.window, series.symbol)


def _derivative(original: Callable[..., Any], series: Any, m: int = 1) -> Any:
    if not any_traced([series.coef]):
        return original(series, m)
    return _like(series, by_units(series._der, "c", series.coef, {"m": m, "scl": series.mapparms()[1]}))


def _integral(original: Callable[..., Any], series: Any, m: int = 1, k: Any = (), lbnd: Any = None) -> Any:
    if not any_traced([series.coef]):
        return original(series, m, list(k), lbnd)
    offset, scale = series.mapparms()
    start = 0.0 if lbnd is None else offset + scale * lbnd
    others = {"m": m, "k": list(np.atleast_1d(k)), "lbnd": start, "scl": 1.0 / scale}
    return _like(series, by_units(series._int, "c", series.coef, others))


def _operator(combine: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """Return what an operator of such objects does: `combine` of the object, its coefficients and the others."""

    def operate(original: Callable[..., Any], series: Any, other: Any) -> Any:
        others = series._get_coefficients(other)
        if not any_traced([series.coef, others]):
            return original(series, other)
        return _like(series, combine(series, series.coef, others))

    return operate


def _power(original: Callable[..., Any], series: Any, other: Any) -> Any:
    if not any_traced([series.coef]):
        return original(series, other)
    if other != int(other) or other < 0:
        raise ValueError("Power must be a non-negative integer.")
    coef: Any = np.ones(1)
    for _ in range(int(other)):
        coef = _times(series._mul, coef, series.coef)
    return _like(series, coef)


def _roots(original: Callable[..., Any], series: Any) -> Any:
    if not any_traced([series.coef]):
        return original(series)
    raise unsupported("roots of a series of unknown coefficients", "Make the roots unknowns, with their equations.")


replace_method_always(*BASE, "deriv", _derivative)
replace_method_always(*BASE, "integ", _integral)
replace_method_always(*BASE, "__pow__", _power)
replace_method_always(*BASE, "roots", _roots)
for _names, _combine in {
    "__add__ __radd__": lambda s, a, b: _plus(a, b),
    "__sub__": lambda s, a, b: _plus(a, np.negative(stack_objects(b))),
    "__rsub__": lambda s, a, b: _plus(np.negative(a), b),
    "__mul__ __rmul__": lambda s, a, b: _times(s._mul, a, b),
}.items():
    for _name in _names.split():
        replace_method_always(*BASE, _name, _operator(_combine))
