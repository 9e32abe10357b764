"""A fluid in a square box whose lid moves: steady flow, in stream function and vorticity."""

from __future__ import annotations

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "U. Ghia, K. N. Ghia and C. T. Shin, High-Re solutions for incompressible flow using the Navier-Stokes equations "
    "and a multigrid method, J. Comput. Phys. 48 (1982) 387-411; the vorticity on the walls is that of A. Thom (1933)"
)


def flow(w: np.ndarray, reynolds: float) -> np.ndarray:
    """Return the residuals of ``-laplace(psi) = omega`` and of the transport of omega; w (2, N, N) holds both.

    The second axis is horizontal, the third vertical; the lid, on top, moves to the right at speed one.
    """
    N = w.shape[1]
    h = 1.0 / (N + 1)
    inside = slice(1, -1)
    psi, omega = np.pad(w[0], 1), np.pad(w[1], 1)
    omega[0, inside], omega[-1, inside] = -2.0 * psi[1, inside] / h**2, -2.0 * psi[-2, inside] / h**2
    omega[inside, 0], omega[inside, -1] = -2.0 * psi[inside, 1] / h**2, -2.0 * psi[inside, -2] / h**2 - 2.0 / h

    def along(p: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
        ahead, behind = (p[2:, inside], p[:-2, inside]) if axis == 0 else (p[inside, 2:], p[inside, :-2])
        return (ahead - behind) / (2.0 * h), (ahead + behind - 2.0 * p[inside, inside]) / h**2

    psi_x, psi_xx = along(psi, 0)
    psi_y, psi_yy = along(psi, 1)
    omega_x, omega_xx = along(omega, 0)
    omega_y, omega_yy = along(omega, 1)
    transport = reynolds * (psi_y * omega_x - psi_x * omega_y) - omega_xx - omega_yy
    return np.stack([-psi_xx - psi_yy - w[1], transport])


def cavity(size: int) -> Problem:
    """Return the flow on `size` x `size` inner points at Reynolds number 100, two unknowns a point.

    Source: Ghia, Ghia and Shin (1982), whose finest grid has 127 inner points a side. The stream function of the
    primary vortex reaches -0.103423 there.

    Examples
    --------
    >>> problem = cavity(4)
    >>> problem.f(problem.x0, *problem.args).shape
    (2, 4, 4)
    """
    N = check_size(size)
    return Problem(
        name="cavity",
        title=f"flow in a lid-driven cavity, {N} x {N} inner points",
        reference=REFERENCE,
        derivative="jacobian",
        f=flow,
        x0=np.zeros((2, N, N)),
        args=(100.0,),
    )
