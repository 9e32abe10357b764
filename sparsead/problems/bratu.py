"""The Bratu problem in three space dimensions: heat that a reaction feeds, in a cube with cold walls."""

from __future__ import annotations

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "R. Glowinski, H. B. Keller and L. Reinhart, Continuation-conjugate gradient methods for the least squares "
    "solution of nonlinear boundary value problems, SIAM J. Sci. Stat. Comput. 6 (1985) 793-832"
)


def residual(u: np.ndarray, strength: float) -> np.ndarray:
    """Return ``-laplace(u) - strength * exp(u)``, u (N, N, N) inside a unit cube with u = 0 on its walls."""
    h = 1.0 / (u.shape[0] + 1)
    p = np.pad(u, 1)
    inside = slice(1, -1)
    neighbours = (
        p[2:, inside, inside]
        + p[:-2, inside, inside]
        + p[inside, 2:, inside]
        + p[inside, :-2, inside]
        + p[inside, inside, 2:]
        + p[inside, inside, :-2]
    )
    return (6.0 * u - neighbours) / h**2 - strength * np.exp(u)


def bratu(size: int) -> Problem:
    """Return the Bratu problem on ``size**3`` inner points, at ``strength = 6`` (below the fold near 9.9).

    Source: Glowinski, Keller and Reinhart (1985); PETSc's SNES example 14 solves the same equations.

    Examples
    --------
    >>> bratu(4).x0.shape
    (4, 4, 4)
    """
    N = check_size(size)
    s = np.arange(1, N + 1) / (N + 1)
    bump = np.minimum(s, 1.0 - s)
    x0 = 3.0 * np.minimum(np.minimum(bump[:, None, None], bump[None, :, None]), bump[None, None, :])
    return Problem(
        name="bratu",
        title=f"3-D Bratu problem on {N} x {N} x {N} points",
        reference=REFERENCE,
        derivative="jacobian",
        f=residual,
        x0=x0,
        args=(6.0,),
    )
