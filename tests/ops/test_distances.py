"""Distances of scipy.spatial, between and within sets of points, against differences; points that meet."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial import distance, distance_matrix

import sparsead as sad
from tests.reference import differences

X = np.array([0.31, 0.74, 1.52, 0.93, 0.17, 2.66])
KNOWN = np.array([[1.3, -0.4, 2.0], [0.2, 3.1, 1.0]])
MATRIX = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.0], [0.1, 0.0, 3.0]])
METRICS = [
    ("sqeuclidean", {}), ("euclidean", {}), ("cityblock", {}), ("chebyshev", {}), ("minkowski", {"p": 3}),
    ("cosine", {}), ("correlation", {}), ("braycurtis", {}), ("canberra", {}), ("mahalanobis", {"VI": MATRIX}),
    ("seuclidean", {"V": [1.0, 2.0, 3.0]}), ("euclidean", {"w": [1.0, 2.0, 3.0]}),
    ("minkowski", {"p": 1, "w": [1, 2, 3]}),
]  # fmt: skip


def agrees(f):
    jac = sad.jacobian(f, X, check=False, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("metric", "options"), METRICS)
def test_distances_between_and_within(metric, options):
    agrees(lambda x: distance.cdist(x.reshape(2, 3), KNOWN, metric, **options).ravel())
    agrees(lambda x: distance.cdist(KNOWN, x.reshape(2, 3), metric, **options).ravel())
    agrees(lambda x: distance.pdist(np.vstack([x.reshape(2, 3), KNOWN]), metric, **options))
    agrees(lambda x: np.array([getattr(distance, metric)(x[:3], KNOWN[0], **options)]) * x[0])


def test_matrices_of_distances():
    agrees(lambda x: distance.squareform(x).ravel() * 2.0)
    agrees(lambda x: distance.squareform(distance.squareform(x[:3] ** 2)))
    agrees(lambda x: distance_matrix(x.reshape(2, 3), KNOWN).ravel())
    agrees(lambda x: distance.cdist([[x[0], 1.0]], [[x[1], x[2]]]).ravel())


@pytest.mark.parametrize("metric", ["euclidean", "minkowski", "sqeuclidean", "cityblock", "seuclidean"])
def test_points_that_meet_themselves_stay_where_they_are(metric):
    options = {"minkowski": {"p": 3}, "seuclidean": {"V": [1.0, 2.0, 3.0]}}.get(metric, {})
    agrees(lambda x: distance.cdist(x.reshape(2, 3), x.reshape(2, 3), metric, **options).ravel())


def test_what_is_not_known_is_refused():
    for f in (
        lambda x: distance.pdist(x.reshape(2, 3), lambda u, v: np.sum(u - v)),
        lambda x: distance.pdist(x.reshape(2, 3), "seuclidean"),
        lambda x: distance.pdist(x.reshape(2, 3), "jaccard"),
        lambda x: distance.cdist(x.reshape(2, 3), KNOWN, "chebyshev", w=[1.0, 2.0, 3.0]),
    ):
        with pytest.raises(sad.UnsupportedOperationError, match="test_distances"):
            sad.jacobian(f, X)
    with pytest.raises(ValueError, match="same number of columns"):
        sad.jacobian(lambda x: distance.cdist(x.reshape(3, 2), KNOWN), X)
