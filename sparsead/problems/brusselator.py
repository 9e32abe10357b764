"""The Brusselator in two space dimensions: two reacting, diffusing species on a periodic square."""

from __future__ import annotations

import math

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "E. Hairer and G. Wanner, Solving Ordinary Differential Equations II, 2nd ed., Springer 1996, section IV.10 "
    "(BRUSS-2D, before the disturbance at t = 1.1)"
)


def laplacian(w: np.ndarray) -> np.ndarray:
    """Return the five-point Laplacian on the periodic unit square, w (N, N)."""
    neighbours = np.roll(w, 1, axis=0) + np.roll(w, -1, axis=0) + np.roll(w, 1, axis=1) + np.roll(w, -1, axis=1)
    return w.shape[0] ** 2 * (neighbours - 4.0 * w)


def rates(y: np.ndarray, alpha: float) -> np.ndarray:
    """Return the time derivative of the concentrations ``y = (u, v)``, flat (2 N N,), at diffusivity `alpha`."""
    N = math.isqrt(y.size // 2)
    u, v = y.reshape(2, N, N)
    uuv = u * u * v
    du = 1.0 + uuv - 4.4 * u + alpha * laplacian(u)
    dv = 3.4 * u - uuv + alpha * laplacian(v)
    return np.stack([du, dv]).ravel()


def brusselator(size: int) -> Problem:
    """Return the Brusselator on a `size` x `size` grid: ``2 size**2`` unknowns, six entries a row.

    Source: Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.10; ``alpha = 10`` is the stiff
    case of the benchmarks of SciML (their grid is not quite periodic: its step is 1 / (N - 1)).

    Examples
    --------
    >>> brusselator(4).x0.shape
    (32,)
    """
    N = check_size(size)
    at = np.arange(N) / N
    u = np.repeat((22.0 * at * (1.0 - at) ** 1.5)[:, None], N, axis=1)
    v = np.repeat((27.0 * at * (1.0 - at) ** 1.5)[None, :], N, axis=0)
    return Problem(
        name="brusselator",
        title=f"2-D Brusselator, two fields on a periodic {N} x {N} grid",
        reference=REFERENCE,
        derivative="jacobian",
        f=rates,
        x0=np.stack([u, v]).ravel(),
        args=(10.0,),
    )
