"""Rows in dense blocks: against SciPy's block matrices."""

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.solvers.blocked import Stored, require_blocks


@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_values_stand_where_blocks_have_them(block, seed):
    rng = np.random.default_rng(seed)
    rows = scipy.sparse.random_array((4 * block, 7 * block), density=0.1, rng=rng, format="csr")
    rows.sort_indices()
    stored = Stored(rows.indptr, rows.indices, block)
    indptr, indices = stored.structure
    values = stored.placed(rows.data).reshape(-1, block, block)
    found = scipy.sparse.bsr_array((values, indices, indptr), shape=rows.shape)
    assert (found != rows).nnz == 0
    assert found.has_sorted_indices and indices.size == rows.tobsr((block, block)).indices.size


def test_rows_without_entries():
    stored = Stored(np.zeros(5, np.int64), np.zeros(0, np.int64), 2)
    assert stored.structure[0].tolist() == [0, 0, 0] and stored.placed(np.zeros(0)).size == 0


@pytest.mark.parametrize(("size", "block"), [(7, 2), (6, 0), (6, -3)])
def test_blocks_that_do_not_fit_are_refused(size, block):
    with pytest.raises(sad.InputError, match=f"{size} unknowns cannot be put together in blocks of {block}"):
        require_blocks(size, block)
