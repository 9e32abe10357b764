"""Burgers' equation by WENO5, on a line and on a square."""

from __future__ import annotations

from typing import Any

from sparsead.problems import Problem
from sparsead.problems.burgers import at_face


def casadi(problem: Problem, x: Any) -> Any:
    """The reconstruction is elementwise, so it serves as it is; CasADi stores matrices by columns."""
    import casadi as ca

    (speed,) = problem.args
    u = ca.reshape(x, *problem.x0.shape[::-1]) if problem.x0.ndim == 2 else x

    def rolled(w: Any, k: int, axis: int) -> Any:
        if k == 0:
            return w
        return ca.vertcat(w[-k:, :], w[:-k, :]) if axis == 0 else ca.horzcat(w[:, -k:], w[:, :-k])

    def outflow(axis: int) -> Any:
        flux = 0.5 * u * u
        right, left = 0.5 * (flux + speed * u), 0.5 * (flux - speed * u)
        face = at_face(*(rolled(right, k, axis) for k in (2, 1, 0, -1, -2)))
        face = face + at_face(*(rolled(left, k, axis) for k in (-3, -2, -1, 0, 1)))
        return problem.x0.shape[0] * (face - rolled(face, 1, axis))

    return ca.vec(-sum(outflow(axis) for axis in range(problem.x0.ndim)))


def jax(problem: Problem, x: Any) -> Any:
    import jax.numpy as jnp

    (speed,) = problem.args
    u = x.reshape(problem.x0.shape)

    def outflow(axis: int) -> Any:
        flux = 0.5 * u * u
        right, left = 0.5 * (flux + speed * u), 0.5 * (flux - speed * u)
        face = at_face(*(jnp.roll(right, k, axis) for k in (2, 1, 0, -1, -2)))
        face = face + at_face(*(jnp.roll(left, k, axis) for k in (-3, -2, -1, 0, 1)))
        return u.shape[axis] * (face - jnp.roll(face, 1, axis))

    return -sum(outflow(axis) for axis in range(u.ndim)).ravel()
