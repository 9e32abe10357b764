"""Derivatives that our code did not produce: differences and complex steps of the plain NumPy function."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

# Central differences of order 8: f'(x) = sum of w_k (f(x + k h) - f(x - k h)) / h, with an error of h^8 f'(9) / 630.
WEIGHTS = (4 / 5, -1 / 5, 4 / 105, -1 / 280)


def differences(f: Callable[..., object], x: np.ndarray, h: float = 2.5e-4) -> np.ndarray:
    """Return the dense Jacobian (f(x).size, x.size) by central differences of order 8.

    With h = 2.5e-4 the error is about 1e-12 for functions of size one; nothing may jump within 4 h = 1e-3 of x.
    """
    x = np.asarray(x, dtype=np.float64)
    columns = []
    for j in range(x.size):
        step = np.zeros(x.size)
        step[j] = h
        step = step.reshape(x.shape)
        column = sum(
            w * (np.asarray(f(x + k * step), float) - np.asarray(f(x - k * step), float))
            for k, w in enumerate(WEIGHTS, start=1)
        )
        columns.append(np.ravel(column) / h)
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(f(x)), 0))


def complex_step(f: Callable[..., object], x: np.ndarray) -> np.ndarray:
    """Return the dense Jacobian (f(x).size, x.size) of an analytic function to rounding, by complex steps."""
    x = np.asarray(x, dtype=np.float64)
    columns = []
    for j in range(x.size):
        z = x.astype(complex).reshape(-1)
        z[j] += 1e-30j
        columns.append(np.ravel(np.asarray(f(z.reshape(x.shape)))).imag / 1e-30)
    return np.stack(columns, axis=1) if columns else np.zeros((np.size(f(x)), 0))


def generic_points(count: int, shape: tuple[int, ...] = (3, 4), seed: int = 0) -> list[np.ndarray]:
    """Return points in (0.1, 0.9): entries are 0.02 away from multiples of 0.1 and 0.03 / size from each other."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    points = []
    for _ in range(count):
        cells = rng.permuted(np.resize(np.arange(1, 9), size)) / 10
        spread = 0.02 + 0.06 * (rng.permutation(size) + rng.uniform(0.3, 0.7, size)) / size
        points.append((cells + spread).reshape(shape))
    return points


def assert_close(actual: object, expected: object, tolerance: float = 1e-9) -> None:
    """Compare to `tolerance` times the largest magnitude (at least 1)."""
    expected = np.asarray(expected, dtype=np.float64)
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * scale)
