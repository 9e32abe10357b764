"""Derivatives that sparsead had no part in: complex arguments in the plain NumPy function, and SciPy's differences.

The complex step ``Im f(x + i h v) / h`` has no subtraction, so `h` can be so small that nothing but rounding is left
(Squire and Trapp, SIAM Review 40 (1998) 110-112). Second derivatives come from a circle of complex steps (Lyness and
Moler, SIAM J. Numer. Anal. 4 (1967) 202-210). Both hold for functions that are analytic and accept complex x.
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


def curvature(f: Callable[..., Any], x: np.ndarray, direction: np.ndarray, *args: Any, points: int = 32) -> float:
    """Return the second derivative of a scalar `f` at x along a direction: Cauchy's integral over a circle.

    Rounding is least on a large circle, and what is left out of the Taylor series on a small one; circles shrink until
    the estimate of both together grows again.
    """
    circle = np.exp(2j * np.pi * np.arange(points) / points)
    best, least, radius = np.nan, np.inf, 16.0
    while radius > 1e-8:
        values = np.array([complex(f(x + radius * step * direction.reshape(x.shape), *args)) for step in circle])
        terms = abs(np.fft.fft(values)) / points
        largest, tail = terms.max(), terms[points // 2 - 2 : points // 2 + 3].max()
        error = (np.finfo(float).eps * largest + tail) / radius**2
        if error > least and tail < 1e-12 * largest:
            break
        if error < least:
            best, least = float(2.0 * np.real(np.mean(values / circle**2)) / radius**2), error
        radius /= 4.0
    return best


def difference_of_curvature(
    f: Callable[..., Any], x: np.ndarray, H: scipy.sparse.csr_array, *args: Any, directions: int = 3, seed: int = 0
) -> float:
    """Return the largest relative difference between ``v H v`` and Cauchy's integral, over random directions v.

    It is relative to ``|v| |H| |v|``, the size of what is added up.
    """
    rng = np.random.default_rng(seed)
    worst = 0.0
    for _ in range(directions):
        v = rng.standard_normal(x.size)
        difference = np.atleast_1d(v @ (H @ v) - curvature(f, x, v, *args))
        worst = max(worst, _largest(difference, np.atleast_1d(abs(v) @ (abs(H) @ abs(v)))))
    return worst


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
