"""The neo-Hookean block."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.peers.built import Built, by_loop
from sparsead.problems import Problem

AXES = range(3)


def casadi(problem: Problem, x: Any) -> Any:
    """With a vector over all elements for each component of a tensor: CasADi has matrices alone."""
    import casadi as ca

    (body,) = problem.args
    points, corners, free = len(body.points), body.corners, body.free.tolist()
    gradient = [[ca.DM(body.gradients[:, a, j]) for j in AXES] for a in range(4)]
    displaced = []
    for i in AXES:
        u = type(x).zeros(points)
        u[free] = x[i::3]
        displaced.append([u[corners[:, a].tolist()] for a in range(4)])
    F = [
        [float(i == j) + sum(displaced[i][a] * gradient[a][j] for a in range(4)) for j in AXES]
        for i in AXES
    ]  # fmt: skip
    cofactor = [[_minor(F, i, j) for j in AXES] for i in AXES]
    det = sum(F[0][j] * cofactor[0][j] for j in AXES)
    factor = (body.bulk * ca.log(det) - body.shear) / det
    volumes = ca.DM(body.volumes)
    ones = np.ones(len(corners))
    assemble = [
        ca.DM(scipy.sparse.csc_matrix((ones, (corners[:, a], np.arange(ones.size))), shape=(points, ones.size)))
        for a in range(4)
    ]
    total = []
    for i in AXES:
        stress = [volumes * (body.shear * F[i][j] + factor * cofactor[i][j]) for j in AXES]
        forces = (sum(stress[j] * gradient[a][j] for j in AXES) for a in range(4))
        total.append(sum(ca.mtimes(A, force) for A, force in zip(assemble, forces, strict=True))[free])
    return ca.vec(ca.horzcat(*total).T)


def jax(problem: Problem, x: Any) -> Any:
    import jax.numpy as jnp

    (body,) = problem.args
    moved = jnp.zeros(body.points.shape).at[body.free].set(x.reshape(-1, 3))
    F = jnp.eye(3) + jnp.einsum("eai,eaj->eij", moved[body.corners], body.gradients)
    cofactor = jnp.stack([jnp.stack([_minor(jnp.moveaxis(F, 0, 2), i, j) for j in AXES], -1) for i in AXES], 1)
    det = jnp.sum(F[:, 0] * cofactor[:, 0], axis=1)
    factor = (body.bulk * jnp.log(det) - body.shear) / det
    stress = body.shear * F + factor[:, None, None] * cofactor
    forces = jnp.einsum("eij,eaj->eai", stress, body.gradients) * body.volumes[:, None, None]
    return jnp.zeros(body.points.shape).at[body.corners].add(forces)[body.free].ravel()


def _minor(F: Any, i: int, j: int) -> Any:
    """Return an entry of the matrix of cofactors."""
    i1, i2, j1, j2 = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
    return F[i1][j1] * F[i2][j2] - F[i1][j2] * F[i2][j1]


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """The stiffness of each element in closed form; a table says where each of its rows begins, -1 where it is held."""
    (body,) = problem.args
    unknown = np.full(len(body.points), -1)
    unknown[body.free] = np.arange(body.free.size)
    corners = unknown[body.corners]
    numbered = scipy.sparse.csr_array(
        (np.arange(1, pattern.nnz + 1), pattern.indices, pattern.indptr), shape=pattern.shape
    )
    row, column = np.broadcast_arrays(corners[:, :, None, None] * 3 + np.arange(3), corners[:, None, :, None] * 3)
    known = (row >= 0) & (column >= 0)
    slots = np.full(row.shape, -1)
    slots[known] = numbered[row[known], column[known]] - 1
    moved = np.zeros(body.points.shape)
    constants = (body.free, body.corners, body.gradients, body.volumes, body.shear, body.bulk)
    return by_loop(_fill, pattern, problem.x0, *constants, slots, moved)


@njit
def _fill(u, free, corners, gradients, volumes, shear, bulk, slots, moved, data):  # type: ignore[no-untyped-def]
    moved[free] = u
    data[:] = 0.0
    F, C, h = np.empty((3, 3)), np.empty((3, 3)), np.empty((4, 3))
    for e in range(corners.shape[0]):
        g = gradients[e]
        for i in range(3):
            for j in range(3):
                F[i, j] = 1.0 if i == j else 0.0
                for a in range(4):
                    F[i, j] += moved[corners[e, a], i] * g[a, j]
        for i in range(3):
            for j in range(3):
                i1, i2, j1, j2 = (i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3
                C[i, j] = F[i1, j1] * F[i2, j2] - F[i1, j2] * F[i2, j1]
        det = F[0, 0] * C[0, 0] + F[0, 1] * C[0, 1] + F[0, 2] * C[0, 2]
        for a in range(4):  # gradients in the deformed body
            for i in range(3):
                h[a, i] = (C[i, 0] * g[a, 0] + C[i, 1] * g[a, 1] + C[i, 2] * g[a, 2]) / det
        w = volumes[e]
        first, second = w * bulk, w * (shear - bulk * np.log(det))
        for a in range(4):
            for b in range(4):
                dot = w * shear * (g[a, 0] * g[b, 0] + g[a, 1] * g[b, 1] + g[a, 2] * g[b, 2])
                for i in range(3):
                    slot = slots[e, a, b, i]
                    if slot >= 0:
                        for k in range(3):
                            value = first * h[a, i] * h[b, k] + second * h[a, k] * h[b, i]
                            data[slot + k] += value + (dot if i == k else 0.0)
