"""Index arrays: composition and blocks, against NumPy's own indexing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsead.program import index
from sparsead.program.index import (
    box,
    broadcast,
    compose,
    identity,
    is_identity,
    normalize_axes,
    reshaped,
    stored_part,
    walked,
)


def test_identity_is_shared_and_read_only():
    a, b = identity((2, 3)), identity(6)
    assert np.shares_memory(a, b)
    assert not a.flags.writeable
    assert is_identity(a, 6) and is_identity(a.reshape(3, 2), 6)
    assert not is_identity(a.T, 6) and not is_identity(a[::-1], 6) and not is_identity(b[:5], 6)
    assert not is_identity(np.arange(6, dtype=np.int32), 6)


@pytest.mark.parametrize(
    "inner",
    [
        identity((2, 3)),
        identity(6)[::-1],
        identity((3, 2)).T,
        np.broadcast_to(identity(3)[:, None], (3, 4)),
        np.array([[5, 0], [2, 2]]),
        np.empty((0, 2), np.int32),
    ],
)
@pytest.mark.parametrize("outer", [identity(6), np.array([7, 3, 3, 1, 0, 2]), identity((2, 3))])
def test_compose_reads_through_both(inner, outer):
    expected = outer.reshape(-1)[inner] if inner.size else inner
    actual = compose(outer.reshape(-1), inner)
    np.testing.assert_array_equal(actual, expected)
    assert actual.shape == inner.shape


def test_broadcast_axes_are_not_stored():
    wide = broadcast(identity((3, 1)), (2, 3, 1000))
    assert wide.shape == (2, 3, 1000)
    assert stored_part(wide).shape == (1, 3, 1)
    assert stored_part(compose(np.arange(10), wide)).shape == (1, 3, 1)


@pytest.mark.parametrize(
    ("selection", "found"),
    [
        (np.array([6, 7, 11, 12]), True),  # rows 1:3, columns 1:3 of (3, 5)
        (np.array([0, 4, 10, 14]), True),  # the corners
        (np.array([3]), True),
        (np.array([0, 6]), False),
        (np.array([0, 1, 5]), False),
    ],
)
def test_a_block_has_the_elements_of_its_selection(selection, found):
    block = box(selection, (3, 5))
    assert (block is not None) == found
    if block is not None:
        key, shape = block
        assert np.arange(15).reshape(3, 5)[key].shape == shape
        np.testing.assert_array_equal(np.arange(15).reshape(3, 5)[key].ravel(), selection)


def test_axes_are_counted_as_numpy_does():
    assert normalize_axes(None, 3) == (0, 1, 2)
    assert normalize_axes(-1, 3) == (2,)
    assert normalize_axes((0, -1), 3) == (0, 2)
    with pytest.raises(np.exceptions.AxisError):
        normalize_axes(3, 3)


@st.composite
def walks(draw, size: int, axes: int = 3):
    """A view of the numbers of `size` elements in equal steps: slices of a grid, turned, and repeated."""
    grid = draw(
        st.sampled_from([(a, b, size // a // b) for a in range(1, 5) for b in range(1, 5) if not size % (a * b)])
    )
    key = tuple(
        slice(draw(st.integers(0, n - 1)), None, draw(st.sampled_from([1, 2, -1])))
        if draw(st.booleans())
        else slice(None)
        for n in grid
    )
    view = identity(grid)[key].transpose(draw(st.permutations(range(3))))
    return view if draw(st.booleans()) else np.broadcast_to(view, (2, *view.shape))


@given(data=st.data())
def test_walks_compose_to_walks_or_tables_with_the_same_elements(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "MANY", 0)
        outer = data.draw(walks(48))
        kept = identity(outer.size)  # the inner one is a view of this
        inner = compose(kept, data.draw(walks(outer.size))) if outer.size % 2 == 0 else kept[::-1]
        composed = compose(outer, inner)
        np.testing.assert_array_equal(composed, np.array(outer).reshape(-1)[np.array(inner)])
        again = reshaped(composed, (composed.size,))
        np.testing.assert_array_equal(again, np.array(composed).reshape(-1))


def test_slices_of_slices_stay_views_of_the_identity(monkeypatch):
    monkeypatch.setattr(index, "MANY", 0)
    kept, inside = identity(30), identity(12)
    outer = identity((5, 6))[1:4, 1:5]
    assert walked(compose(outer, inside.reshape(3, 4)[:2, ::-1])) == (10, (6, -1), 30)
    assert walked(compose(outer, inside[:6])) is None  # it turns from one row into the next
    assert walked(broadcast(kept[:1], (3, 4))) == (0, (0, 0), 30)


@given(data=st.data())
def test_a_few_elements_are_read_where_they_lie(data):
    outer = data.draw(walks(48))
    outer = outer + np.zeros((), np.int32) if data.draw(st.booleans()) else outer
    outer = outer.transpose(data.draw(st.permutations(range(outer.ndim))))
    count = data.draw(st.integers(1, outer.size))
    inner = np.array(data.draw(st.lists(st.integers(0, outer.size - 1), min_size=count, max_size=count)), np.int32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "COPIED", data.draw(st.sampled_from([0, 2])))
        np.testing.assert_array_equal(compose(outer, inner), np.array(outer).reshape(-1)[inner])
