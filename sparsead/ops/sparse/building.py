"""Constructors of scipy.sparse with traced values: SciPy builds a matrix of numbers, and we look where they went."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, known, known_zeros
from sparsead.ops.registry import Sample, patched, record
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.filled import ByElement
from sparsead.ops.sparse.matrix import TracedSparse, entries_of, of_any
from sparsead.ops.sparse.numbering import Numbering, is_sparse
from sparsead.tracing.array import traced_in
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.replacing.names import PATCHES
from sparsead.tracing.replacing.standins import is_tracing

Definition = Callable[..., Any]


def matrix_of(numbering: Numbering, numbers: Any) -> TracedSparse:
    """Return the matrix that a matrix of numbers stands for; it shares memory where SciPy's does."""
    shared = numbering.shared(numbers)
    return TracedSparse.made(numbers, None if shared is not None else numbering.values, shared)


# -- the classes --------------------------------------------------------------------------------------------------
class ClassStandIn(type):
    """The type of what stands in for a class of scipy.sparse while a function is traced: only its calls differ."""

    original: Any

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Return a matrix: traced, if anything in the arguments is."""
        if any(True for _ in traced_in([*args, kwargs])):
            return built(cls.original, *args, **kwargs)
        if cls.original.__name__[:3] in ("lil", "dok", "csr", "csc") and _is_shape(*args[:1]) and is_tracing():
            return ByElement.of_shape(cls.original, args[0])
        return cls.original(*args, **kwargs)

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, cls.original)

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.original)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.original, name)


def _is_shape(shape: Any = None) -> bool:
    return isinstance(shape, tuple) and len(shape) == 2 and all(isinstance(n, (int, np.integer)) for n in shape)


def built(
    original: Any, content: Any, shape: Any = None, dtype: Any = None, copy: bool = False, **kwargs: Any
) -> TracedSparse:
    """Return a matrix of the class `original` of traced content, in any of the forms that SciPy takes."""
    if dtype is not None and np.dtype(dtype).kind != "f":
        raise unsupported(f"{original.__name__}(..., dtype={np.dtype(dtype)})", "Traced matrices are float64.")
    numbering, kwargs = Numbering(), {**kwargs, "shape": shape, "copy": copy}
    if is_sparse(content):
        return of_any(content).asked(lambda numbers: original(numbers, **kwargs))
    if not isinstance(content, tuple):
        dense = np.where(known_zeros(traced(stack_objects(content)).ref), 0, numbering.number(content))
        return matrix_of(numbering, original(dense, **kwargs))
    if any_traced(content[1:]):
        raise unsupported(f"{original.__name__} with traced indices", "Rows and columns must be plain integers.")
    numbers = (numbering.number(content[0]), *known(content[1:], "places"))
    name = original.__name__.partition("_")[0]
    if len(content) == 2 and name not in ("coo", "dia"):  # entries at one place add up: not their numbers
        kind = scipy.sparse.coo_matrix if original.__name__.endswith("matrix") else scipy.sparse.coo_array
        return matrix_of(numbering, kind(numbers, **kwargs)).unique().asformat(name)
    return matrix_of(numbering, original(numbers, **kwargs))


def _stand_in(original: Any, *samples: Sample) -> None:
    PATCHES[original] = ClassStandIn(original.__name__, (), {"original": original, "__doc__": original.__doc__})
    record("sparse", f"scipy.sparse.{original.__name__}", samples)


def _called(func: Any) -> Any:
    """Return a call of a function by its name in the module, as users make it; samples are made of these."""
    return lambda *args, **kwargs: getattr(scipy.sparse, func.__name__)(*args, **kwargs)


ROWS, COLUMNS = np.array([0, 1, 2, 1]), np.array([1, 3, 0, 3])  # the second and the last add up
CONSTANT = scipy.sparse.csr_array(np.arange(12.0).reshape(3, 4))

# Samples name what they call as users do: a name that a function holds otherwise is not replaced.
_stand_in(
    scipy.sparse.coo_array,
    lambda x: scipy.sparse.coo_array((x[0], (ROWS, COLUMNS)), shape=(3, 4)) @ x[1],
    lambda x: (x * scipy.sparse.coo_array(([2.0, 3.0], ([0, 1], [1, 3])), shape=(3, 4))).toarray(),
)
_stand_in(scipy.sparse.coo_matrix, lambda x: scipy.sparse.coo_matrix((x[0], (ROWS, COLUMNS)), shape=(3, 4)) * x[1])
_stand_in(scipy.sparse.csr_array, lambda x: scipy.sparse.csr_array((x[0], (ROWS, COLUMNS)), shape=(3, 4)) @ x[1])
_stand_in(scipy.sparse.csr_matrix, lambda x: scipy.sparse.csr_matrix((x[0], [1, 3, 0, 1], [0, 1, 2, 4])) * x[1])
_stand_in(scipy.sparse.csc_array, lambda x: scipy.sparse.csc_array((x[0], [1, 0, 2, 1], [0, 1, 2, 2, 4])) @ x[1])
_stand_in(scipy.sparse.csc_matrix, lambda x: scipy.sparse.csc_matrix((x[0], (ROWS, COLUMNS)), shape=(3, 4)) * x[1])
_stand_in(scipy.sparse.dia_array, lambda x: scipy.sparse.dia_array((x[:2], np.array([0, 1])), shape=(4, 4)) @ x[2])
_stand_in(scipy.sparse.dia_matrix, lambda x: scipy.sparse.dia_matrix((x[:2], [0, -1]), shape=(4, 4)) * x[2])
_stand_in(scipy.sparse.bsr_array, lambda x: scipy.sparse.bsr_array((x.reshape(3, 2, 2), [1, 0, 1], [0, 1, 3])) @ x[2])
_stand_in(scipy.sparse.bsr_matrix, lambda x: scipy.sparse.bsr_matrix((x.reshape(3, 2, 2), [1, 0, 1], [0, 2, 3])) * x[2])
_stand_in(scipy.sparse.lil_array, lambda x: scipy.sparse.lil_array(x) @ x[1])
_stand_in(scipy.sparse.lil_matrix, lambda x: scipy.sparse.lil_matrix(x) * x[1])
_stand_in(scipy.sparse.dok_array, lambda x: scipy.sparse.dok_array(x) @ x[1])
_stand_in(scipy.sparse.dok_matrix, lambda x: scipy.sparse.dok_matrix(x) * x[1])


# -- the functions ------------------------------------------------------------------------------------------------
stated = functools.partial(patched, family="sparse")


def _of_diagonals(func: Any) -> Definition:
    def of_diagonals(diagonals: Any, offsets: Any = 0, shape: Any = None, format: Any = None, dtype: Any = None) -> Any:
        numbering = Numbering()
        numbers = numbering.number(diagonals)
        return matrix_of(numbering, func(numbers, offsets=offsets, shape=shape, format=format, dtype=np.float64))

    return of_diagonals


def _of_blocks(func: Any) -> Definition:
    def of_blocks(blocks: Any, *args: Any, **kwargs: Any) -> Any:
        numbering = Numbering()
        rows = [list(row) if isinstance(row, (list, tuple)) else row for row in blocks]
        numbers = [[numbering.number(b) for b in r] if isinstance(r, list) else numbering.number(r) for r in rows]
        return matrix_of(numbering, func(numbers, *args, **kwargs))

    return of_blocks


def block_diag(mats: Any, format: Any = None, dtype: Any = None) -> Any:
    """``scipy.sparse.block_diag``."""
    return _of_blocks(scipy.sparse.block_diag)(mats, format, dtype)


def _of_entries(func: Any) -> Definition:
    def of_entries(A: Any, k: int = 0, format: Any = None) -> Any:
        return of_any(A).asked(lambda numbers: func(numbers, k, format))

    return of_entries


stated(
    scipy.sparse.diags,
    lambda x: scipy.sparse.diags(x[0]) @ x[1],
    lambda x: scipy.sparse.diags([x[0, :3], 2.0 * x[1], x[2, 1:]], offsets=[-1, 0, 1]) @ x[0],
    lambda x: scipy.sparse.diags([x[0, 0], -2.0], offsets=[1, 0], shape=(4, 4), format="csr") @ x[1],
)(_of_diagonals(scipy.sparse.diags))
stated(scipy.sparse.diags_array, lambda x: scipy.sparse.diags_array([x[0], x[1, 1:]], offsets=[0, 1]) @ x[1])(
    _of_diagonals(scipy.sparse.diags_array)
)
stated(
    scipy.sparse.block_array,
    lambda x: scipy.sparse.block_array([[scipy.sparse.csr_array(x), None], [None, CONSTANT]]) @ x[:2].reshape(-1),
)(_of_blocks(scipy.sparse.block_array))
stated(
    scipy.sparse.bmat,
    lambda x: scipy.sparse.bmat([[scipy.sparse.csr_matrix(x), CONSTANT * 1.0]]) @ x[:2].reshape(-1),
)(_of_blocks(scipy.sparse.bmat))
stated(scipy.sparse.hstack, lambda x: scipy.sparse.hstack([scipy.sparse.csr_array(x), CONSTANT]).toarray())(
    _of_blocks(scipy.sparse.hstack)
)
stated(scipy.sparse.vstack, lambda x: scipy.sparse.vstack([CONSTANT, scipy.sparse.csr_array(x)]).toarray())(
    _of_blocks(scipy.sparse.vstack)
)
stated(scipy.sparse.block_diag, lambda x: scipy.sparse.block_diag([scipy.sparse.csr_array(x), CONSTANT]).toarray())(
    block_diag
)
stated(scipy.sparse.tril, lambda x: scipy.sparse.tril(scipy.sparse.csr_array(x), k=1) @ x[0])(
    _of_entries(scipy.sparse.tril)
)
stated(scipy.sparse.triu, lambda x: scipy.sparse.triu(scipy.sparse.csr_array(x)) @ x[0])(_of_entries(scipy.sparse.triu))


@stated(scipy.sparse.spdiags, lambda x: scipy.sparse.spdiags(x[:2], [0, 1], 4, 4) @ x[2])
def spdiags(data: Any, diags: Any, m: Any = None, n: Any = None, format: Any = None) -> Any:
    """``scipy.sparse.spdiags``."""
    numbering = Numbering()
    return matrix_of(numbering, scipy.sparse.spdiags(numbering.number(data), diags, m, n, format))


@stated(scipy.sparse.kron, lambda x: scipy.sparse.kron(scipy.sparse.csr_array(x[:2, :2]), np.eye(2)) @ x[0])
def kron(A: Any, B: Any, format: Any = None) -> Any:
    """``scipy.sparse.kron``."""
    A, B = (of_any(m) if is_sparse(m) else built(scipy.sparse.coo_array, traced(stack_objects(m))) for m in (A, B))
    product = triplets.kron(entries_of(A), entries_of(B))  # first: it asks for room
    like = scipy.sparse.kron(A.numbers, B.numbers, format)
    return TracedSparse.of_triplets(product, type(like), like.ndim)
