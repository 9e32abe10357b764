"""The distributions of scipy.stats: their standard forms are NumPy code, which is traced; the rest is stated here."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import scipy.special as sc

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.replacing.methods import replace_method

# Method -> the standard form that it calls, whether it is a density (divided by the scale), a logarithm, and its
# values below and above the support.
CONTINUOUS = {
    "pdf": ("_pdf", True, False, 0.0, 0.0),
    "logpdf": ("_logpdf", True, True, -np.inf, -np.inf),
    "cdf": ("_cdf", False, False, 0.0, 1.0),
    "logcdf": ("_logcdf", False, True, -np.inf, 0.0),
    "sf": ("_sf", False, False, 1.0, 0.0),
    "logsf": ("_logsf", False, True, 0.0, -np.inf),
}


def _student(x: Any, df: Any) -> Any:
    scale = sc.gammaln(0.5 * (df + 1.0)) - sc.gammaln(0.5 * df) - 0.5 * np.log(df * np.pi)
    return scale - 0.5 * (df + 1.0) * np.log1p(x * x / df)


def _cauchy(x: Any) -> Any:
    return -np.log(np.pi) - np.log1p(x * x)


def _lognormal(x: Any, s: Any) -> Any:
    return -0.5 * (np.log(x) / s) ** 2 - np.log(s * x * np.sqrt(2.0 * np.pi))


def _beta(x: Any, a: Any, b: Any) -> Any:
    return sc.xlogy(a - 1.0, x) + sc.xlog1py(b - 1.0, -x) - sc.betaln(a, b)


def _extreme(x: Any, c: Any) -> Any:
    bounded = np.where(np.equal(c, 0.0), 1.0, c)
    logarithm = np.log1p(-c * x)
    value = logarithm * (1.0 / bounded - 1.0) - np.exp(logarithm / bounded)
    return np.where(np.equal(c, 0.0), -x - np.exp(-x), value)


def _skew_normal(x: Any, a: Any) -> Any:
    return np.log(2.0) - 0.5 * (x * x + np.log(2.0 * np.pi)) + sc.log_ndtr(a * x)


def _triangle(x: Any, c: Any) -> Any:
    return np.log(np.where(x < c, 2.0 * x / c, 2.0 * (1.0 - x) / np.subtract(1.0, c)))


# Logarithms of densities whose form in SciPy chooses by the values, or is compiled.
OWN: dict[str, Any] = {
    "beta": _beta, "cauchy": _cauchy, "lognorm": _lognormal, "t": _student, "genextreme": _extreme,
    "skewnorm": _skew_normal, "triang": _triangle,
}  # fmt: skip
# Forms that a distribution may leave to the general one, which is not traced: of which other form they are made.
GENERAL: dict[str, tuple[str, Any]] = {
    "_logpdf": ("_pdf", np.log), "_logcdf": ("_cdf", np.log), "_logsf": ("_sf", np.log),
    "_sf": ("_cdf", lambda value: 1.0 - value),
}  # fmt: skip


def _standard(distribution: Any, form: str) -> Any:
    """Return the standard form of a distribution, as NumPy code."""
    import scipy.stats  # takes long to import, and is there where a distribution is

    own = OWN.get(distribution.name)
    if own is not None and form in ("_pdf", "_logpdf"):
        return own if form == "_logpdf" else lambda x, *shapes: np.exp(own(x, *shapes))
    general = getattr(scipy.stats.rv_continuous, form)
    if form in GENERAL and getattr(type(distribution), form) is general:
        other, made = GENERAL[form]
        return lambda x, *shapes: made(_standard(distribution, other)(x, *shapes))
    return getattr(distribution, form)


def _where_defined(value: Any, distribution: Any, shapes: Any, scale: Any = 1.0) -> Any:
    """Return values where the parameters are those of a distribution, and NaN elsewhere, as SciPy does."""
    import scipy.stats

    general = type(distribution)._argcheck is scipy.stats.rv_continuous._argcheck
    if general or distribution.name == "erlang":  # whose own warns of numbers that are not whole
        defined = functools.reduce(np.logical_and, [np.greater(s, 0.0) for s in shapes], np.greater(scale, 0.0))
    else:
        defined = np.logical_and(distribution._argcheck(*shapes), np.greater(scale, 0.0))
    if any_traced(defined) or not np.all(defined):
        value = np.where(defined, value, np.nan)
    return value[()] if np.ndim(value) == 0 else value


def _state(method: str) -> None:
    form, density, logarithm, below, above = CONTINUOUS[method]

    def replacement(original: Any, distribution: Any, x: Any, *args: Any, **kwargs: Any) -> Any:
        shapes, location, scale = distribution._parse_args(*map(stack_objects, args), **kwargs)
        y = (traced(stack_objects(x)) - location) / scale
        lowest, highest = distribution._get_support(*shapes)
        if any(hasattr(end, "storage") for end in (lowest, highest)):
            raise unsupported(f"scipy.stats.{distribution.name}.{method} with a traced support", "Write the formula.")
        value = _standard(distribution, form)(y, *shapes)
        if density:
            value = value - np.log(scale) if logarithm else value / scale
        value = np.where(y < lowest, below, np.where(y > highest, above, value))
        return _where_defined(value, distribution, shapes, scale)

    replace_method("scipy.stats", "rv_continuous", method, replacement)


for _method in CONTINUOUS:
    _state(_method)


OWN_QUANTILES: dict[tuple[str, str], Any] = {
    ("beta", "_ppf"): lambda q, a, b: sc.betaincinv(a, b, q),
    ("beta", "_isf"): lambda q, a, b: sc.betainccinv(a, b, q),
}  # fmt: skip


def _quantile(method: str, form: str, first: int) -> None:
    """State the inverse of a distribution function, or of 1 minus it, whose ends are `first` and the other one."""

    def replacement(original: Any, distribution: Any, q: Any, *args: Any, **kwargs: Any) -> Any:
        shapes, location, scale = distribution._parse_args(*map(stack_objects, args), **kwargs)
        q = traced(stack_objects(q))
        ends = distribution._get_support(*shapes)
        inside = np.logical_and(q > 0.0, q < 1.0)
        standard = OWN_QUANTILES.get((distribution.name, form)) or getattr(distribution, form)
        value = standard(np.where(inside, q, 0.5), *shapes)
        for end, at in zip(ends, (first, 1 - first), strict=True):
            value = np.where(np.equal(q, at), end, value)
        value = np.where(np.logical_and(q >= 0.0, q <= 1.0), value * scale + location, np.nan)
        return _where_defined(value, distribution, shapes, scale)

    replace_method("scipy.stats", "rv_continuous", method, replacement)


_quantile("ppf", "_ppf", 0)
_quantile("isf", "_isf", 1)


def _state_discrete(method: str, form: str) -> None:
    def replacement(original: Any, distribution: Any, k: Any, *args: Any, **kwargs: Any) -> Any:
        if any_traced(k):
            raise unsupported(
                f"scipy.stats.{distribution.name}.{method} at a traced count", "Counts are whole numbers."
            )
        shapes, location, _ = distribution._parse_args(*map(stack_objects, args), **kwargs)
        counts = np.asarray(k) - location
        if (counts < 0).any() or (counts != np.floor(counts)).any():
            raise unsupported(f"scipy.stats.{distribution.name}.{method} outside of its support", "Leave those out.")
        return _where_defined(getattr(distribution, form)(counts, *shapes), distribution, shapes)

    replace_method("scipy.stats", "rv_discrete", method, replacement)


_state_discrete("pmf", "_pmf")
_state_discrete("logpmf", "_logpmf")
_state_discrete("cdf", "_cdf")
_state_discrete("sf", "_sf")
