"""Who owns what is read of joined arrays: by grids of cells as by lists of points."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsead.kernels import joined as joins
from sparsead.kernels.joined import Owners
from sparsead.program import index as program_index
from sparsead.program.index import compose, identity, walked
from sparsead.program.nodes import Constant, Join

SHAPE = (6, 7)


@st.composite
def joined(draw):
    """An array of blocks that were written over each other, read in whatever way."""
    pieces = [Constant(shape=(100,), value=np.arange(100.0)) for _ in range(4)]
    owner, offset = np.zeros(SHAPE, np.int32), identity(SHAPE).copy()
    for k in range(1, draw(st.integers(1, 4))):
        block = tuple(slice(*sorted(draw(st.tuples(st.integers(0, n), st.integers(0, n))))) for n in SHAPE)
        owner[block] = k
        read = np.roll(identity(offset[block].shape), draw(st.integers(0, 1))).T if draw(st.booleans()) else None
        offset[block] = 5 if read is None else draw(st.integers(0, 50)) + read.reshape(offset[block].shape)
    return Join(shape=SHAPE, pieces=tuple(pieces), owner=owner, offset=offset)


@st.composite
def readings(draw):
    """A view of the numbers of the elements."""
    steps = [draw(st.sampled_from([1, 2, -1])) for _ in SHAPE]
    view = identity(SHAPE)[tuple(slice(draw(st.integers(0, 3)), None, step) for step in steps)]
    view = view.T if draw(st.booleans()) else view
    view = np.broadcast_to(view, (2, *view.shape)) if draw(st.booleans()) else view
    return identity(42).reshape(3, 14) if draw(st.integers(0, 5)) == 0 else view


@given(join=joined(), index=readings())
def test_walks_through_cells_find_what_lists_of_points_find(join, index):
    kept = [identity(42), identity(100), identity(index.size)]
    owner, offset = join.owner.reshape(-1)[index], join.offset.reshape(-1)[index]
    with pytest.MonkeyPatch.context() as patch:
        for module in (joins, program_index):
            patch.setattr(module, "MANY", 0)
        found = Owners(join, index)
        assert found.parts == np.unique(owner).tolist()
        assert found.only == (found.parts[0] if len(found.parts) == 1 else None)
        for part in found.parts:
            points = found.points(part)
            np.testing.assert_array_equal(np.sort(points, axis=None), np.flatnonzero(owner == part))
            selected = Owners(join, compose(index, points))
            assert selected.only == part
            np.testing.assert_array_equal(selected.offset, offset.reshape(-1)[points])
    assert len(kept) == 3


def test_no_list_of_points_is_made_of_padded_arrays(monkeypatch):
    monkeypatch.setattr(joins, "MANY", 0)
    monkeypatch.setattr(joins, "_composed", None)
    pieces = Constant(shape=(), value=np.zeros(())), Constant(shape=(4, 5), value=np.ones((4, 5)))
    owner, offset = np.zeros(SHAPE, np.int32), np.zeros(SHAPE, np.int32)
    owner[1:-1, 1:-1] = 1
    offset[1:-1, 1:-1] = identity((4, 5))
    kept = identity(20)
    join = Join(shape=SHAPE, pieces=pieces, owner=owner, offset=offset)
    west = Owners(join, identity(SHAPE)[1:-1, :-2])
    inside = west.points(1)
    assert walked(inside) == (1, (5, 1), 20)
    read = Owners(join, identity(SHAPE)[1:-1, 1:-2])
    assert read.only == 1
    assert walked(read.offset) == (0, (5, 1), kept.size)
