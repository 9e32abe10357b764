"""Loop-coded functions against their array-coded twins: the same pattern, values and kernels."""

import numpy as np
import pytest

import sparsead as sad
from benchmarks.twins import TWINS

# Rows 4 and n - 1 of the banded function have equal expressions, and so a kernel of their own.
EXTRA = {"Broyden banded": 1}

every_pair = pytest.mark.parametrize("twins", TWINS, ids=lambda twins: twins.name)


@every_pair
def test_a_loop_is_its_array_twin(twins):
    x = np.random.default_rng(0).random(twins.size(81))
    a, b = sad.jacobian(twins.loop, x), sad.jacobian(twins.array, x)
    np.testing.assert_allclose(a.value(x), twins.loop(x), rtol=1e-13)
    J, K = a(x), b(x)
    assert np.array_equal(J.indptr, K.indptr) and np.array_equal(J.indices, K.indices)
    np.testing.assert_allclose(J.data, K.data, rtol=1e-12, atol=1e-13)
    assert len(a.linear.kernels) <= len(b.linear.kernels) + EXTRA.get(twins.name, 0)


@every_pair
def test_size_changes_neither_kernels_nor_nodes(twins):
    small = sad.jacobian(twins.loop, np.full(twins.size(81), 0.5))
    large = sad.jacobian(twins.loop, np.full(twins.size(324), 0.5))
    assert len(large.linear.kernels) == len(small.linear.kernels)
    assert len(large.program.nodes) == len(small.program.nodes)
