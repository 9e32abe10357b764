"""AC power flow."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.peers.built import Built, by_loop
from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    import casadi as ca

    (network,) = problem.args
    turning, loads = network.turning.tolist(), network.loads.tolist()
    kind = type(x)
    angle, magnitude = kind.zeros(network.P.size), kind(ca.DM(network.magnitude))
    angle[turning], magnitude[loads] = x[: len(turning)], x[len(turning) :]
    G, B = (ca.DM(scipy.sparse.csc_matrix(part)) for part in (network.G, network.B))
    e, f = magnitude * ca.cos(angle), magnitude * ca.sin(angle)
    real, imaginary = ca.mtimes(G, e) - ca.mtimes(B, f), ca.mtimes(G, f) + ca.mtimes(B, e)
    P, Q = e * real + f * imaginary - ca.DM(network.P), f * real - e * imaginary - ca.DM(network.Q)
    return ca.vertcat(P[turning], Q[loads])


def jax(problem: Problem, x: Any) -> Any:
    """With sums over the entries of the matrix: asdex does not see into JAX's own sparse matrices."""
    import jax
    import jax.numpy as jnp

    (network,) = problem.args
    turning, loads = network.turning, network.loads
    angle = jnp.zeros(network.P.size).at[turning].set(x[: turning.size])
    magnitude = jnp.asarray(network.magnitude).at[loads].set(x[turning.size :])

    def times(A: scipy.sparse.csr_array, v: Any) -> Any:
        A = A.tocoo()
        return jax.ops.segment_sum(A.data * v[A.col], A.row, num_segments=network.P.size)

    e, f = magnitude * jnp.cos(angle), magnitude * jnp.sin(angle)
    real, imaginary = times(network.G, e) - times(network.B, f), times(network.G, f) + times(network.B, e)
    P, Q = e * real + f * imaginary - network.P, f * real - e * imaginary - network.Q
    return jnp.concatenate([P[turning], Q[loads]])


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """The textbook's formulas, as power flow codes have them: one loop over the entries of the admittance matrix.

    Tables say where the four derivatives of each entry go, -1 where angle or magnitude is known.
    """
    (network,) = problem.args
    Y = scipy.sparse.csr_array(network.G + 1j * network.B)
    N = network.P.size
    angles, magnitudes = np.full(N, -1), np.full(N, -1)
    angles[network.turning] = np.arange(network.turning.size)
    magnitudes[network.loads] = network.turning.size + np.arange(network.loads.size)
    numbered = scipy.sparse.csr_array(
        (np.arange(1, pattern.nnz + 1), pattern.indices, pattern.indptr), shape=pattern.shape
    )
    rows = np.repeat(np.arange(N), np.diff(Y.indptr))
    slots = np.full((Y.nnz, 4), -1)
    for k, (of, by) in enumerate(((angles, angles), (angles, magnitudes), (magnitudes, angles), (magnitudes,) * 2)):
        row, column = of[rows], by[Y.indices]
        known = (row >= 0) & (column >= 0)
        slots[known, k] = numbered[row[known], column[known]] - 1
    own = np.flatnonzero(rows == Y.indices)
    e, f = np.empty(N), np.empty(N)
    given = (problem.x0, network.magnitude.copy(), network.turning, network.loads)
    return by_loop(_fill, pattern, *given, Y.indptr, Y.indices, Y.data, slots, own, e, f, np.empty((N, 2)))


@njit
def _fill(x, magnitude, turning, loads, indptr, indices, Y, slots, own, e, f, unit, data):  # type: ignore[no-untyped-def]
    N = e.size
    e[:], f[:] = 1.0, 0.0
    for k in range(turning.size):
        e[turning[k]], f[turning[k]] = np.cos(x[k]), np.sin(x[k])
    for k in range(loads.size):
        magnitude[loads[k]] = x[turning.size + k]
    for i in range(N):
        unit[i, 0], unit[i, 1] = e[i], f[i]
        e[i] *= magnitude[i]
        f[i] *= magnitude[i]
    for i in range(N):
        P = Q = 0.0  # what flows out of bus i
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            g, b = Y[k].real, Y[k].imag
            real, imaginary = g * e[j] - b * f[j], g * f[j] + b * e[j]
            p, q = e[i] * real + f[i] * imaginary, f[i] * real - e[i] * imaginary
            P += p
            Q += q
            _put(data, slots[k, 0], q)
            _put(data, slots[k, 2], -p)
            real, imaginary = g * unit[j, 0] - b * unit[j, 1], g * unit[j, 1] + b * unit[j, 0]
            _put(data, slots[k, 1], e[i] * real + f[i] * imaginary)
            _put(data, slots[k, 3], f[i] * real - e[i] * imaginary)
        k = own[i]
        _add(data, slots[k, 0], -Q)
        _add(data, slots[k, 2], P)
        _add(data, slots[k, 1], P / magnitude[i])
        _add(data, slots[k, 3], Q / magnitude[i])


@njit(inline="always")
def _put(data, slot, value):  # type: ignore[no-untyped-def]
    if slot >= 0:
        data[slot] = value


@njit(inline="always")
def _add(data, slot, value):  # type: ignore[no-untyped-def]
    if slot >= 0:
        data[slot] += value
