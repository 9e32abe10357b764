"""A block of rubber, bent and stretched: finite elements of a compressible neo-Hookean material."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "J. Bonet and R. D. Wood, Nonlinear Continuum Mechanics for Finite Element Analysis, 2nd ed., Cambridge University "
    "Press 2008, sections 6.4.3 (material) and 9.3 (forces); cubes are cut as by H. W. Kuhn, Some combinatorial lemmas "
    "in topology, IBM J. Res. Dev. 4 (1960) 518-524"
)


@dataclass(frozen=True)
class Body:
    """A mesh of tetrahedra with linear shape functions, and its material.

    Attributes
    ----------
    points : ndarray, shape (P, 3)
        Where the corners are at rest.
    corners : ndarray of int, shape (E, 4)
        The points of each tetrahedron.
    free : ndarray of int
        The points that may move.
    gradients, volumes : ndarray, shapes (E, 4, 3) and (E,)
        Gradients of the shape functions; volumes at rest.
    shear, bulk : float
        The constants of Lamé, mu and lambda.
    """

    points: np.ndarray
    corners: np.ndarray
    free: np.ndarray
    gradients: np.ndarray
    volumes: np.ndarray
    shear: float = 1.0
    bulk: float = 10.0

    @classmethod
    def block(cls, N: int) -> Body:
        """Return a unit cube of `N` x `N` x `N` small cubes, six tetrahedra each, held at its bottom."""
        grid = np.indices((N + 1,) * 3).reshape(3, -1).T
        number = np.arange(grid.shape[0]).reshape((N + 1,) * 3)
        steps = [np.cumsum(np.eye(3, dtype=int)[list(order)], axis=0) for order in permutations(range(3))]
        walks = np.array([np.vstack([np.zeros((1, 3), int), step]) for step in steps])
        cubes = np.indices((N, N, N)).reshape(3, -1).T
        corners = number[tuple(np.moveaxis(cubes[:, None, None] + walks, -1, 0))].reshape(-1, 4)
        points = grid / N
        edges = points[corners[:, 1:]] - points[corners[:, :1]]
        slopes = np.swapaxes(np.linalg.inv(edges), 1, 2)
        gradients = np.concatenate([-slopes.sum(axis=1, keepdims=True), slopes], axis=1)
        return cls(points, corners, np.flatnonzero(grid[:, 2]), gradients, abs(np.linalg.det(edges)) / 6.0)


def residual(u: np.ndarray, body: Body) -> np.ndarray:
    """Return the inner forces on the free points, (F, 3), when they are displaced by u (F, 3)."""
    moved = np.zeros_like(u, shape=body.points.shape)
    moved[body.free] = u
    F = np.eye(3) + np.einsum("eai,eaj->eij", moved[body.corners], body.gradients)
    across = np.swapaxes(np.linalg.inv(F), 1, 2)
    pressure = body.bulk * np.log(np.linalg.det(F))
    stress = body.shear * (F - across) + pressure[:, None, None] * across
    forces = np.einsum("eij,eaj->eai", stress, body.gradients) * body.volumes[:, None, None]
    total = np.zeros_like(u, shape=body.points.shape)
    np.add.at(total, body.corners, forces)
    return total[body.free]


def hyperelastic(size: int) -> Problem:
    """Return the forces in a twisted, stretched block of ``6 size**3`` tetrahedra, three unknowns a free point.

    Source: Bonet and Wood (2008), the compressible neo-Hookean material.

    Examples
    --------
    >>> problem = hyperelastic(2)
    >>> problem.f(problem.x0, *problem.args).shape
    (18, 3)
    """
    N = check_size(size)
    body = Body.block(N)
    x, y, z = body.points[body.free].T
    angle = 0.3 * z
    twisted = np.stack([
        np.cos(angle) * (x - 0.5) - np.sin(angle) * (y - 0.5) + 0.5,
        np.sin(angle) * (x - 0.5) + np.cos(angle) * (y - 0.5) + 0.5,
        z + 0.1 * z * z,
    ], axis=1)  # fmt: skip
    return Problem(
        name="hyperelastic",
        title=f"neo-Hookean block of {N} x {N} x {N} cubes, {6 * N**3:,} tetrahedra",
        reference=REFERENCE,
        derivative="jacobian",
        f=residual,
        x0=twisted - body.points[body.free],
        args=(body,),
    )
