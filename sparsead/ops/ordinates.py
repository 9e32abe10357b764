"""Interpolators of unknown ordinates: sums of the interpolators of unit ordinates, weighted with the ordinates.

What SciPy makes of the columns of the identity is a matrix, by which the traced values are multiplied. What it makes
of zeros is what it adds whatever the ordinates are: values that fill up what is outside, given slopes at the ends.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, known
from sparsead.ops.filters import Imported
from sparsead.ops.registry import patched_later
from sparsead.ops.slopes import akima, pchip
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.replacing.standins import aside

MOST = 200  # ordinates where the points are traced, too: a curve for each
PLACES = np.linspace(0.0, 1.0, 4)  # of the samples' ordinates
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.1, 0.9]])
ORDINATES = "unknown ordinates"
HINT = "Only the ordinates may be unknown."
interpolate = Imported("scipy.interpolate")
CONSTANTS = ("fill_value", "bc_type")  # what an interpolator may add to a sum over ordinates


class OfOrdinates:
    """What stands for an interpolator of traced ordinates.

    Parameters
    ----------
    name : str
        The class, for messages.
    made : callable
        From constant ordinates to the interpolator.
    ordinates : TracedArray
        The traced ones; those of a curve along their first axis.
    axis : int, optional
        Where the points go in the result of a curve; None for a surface, whose ordinates are one array.
    adds : bool
        Whether it may add what does not depend on the ordinates, beside NaN outside.
    """

    def __init__(
        self, name: str, made: Callable[[Any], Any], ordinates: Any, axis: int | None = None, adds: bool = True
    ) -> None:
        self._name, self._made, self._ordinates, self._axis, self._adds = name, made, ordinates, axis, adds

    def __call__(self, *points: Any, **options: Any) -> Any:
        """Return the values at points."""
        points = _plain_unless_traced(points)
        return self._combined(lambda curve: curve(*points, **options), any_traced(points))

    def ev(self, *points: Any, **options: Any) -> Any:
        """Same as ``RectBivariateSpline.ev``."""
        points = _plain_unless_traced(points)
        return self._combined(lambda surface: surface.ev(*points, **options), any_traced(points))

    def derivative(self, nu: int = 1) -> OfOrdinates:
        """Return the derivative, which is a sum over the ordinates, too."""
        return self._changed(lambda curve: curve.derivative(nu))

    def antiderivative(self, nu: int = 1) -> OfOrdinates:
        """Return the antiderivative."""
        return self._changed(lambda curve: curve.antiderivative(nu))

    def integrate(self, a: Any, b: Any, *options: Any) -> Any:
        """Return the integral between constant ends."""
        a, b = (known(end, f"{self._name}.integrate of unknown ordinates between ends") for end in (a, b))
        return self._combined(lambda curve: curve.integrate(a, b, *options), False)

    def _changed(self, change: Callable[[Any], Any]) -> OfOrdinates:
        made = self._made
        return OfOrdinates(self._name, lambda v: change(made(v)), self._ordinates, self._axis, self._adds)

    def _combined(self, evaluate: Callable[[Any], Any], at_traced: bool) -> Any:
        values = self._ordinates.reshape(-1) if self._axis is None else self._ordinates
        n = values.shape[0]
        if at_traced and n > MOST:
            raise unsupported(
                f"scipy.interpolate.{self._name} of {n} unknown ordinates at unknown points",
                f"Up to {MOST} ordinates; or interpolate constants there, or unknown ordinates at constant points.",
            )
        shape = self._ordinates.shape if self._axis is None else (n,)

        def of(ordinates: np.ndarray) -> Any:
            return evaluate(self._made(ordinates.reshape(shape)))

        if at_traced:
            return self._sum_of_traced([of(unit) for unit in np.eye(n)], of(np.zeros(n)) if self._adds else 0.0, values)
        with aside():
            added = np.asarray(of(np.zeros(n)))
            weights = np.stack([np.asarray(of(unit)) - added for unit in np.eye(n)], axis=-1)
        weights[np.isnan(weights)] = 0.0  # outside, where it adds NaN
        result = weights @ values if values.ndim == 1 else np.tensordot(weights, values, axes=1)
        ndim, axis = added.ndim, self._axis or 0
        if np.any(added != 0.0):
            result = result + added.reshape(added.shape + (1,) * (np.ndim(result) - ndim))
        return np.moveaxis(result, range(ndim), range(axis, axis + ndim))

    def _sum_of_traced(self, columns: list[Any], added: Any, values: Any) -> Any:
        if values.ndim > 1:
            raise unsupported(
                f"scipy.interpolate.{self._name} of unknown ordinates of several axes at unknown points",
                "Make one interpolator for each.",
            )
        total = added
        for column, value in zip(columns, values, strict=True):
            total = total + (column - added if self._adds else column) * value
        return total

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise unsupported(
            f"{self._name}.{attribute} of unknown ordinates",
            "Call it, its derivative() or antiderivative(), or integrate().",
        )


def _plain_unless_traced(points: Any) -> Any:
    """Return constant points as SciPy takes them: arrays made in a traced function are of our kind."""
    return points if any_traced(points) else known(points, "points")


def _class(name: str) -> Any:
    return getattr(importlib.import_module("scipy.interpolate"), name)


def _bound(name: str, args: Any, options: Any, *unknown: str) -> dict[str, Any]:
    """Return the arguments of an interpolator by name; refuse unknowns in others than are named."""
    given = inspect.signature(_class(name)).bind(*args, **options).arguments
    given |= given.pop("kwargs", {})
    others = {key: value for key, value in given.items() if key not in unknown}
    if any_traced(others):
        met = ", ".join(key for key, value in others.items() if any_traced([value]))
        raise unsupported(f"scipy.interpolate.{name} of unknown {met}", HINT)
    return {**given, **{key: _plain_unless_traced(value) for key, value in others.items()}}


def _adds(given: dict[str, Any]) -> bool:
    """Tell whether arguments say what an interpolator adds."""
    return any(not isinstance(given.get(name), (str, type(None))) for name in CONSTANTS) or "ext" in given


def _check_form(name: str, form: str) -> None:
    if form:
        raise unsupported(f"scipy.interpolate.{name} {form}", "It is not linear in its values; take another form.")


def _first_axis(array: Any, axis: int) -> tuple[Any, int]:
    """Return unknown ordinates with their axis in front, and where it was."""
    array = traced(stack_objects(array))
    return np.moveaxis(array, axis, 0), axis % max(array.ndim, 1)


# -- curves -------------------------------------------------------------------------------------------------------
def _linear(given: dict[str, Any]) -> str:
    return ""


def _curve(
    name: str, ordinates: str, sample: Callable[[Any], Any], axis: int = 0, unlike: Callable[[Any], str] = _linear
) -> None:
    """State the curve through ordinates of this name, along an axis; `unlike` names a form that is no sum over them."""

    @patched_later("scipy.interpolate", name, sample, of=ORDINATES)
    def of_ordinates(*args: Any, **options: Any) -> OfOrdinates:
        given = _bound(name, args, options, ordinates)
        _check_form(name, unlike(given))
        original = _class(name)
        has_axis = "axis" in inspect.signature(original).parameters
        values, at = _first_axis(given[ordinates], given.get("axis", axis))
        given |= {"axis": 0} if has_axis else {}
        made = lambda v: original(**{**given, ordinates: v})  # noqa: E731  (what it is called)
        if given.get("bc_type") == "periodic" and name in (
            "CubicSpline",
            "make_interp_spline",
        ):  # both ends are one ordinate
            return OfOrdinates(name, lambda v: made(np.append(v, v[0])), values[:-1], at, False)
        return OfOrdinates(name, made, values, at, _adds(given))


def _through(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(interpolate, name)(PLACES, x[0])(np.array([0.2, 0.5, 0.9]))


_curve("CubicSpline", "y", _through("CubicSpline"))
_curve("interp1d", "y", _through("interp1d"), axis=-1)
_curve("make_interp_spline", "y", _through("make_interp_spline"))
_curve("BarycentricInterpolator", "yi", _through("BarycentricInterpolator"))
_curve("KroghInterpolator", "yi", _through("KroghInterpolator"))
_curve("InterpolatedUnivariateSpline", "y", _through("InterpolatedUnivariateSpline"))
_curve("BSpline", "c", lambda x: interpolate.BSpline(np.arange(8.0), x[0], 3)(np.array([3.2, 3.7])))
_curve("make_lsq_spline", "y", lambda x: interpolate.make_lsq_spline(PLACES, x[0], [0.0, 0.0, 1.0, 1.0], 1)([0.3]))
_curve(
    "make_smoothing_spline",
    "y",
    lambda x: interpolate.make_smoothing_spline(np.arange(5.0), x[0, [0, 1, 2, 3, 0]], lam=0.1)([0.3]),
    unlike=lambda given: "without lam=, which it then looks for," if given.get("lam") is None else "",
)
_curve("NearestNDInterpolator", "y", lambda x: interpolate.NearestNDInterpolator(CORNERS, x[0])([[0.4, 0.3]]))
_curve("LinearNDInterpolator", "values", lambda x: interpolate.LinearNDInterpolator(CORNERS, x[0])([[0.4, 0.3]]))
_curve("RBFInterpolator", "d", lambda x: interpolate.RBFInterpolator(CORNERS, x[0])([[0.4, 0.3]]))


def hermite(x: Any, y: Any, slopes: Any, axis: int = 0, extrapolate: Any = None, name: str = "") -> OfOrdinates:
    """Return the piecewise cubic curve through unknown ordinates with unknown slopes."""
    n, original = len(x), _class("CubicHermiteSpline")
    values, at = _first_axis(y, axis)
    both = np.concatenate([values, _first_axis(slopes, axis)[0]])
    made = lambda v: original(x, v[:n], v[n:], extrapolate=extrapolate)  # noqa: E731  (what it is called)
    return OfOrdinates(name or "CubicHermiteSpline", made, both, at, False)


@patched_later(
    "scipy.interpolate",
    "CubicHermiteSpline",
    lambda x: interpolate.CubicHermiteSpline(PLACES, x[0], x[1])([0.2, 0.5]),
    of=ORDINATES,
)
def cubic_hermite(*args: Any, **options: Any) -> OfOrdinates:
    """``scipy.interpolate.CubicHermiteSpline``."""
    given = _bound("CubicHermiteSpline", args, options, "y", "dydx")
    return hermite(given.pop("x"), given.pop("y"), given.pop("dydx"), **given)


def _shaped(name: str, slopes: Callable[..., Any]) -> None:
    """State a curve whose slopes are found from the slopes of the chords."""

    @patched_later("scipy.interpolate", name, _through(name), of=ORDINATES)
    def of_ordinates(*args: Any, **options: Any) -> OfOrdinates:
        given = _bound(name, args, options, "y")
        values, at = _first_axis(given["y"], given.get("axis", 0))
        x = np.asarray(given["x"], dtype=float)
        _class(name)(x, np.zeros(values.shape))  # raises for abscissae that it does not take
        settings = {"method": given["method"]} if "method" in given else {}
        extrapolate = given.get("extrapolate", False if name == "Akima1DInterpolator" else None)
        curve = hermite(x, values, slopes(x, values, **settings), 0, extrapolate, name)
        curve._axis = at
        return curve


_shaped("PchipInterpolator", pchip)
_shaped("Akima1DInterpolator", akima)


# -- surfaces and pieces ------------------------------------------------------------------------------------------
def _surface(
    name: str, ordinates: str, sample: Callable[[Any], Any], unlike: Callable[[Any], str] = _linear
) -> Callable[..., OfOrdinates]:
    """State an interpolator of an array of ordinates; `unlike` names a form that is no sum over them."""

    @patched_later("scipy.interpolate", name, sample, of=ORDINATES)
    def of_ordinates(*args: Any, **options: Any) -> OfOrdinates:
        given = _bound(name, args, options, ordinates)
        _check_form(name, unlike(given))
        original = _class(name)
        made = lambda v: original(**{**given, ordinates: v})  # noqa: E731  (what it is called)
        return OfOrdinates(name, made, traced(stack_objects(given[ordinates])), adds=_adds(given))

    return of_ordinates


def _not_on_a_grid(given: Any) -> str:
    return "with method='pchip'" if given.get("method") == "pchip" else ""


on_a_grid = _surface(
    "RegularGridInterpolator",
    "values",
    lambda x: interpolate.RegularGridInterpolator((PLACES[:3], PLACES), x)([[0.1, 0.3], [0.6, 0.9]]),
    _not_on_a_grid,
)
_surface(
    "RectBivariateSpline",
    "z",
    lambda x: interpolate.RectBivariateSpline(PLACES, PLACES, x[[0, 1, 2, 0]]).ev([0.1, 0.5], [0.3, 0.9]),
)
_surface("PPoly", "c", lambda x: interpolate.PPoly(x, np.arange(5.0))([0.4, 3.2]))
_surface("BPoly", "c", lambda x: interpolate.BPoly(x, np.arange(5.0))([0.4, 3.2]))
_surface(
    "UnivariateSpline",
    "y",
    lambda x: interpolate.UnivariateSpline(PLACES, x[0], s=0)([0.3, 0.7]),
    lambda given: "" if given.get("s") == 0 else "that smooths, of unknown ordinates",
)


@patched_later(
    "scipy.interpolate",
    "interpn",
    lambda x: interpolate.interpn((PLACES[:3], PLACES), x, [[0.1, 0.3], [0.6, 0.9]]),
    lambda x: interpolate.interpn((PLACES,), PLACES**2, x[0]),
)
def interpn(
    points: Any, values: Any, xi: Any, method: str = "linear", bounds_error: bool = True, fill_value: Any = np.nan
) -> Any:
    """``scipy.interpolate.interpn``."""
    if method == "splinef2d":
        raise unsupported("scipy.interpolate.interpn with method='splinef2d'", "Use RectBivariateSpline.")
    options = {"method": method, "bounds_error": bounds_error, "fill_value": fill_value}
    unknown = any_traced([values])
    table = on_a_grid if unknown else _class("RegularGridInterpolator")
    return table(_plain_unless_traced(points), values if unknown else known(values, ""), **options)(xi)
