"""The area of a surface."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.peers.built import Built, by_loop
from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    """With rows and columns exchanged, to which the area is blind: CasADi stores matrices by columns."""
    import casadi as ca

    (frame,) = problem.args
    N = problem.x0.shape[0]
    h = 1.0 / (N + 1)
    frame = frame.T
    full = ca.vertcat(
        ca.DM(frame[:1]), ca.horzcat(ca.DM(frame[1:-1, :1]), ca.reshape(x, N, N), ca.DM(frame[1:-1, -1:])),
        ca.DM(frame[-1:]),
    )  # fmt: skip
    east, north = (full[:, 1:] - full[:, :-1]) / h, (full[1:, :] - full[:-1, :]) / h
    lower = ca.sqrt(1.0 + east[:-1, :] ** 2 + north[:, :-1] ** 2)
    upper = ca.sqrt(1.0 + east[1:, :] ** 2 + north[:, 1:] ** 2)
    return 0.5 * h**2 * (ca.sum1(ca.vec(lower)) + ca.sum1(ca.vec(upper)))


def jax(problem: Problem, x: Any) -> Any:
    import jax.numpy as jnp

    (frame,) = problem.args
    N = problem.x0.shape[0]
    h = 1.0 / (N + 1)
    full = jnp.asarray(frame).at[1:-1, 1:-1].set(x.reshape(N, N))
    east, north = jnp.diff(full, axis=1) / h, jnp.diff(full, axis=0) / h
    lower = jnp.sqrt(1.0 + east[:-1] ** 2 + north[:, :-1] ** 2)
    upper = jnp.sqrt(1.0 + east[1:] ** 2 + north[:, 1:] ** 2)
    return 0.5 * h**2 * (jnp.sum(lower) + jnp.sum(upper))


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """One loop over the triangles; tables say where the nine entries of each go, -1 for heights that are held."""
    (frame,) = problem.args
    N = problem.x0.shape[0]
    number = np.full((N + 2, N + 2), -1)
    number[1:-1, 1:-1] = np.arange(N * N).reshape(N, N)
    # The corner at the right angle, its neighbour along axis 1, its neighbour along axis 0; with the signs of both.
    lower = number[:-1, :-1], number[:-1, 1:], number[1:, :-1]
    upper = number[1:, 1:], number[1:, :-1], number[:-1, 1:]
    corners = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in (lower, upper)])
    places = np.arange(1, pattern.nnz + 1)
    numbered = scipy.sparse.csr_array((places, pattern.indices, pattern.indptr), shape=pattern.shape)
    rows, columns = np.repeat(corners, 3, axis=1), np.tile(corners, (1, 3))
    known = (rows >= 0) & (columns >= 0)
    slots = np.full(rows.shape, -1)
    slots[known] = numbered[rows[known], columns[known]] - 1
    at = np.arange((N + 2) ** 2).reshape(N + 2, N + 2)
    lower = at[:-1, :-1], at[:-1, 1:], at[1:, :-1]
    upper = at[1:, 1:], at[1:, :-1], at[:-1, 1:]
    points = np.concatenate([np.stack(t, axis=-1).reshape(-1, 3) for t in (lower, upper)])
    full = frame.copy()
    return by_loop(_fill, pattern, problem.x0, full, points, slots)


@njit
def _fill(z, full, points, slots, data):  # type: ignore[no-untyped-def]
    N = z.shape[0]
    h = 1.0 / (N + 1)
    full[1:-1, 1:-1] = z
    heights = full.ravel()
    data[:] = 0.0
    for t in range(points.shape[0]):
        middle = heights[points[t, 0]]
        p, q = (heights[points[t, 1]] - middle) / h, (heights[points[t, 2]] - middle) / h
        s = 1.0 + p * p + q * q
        c = 0.5 / (s * np.sqrt(s))  # h^2 / 2 by 1 / h^2 from the two slopes
        pp, pq, qq = c * (1.0 + q * q), -c * p * q, c * (1.0 + p * p)
        entries = (pp + 2.0 * pq + qq, -pp - pq, -pq - qq, -pp - pq, pp, pq, -pq - qq, pq, qq)
        for k in range(9):
            if slots[t, k] >= 0:
                data[slots[t, k]] += entries[k]
