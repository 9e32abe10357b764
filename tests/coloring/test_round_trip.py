"""decompress(compress(A)) == A for every generator, coloring and order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coloring
from coloring import SparsityPattern
from tests.sizes import COMPILED

from .helpers import (
    COLORINGS,
    MATRICES,
    NONSYMMETRIC,
    ORDERS,
    SYMMETRIC,
    SYMMETRIC_MATRICES,
    patterns,
    stored_in_order,
    with_values,
)

CASES = [(name, A) for name in NONSYMMETRIC for A in MATRICES] + [
    (name, A) for name in SYMMETRIC for A in SYMMETRIC_MATRICES
]


#: Interpreted, the search gives the same as compiled: `test_kernel.py`.
AUTO = ["auto"] * COMPILED


def assert_recovered(result, A):
    """Equal to the last bit by direct recovery, to rounding by substitution."""
    recovered = result.decompress(result.compress(A))
    assert recovered.shape == A.shape
    if result.decompression == "direct":
        np.testing.assert_array_equal(recovered.data, stored_in_order(A))
    else:
        np.testing.assert_allclose(recovered.data, stored_in_order(A), rtol=0, atol=1e-14 * max(1, abs(A).sum()))
    np.testing.assert_array_equal(recovered.indices, result.pattern.indices)


def assert_valid(result):
    """The predicate of its kind holds."""
    if result.partition == "bidirectional":
        verdict = coloring.is_bicoloring(result.pattern, *result.colors, result.decompression)
    elif result.structure == "symmetric":
        holds = coloring.is_star if result.decompression == "direct" else coloring.is_acyclic
        verdict = holds(result.pattern, result.colors)
    else:
        verdict = coloring.is_structurally_orthogonal(result.pattern, result.colors, result.partition)
    assert verdict, verdict.reason


@pytest.mark.parametrize(("name", "matrix"), CASES)
def test_generated_matrices_in_every_order(name, matrix):
    A = with_values(MATRICES[matrix], symmetric=name in SYMMETRIC)
    for order in [*coloring.orders.ORDERS, *AUTO]:
        result = coloring.color(A, *COLORINGS[name], order=order)
        assert_valid(result)
        assert_recovered(result, A)
        assert result.num_colors >= result.lower_bound


@pytest.mark.parametrize("postprocess", [True, False])
@pytest.mark.parametrize("name", COLORINGS)
@settings(max_examples=60)
@given(data=st.data())
def test_any_pattern(name, postprocess, data):
    rows, columns, shape = data.draw(patterns(symmetric=name in SYMMETRIC))
    order = data.draw(st.sampled_from([*ORDERS, "auto"]))
    pattern = SparsityPattern.from_coo(rows, columns, shape)
    A = with_values(pattern.to_scipy(), symmetric=name in SYMMETRIC)
    result = coloring.color(A, *COLORINGS[name], order=order, postprocess=postprocess)
    assert_valid(result)
    assert_recovered(result, A)


@pytest.mark.parametrize("name", COLORINGS)
@settings(max_examples=15)
@given(data=st.data())
def test_the_thorough_search_on_any_pattern(name, data):
    rows, columns, shape = data.draw(patterns(symmetric=name in SYMMETRIC, max_size=8))
    pattern = SparsityPattern.from_coo(rows, columns, shape)
    A = with_values(pattern.to_scipy(), symmetric=name in SYMMETRIC)
    quick = coloring.color(A, *COLORINGS[name])
    best = coloring.color(A, *COLORINGS[name], order="best", time_budget=0.02)
    assert_valid(best)
    assert_recovered(best, A)
    assert best.lower_bound <= best.num_colors <= quick.num_colors


@pytest.mark.parametrize("name", COLORINGS)
def test_complex_values(name):
    A = with_values(MATRICES["mesh"], symmetric=True)
    A = A + 1j * with_values(MATRICES["mesh"], seed=1, symmetric=True)
    result = coloring.color(A, *COLORINGS[name])
    recovered = result.decompress(result.compress(A))
    np.testing.assert_allclose(recovered.data, stored_in_order(A), rtol=0, atol=1e-8)
    assert recovered.dtype == complex
