"""Who owns what."""

import numpy as np
import pytest

import sparsead as sad
from sparsead.ranks import Partition


@pytest.mark.parametrize("size", [0, 1, 7, 12])
@pytest.mark.parametrize("ranks", [1, 3, 5])
def test_even_parts_cover_all(size, ranks):
    partition = Partition.even(size, ranks)
    assert [k for r in range(ranks) for k in partition.own(r)] == list(range(size))
    assert partition.sizes.max() - partition.sizes.min() <= 1
    assert (partition.size, partition.ranks) == (size, ranks)


@pytest.mark.parametrize("starts", [[0], [1, 3], [0, 5, 4], [0.0, 3.0], [[0, 1]]])
def test_what_is_no_partition_is_refused(starts):
    with pytest.raises(sad.InputError, match="partition"):
        Partition(np.array(starts))


def test_sizes_are_compared():
    with pytest.raises(sad.InputError, match="is of 7, but there are 8"):
        Partition.even(7, 2).require(8, 2, "the unknowns")
    with pytest.raises(sad.InputError, match="is for 2 ranks, the communicator has 3"):
        Partition.even(7, 2).require(7, 3, "the unknowns")
    with pytest.raises(sad.InputError, match="7 numbers among 0 ranks"):
        Partition.even(7, 0)


def test_partitions_compare_by_what_is_owned():
    assert Partition.even(6, 2) == Partition.of_sizes([3, 3]) != Partition.of_sizes([2, 4])
