"""More functions of complex arrays: those whose definition holds for them too, and those that a formula gives."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops import (  # noqa: F401  (stated first)
    application,
    assembly,
    composed,
    contraction,
    folding,
    linalg,
    polynomials,
    reduction,
    sequences,
    spellings,
    tables,
    writing,
)
from sparsead.ops.complex import Pair, joined, linear, log, of_parts
from sparsead.ops.registry import record, rule_of
from sparsead.tracing.complex import COMPLEX_HANDLERS, parts
from sparsead.tracing.late import HANDLERS

#: Functions whose definition, in terms of others, means the same for complex arrays.
DEFINED: list[Any] = [
    np.trapezoid, np.polyval, np.polyadd, np.polysub, np.polyder, np.polyint, np.vander, np.linspace,
    np.fill_diagonal, np.put, np.copyto, np.choose, np.apply_along_axis, np.put_along_axis, np.putmask, np.place,
]  # fmt: skip
COMPLEX_HANDLERS |= {function: HANDLERS[function] for function in DEFINED}
linear(np.linalg.trace, np.gradient)
if hasattr(np, "cumulative_sum"):  # NumPy 2.1
    linear(np.cumulative_sum)
if hasattr(np, "matvec"):  # NumPy 2.2
    COMPLEX_HANDLERS[np.matvec] = HANDLERS[np.matvec]
    COMPLEX_HANDLERS[np.vecmat] = lambda a, b: np.matmul(np.conjugate(a)[..., None, :], b)[..., 0, :]
vecdot = rule_of(np.vecdot)
PRODUCTS: dict[Any, Any] = {
    np.linalg.matmul: lambda a, b: np.matmul(a, b), np.linalg.outer: HANDLERS[np.linalg.outer],
    np.linalg.tensordot: lambda a, b, /, *, axes=2: np.tensordot(a, b, axes),
    np.vecdot: lambda a, b, axis=-1: vecdot(np.conjugate(a), b, axis),
    np.linalg.vecdot: lambda a, b, /, *, axis=-1: vecdot(np.conjugate(a), b, axis),
}  # fmt: skip
COMPLEX_HANDLERS |= PRODUCTS


def _point(x: Any) -> Any:
    return x + 1j * x[:, ::-1] ** 2


def pad(array: Any, pad_width: Any, mode: Any = "constant", **settings: Any) -> Any:
    """``np.pad``: both parts, each with its part of the values that are given."""
    if mode in ("maximum", "minimum", "median"):
        raise unsupported(f"np.pad of complex values with mode={mode!r}", "It orders them; pad the parts one by one.")
    pairs = {name: parts(value) for name, value in settings.items()}
    given = ("constant_values", "end_values")
    of_real = {name: real for name, (real, _) in pairs.items()}
    of_imag = {k: (0.0 if imag is None else imag) if k in given else real for k, (real, imag) in pairs.items()}
    return joined(np.pad(array.real, pad_width, mode, **of_real), np.pad(array.imag, pad_width, mode, **of_imag))


def var(a: Any, *args: Any, mean: Any = None, **options: Any) -> Any:
    """``np.var``: the sum of those of both parts."""
    first, second = ({}, {}) if mean is None else ({"mean": mean.real}, {"mean": mean.imag})
    variance: Any = np.var
    return variance(a.real, *args, **options, **first) + variance(a.imag, *args, **options, **second)


def std(a: Any, *args: Any, **options: Any) -> Any:
    """``np.std``."""
    return np.sqrt(var(a, *args, **options))


def nan_to_num(x: Any, copy: bool = True, **values: Any) -> Any:
    """``np.nan_to_num``, of each part."""
    if not copy:
        raise unsupported("np.nan_to_num of complex values with copy=False", "Assign what it returns.")
    return joined(np.nan_to_num(x.real, **values), np.nan_to_num(x.imag, **values))


COMPLEX_HANDLERS |= {
    np.pad: pad, np.var: var, np.std: std, np.nan_to_num: nan_to_num,
    np.linalg.matrix_power: HANDLERS[np.linalg.matrix_power],
}  # fmt: skip
record(
    "complex",
    "np.pad of complex values",
    [
        lambda x: np.pad(_point(x), 1, mode="reflect").imag,
        lambda x: np.pad(_point(x), 1, constant_values=2.0 - 1j).imag,
        lambda x: np.pad(_point(x), 1, mode="linear_ramp", end_values=1j).imag,
        lambda x: np.pad(_point(x), 1, mode="mean", stat_length=2).real,
    ],
)


# -- elementary functions -----------------------------------------------------------------------------------------
@of_parts(np.log2, lambda x: np.log2(_point(x)).imag)
def log2(a: Any, b: Any) -> Pair:
    """Principal branch."""
    real, imag = log(a, b)
    return real / np.log(2.0), imag / np.log(2.0)


@of_parts(np.log1p, lambda x: np.log1p(_point(x)).real, lambda x: np.log1p(_point(x)).imag)
def log1p(a: Any, b: Any) -> Pair:
    """Principal branch, with the digits that NumPy's own has."""
    return np.log(np.hypot(1.0 + a, b)), np.arctan2(b, 1.0 + a)


@of_parts(np.expm1, lambda x: np.expm1(_point(x)).real, lambda x: np.expm1(_point(x)).imag)
def expm1(a: Any, b: Any) -> Pair:
    """``exp(z) - 1``, without a loss of digits near 0."""
    half = np.sin(0.5 * b)
    return np.expm1(a) * np.cos(b) - 2.0 * half * half, np.exp(a) * np.sin(b)


@of_parts(np.exp2, lambda x: np.exp2(_point(x)).imag)
def exp2(a: Any, b: Any) -> Any:
    """``exp(z log 2)``."""
    return parts(np.exp(np.log(2.0) * joined(a, b)))


@of_parts(np.arctanh, lambda x: np.arctanh(_point(x)).imag, lambda x: np.arctanh(_point(x)).real)
def arctanh(a: Any, b: Any) -> Pair:
    """``(log(1 + z) - log(1 - z)) / 2``."""
    size = (1.0 - a) ** 2 + b * b
    return 0.25 * np.log1p(4.0 * a / size), 0.5 * (np.arctan2(b, 1.0 + a) + np.arctan2(b, 1.0 - a))


@of_parts(np.arctan, lambda x: np.arctan(_point(x)).imag, lambda x: np.arctan(_point(x)).real)
def arctan(a: Any, b: Any) -> Pair:
    """``-i arctanh(iz)``."""
    real, imag = arctanh(-b, a)
    return imag, -real


@of_parts(np.arcsinh, lambda x: np.arcsinh(_point(x)).imag, lambda x: np.arcsinh(_point(x)).real)
def arcsinh(a: Any, b: Any) -> Any:
    """``log(z + sqrt(1 + iz) sqrt(1 - iz))``."""
    z = joined(a, b)
    return parts(np.log(z + np.sqrt(1.0 + 1j * z) * np.sqrt(1.0 - 1j * z)))


@of_parts(np.arcsin, lambda x: np.arcsin(_point(x)).imag, lambda x: np.arcsin(_point(x)).real)
def arcsin(a: Any, b: Any) -> Pair:
    """``-i arcsinh(iz)``."""
    real, imag = arcsinh(-b, a)
    return imag, -real


@of_parts(np.arccos, lambda x: np.arccos(_point(x)).imag, lambda x: np.arccos(_point(x)).real)
def arccos(a: Any, b: Any) -> Pair:
    """``pi / 2 - arcsin(z)``."""
    real, imag = arcsin(a, b)
    return 0.5 * np.pi - real, -imag


@of_parts(np.arccosh, lambda x: np.arccosh(_point(x)).imag, lambda x: np.arccosh(_point(x)).real)
def arccosh(a: Any, b: Any) -> Any:
    """``log(z + sqrt(z + 1) sqrt(z - 1))``."""
    z = joined(a, b)
    return parts(np.log(z + np.sqrt(z + 1.0) * np.sqrt(z - 1.0)))


# -- questions ----------------------------------------------------------------------------------------------------
for _ask, _combine in ((np.isnan, np.logical_or), (np.isinf, np.logical_or), (np.isfinite, np.logical_and)):
    COMPLEX_HANDLERS[_ask] = lambda z, ask=_ask, combine=_combine: combine(ask(z.real), ask(z.imag))


def _both(x: Any, y: Any, compare: Any, combine: Any) -> Any:
    (a, b), (c, d) = parts(x), parts(y)
    return combine(compare(a, c), compare(0.0 if b is None else b, 0.0 if d is None else d))


COMPLEX_HANDLERS[np.equal] = lambda x, y: _both(x, y, np.equal, np.logical_and)
COMPLEX_HANDLERS[np.not_equal] = lambda x, y: _both(x, y, np.not_equal, np.logical_or)
record(
    "complex",
    "np.not_equal of complex values",
    [lambda x: np.where(np.not_equal(_point(x), 1j), x, 0.0), lambda x: np.where(np.isfinite(_point(x)), x, 0.0)],
)


# -- products along an axis ---------------------------------------------------------------------------------------
def prod(a: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, **more: Any) -> Any:
    """``np.prod``: by halves."""
    if more:
        raise unsupported(f"np.prod of complex values with {next(iter(more))}=", "Multiply by np.where(c, z, 1.0).")
    axes = tuple(range(a.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    kept = tuple(1 if k in {x % a.ndim for x in axes} else n for k, n in enumerate(a.shape))
    lines = np.moveaxis(a, axes, tuple(range(len(axes)))).reshape((-1, *np.delete(a.shape, axes)))
    while lines.shape[0] > 1:
        half = lines.shape[0] // 2
        rest = lines[2 * half :]
        lines = (
            np.concatenate([lines[:half] * lines[half : 2 * half], rest])
            if rest.size
            else (lines[:half] * lines[half : 2 * half])
        )
    product = lines[0] if lines.shape[0] else np.ones(lines.shape[1:])
    return np.reshape(product, kept) if keepdims else product


COMPLEX_HANDLERS |= {
    np.prod: prod,
    (np.multiply, "reduce"): lambda z, axis=0, **kwargs: prod(z, axis, **kwargs),
    np.float_power: COMPLEX_HANDLERS[np.power],
}
record("complex", "np.prod of complex values", [lambda x: np.prod(_point(x), axis=1).imag])
record("complex", "np.multiply.reduce of complex values", [lambda x: np.multiply.reduce(_point(x)).imag])


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """``np.linalg.norm``: of the moduli, or of the singular values."""
    if ord in (2, -2, "nuc") and (isinstance(axis, tuple) or (axis is None and np.ndim(x) == 2)):
        axes = (0, 1) if axis is None else axis
        s = np.linalg.svdvals(np.moveaxis(x, axes, (-2, -1)))
        found = np.sum(s, axis=-1) if ord == "nuc" else s[..., 0 if ord == 2 else -1]
        return np.expand_dims(found, axes) if keepdims else found
    if ord in (None, "fro", 2):
        return np.sqrt(np.sum(x.real**2 + x.imag**2, axis=axis, keepdims=keepdims))
    return np.linalg.norm(np.abs(x), ord, axis, keepdims)


COMPLEX_HANDLERS[np.linalg.norm] = norm
record("complex", "np.linalg.norm of complex values", [lambda x: np.linalg.norm(_point(x), axis=1)])
