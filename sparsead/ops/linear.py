"""Functions that are linear in traced values: interpolation of unknown ordinates, rules of integration.

What SciPy makes of the columns of the identity is a matrix, by which the traced values are multiplied.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.registry import any_traced, known, patched_later, traced
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
        points = _plain_unless_traced(points)
        return self._combined(lambda curve: curve(*points, **options), any_traced(points))

    def ev(self, *points: Any, **options: Any) -> Any:
        """Same as ``RectBivariateSpline.ev``."""
        points = _plain_unless_traced(points)
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


def _plain_unless_traced(points: Any) -> Any:
    """Return constant points as SciPy takes them: arrays made in a traced function are of our kind."""
    return points if any_traced(points) else known(points, "points")


PLACES = np.linspace(0.0, 1.0, 4)  # of the samples' ordinates
ORDINATES = "unknown ordinates"


def _places_first(args: Any, options: dict[str, Any]) -> list[Any]:
    """Return places, ordinates and what else has no name; BarycentricInterpolator calls the first two xi and yi."""
    given = [*args]
    for names in (("x", "xi"), ("y", "yi"))[len(given) :]:
        given += [options.pop(name) for name in names if name in options]
    return given


def _curve(name: str) -> None:
    def at_constants(x: Any) -> Any:
        return getattr(importlib.import_module("scipy.interpolate"), name)(PLACES, x[0])(np.array([0.2, 0.5, 0.9]))

    @patched_later("scipy.interpolate", name, at_constants, of=ORDINATES)
    def of_ordinates(*args: Any, **options: Any) -> OfOrdinates:
        x, y, *others = _places_first(args, options)
        if any_traced(x, others, options) or np.ndim(y) != 1:
            raise unsupported(f"scipy.interpolate.{name} in this form", "Only ordinates of one axis may be unknown.")
        original = getattr(importlib.import_module("scipy.interpolate"), name)
        return OfOrdinates(name, lambda unit: original(x, unit, *others, **options), traced(stack_objects(y)))


_curve("CubicSpline")
_curve("interp1d")
_curve("make_interp_spline")
_curve("BarycentricInterpolator")


def _sample_grid(x: Any) -> Any:
    scipy_interpolate = importlib.import_module("scipy.interpolate")
    return scipy_interpolate.RegularGridInterpolator((PLACES[:3], PLACES), x)([[0.1, 0.3], [0.6, 0.9]])


@patched_later("scipy.interpolate", "RegularGridInterpolator", _sample_grid, of=ORDINATES)
def regular_grid(points: Any, values: Any, *args: Any, **options: Any) -> OfOrdinates:
    """``scipy.interpolate.RegularGridInterpolator`` of unknown values."""
    if any_traced(points, args, options):
        raise unsupported("scipy.interpolate.RegularGridInterpolator on unknown points", "Only values may be unknown.")
    if "pchip" in (*args, *options.values()):
        raise unsupported(
            "scipy.interpolate.RegularGridInterpolator with method='pchip'",
            "It is not linear in its values; take method='linear' or a spline.",
        )
    original = importlib.import_module("scipy.interpolate").RegularGridInterpolator
    return OfOrdinates(
        "RegularGridInterpolator", lambda unit: original(points, unit, *args, **options), traced(stack_objects(values))
    )


def _sample_rectangle(x: Any) -> Any:
    scipy_interpolate = importlib.import_module("scipy.interpolate")
    return scipy_interpolate.RectBivariateSpline(PLACES, PLACES, x[[0, 1, 2, 0]]).ev([0.1, 0.5], [0.3, 0.9])


@patched_later("scipy.interpolate", "RectBivariateSpline", _sample_rectangle, of=ORDINATES)
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
    def along_rows(x: Any) -> Any:
        return getattr(importlib.import_module("scipy.integrate"), name)(x**2, dx=0.5)

    @patched_later("scipy.integrate", name, along_rows)
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
