"""Derivatives that sparsead had no part in: the complex step of the plain NumPy function, and SciPy's differences.

The complex step ``Im f(x + i h v) / h`` has no subtraction, so `h` can be so small that nothing but rounding is left
(Squire and Trapp, SIAM Review 40 (1998) 110-112). It holds for functions that are analytic and accept complex x.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
from scipy.optimize._numdiff import approx_derivative

from coloring import SparsityPattern

STEP = 1e-40


def along(f: Callable[..., Any], x: np.ndarray, direction: np.ndarray, *args: Any) -> np.ndarray:
    """Return the derivative of `f` at x along a direction, flat, (m,)."""
    moved = x + 1j * STEP * direction.reshape(x.shape)
    return np.imag(np.ravel(f(moved, *args))) / STEP


def difference_along(
    f: Callable[..., Any], x: np.ndarray, J: scipy.sparse.csr_array, *args: Any, directions: int = 3, seed: int = 0
) -> float:
    """Return the largest relative difference between ``J v`` and the complex step, over random directions v.

    It is relative to ``|J| |v|``, the size of what is added up in a row. Every entry of J takes part, and an entry
    that the pattern misses shows too.
    """
    rng = np.random.default_rng(seed)
    worst = 0.0
    for _ in range(directions):
        v = rng.standard_normal(x.size)
        worst = max(worst, _largest(J @ v - along(f, x, v, *args), abs(J) @ abs(v)))
    return worst


def difference_of_entries(
    f: Callable[..., Any], x: np.ndarray, J: scipy.sparse.csr_array, colors: np.ndarray, *args: Any
) -> float:
    """Return the largest relative difference between the entries of J and the complex step, one run per color.

    An entry is compared relative to the largest of its row.
    """
    rows = np.repeat(np.arange(J.shape[0]), np.diff(J.indptr))
    color_of = colors[J.indices]
    reference = np.empty(J.nnz)
    for color in range(int(colors.max(initial=-1)) + 1):
        compressed = along(f, x, (colors == color).astype(float), *args)
        chosen = color_of == color
        reference[chosen] = compressed[rows[chosen]]
    largest = np.zeros(J.shape[0])
    np.maximum.at(largest, rows, abs(reference))
    return _largest(J.data - reference, largest[rows])


def finite_differences(
    f: Callable[..., Any], x: np.ndarray, pattern: SparsityPattern, colors: np.ndarray, *args: Any
) -> Callable[[], scipy.sparse.csr_array]:
    """Return a call that computes the Jacobian at x by SciPy's grouped forward differences."""
    sparsity: Any = (pattern.to_scipy(), colors)

    def flat(y: np.ndarray) -> np.ndarray:
        return np.ravel(f(y.reshape(x.shape), *args))

    return lambda: approx_derivative(flat, x.ravel(), method="2-point", sparsity=sparsity)


def _largest(difference: np.ndarray, scale: np.ndarray) -> float:
    """Return the largest of ``|difference| / scale``; a difference where the scale is 0 is infinite."""
    difference = abs(difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(difference == 0, 0.0, difference / scale)
    return float(ratio.max(initial=0.0))
