"""What every explanation of a matrix must hold to: each entry has a line that brings it in, or is zero."""

from __future__ import annotations

import numpy as np


def assert_explained(prepared, matrix, side, number):
    """Compare what is told of one row or column with the pattern and the values."""
    pattern = prepared.pattern if side == "row" else prepared.pattern.T
    expected = pattern.indices[pattern.indptr[number] : pattern.indptr[number + 1]]
    found = prepared.explain(**{side: number})
    parts = [line.entries for line in found.lines]
    np.testing.assert_array_equal(np.unique(np.concatenate([np.empty(0, int), *parts])), expected)
    values = matrix[[number], :] if side == "row" else matrix[:, [number]].T
    for k, line in enumerate(found.lines):
        others = np.concatenate([np.empty(0, int), *parts[:k], *parts[k + 1 :]])
        assert line.only == np.setdiff1d(line.entries, others).size
        assert not line.text.startswith("always zero") or not values.toarray()[0, line.entries].any()
    assert str(found)
    assert found._repr_html_()


def assert_all_explained(prepared, *point):
    """Compare what is told of some rows and columns with the pattern and the values at a point."""
    matrix = prepared(*point)
    for side, size in zip(("row", "column"), prepared.shape, strict=True):
        for number in {0, size // 2, size - 1} if size else ():
            assert_explained(prepared, matrix, side, number)
    assert str(prepared.explain())
    assert prepared.explain()._repr_html_()
