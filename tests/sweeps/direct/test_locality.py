"""Points in an order in which they store side by side: the same matrix, to the bit."""

from __future__ import annotations

import numpy as np

import sparsead as sad
from sparsead.kernels.indexmap import recognise
from sparsead.sweeps.direct.locality import TILE, Lines

CAMERAS, POINTS, SEEN = 20, 2000, 5
RNG = np.random.default_rng(0)
CAMERA = np.concatenate([np.sort(RNG.choice(CAMERAS, SEEN, replace=False)) for _ in range(POINTS)])
POINT = np.repeat(np.arange(POINTS), SEEN)
WEIGHT = RNG.random(CAMERA.size)
X = RNG.random(6 * CAMERAS + 3 * POINTS) + 0.5


def errors(x):
    """Two errors of each observation: of six numbers of a camera, and three of a point; constants and weights, too."""
    camera, point = x[: 6 * CAMERAS].reshape(-1, 6)[CAMERA], x[6 * CAMERAS :].reshape(-1, 3)[POINT]
    moved = np.sin(camera[:, :3] * point) + camera[:, 3:]
    first = moved[:, 0] * moved[:, 1] + WEIGHT * moved[:, 2] ** 2
    second = 3.0 * camera[:, 5] - moved[:, 0] / moved[:, 2]
    return np.stack([first, second], axis=1).ravel()


def test_what_is_stored_through_tables_has_the_bits_of_the_matrix_by_rows():
    by_rows, jac = (sad.jacobian(errors, X, mode="direct", check=False, format=format) for format in ("csr", "csc"))
    assert "prefetch" in jac.source and f"in range({CAMERAS * -(-CAMERA.size // TILE)}):" in jac.source
    wanted, J = by_rows(X).tocsc(), jac(X)
    np.testing.assert_array_equal(J.data, wanted.data)
    v, step = RNG.random(X.size), 1e-200
    np.testing.assert_allclose(J @ v, errors(X + 1j * step * v).imag / step, rtol=1e-11)


def test_slots_of_one_line_count_once_and_the_best_order_has_fewest_jumps():
    far = RNG.permutation(4 * TILE) * 8
    lines = Lines([recognise(far), recognise(far + 1), recognise(np.arange(4 * TILE))])
    assert len(lines.slots) == 1 and len(lines.scattered()) == 1
    few = RNG.integers(0, 20, 4 * TILE)
    place = np.argsort(np.argsort(few, kind="stable")) + 4096 * few
    best = Lines([recognise(place), recognise(place + (1 << 20))]).best()
    np.testing.assert_array_equal(best.array() % (1 << 20), place)
    assert Lines([recognise(np.sort(place))]).best() is None
    assert Lines([]).best() is None and not Lines([]).scattered()
