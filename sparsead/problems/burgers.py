"""Burgers' equation: a wave that steepens into a shock, by a scheme of fifth order that does not oscillate there."""

from __future__ import annotations

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "G.-S. Jiang and C.-W. Shu, Efficient implementation of weighted ENO schemes, J. Comput. Phys. 126 (1996) 202-228"
)


def at_face(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, e: np.ndarray) -> np.ndarray:
    """Return the value between c and d, reconstructed from the means of five cells in a row (WENO5, section 2.2)."""
    candidates = (2.0 * a - 7.0 * b + 11.0 * c) / 6.0, (-b + 5.0 * c + 2.0 * d) / 6.0, (2.0 * c + 5.0 * d - e) / 6.0
    roughness = (
        13.0 / 12.0 * (a - 2.0 * b + c) ** 2 + 0.25 * (a - 4.0 * b + 3.0 * c) ** 2,
        13.0 / 12.0 * (b - 2.0 * c + d) ** 2 + 0.25 * (b - d) ** 2,
        13.0 / 12.0 * (c - 2.0 * d + e) ** 2 + 0.25 * (3.0 * c - 4.0 * d + e) ** 2,
    )
    weights = [best / (1e-6 + rough) ** 2 for best, rough in zip((0.1, 0.6, 0.3), roughness, strict=True)]
    return sum(w * value for w, value in zip(weights, candidates, strict=True)) / sum(weights)


def outflow(u: np.ndarray, speed: float, axis: int) -> np.ndarray:
    """Return what leaves each cell along an axis, per unit length: fluxes split by Lax and Friedrichs, then WENO5."""
    flux = 0.5 * u * u
    right, left = 0.5 * (flux + speed * u), 0.5 * (flux - speed * u)
    face = at_face(*(np.roll(right, k, axis) for k in (2, 1, 0, -1, -2)))
    face = face + at_face(*(np.roll(left, k, axis) for k in (-3, -2, -1, 0, 1)))
    return u.shape[axis] * (face - np.roll(face, 1, axis))


def rates(u: np.ndarray, speed: float) -> np.ndarray:
    """Return the time derivative of the cell means u, of any number of axes, periodic; `speed` bounds ``abs(u)``."""
    rate = -outflow(u, speed, 0)
    for axis in range(1, u.ndim):
        rate = rate - outflow(u, speed, axis)
    return rate


def burgers(size: int) -> Problem:
    """Return Burgers' equation on `size` cells of a periodic line; seven entries a row.

    Source: Jiang and Shu (1996), WENO5 with the splitting of Lax and Friedrichs. The bound on the speed is an argument,
    as in codes that choose it once a step: taken from u itself it would make every entry of the Jacobian nonzero.

    Examples
    --------
    >>> problem = burgers(8)
    >>> problem.f(problem.x0, *problem.args).shape
    (8,)
    """
    N = check_size(size)
    return Problem(
        name="burgers",
        title=f"Burgers' equation by WENO5, {N:,} cells",
        reference=REFERENCE,
        derivative="jacobian",
        f=rates,
        x0=0.5 + np.sin(2.0 * np.pi * (np.arange(N) + 0.5) / N),
        args=(1.5,),
    )


def burgers_2d(size: int) -> Problem:
    """Return Burgers' equation on `size` x `size` cells of a periodic square; thirteen entries a row.

    Examples
    --------
    >>> burgers_2d(8).x0.shape
    (8, 8)
    """
    N = check_size(size)
    s = (np.arange(N) + 0.5) / N
    return Problem(
        name="burgers-2d",
        title=f"2-D Burgers' equation by WENO5, {N} x {N} cells",
        reference=REFERENCE,
        derivative="jacobian",
        f=rates,
        x0=0.5 + np.sin(2.0 * np.pi * (s[:, None] + s)),
        args=(1.5,),
    )
