"""A minimal surface: the soap film over the unit square that a bent wire spans."""

from __future__ import annotations

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "B. M. Averick, R. G. Carter, J. J. Moré and G.-L. Xue, The MINPACK-2 test problem collection, Argonne report "
    "MCS-P153-0692 (1992), section 4.4; the boundary is that of H. F. Scherk's surface, J. reine angew. Math. 13 (1835)"
)


def area(z: np.ndarray, frame: np.ndarray) -> float:
    """Return the area of the piecewise linear surface of heights z (N, N) inside the heights of its `frame`."""
    N = z.shape[0]
    h = 1.0 / (N + 1)
    full = np.zeros_like(z, shape=(N + 2, N + 2))
    full[:] = frame
    full[1:-1, 1:-1] = z
    east, north = np.diff(full, axis=1) / h, np.diff(full, axis=0) / h
    lower = np.sqrt(1.0 + east[:-1] ** 2 + north[:, :-1] ** 2)
    upper = np.sqrt(1.0 + east[1:] ** 2 + north[:, 1:] ** 2)
    return 0.5 * h**2 * (np.sum(lower) + np.sum(upper))


def minimal_surface(size: int) -> Problem:
    """Return the area of a surface of ``size**2`` free heights; each meets seven in the Hessian.

    Source: the MINPACK-2 collection, two triangles to a cell. The minimiser approaches Scherk's surface,
    ``log(cos(t - 1/2) / cos(s - 1/2))``, as the grid is refined.

    Examples
    --------
    >>> minimal_surface(3).x0.shape
    (3, 3)
    """
    N = check_size(size)
    c = np.log(np.cos(np.linspace(-0.5, 0.5, N + 2)))
    frame = c[None, :] - c[:, None]
    frame[1:-1, 1:-1] = 0.0
    return Problem(
        name="minimal-surface",
        title=f"minimal surface of {N} x {N} free heights",
        reference=REFERENCE,
        derivative="hessian",
        f=area,
        x0=np.zeros((N, N)),
        args=(frame,),
    )
