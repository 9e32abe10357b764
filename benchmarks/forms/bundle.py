"""Bundle adjustment."""

from __future__ import annotations

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.bundle import CAMERAS
from benchmarks.peers.built import Built, by_loop, filled
from sparsead.problems import Problem


def by_hand(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """The derivative of a rotation in closed form: what depends on a camera is computed once a camera."""
    views, _ = problem.args
    turn, slope = np.empty((CAMERAS, 3, 3)), np.empty((CAMERAS, 3, 3))
    return by_loop(_fill, pattern, problem.x0, views.camera, views.point, turn, slope, None)


def by_columns(problem: Problem, pattern: scipy.sparse.csr_array) -> Built:
    """The same loop, which stores each value where it is by columns: what that costs whoever does it."""
    views, _ = problem.args
    numbers = scipy.sparse.csr_array((np.arange(pattern.nnz), pattern.indices, pattern.indptr), pattern.shape).tocsc()
    places = np.empty(pattern.nnz, np.int32)
    places[numbers.data] = np.arange(pattern.nnz)
    turn, slope = np.empty((CAMERAS, 3, 3)), np.empty((CAMERAS, 3, 3))
    call, matrix = by_loop(_fill, pattern, problem.x0, views.camera, views.point, turn, slope, places)
    return call, lambda: filled(pattern, matrix().data[places])  # type: ignore[attr-defined]


@njit
def _fill(x, camera, point, turn, slope, places, data):  # type: ignore[no-untyped-def]
    for c in range(turn.shape[0]):
        _rotation(x[9 * c : 9 * c + 3], turn[c], slope[c])
    for i in range(camera.size):
        c, p = 9 * camera[i], 9 * turn.shape[0] + 3 * point[i]
        R, J = turn[camera[i]], slope[camera[i]]
        X, Y, Z = x[p], x[p + 1], x[p + 2]
        f, k1, k2 = x[c + 6], x[c + 7], x[c + 8]
        scale = 1.0 / (R[2, 0] * X + R[2, 1] * Y + R[2, 2] * Z + x[c + 5])
        u = -(R[0, 0] * X + R[0, 1] * Y + R[0, 2] * Z + x[c + 3]) * scale
        v = -(R[1, 0] * X + R[1, 1] * Y + R[1, 2] * Z + x[c + 4]) * scale
        n = u * u + v * v
        radial, change = 1.0 + n * (k1 + k2 * n), k1 + 2.0 * k2 * n
        cross = 2.0 * f * change * u * v
        for e in range(2):
            b0 = -scale * (f * (radial + 2.0 * change * u * u) if e == 0 else cross)
            b1 = -scale * (cross if e == 0 else f * (radial + 2.0 * change * v * v))
            b2 = b0 * u + b1 * v
            r0 = b0 * R[0, 0] + b1 * R[1, 0] + b2 * R[2, 0]
            r1 = b0 * R[0, 1] + b1 * R[1, 1] + b2 * R[2, 1]
            r2 = b0 * R[0, 2] + b1 * R[1, 2] + b2 * R[2, 2]
            w0, w1, w2 = r2 * Y - r1 * Z, r0 * Z - r2 * X, r1 * X - r0 * Y
            at, w = 12 * (2 * i + e), u if e == 0 else v
            for k in range(3):
                _put(data, places, at + k, w0 * J[0, k] + w1 * J[1, k] + w2 * J[2, k])
            for k, value in enumerate((b0, b1, b2, radial * w, f * n * w, f * n * n * w, r0, r1, r2)):
                _put(data, places, at + 3 + k, value)


@njit
def _put(data, places, entry, value):  # type: ignore[no-untyped-def]
    """Store an entry in row order, or where it is."""
    if places is None:
        data[entry] = value
    else:
        data[places[entry]] = value


@njit
def _rotation(vector, turn, slope):  # type: ignore[no-untyped-def]
    """Write the rotation by a vector, and its right Jacobian."""
    square = vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2
    angle = np.sqrt(square)
    first, second = np.sin(angle) / angle, (1.0 - np.cos(angle)) / square
    third = (angle - np.sin(angle)) / (square * angle)
    for i in range(3):
        for j in range(3):
            hat, twice = 0.0, vector[i] * vector[j] - (square if i == j else 0.0)
            if i != j:
                hat = vector[3 - i - j] * (1.0 if (j - i) % 3 == 2 else -1.0)
            unit = 1.0 if i == j else 0.0
            turn[i, j] = unit + first * hat + second * twice
            slope[i, j] = unit - second * hat + third * twice
