"""One prepared object, several threads: the same results as in one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad

A = scipy.sparse.random_array((400, 400), density=0.01, rng=np.random.default_rng(0), format="csr")
POINTS = np.random.default_rng(1).uniform(0.1, 1.0, (24, 400))


def layered(x):
    return np.exp(A @ np.sin(A @ x)) * x


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_jacobians_from_several_threads(mode):
    jac = sad.jacobian(layered, POINTS[0], mode=mode)
    alone = [jac(x).data for x in POINTS]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: jac(x).data, POINTS))
        products = list(pool.map(lambda x: jac.jvp(x, x), POINTS))
    for one, other, x, product in zip(alone, together, POINTS, products, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(product, jac.jvp(x, x))


def test_preparations_from_several_threads():
    def prepared(k):
        return sad.jacobian(lambda x: layered(x) * k, POINTS[0])(POINTS[1]).data

    alone = [prepared(k) for k in range(1, 7)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(prepared, range(1, 7)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
