"""Bytes and memory over ranks: what is counted on two of them."""

import pytest

from benchmarks.launch import MISSING, REASON
from benchmarks.ranks import run

pytestmark = pytest.mark.skipif(MISSING, reason=REASON)


@pytest.mark.parametrize("kind", ["whole", "block"])
def test_a_plane_of_ghosts_is_received(kind):
    found = run([kind, "6"], 2)
    assert [one["bytes"] for one in found] == [8 * 36] * 2
    assert [one["ghosts"] for one in found] == [36] * 2
    assert sum(one["nnz"] for one in found) == 7 * 6**3 - 6 * 6**2
