"""Compiled code that a traced function calls gets NumPy's own arrays: it reads their memory without asking."""

import numpy as np
import pytest

import sparsead as sad

DRAWS = {
    "legacy": lambda: np.random.RandomState(0).rand(3),
    "generator": lambda: np.random.default_rng(0).standard_normal(3),
    "permutation": lambda: np.random.default_rng(0).permutation(np.arange(3.0)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_random_numbers_inside_a_traced_function_are_constants(draw):
    def f(x):
        out = np.empty(3)
        out[:] = draw() * x**2
        return out

    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(sad.jacobian(f, x)(x).toarray(), np.diag(2.0 * x * draw()), rtol=1e-15)


def test_numpy_is_whole_again_afterwards():
    from numpy.random import mtrand

    sad.jacobian(lambda x: x * np.random.RandomState(0).rand(3), np.ones(3))
    assert mtrand.np is np
