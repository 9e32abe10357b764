"""Quantiles by every method of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.71, -0.43, 1.31, -0.92, 0.23, 1.14])
METHODS = [
    "inverted_cdf", "averaged_inverted_cdf", "closest_observation", "interpolated_inverted_cdf", "hazen", "weibull",
    "linear", "median_unbiased", "normal_unbiased", "lower", "higher", "midpoint", "nearest",
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_every_method_agrees_with_numpy(method):
    def f(x):
        q = [0.0, 0.1, 0.25, 0.5, 0.77, 1.0]
        rows = np.percentile(x.reshape(2, 3), [10, 60], axis=1, method=method)
        return np.concatenate([np.quantile(x, q, method=method), np.ravel(rows)])

    jac = sad.jacobian(f, X, backend="python")
    for x in (X, X[::-1].copy(), np.sort(X)):
        np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-12, atol=1e-14)
        assert_close(jac(x).toarray(), differences(f, x))


def test_a_method_that_numpy_does_not_have():
    with pytest.raises(ValueError, match="not a valid method"):
        sad.jacobian(lambda x: np.quantile(x, 0.5, method="mine"), X)
