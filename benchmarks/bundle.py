"""Bundle adjustment: cameras and points that explain where the points are seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsead.problems import Problem

REFERENCE = (
    "S. Agarwal, N. Snavely, S. M. Seitz and R. Szeliski, Bundle adjustment in the large, ECCV (2010): its camera of "
    "nine numbers, on random points; written as SciPy's cookbook writes it"
)
CAMERAS, SEEN_BY = 50, 8


@dataclass(frozen=True)
class Views:
    """Which camera sees which point, an observation each."""

    camera: np.ndarray
    point: np.ndarray


def turned(points: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return points, each turned by a vector, by the formula of Rodrigues."""
    angle = np.linalg.norm(vectors, axis=1)[:, None]
    axis = vectors / angle
    along = np.sum(points * axis, axis=1)[:, None]
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * points + sin * np.cross(axis, points) + along * (1.0 - cos) * axis


def errors(x: np.ndarray, views: Views, seen: np.ndarray) -> np.ndarray:
    """Return where points are seen, less where they were seen; x = (cameras, points)."""
    camera = x[: 9 * CAMERAS].reshape(CAMERAS, 9)[views.camera]
    moved = turned(x[9 * CAMERAS :].reshape(-1, 3)[views.point], camera[:, :3]) + camera[:, 3:6]
    image = -moved[:, :2] / moved[:, 2, None]
    square = np.sum(image**2, axis=1)
    radial = 1.0 + camera[:, 7] * square + camera[:, 8] * square**2
    return (image * (radial * camera[:, 6])[:, None] - seen).ravel()


def bundle(size: int) -> Problem:
    """Return the adjustment of `size` points, each seen by eight of fifty cameras."""
    rng = np.random.default_rng(0)
    sees = [np.sort(rng.choice(CAMERAS, SEEN_BY, replace=False)) for _ in range(size)]
    cameras = np.concatenate(
        [
            0.3 * rng.standard_normal((CAMERAS, 3)),
            0.2 * rng.standard_normal((CAMERAS, 3)) + [0.0, 0.0, -10.0],
            np.full((CAMERAS, 1), 500.0),
            1e-3 * rng.standard_normal((CAMERAS, 2)),
        ],
        axis=1,
    )
    views = Views(np.concatenate(sees), np.repeat(np.arange(size), SEEN_BY))
    return Problem(
        name="bundle",
        title=f"bundle adjustment, {CAMERAS} cameras, {size:,} points, {size * SEEN_BY:,} observations",
        reference=REFERENCE,
        derivative="jacobian",
        f=errors,
        x0=np.concatenate([cameras.ravel(), rng.uniform(-2.0, 2.0, 3 * size)]),
        args=(views, 100.0 * rng.standard_normal((size * SEEN_BY, 2))),
    )
