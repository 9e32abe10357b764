"""What functions do to complex arrays, in terms of real and imaginary parts. Nothing below tracing knows of these."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import scipy.sparse

import sparsead.ops.composed
import sparsead.ops.movement  # noqa: F401  (both are stated first: movements act on complex arrays too)
from sparsead.errors import unsupported
from sparsead.ops.arrays import apply, is_traced
from sparsead.ops.registry import Sample, record, spelling_of
from sparsead.program.scalar import Op, define
from sparsead.tracing.complex import COMPLEX_HANDLERS, is_complex, parts
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.known import complex_of_parts
from sparsead.tracing.late import HANDLERS

Pair = tuple[Any, Any]


def joined(real: Any, imag: Any) -> Any:
    """Return the complex array of two parts (the real one alone where there is no imaginary part)."""
    return real if imag is None else complex_of_parts(traced(real), traced(imag))


def linear(*functions: Any) -> None:
    """State that functions act on the two parts of their one complex argument alike; all else are settings."""
    for func in functions:

        def handler(*args: Any, func: Any = func, **kwargs: Any) -> Any:
            pairs = [parts(a) for a in args]
            real_part = func(*(real for real, _ in pairs), **kwargs)
            imag_part = func(*(real if imag is None else imag for real, imag in pairs), **kwargs)
            if isinstance(real_part, (list, tuple)):
                return [joined(r, i) for r, i in zip(real_part, imag_part, strict=True)]
            return joined(real_part, imag_part)

        COMPLEX_HANDLERS[func] = handler


def additive(*functions: Any) -> None:
    """State that functions act on the parts of two operands alike; a real operand has the imaginary part 0."""
    for func in functions:

        def handler(x: Any, y: Any, *args: Any, func: Any = func, **kwargs: Any) -> Any:
            (a, b), (c, d) = parts(x), parts(y)
            b, d = (np.zeros_like(r) if i is None else i for r, i in ((a, b), (c, d)))
            return joined(func(a, c, *args, **kwargs), func(b, d, *args, **kwargs))

        COMPLEX_HANDLERS[func] = handler


def bilinear(*functions: Any) -> None:
    """State that functions of two operands are products: (a + ib)(c + id) = ac - bd + i(ad + bc)."""
    for func in functions:

        def handler(x: Any, y: Any, *args: Any, func: Any = func, **kwargs: Any) -> Any:
            (a, b), (c, d) = _present_parts(x), _present_parts(y)

            def times(p: Any, q: Any) -> Any:
                return None if p is None or q is None else func(p, q, *args, **kwargs)

            real, imag = _difference(times(a, c), times(b, d)), _total(times(a, d), times(b, c))
            zeros = np.zeros_like(imag if real is None else real)
            return joined(zeros if real is None else real, zeros if imag is None else imag)

        COMPLEX_HANDLERS[func] = handler


def _present_parts(z: Any) -> Pair:
    """Return the two parts; the real one is None where it is zero, as in ``1j * x``, so that no ``0 * x`` arises."""
    a, b = parts(z)
    return None if b is not None and _is_zero(a) else a, b


def _is_zero(part: Any) -> bool:
    return not scipy.sparse.issparse(part) and not is_traced(part) and not np.any(traced(part).plain)


def _difference(p: Any, q: Any) -> Any:
    if p is None:
        return None if q is None else -q
    return p if q is None else p - q


def _total(p: Any, q: Any) -> Any:
    return q if p is None else (p if q is None else p + q)


def of_parts(func: Any, *samples: Sample) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """State a function of one complex array by a formula in its two parts (used as a decorator)."""

    def register(formula: Callable[..., Any]) -> Callable[..., Any]:
        def handler(z: Any, *args: Any, **kwargs: Any) -> Any:
            result = formula(*parts(z), *args, **kwargs)
            return joined(*result) if isinstance(result, tuple) else result

        COMPLEX_HANDLERS[func] = handler
        record("complex", f"{spelling_of(func)} of complex values", samples)
        return formula

    return register


# -- what acts on both parts, and products ------------------------------------------------------------------------
linear(np.concatenate, np.stack, np.hstack, np.vstack, np.dstack, np.column_stack, np.block)
linear(np.resize, np.tril, np.triu, np.diagflat)
linear(np.negative, np.sum, np.mean, np.cumsum, np.trace)
# By movements and a difference, which know complex arrays:
COMPLEX_HANDLERS |= {np.diff: HANDLERS[np.diff], np.meshgrid: HANDLERS[np.meshgrid]}
additive(np.add, np.subtract, np.append)
bilinear(np.multiply, np.matmul, np.dot, np.inner, np.outer, np.kron, np.tensordot, np.convolve)


def _rotated(x: Any) -> Any:
    return x * np.exp(1j * x[:, ::-1])


def _scattered(x: Any) -> Any:
    out = _rotated(x)[0]
    np.add.at(out, [0, 2, 0], _rotated(x)[1, :3])
    np.add.at(out, [1, 1], x[2, :2])
    return out


def _scale(a: Any, b: Any) -> Any:
    return 1.0 / np.where(np.abs(a) >= np.abs(b), np.abs(a), np.abs(b))


# The result does not depend on it, so it counts as a constant.
SCALE = define(
    Op(
        "scale",
        _scale,
        "(1.0 / (abs({0}) if abs({0}) >= abs({1}) else abs({1})))",
        (None, None),
        cost=3,
    )
)


# -- functions of one complex array -------------------------------------------------------------------------------
@of_parts(np.conjugate, lambda x: (_rotated(x) * np.conj(_rotated(x[::-1]))).real)
def conjugate(a: Any, b: Any) -> Pair:
    """Conjugate."""
    return np.positive(a), -b


@of_parts(np.absolute, lambda x: np.abs(_rotated(x) + 1.0))
def absolute(a: Any, b: Any) -> Any:
    """Modulus."""
    return np.hypot(a, b)


@of_parts(np.angle, lambda x: np.angle(_rotated(x) + 1.0), lambda x: np.angle(_rotated(x) + 2.0, deg=True))
def angle(a: Any, b: Any, deg: bool = False) -> Any:
    """Argument."""
    return np.arctan2(b, a) * (180.0 / np.pi if deg else 1.0)


@of_parts(np.exp, lambda x: np.exp(x + 1j * x**2).imag)
def exp(a: Any, b: Any) -> Pair:
    """Euler's formula."""
    if _is_zero(a):
        return np.cos(b), np.sin(b)
    return np.exp(a) * np.cos(b), np.exp(a) * np.sin(b)


@of_parts(np.log, lambda x: np.log(x + 1j * x**2).imag, lambda x: np.log(x + 1j).real)
def log(a: Any, b: Any) -> Pair:
    """Principal branch."""
    return np.log(np.hypot(a, b)), np.arctan2(b, a)


@of_parts(np.log10, lambda x: np.log10(x + 1j * x**2).imag)
def log10(a: Any, b: Any) -> Pair:
    """Principal branch."""
    real, imag = log(a, b)
    return real / np.log(10.0), imag / np.log(10.0)


@of_parts(np.sin, lambda x: np.sin(x + 1j * x**2).imag, lambda x: np.sin(x + 1j * x**2).real)
def sin(a: Any, b: Any) -> Pair:
    """By the sums of angles."""
    return np.sin(a) * np.cosh(b), np.cos(a) * np.sinh(b)


@of_parts(np.cos, lambda x: np.cos(x + 1j * x**2).imag, lambda x: np.cos(x + 1j * x**2).real)
def cos(a: Any, b: Any) -> Pair:
    """By the sums of angles."""
    return np.cos(a) * np.cosh(b), -np.sin(a) * np.sinh(b)


@of_parts(np.sinh, lambda x: np.sinh(x + 1j * x**2).imag, lambda x: np.sinh(x + 1j * x**2).real)
def sinh(a: Any, b: Any) -> Pair:
    """By the sums of angles."""
    return np.sinh(a) * np.cos(b), np.cosh(a) * np.sin(b)


@of_parts(np.cosh, lambda x: np.cosh(x + 1j * x**2).imag, lambda x: np.cosh(x + 1j * x**2).real)
def cosh(a: Any, b: Any) -> Pair:
    """By the sums of angles."""
    return np.cosh(a) * np.cos(b), np.sinh(a) * np.sin(b)


@of_parts(np.tanh, lambda x: np.tanh(x + 1j * x**2).imag, lambda x: np.tanh(30.0 * x + 1j * x**2).real)
def tanh(a: Any, b: Any) -> Pair:
    """``(sinh 2a + i sin 2b) / (cosh 2a + cos 2b)``, by ``tanh a`` and ``tan b``, which do not overflow."""
    t, u = np.tanh(a), np.tan(b)
    size = 1.0 + (t * u) ** 2
    return t * (1.0 + u * u) / size, u * (1.0 - t) * (1.0 + t) / size


@of_parts(np.tan, lambda x: np.tan(x + 1j * x**2).imag, lambda x: np.tan(x + 1j * x**2).real)
def tan(a: Any, b: Any) -> Pair:
    """``-i tanh(iz)``."""
    real, imag = tanh(-b, a)
    return imag, -real


@of_parts(np.sqrt, lambda x: np.sqrt(x + 1j * x**2).imag, lambda x: np.sqrt(x - 0.5 + 1j).real)
def sqrt(a: Any, b: Any) -> Pair:
    """Principal branch."""
    modulus = np.sqrt(np.hypot(a, b))
    half = 0.5 * np.arctan2(b, a)
    return modulus * np.cos(half), modulus * np.sin(half)


@of_parts(np.square, lambda x: np.square(x + 1j * x**2).imag)
def square(a: Any, b: Any) -> Pair:
    """``z * z``."""
    return a * a - b * b, 2.0 * a * b


@of_parts(np.reciprocal, lambda x: np.reciprocal(x + 1j * x**2).imag)
def reciprocal(a: Any, b: Any) -> Pair:
    """``conj(z) / |z|**2``, by a z of size 1: the square of its modulus is a number wherever z is."""
    scale = apply(SCALE, [a, b])
    a, b = a * scale, b * scale
    scale = scale / (a * a + b * b)
    return a * scale, -b * scale


@of_parts(np.power, lambda x: ((x + 1j) ** 3).real, lambda x: ((x + 1j) ** -2).imag)
def power(a: Any, b: Any, exponent: Any) -> Any:
    """Integer powers by products, others by the logarithm."""
    if is_traced(exponent) or is_complex(exponent) or np.ndim(exponent) or float(exponent) != int(exponent):
        return parts(np.exp(exponent * np.log(joined(a, b))))
    z, n = joined(a, b), abs(int(exponent))
    result: Any = 1.0
    for _ in range(n):
        result = result * z
    return parts(np.reciprocal(result) if exponent < 0 else result) if n else np.ones(np.shape(a))


def divide(x: Any, y: Any) -> Any:
    """``x / y``; a real denominator divides both parts."""
    (a, b), (c, d) = parts(x), parts(y)
    if d is None:
        return joined(a / c, b / c)
    scale = apply(SCALE, [c, d])
    c, d = c * scale, d * scale
    product = parts(np.multiply(x, joined(c, -d)))
    scale = scale / (c * c + d * d)
    return joined(*(part * scale for part in product))


def add_at(target: Any, key: Any, value: Any) -> None:
    """``np.add.at``: both parts add up."""
    if not is_complex(target):
        raise unsupported("np.add.at of complex values into a real array", "Add .real or .imag.")
    for part, added in zip((target.real, target.imag), parts(value), strict=True):
        if added is not None:
            np.add.at(part, key, added)


def where(condition: Any, x: Any, y: Any) -> Any:
    """Choice of both parts by a real condition."""
    (a, b), (c, d) = parts(x), parts(y)
    return joined(np.where(condition, a, c), np.where(condition, 0.0 if b is None else b, 0.0 if d is None else d))


def vdot(x: Any, y: Any) -> Any:
    """``conj(x) . y``."""
    return np.dot(np.conj(np.ravel(x)), np.ravel(y))


def einsum(spec: Any, *operands: Any, **kwargs: Any) -> Any:
    """``np.einsum``: the product of the parts, one operand after the other, each in its place."""

    if not isinstance(spec, str):
        raise unsupported("np.einsum of complex values with lists of axes", "Write the axes as a string: 'ij,jk->ik'.")

    def expanded(done: list[Any], rest: Sequence[Any]) -> Pair:
        if not rest:
            return np.einsum(spec, *done, **kwargs), None
        a, b = _present_parts(rest[0]) if is_complex(rest[0]) else (rest[0], None)
        first = expanded([*done, a], rest[1:]) if a is not None else (None, None)
        second = expanded([*done, b], rest[1:]) if b is not None else (None, None)
        return _difference(first[0], second[1]), _total(first[1], second[0])

    real, imag = expanded([], operands)
    zeros = np.zeros(np.shape(imag if real is None else real))
    return joined(zeros if real is None else real, zeros if imag is None else imag)


COMPLEX_HANDLERS |= {
    (np.add, "reduce"): lambda z, axis=0, **kwargs: np.sum(z, axis=axis, **kwargs),
    (np.add, "accumulate"): lambda z, axis=0: np.cumsum(z, axis=axis),
    (np.add, "at"): add_at,
    np.true_divide: divide, np.where: where, np.vdot: vdot, np.einsum: einsum,
    np.shape: lambda a: np.shape(parts(a)[0]), np.ndim: lambda a: np.ndim(parts(a)[0]),
    np.size: lambda a: np.size(parts(a)[0]),
    np.real: lambda val: stack_objects(val).real, np.imag: lambda val: stack_objects(val).imag,
    np.iscomplexobj: lambda a: True, np.isrealobj: lambda a: False,
    np.diag: lambda v, k=0: np.diagonal(v, k) if v.ndim == 2 else np.diagflat(v, k),
}  # fmt: skip
record(
    "complex", "np.add of complex values", [lambda x: np.abs(_rotated(x) + 1 - x), lambda x: np.abs(2 - _rotated(x))]
)
record(
    "complex",
    "np.concatenate of complex values",
    [lambda x: np.abs(np.concatenate([_rotated(x), x, [[1, 2, 3, 4]]]) + 1.0)],
)
record("complex", "np.real of complex values", [lambda x: np.real(_rotated(x))])
record("complex", "np.imag of complex values", [lambda x: np.imag(_rotated(x)), lambda x: _rotated(x).imag])
record("complex", "np.sum of complex values", [lambda x: np.sum(np.roll(_rotated(x), 1), axis=1).imag])
record("complex", "np.add.reduce of complex values", [lambda x: np.imag(np.add.reduce(_rotated(x)))])
record("complex", "np.add.accumulate of complex values", [lambda x: np.imag(np.add.accumulate(_rotated(x), axis=1))])
record("complex", "np.add.at of complex values", [lambda x: np.abs(_scattered(x))])
record(
    "complex",
    "np.append of complex values",
    [lambda x: np.append(_rotated(x), 1).imag, lambda x: np.abs(np.append(_rotated(x), 1) - 1.0)],
)
record("complex", "np.divide of complex values", [lambda x: (_rotated(x) / (x[::-1] + 2j)).real])
record("complex", "np.where of complex values", [lambda x: np.where(x > 0.5, _rotated(x), 1j * x).imag])
record(
    "complex",
    "np.einsum of complex values",
    [
        lambda x: np.einsum("ij,kj->ik", _rotated(x), x + 1j).imag,
        lambda x: np.einsum("ij,kj,lj->il", _rotated(x), x + 1j, 1j * x).real,
    ],
)
