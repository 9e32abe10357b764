"""The flow in a driven cavity."""

from __future__ import annotations

from typing import Any

from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    """With rows and columns exchanged: CasADi stores matrices by columns."""
    import casadi as ca

    N, (reynolds,) = problem.x0.shape[1], problem.args
    h, n = 1.0 / (N + 1), N * N
    psi, omega = ca.reshape(x[:n], N, N).T, ca.reshape(x[n:], N, N).T
    zero, corner = ca.DM.zeros(N, 1), ca.DM.zeros(1, 1)

    def framed(w: Any, west: Any, east: Any, south: Any, north: Any) -> Any:
        middle = ca.horzcat(south, w, north)
        return ca.vertcat(ca.horzcat(corner, west, corner), middle, ca.horzcat(corner, east, corner))

    def wall(next_to_it: Any) -> Any:
        return -2.0 * next_to_it / h**2

    p = framed(psi, zero.T, zero.T, zero, zero)
    o = framed(omega, wall(psi[0, :]), wall(psi[-1, :]), wall(psi[:, 0]), wall(psi[:, -1]) - 2.0 / h)

    def along(w: Any, axis: int) -> tuple[Any, Any]:
        ahead, behind = (w[2:, 1:-1], w[:-2, 1:-1]) if axis == 0 else (w[1:-1, 2:], w[1:-1, :-2])
        return (ahead - behind) / (2.0 * h), (ahead + behind - 2.0 * w[1:-1, 1:-1]) / h**2

    (psi_x, psi_xx), (psi_y, psi_yy) = along(p, 0), along(p, 1)
    (omega_x, omega_xx), (omega_y, omega_yy) = along(o, 0), along(o, 1)
    transport = reynolds * (psi_y * omega_x - psi_x * omega_y) - omega_xx - omega_yy
    return ca.vertcat(ca.vec((-psi_xx - psi_yy - omega).T), ca.vec(transport.T))


def jax(problem: Problem, x: Any) -> Any:
    import jax.numpy as jnp

    N, (reynolds,) = problem.x0.shape[1], problem.args
    h, inside = 1.0 / (N + 1), slice(1, -1)
    w = x.reshape(2, N, N)
    psi, omega = jnp.pad(w[0], 1), jnp.pad(w[1], 1)
    omega = omega.at[0, inside].set(-2.0 * psi[1, inside] / h**2)
    omega = omega.at[-1, inside].set(-2.0 * psi[-2, inside] / h**2)
    omega = omega.at[inside, 0].set(-2.0 * psi[inside, 1] / h**2)
    omega = omega.at[inside, -1].set(-2.0 * psi[inside, -2] / h**2 - 2.0 / h)

    def along(p: Any, axis: int) -> tuple[Any, Any]:
        ahead, behind = (p[2:, inside], p[:-2, inside]) if axis == 0 else (p[inside, 2:], p[inside, :-2])
        return (ahead - behind) / (2.0 * h), (ahead + behind - 2.0 * p[inside, inside]) / h**2

    (psi_x, psi_xx), (psi_y, psi_yy) = along(psi, 0), along(psi, 1)
    (omega_x, omega_xx), (omega_y, omega_yy) = along(omega, 0), along(omega, 1)
    transport = reynolds * (psi_y * omega_x - psi_x * omega_y) - omega_xx - omega_yy
    return jnp.stack([-psi_xx - psi_yy - w[1], transport]).ravel()
