"""``scipy.sparse.linalg.LinearOperator`` inside a traced function: its products are those that it was made of."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse.linalg
from scipy.sparse.linalg._interface import MatrixLinearOperator

from sparsead.ops.registry import patched
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.replacing.methods import replace_method, replace_method_always

HOME = "scipy.sparse.linalg._interface"


def _vector(method: str, rows: int) -> Any:
    """Return ``matvec`` or ``rmatvec``, whose result has as many elements as the operator has rows, or columns."""

    def product(original: Any, operator: Any, x: Any) -> Any:
        vector = stack_objects(x)
        if np.shape(vector) not in ((operator.shape[1 - rows],), (operator.shape[1 - rows], 1)):
            raise ValueError("dimension mismatch")
        found = stack_objects(getattr(operator, method)(vector))
        return np.reshape(found, (operator.shape[rows],) if np.ndim(vector) == 1 else (operator.shape[rows], 1))

    return product


def _matrix(method: str, rows: int) -> Any:
    """Return ``matmat`` or ``rmatmat``."""

    def product(original: Any, operator: Any, x: Any) -> Any:
        matrix = stack_objects(x)
        if np.ndim(matrix) != 2:
            raise ValueError(f"expected 2-d ndarray or matrix, not {np.ndim(matrix)}-d")
        if np.shape(matrix)[0] != operator.shape[1 - rows]:
            raise ValueError(f"dimension mismatch: {operator.shape}, {np.shape(matrix)}")
        return stack_objects(getattr(operator, method)(matrix))

    return product


def _dot(original: Any, operator: Any, x: Any) -> Any:
    """``A.dot(x)``, ``A @ x``, ``A * x`` and ``A(x)``; a number makes an operator."""
    array = stack_objects(x)
    if np.ndim(array) == 0:
        return original(operator, x)
    if np.ndim(array) > 2:
        raise ValueError(f"expected 1-d or 2-d array or matrix, got {array!r}")
    single = np.ndim(array) == 1 or np.shape(array)[1] == 1
    return operator.matvec(array) if single else operator.matmat(array)


def _from_the_right(original: Any, operator: Any, x: Any) -> Any:
    """``x @ A`` and ``x * A``."""
    array = stack_objects(x)
    if np.ndim(array) == 0:
        return original(operator, x)
    if isinstance(operator, MatrixLinearOperator):
        return array @ operator.A
    return np.transpose(operator.T.dot(np.transpose(array)))


def _kind(original: Any, operator: Any) -> None:
    """Take the products for real ones, where the type is not given: a trial product may depend on x."""
    operator.dtype = np.dtype(np.float64) if operator.dtype is None else operator.dtype


def _power(original: Any, operator: Any, product: Any, x: Any) -> Any:
    """Return ``A**k @ x``."""
    for _ in range(operator.args[1]):
        x = product(x)
    return x


@patched(
    scipy.sparse.linalg.aslinearoperator,
    lambda x: scipy.sparse.linalg.aslinearoperator(x[:, :3]) @ x[0, :3],
    lambda x: scipy.sparse.linalg.aslinearoperator(np.arange(6.0).reshape(2, 3)).matmat(x),
    lambda x: (x @ scipy.sparse.linalg.aslinearoperator(np.tri(4))) ** 3,
    lambda x: scipy.sparse.linalg.LinearOperator((4, 4), matvec=lambda v: v * x[1], rmatvec=lambda v: v).dot(x[0]),
    family="sparse",
)
def aslinearoperator(A: Any) -> Any:
    """``scipy.sparse.linalg.aslinearoperator`` of an array."""
    return MatrixLinearOperator(stack_objects(A))


for _name, _method, _rows in (("matvec", "_matvec", 0), ("rmatvec", "_rmatvec", 1)):
    replace_method(HOME, "LinearOperator", _name, _vector(_method, _rows))
for _name, _method, _rows in (("matmat", "_matmat", 0), ("rmatmat", "_rmatmat", 1)):
    replace_method(HOME, "LinearOperator", _name, _matrix(_method, _rows))
for _name in ("dot", "__matmul__", "__mul__", "__call__"):
    replace_method(HOME, "LinearOperator", _name, _dot)
for _name in ("__rmatmul__", "__rmul__"):
    replace_method(HOME, "LinearOperator", _name, _from_the_right)
replace_method_always(HOME, "LinearOperator", "_init_dtype", _kind)
replace_method(HOME, "_PowerLinearOperator", "_power", _power)
replace_method(HOME, "MatrixLinearOperator", "_matmat", lambda original, operator, x: operator.A @ x)  # not ndarray.dot
