"""Rules of integration, which are linear in the values.

What SciPy makes of the columns of the identity is a matrix, by which the traced values are multiplied.
"""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import scipy.special

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, known
from sparsead.ops.registry import patched_later
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.replacing.standins import aside


def _rule(name: str, points: int = 4) -> None:
    def along_rows(x: Any) -> Any:
        return getattr(importlib.import_module("scipy.integrate"), name)(x[:, :points] ** 2, dx=0.5)

    @patched_later("scipy.integrate", name, along_rows)
    def integrated(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, **options: Any) -> Any:
        if any_traced(x, dx, options) or np.ndim(0 if x is None else x) > 1:
            raise unsupported(
                f"scipy.integrate.{name} with traced points", "Only the values may be unknown; np.trapezoid takes both."
            )
        x, dx, y = known(x, "x"), known(dx, "dx"), traced(stack_objects(y))
        original = getattr(importlib.import_module("scipy.integrate"), name)
        n, axis = y.shape[axis], axis % y.ndim
        options |= {"dx": dx, "axis": -1} | ({} if x is None else {"x": x})
        with aside():
            added = np.asarray(original(np.zeros(n), **options))  # whatever the values are: initial=
            units = np.asarray(original(np.eye(n), **options)) - added
        result = _along(units, y, axis)
        if not np.any(added != 0.0):
            return result
        return result + added.reshape([-1 if k == axis else 1 for k in range(y.ndim)])


def _along(units: np.ndarray, y: Any, axis: int) -> Any:
    """Return the sums of what became of unit values, (n,) or (n, m), times the values along an axis."""
    product = np.tensordot(units.T, np.moveaxis(y, axis, 0), axes=1)
    return product if units.ndim == 1 else np.moveaxis(product, 0, axis)


_rule("simpson")
_rule("cumulative_trapezoid")
_rule("cumulative_simpson")
_rule("romb", points=3)


@patched_later(
    "scipy.integrate", "fixed_quad",
    lambda x: importlib.import_module("scipy.integrate").fixed_quad(np.sin, x[0, 0], x[1, 1] + 1.0)[0],
)  # fmt: skip
def fixed_quad(func: Any, a: Any, b: Any, args: Any = (), n: int = 5) -> Any:
    """``scipy.integrate.fixed_quad``: nodes and weights are fixed, the ends of the interval may be unknown."""
    nodes, weights = scipy.special.roots_legendre(n)
    length = np.subtract(b, a)
    return length / 2.0 * np.sum(weights * func(length * (nodes + 1.0) / 2.0 + a, *args), axis=-1), None
