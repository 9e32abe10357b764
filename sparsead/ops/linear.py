"""Functions that are linear in traced values: interpolation of unknown ordinates, rules of integration.

What SciPy makes of the columns of the identity is a matrix, by which the traced values are multiplied.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import Sample, any_traced, patched_later, traced
from sparsead.tracing.array import stack_objects

MOST = 200  # ordinates where the points are traced, too: a curve for each


# -- interpolation of unknown ordinates ---------------------------------------------------------------------------
class OfOrdinates:
    """What stands for an interpolator of traced ordinates: a sum of the interpolators of unit ordinates.

    Parameters
    ----------
    name : str
        The class, for messages.
    made : callable
        From ordinates, constant ones of the same shape, to the interpolator.
    ordinates : TracedArray
        The traced ones.
    """

    def __init__(self, name: str, made: Callable[[np.ndarray], Any], ordinates: Any) -> None:
        self._name, self._made, self._ordinates = name, made, ordinates

    def __call__(self, *points: Any, **options: Any) -> Any:
        """Return the values at points."""
        return self._combined(lambda curve: curve(*points, **options), any_traced(points))

    def ev(self, *points: Any, **options: Any) -> Any:
        """Same as ``RectBivariateSpline.ev``."""
        return self._combined(lambda surface: surface.ev(*points, **options), any_traced(points))

    def _combined(self, evaluate: Callable[[Any], Any], at_traced: bool) -> Any:
        flat = self._ordinates.reshape(-1)
        if at_traced and flat.size > MOST:
            raise unsupported(
                f"scipy.interpolate.{self._name} of {flat.size} unknown ordinates at unknown points",
                f"Up to {MOST} ordinates; or interpolate constants there, or unknown ordinates at constant points.",
            )
        total: Any = 0.0
        columns = []
        for k in range(flat.size):
            unit = np.zeros(flat.size)
            unit[k] = 1.0
            column = evaluate(self._made(unit.reshape(self._ordinates.shape)))
            if at_traced:
                total = total + column * flat[k]
            else:
                columns.append(np.asarray(column))
        return total if at_traced else np.stack(columns, axis=-1) @ flat

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise unsupported(f"{self._name}.{attribute} of unknown ordinates", "Call it, with nu= for derivatives.")


def _curve(name: str, *samples: Sample) -> None:
    @patched_later("scipy.interpolate", name, *samples)
    def of_ordinates(x: Any, y: Any, *args: Any, **options: Any) -> OfOrdinates:
        if any_traced(x, args, options) or np.ndim(y) != 1:
            raise unsupported(f"scipy.interpolate.{name} in this form", "Only ordinates of one axis may be unknown.")
        original = getattr(importlib.import_module("scipy.interpolate"), name)
        return OfOrdinates(name, lambda unit: original(x, unit, *args, **options), traced(stack_objects(y)))


_curve("CubicSpline")
_curve("interp1d")
_curve("make_interp_spline")
_curve("BarycentricInterpolator")


@patched_later("scipy.interpolate", "RegularGridInterpolator")
def regular_grid(points: Any, values: Any, *args: Any, **options: Any) -> OfOrdinates:
    """``scipy.interpolate.RegularGridInterpolator`` of unknown values."""
    if any_traced(points, args, options):
        raise unsupported("scipy.interpolate.RegularGridInterpolator on unknown points", "Only values may be unknown.")
    original = importlib.import_module("scipy.interpolate").RegularGridInterpolator
    return OfOrdinates(
        "RegularGridInterpolator", lambda unit: original(points, unit, *args, **options), traced(stack_objects(values))
    )


@patched_later("scipy.interpolate", "RectBivariateSpline")
def rectangle(x: Any, y: Any, z: Any, *args: Any, **options: Any) -> OfOrdinates:
    """``scipy.interpolate.RectBivariateSpline`` of unknown values."""
    if any_traced(x, y, args, options):
        raise unsupported("scipy.interpolate.RectBivariateSpline on unknown points", "Only values may be unknown.")
    original = importlib.import_module("scipy.interpolate").RectBivariateSpline
    return OfOrdinates(
        "RectBivariateSpline", lambda unit: original(x, y, unit, *args, **options), traced(stack_objects(z))
    )


# -- rules of integration -----------------------------------------------------------------------------------------
def _rule(name: str) -> None:
    @patched_later("scipy.integrate", name)
    def integrated(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1, **options: Any) -> Any:
        if any_traced(x, dx, options) or np.ndim(0 if x is None else x) > 1:
            raise unsupported(
                f"scipy.integrate.{name} with traced points", "Only the values may be unknown; np.trapezoid takes both."
            )
        y = traced(stack_objects(y))
        original = getattr(importlib.import_module("scipy.integrate"), name)
        units = original(np.eye(y.shape[axis]), x=x, dx=dx, axis=-1, **options)
        return _along(np.asarray(units), y, axis)


def _along(units: np.ndarray, y: Any, axis: int) -> Any:
    """Return the sums of what became of unit values, (n,) or (n, m), times the values along an axis."""
    product = np.tensordot(units.T, np.moveaxis(y, axis, 0), axes=1)
    return product if units.ndim == 1 else np.moveaxis(product, 0, axis)


_rule("simpson")
_rule("cumulative_trapezoid")
