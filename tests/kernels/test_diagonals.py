"""Patterns of few diagonals, against those made of all entries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coloring import SparsityPattern
from sparsead.kernels import diagonals
from sparsead.kernels.diagonals import by_diagonals
from sparsead.kernels.indexmap import recognise
from sparsead.program.index import identity

GRID = identity((6, 8))
COLUMNS = (np.roll(GRID, 1, axis=0), np.roll(GRID, (1, -1), axis=(0, 1)), np.pad(GRID[1:-1, 1:-1], 1, mode="edge"),
           GRID, GRID[::-1, ::-1], np.roll(GRID.reshape(-1), 3).reshape(6, 8), GRID.copy() % 5)  # fmt: skip


def of_all_entries(terms):
    rows, columns = (np.concatenate([m[k].array().reshape(-1) for m in terms]) for k in (0, 1))
    return SparsityPattern.from_coo(rows, columns, (48, 48))


@given(data=st.data())
def test_any_stencil_has_the_pattern_of_its_entries(data):
    terms = []
    for _ in range(data.draw(st.integers(1, 4))):
        ends = [sorted(data.draw(st.lists(st.integers(0, n), min_size=2, max_size=2, unique=True))) for n in GRID.shape]
        box = tuple(slice(*pair) for pair in ends)
        columns = data.draw(st.sampled_from(COLUMNS))
        terms.append((recognise(GRID[box]), recognise(columns[box])))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"MANY": 0, "LEAST_FULL": 0.0, "MOST_STEPS": 99, "MOST": 99, "AT_ONCE": 7}.items():
            patch.setattr(diagonals, name, value)
        found = by_diagonals(terms, (48, 48))
    expected = of_all_entries(terms)
    np.testing.assert_array_equal(found.indptr, expected.indptr)
    np.testing.assert_array_equal(found.indices, expected.indices)
    assert found.indices.dtype == expected.indices.dtype


def test_many_diagonals_are_left_to_others(monkeypatch):
    monkeypatch.setattr(diagonals, "MANY", 0)
    turned = recognise(GRID.reshape(-1)), recognise(GRID.reshape(-1)[::-1])
    assert by_diagonals([turned], (48, 48)) is None  # as many diagonals as rows
    one = recognise(GRID[:1, 0]), recognise(GRID[:1, 1])
    assert by_diagonals([one], (48, 48)) is None  # a table of one entry
    assert by_diagonals([(recognise(GRID), recognise(GRID))], (48, 48)) is not None


def test_rows_and_columns_outside_of_the_matrix_are_noticed(monkeypatch):
    monkeypatch.setattr(diagonals, "MANY", 0)
    term = recognise(GRID), recognise(GRID + 1)
    with pytest.raises(AssertionError, match="outside"):
        by_diagonals([term], (48, 48))
    with pytest.raises(AssertionError, match="out of an array"):
        by_diagonals([term[::-1]], (48, 48))
