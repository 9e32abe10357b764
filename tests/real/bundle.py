"""Bundle adjustment, in the form of the SciPy cookbook; pinhole cameras with two coefficients of distortion."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from tests.real.case import Real, case
from tests.reference import differences


def rotate(points, rot_vecs):
    """Rotate points by given rotation vectors, by Rodrigues' formula."""
    theta = np.linalg.norm(rot_vecs, axis=1)[:, np.newaxis]
    with np.errstate(invalid="ignore"):
        v = rot_vecs / theta
        v = np.nan_to_num(v)
    dot = np.sum(points * v, axis=1)[:, np.newaxis]
    cos_theta = np.cos(theta)
    sin_theta = np.sin(theta)
    return cos_theta * points + sin_theta * np.cross(v, points) + dot * (1 - cos_theta) * v


def project(points, camera_params):
    """Convert 3-D points to 2-D by projecting onto images."""
    points_proj = rotate(points, camera_params[:, :3])
    points_proj += camera_params[:, 3:6]
    points_proj = -points_proj[:, :2] / points_proj[:, 2, np.newaxis]
    f = camera_params[:, 6]
    k1 = camera_params[:, 7]
    k2 = camera_params[:, 8]
    n = np.sum(points_proj**2, axis=1)
    r = 1 + k1 * n + k2 * n**2
    points_proj *= (r * f)[:, np.newaxis]
    return points_proj


def fun(params, n_cameras, n_points, camera_indices, point_indices, points_2d):
    """Compute residuals."""
    camera_params = params[: n_cameras * 9].reshape((n_cameras, 9))
    points_3d = params[n_cameras * 9 :].reshape((n_points, 3))
    points_proj = project(points_3d[point_indices], camera_params[camera_indices])
    return (points_proj - points_2d).ravel()


@case("bundle adjustment (SciPy cookbook)", "scipy", against="differences of order 8, in the known pattern")
def bundle() -> Real:
    rng = np.random.default_rng(0)
    n_cameras, n_points, n_seen = 6, 40, 120
    cameras = np.sort(rng.integers(n_cameras, size=n_seen))
    points = rng.integers(n_points, size=n_seen)
    points_2d = rng.normal(size=(n_seen, 2))
    pose = np.concatenate(
        [
            rng.uniform(0.2, 0.6, (n_cameras, 3)),
            rng.uniform(-0.5, 0.5, (n_cameras, 2)),
            rng.uniform(-9.0, -7.0, (n_cameras, 1)),
            rng.uniform(0.8, 1.2, (n_cameras, 1)),
            rng.uniform(0.01, 0.1, (n_cameras, 2)),
        ],
        axis=1,
    )
    x = np.concatenate([pose.ravel(), rng.uniform(-1.0, 1.0, n_points * 3)])

    def residuals(params):
        return fun(params, n_cameras, n_points, cameras, points, points_2d)

    columns = np.hstack([cameras[:, None] * 9 + np.arange(9), 9 * n_cameras + points[:, None] * 3 + np.arange(3)])
    columns = np.repeat(columns, 2, axis=0)  # each residual sees its camera and its point
    rows = np.broadcast_to(np.arange(2 * n_seen)[:, None], columns.shape)

    def reference(x):
        dense = differences(residuals, x, 1e-3)
        assert np.count_nonzero(dense) <= columns.size
        return scipy.sparse.csr_array((dense[rows, columns].ravel(), (rows.ravel(), columns.ravel())), dense.shape)

    return Real(residuals, x, reference, tolerance=1e-11, same_pattern=True)
