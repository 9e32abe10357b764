"""Addresses of arrays: what NumPy documents, whichever way they are read."""

from __future__ import annotations

import numpy as np
import pytest

from sparsead.emit.address import _direct, _documented, address


@pytest.mark.parametrize("way", [address, _direct, _documented])
def test_addresses_are_those_that_numpy_documents(way):
    array = np.arange(12.0)
    read_only = array[3:]
    read_only.setflags(write=False)
    views = [array, array[5:], read_only, array.reshape(3, 4)[1:], np.empty(0), np.int32([1, 2])]
    assert [way(v) for v in views] == [v.__array_interface__["data"][0] for v in views]
