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


def test_lines_of_ghosts_are_received():
    """Of two species, from both sides: the square is periodic."""
    found = run(["brusselator", "6"], 2)
    assert [one["bytes"] for one in found] == [8 * 2 * 2 * 6] * 2
    assert [one["ghosts"] for one in found] == [2 * 2 * 6] * 2
    assert sum(one["nnz"] for one in found) == 6 * 2 * 6**2
