"""Elements that are kept, in a regular form where they have one, and their new numbers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sparsead.program.index import identity, is_identity
from sparsead.program.kept import FEW, GROWTH, kept


@st.composite
def masks(draw):
    shape = tuple(draw(st.lists(st.integers(1, 5), max_size=3)))
    size = int(np.prod(shape, dtype=int))
    return np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool), shape


@settings(max_examples=60, deadline=None)
@given(masks(), st.sampled_from([1.0, GROWTH]))
def test_what_is_marked_is_kept_and_found_again(marked, growth):
    mask, shape = marked
    found = kept(mask, shape, growth)
    numbers = np.arange(mask.size).reshape(shape)
    taken = found.taken(numbers)
    assert taken.shape == found.shape
    assert set(np.flatnonzero(mask)) <= set(taken.reshape(-1).tolist())
    if growth == 1.0:
        assert found.size == np.count_nonzero(mask)
    assert set(np.ravel(found.wanted(numbers)).tolist()) == set(np.flatnonzero(mask).tolist())
    if mask.any():
        asked = np.flatnonzero(mask)
        assert np.array_equal(taken.reshape(-1)[found.numbered(asked)], asked)


@settings(max_examples=60, deadline=None)
@given(masks())
def test_what_is_not_kept_has_the_number_of_something_that_is(marked):
    mask, shape = marked
    found = kept(mask, shape)
    if found.size:
        new = found.numbered(np.arange(mask.size))
        assert new.min() >= 0 and new.max() < found.size


def test_a_block_keeps_its_shape_and_copies_nothing():
    mask = np.zeros((6, 5), bool)
    mask[1:4] = True
    found = kept(mask.ravel(), (6, 5))
    assert found.shape == (3, 5)
    taken = found.taken(identity((6, 5)))
    assert np.shares_memory(taken, identity((6, 5)))
    assert is_identity(found.numbered(taken), 15)


def test_repeated_axes_stay_repeated():
    mask = np.zeros((6, 5), bool)
    mask[1:4] = True
    taken = kept(mask.ravel(), (6, 5)).taken(np.broadcast_to(np.arange(5), (6, 5)))
    assert taken.shape == (3, 5) and taken.strides[0] == 0


def test_rows_that_go_round_are_a_product_too():
    mask = np.zeros((8, 50), bool)
    mask[[0, 1, 7]] = True
    assert kept(mask.ravel(), (8, 50)).shape == (3, 50)


@pytest.mark.parametrize("apart", [False, True])
def test_a_product_is_taken_if_it_is_not_much_larger(apart):
    mask = np.zeros((40, 40), bool)
    mask[3, 5:] = mask[4:7] = True
    if apart:
        mask[30, 2] = mask[:, 0] = mask[20, 3] = True
    found = kept(mask.ravel(), (40, 40))
    assert (found.flat is not None) == apart
    assert found.size <= GROWTH * np.count_nonzero(mask) + FEW
