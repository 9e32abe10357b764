"""Products of arrays: all are one sum over labelled axes. The zeros of a constant factor are structural zeros."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.arrays import is_traced, scatter_sum
from sparsead.ops.registry import composite
from sparsead.program.index import Shape, identity, normalize_axes
from sparsead.program.room import require_products, require_room
from sparsead.tracing.array import TracedArray
from sparsead.tracing.conversions import stack_objects, traced

Labels = Sequence[Any]
MANY = 8  # products per element of the largest operand beyond which a contraction goes two operands at a time


# -- the sum over labelled axes -----------------------------------------------------------------------------------
def contract(operands: Sequence[Any], labels: Sequence[Labels], out: Labels) -> Any:
    """Multiply `operands`, whose axes carry `labels`, and sum over every label that is not in `out`."""
    operands = [np.asarray(o) if isinstance(o, (list, tuple)) else o for o in operands]
    kind, writable = np.result_type(*operands), getattr(operands[0], "flags", None)
    operands, labels = map(list, zip(*map(_diagonal, operands, labels), strict=True))
    if len(operands) == 1 and set(labels[0]) == set(out):  # nothing is added up: a view, for NumPy too
        view = np.transpose(operands[0], [list(labels[0]).index(label) for label in out])
        view.setflags(write=bool(writable and writable.writeable))
        return view
    while len(operands) > 2 and _grid_size(operands, labels) > MANY:  # two at a time: fewer axes at once
        later = {label for other in (*labels[2:], out) for label in other}
        kept = [label for label in dict.fromkeys((*labels[0], *labels[1])) if label in later]
        operands[:2], labels[:2] = [_product(operands[:2], labels[:2], kept)], [kept]
    product = _product(operands, labels, out)
    return np.not_equal(product, 0) if kind == np.bool_ else product  # of truth values: "or" of "and"


def _grid_size(operands: Sequence[Any], labels: Sequence[Labels]) -> float:
    """How many products a joint sum has, per element of the largest operand (a few thousand are free)."""
    size = np.prod(_lengths(operands, labels, [*{label for each in labels for label in each}]), dtype=np.int64)
    return float(size / max(1000, *(np.size(o) for o in operands)))


def _product(operands: Sequence[Any], labels: Sequence[Labels], out: Labels) -> Any:
    """Multiply and sum, at the points where no constant factor is zero."""
    grid = [*out, *(label for label in dict.fromkeys(lab for each in labels for lab in each) if label not in out)]
    shape = _lengths(operands, labels, grid)
    aligned = [_aligned(o, lab, grid, shape) for o, lab in zip(operands, labels, strict=True)]
    require_room(float(np.prod(shape)) * (len(aligned) > 1), f"a product over {shape}")
    masks = [np.not_equal(o, 0.0) for o in aligned if not is_traced(o)]
    if all(mask.all() for mask in masks):
        product = reduce(np.multiply, aligned)
        summed = tuple(range(len(out), len(grid)))
        return np.sum(product, axis=summed) if summed else product
    points = np.flatnonzero(np.logical_and.reduce(masks))
    require_products(points.size, f"a sum over {shape}")
    kept = shape[: len(out)]
    places = np.broadcast_to(identity(kept).reshape(kept + (1,) * (len(grid) - len(out))), shape)
    terms = reduce(np.multiply, [np.ravel(o)[points] for o in aligned])
    return scatter_sum(traced(terms), places.reshape(-1)[points], kept)


def _diagonal(operand: Any, labels: Labels) -> tuple[Any, Labels]:
    """Take the diagonal over labels that an operand has twice."""
    for label in dict.fromkeys(labels):
        while list(labels).count(label) > 1:
            first, second = [k for k, other in enumerate(labels) if other == label][:2]
            operand = np.diagonal(operand, 0, first, second)
            labels = [*(other for k, other in enumerate(labels) if k not in (first, second)), label]
    return operand, labels


def _lengths(operands: Sequence[Any], labels: Sequence[Labels], grid: Labels) -> tuple[int, ...]:
    lengths: dict[Any, int] = {}
    for operand, each in zip(operands, labels, strict=True):
        for label, n in zip(each, np.shape(operand), strict=True):
            if n != lengths.setdefault(label, n) and 1 not in (n, lengths[label]):
                shapes = " ".join(str(np.shape(o)) for o in operands)
                raise ValueError(
                    f"shapes {shapes} do not fit in a product: an axis has lengths {lengths[label]} and {n}"
                )
            lengths[label] = max(n, lengths[label]) if n and lengths[label] else 0
    return tuple(lengths[label] for label in grid)


def _aligned(operand: Any, labels: Labels, grid: Labels, shape: Shape) -> Any:
    """Give an operand the axes of the grid, repeated where it has no such label; as it is where it has all in order."""
    present = [label for label in grid if label in labels]
    if present != list(labels):
        operand = np.transpose(operand, [list(labels).index(label) for label in present])
    if np.shape(operand) == shape:
        return operand
    lengths = dict(zip(present, np.shape(operand), strict=True))
    return np.broadcast_to(np.reshape(operand, [lengths.get(label, 1) for label in grid]), shape)


# -- products with constant matrices ------------------------------------------------------------------------------
def _matrix_by_array(matrix: Any, x: TracedArray) -> Any:
    """Return ``matrix @ x`` for a constant 2-D matrix, dense or sparse, and x of shape (n,) or (n, k)."""
    if x.ndim not in (1, 2) or matrix.shape[1] != x.shape[0]:
        raise ValueError(f"matmul: a matrix of shape {matrix.shape} does not fit an array of shape {x.shape}")
    coo = scipy.sparse.coo_array(matrix)
    coo.sum_duplicates()
    coo.eliminate_zeros()
    if coo.data.dtype.kind == "c":
        raise unsupported("a complex matrix", "Complex arithmetic is not supported yet.")
    tail = x.shape[1:]
    require_products(coo.nnz * float(np.prod(tail)), "a product with a matrix")
    terms = coo.data.reshape((-1,) + (1,) * len(tail)) * x[coo.col]
    return _added_up(terms, identity((coo.shape[0], *tail))[coo.row], (coo.shape[0], *tail))


def _added_up(terms: Any, place: Any, shape: Shape) -> Any:
    """Add products up at their places; of truth values, that is "or" of "and"."""
    total = scatter_sum(traced(terms), place, shape)
    return np.not_equal(total, 0) if terms.dtype == np.bool_ else total


def _is_constant_matrix(constant: Any, other: Any) -> bool:
    plain = type(constant) is np.ndarray and constant.ndim == 2 and np.ndim(other) in (1, 2)
    return plain or scipy.sparse.issparse(constant)


@composite(
    np.matmul,
    lambda x: x @ np.array([1.0, 0.0, 2.0, -1.0]),
    lambda x: np.arange(6.0).reshape(2, 3) @ x,
    lambda x: scipy.sparse.csr_matrix([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]) @ x,
    lambda x: x @ scipy.sparse.csc_array([[1.0, 0.0], [0.0, 3.0], [0.0, 0.0], [4.0, 5.0]]),
    lambda x: x @ x.T,
    lambda x: np.stack([x, x]) @ x.T,
    family="contraction",
)
def matmul(a: Any, b: Any) -> Any:
    """``a @ b``: NumPy arrays of any number of axes, or a constant ``scipy.sparse`` matrix on either side."""
    a, b = stack_objects(a), stack_objects(b)
    if _is_constant_matrix(a, b):
        return _matrix_by_array(a, traced(b))
    if _is_constant_matrix(b, a):
        return _matrix_by_array(b.T, traced(a).transpose()).transpose()
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("matmul: a 0-d operand; use * for a product with a scalar")
    row, column = ([] if np.ndim(a) == 1 else ["i"]), ([] if np.ndim(b) == 1 else ["k"])
    first, second = [*_leading(a), *row, "j"], [*_leading(b), "j", *column]
    if np.shape(a)[-1] != np.shape(b)[max(np.ndim(b) - 2, 0)]:
        raise ValueError(f"matmul: shapes {np.shape(a)} and {np.shape(b)} do not fit")
    return contract([a, b], [first, second], [*max(_leading(a), _leading(b), key=len), *row, *column])


def _leading(a: Any, core: int = 2) -> list[int]:
    """Labels of the axes before the last `core`, counted from the right as broadcasting does."""
    return list(range(-np.ndim(a), -core))


@composite(
    np.einsum,
    lambda x: np.einsum("ij,kj->ik", x, x),
    lambda x: np.einsum("ij->ji", x),
    lambda x: np.einsum("ii", x @ x.T),
    lambda x: np.einsum("ij,jk,k", np.eye(3, 3), x, x[0]),
    lambda x: np.einsum("...j,j->...", np.stack([x, 2.0 * x]), x[1]),
    lambda x: np.einsum("i...,ij->j...", np.tri(3), x),
    lambda x: np.einsum(x, [0, 1], x, [2, 1], [0, 2]),
    family="contraction",
)
def einsum(*operands: Any, optimize: Any = False) -> Any:
    """``np.einsum``: any specification."""
    arrays, labels, out = _specification(operands)
    return contract(arrays, labels, out)


def _specification(operands: Sequence[Any]) -> tuple[list[Any], list[Labels], Labels]:
    """Return the arrays, a label per axis of each, and the labels of the result; ``...`` is labelled from the right."""
    if isinstance(operands[0], str):
        inputs, arrow, output = operands[0].replace(" ", "").partition("->")
        arrays = [stack_objects(o) for o in operands[1:]]
        written: list[Labels] = [_letters(part) for part in inputs.split(",")]
        wanted: Labels | None = _letters(output) if arrow else None
    else:
        arrays = [stack_objects(o) for o in operands[: len(operands) // 2 * 2 : 2]]
        written = list(operands[1::2])
        wanted = operands[-1] if len(operands) % 2 else None
    if len(arrays) != len(written):
        raise ValueError(f"einsum: {len(written)} terms in the specification, but {len(arrays)} operands")
    hidden = [np.ndim(a) - len(w) + 1 if Ellipsis in w else 0 for a, w in zip(arrays, written, strict=True)]
    labels = [_spread(w, n) for w, n in zip(written, hidden, strict=True)]
    if wanted is None:
        flat = [label for each in labels for label in each if not isinstance(label, tuple)]
        single = sorted(label for label in set(flat) if flat.count(label) == 1)
        wanted = [Ellipsis, *single]
    return arrays, labels, _spread(wanted, max(hidden))


def _letters(term: str) -> list[Any]:
    head, dots, tail = term.partition("...")
    return [*head, *([Ellipsis] if dots else []), *tail]


def _spread(labels: Labels, count: int) -> Labels:
    """Replace ``...`` by `count` labels that line up from the right."""
    spread = [("...", k) for k in range(-count, 0)]
    return [label for each in labels for label in (spread if each is Ellipsis else [each])]


# -- the other spellings ------------------------------------------------------------------------------------------
@composite(
    np.tensordot,
    lambda x: np.tensordot(x, x, axes=([0, 1], [0, 1])),
    lambda x: np.tensordot(x, np.eye(4), axes=1),
    lambda x: np.tensordot(x, x, axes=(0, 0)),
    family="contraction",
)
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    """``np.tensordot``."""
    if np.ndim(axes) == 0:
        first, second = tuple(range(-axes, 0)), tuple(range(axes))
    else:
        first, second = ((side,) if np.ndim(side) == 0 else tuple(side) for side in axes)
    left = {k: f"sum{n}" for n, k in enumerate(normalize_axes(first, np.ndim(a)))}
    right = {k: f"sum{n}" for n, k in enumerate(normalize_axes(second, np.ndim(b)))}
    labels_a = [left.get(k, ("a", k)) for k in range(np.ndim(a))]
    labels_b = [right.get(k, ("b", k)) for k in range(np.ndim(b))]
    return contract([a, b], [labels_a, labels_b], [lab for lab in (*labels_a, *labels_b) if isinstance(lab, tuple)])


@composite(
    np.dot,
    lambda x: np.dot(x[0], x[1]),
    lambda x: np.dot(np.eye(3), x),
    lambda x: x.dot(2.0),
    lambda x: np.dot(np.stack([x, x * x]), x.T),
    family="contraction",
)
def dot(a: Any, b: Any) -> Any:
    """``np.dot``."""
    a, b = stack_objects(a), stack_objects(b)
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return np.multiply(a, b)
    if np.ndim(a) <= 2 and np.ndim(b) <= 2:
        return matmul(a, b)
    return tensordot(a, b, axes=(-1, max(np.ndim(b) - 2, 0)))


@composite(np.inner, lambda x: np.inner(x[0], x[1]), lambda x: np.inner(x, x), family="contraction")
def inner(a: Any, b: Any) -> Any:
    """``np.inner``: over the last axes."""
    return np.multiply(a, b) if np.ndim(a) == 0 or np.ndim(b) == 0 else tensordot(a, b, axes=(-1, -1))


@composite(np.vdot, lambda x: np.vdot(x, x[::-1]), family="contraction")
def vdot(a: Any, b: Any) -> Any:
    """``np.vdot`` of real arrays."""
    return matmul(np.ravel(a), np.ravel(b))


@composite(np.outer, lambda x: np.outer(x[0], x[:, 1]), family="contraction")
def outer(a: Any, b: Any) -> Any:
    """``np.outer``."""
    return contract([np.ravel(a), np.ravel(b)], ["i", "j"], "ij")


@composite(
    np.kron, lambda x: np.kron(np.eye(2), x), lambda x: np.kron(x[0], x), lambda x: np.kron(x, x[:2]),
    family="contraction",
)  # fmt: skip
def kron(a: Any, b: Any) -> Any:
    """``np.kron``: every element of `a` times all of `b`."""
    ndim = max(np.ndim(a), np.ndim(b))
    a, b = (np.reshape(o, (1,) * (ndim - np.ndim(o)) + np.shape(o)) for o in (a, b))
    pairs = [(("a", k), ("b", k)) for k in range(ndim)]
    product = contract([a, b], [*zip(*pairs, strict=True)], [label for pair in pairs for label in pair])
    return np.reshape(product, [m * n for m, n in zip(np.shape(a), np.shape(b), strict=True)])


NEXT, AFTER = (1, 2, 0), (2, 0, 1)  # the components beside each of a vector, round and round


@composite(
    np.cross,
    lambda x: np.cross(x[:, :3], x[:, 1:]),
    lambda x: np.cross(x[0, :3], np.array([0.0, 0.0, 1.0])),
    lambda x: np.cross(x, x[:, ::-1], axis=0),
    family="contraction",
)
def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """``np.cross`` of vectors with three components."""
    axisa, axisb, axisc = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = np.moveaxis(a, axisa, -1), np.moveaxis(b, axisb, -1)
    if np.shape(a)[-1] != 3 or np.shape(b)[-1] != 3:
        raise unsupported("np.cross of vectors with two components", "Write a[0] * b[1] - a[1] * b[0].")
    products = (np.take(a, i, -1) * np.take(b, j, -1) for i, j in ((NEXT, AFTER), (AFTER, NEXT)))
    return np.moveaxis(operator.sub(*products), -1, axisc)


@composite(np.linalg.multi_dot, lambda x: np.linalg.multi_dot([x[0], x.T, x]), family="contraction")
def multi_dot(arrays: Sequence[Any]) -> Any:
    """``np.linalg.multi_dot``, from the left."""
    if len(arrays) < 2:
        raise ValueError("Expecting at least two arrays.")
    return reduce(matmul, arrays)


@composite(np.linalg.matrix_power, lambda x: np.linalg.matrix_power(x[:, :3], 3), family="contraction")
def matrix_power(a: Any, n: int) -> Any:
    """``np.linalg.matrix_power``, of real and complex matrices: products of squares."""
    n, shape = operator.index(n), np.shape(a)
    if len(shape) < 2:
        raise np.linalg.LinAlgError(f"{len(shape)}-dimensional array given. Array must be at least two-dimensional")
    if shape[-1] != shape[-2]:
        raise np.linalg.LinAlgError("Last 2 dimensions of the array must be square")
    if n == 0:
        return np.zeros_like(a) + np.eye(shape[-1])
    square, n = (np.linalg.inv(a), -n) if n < 0 else (a, n)
    result = None
    while True:
        n, is_odd = divmod(n, 2)
        if is_odd:
            result = square if result is None else np.matmul(result, square)
        if n == 0:
            return result
        square = np.matmul(square, square)


MODES: dict[Any, str] = {0: "valid", 1: "same", 2: "full", "v": "valid", "s": "same", "f": "full"}


@composite(np.convolve, lambda x: np.convolve(x[0], x[:, 1]), lambda x: np.convolve(x[0], [1.0, 0.0, -1.0], "same"),
           lambda x: np.convolve([1.0, 2.0], x[0], "valid"), family="contraction")  # fmt: skip
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    """``np.convolve``: a sum over the pairs of elements with places that add up."""
    a, v = (np.reshape(o, -1) if np.ndim(o) == 0 else o for o in (a, v))
    if np.ndim(a) > 1 or np.ndim(v) > 1:
        raise ValueError("object too deep for desired array")
    m, n = np.shape(a)[0], np.shape(v)[0]
    if m == 0 or n == 0:
        raise ValueError(f"{'a' if m == 0 else 'v'} cannot be empty")
    np.convolve([1.0], [1.0], mode)  # type: ignore[call-overload]  # raises for a mode that this NumPy does not know
    mode = MODES.get(mode, mode)
    require_products(m * n, "np.convolve")
    place = np.add.outer(np.arange(m), np.arange(n))
    used = np.not_equal(0.0, _or_ones(a))[:, None] & np.not_equal(0.0, _or_ones(v))[None, :]
    terms = np.take(a, used.nonzero()[0]) * np.take(v, used.nonzero()[1])
    full = _added_up(terms, place[used], (m + n - 1,))
    length = {"full": m + n - 1, "same": max(m, n), "valid": max(m, n) - min(m, n) + 1}[mode]
    start = (m + n - 1 - length) // 2
    return full[start : start + length]


@composite(np.correlate, lambda x: np.correlate(x[0], x[:, 1]), lambda x: np.correlate(x[0], [1.0, 2.0], "full"),
           family="contraction")  # fmt: skip
def correlate(a: Any, v: Any, mode: str = "valid") -> Any:
    """``np.correlate``: convolution with the mirror image."""
    if mode == "same" and np.shape(a)[0] < np.shape(v)[0]:
        raise unsupported("np.correlate(mode='same') with the longer array second", "Exchange the arguments.")
    return convolve(a, np.flip(v), mode)


def _or_ones(a: Any) -> Any:
    return np.ones(np.shape(a)) if is_traced(a) else a
