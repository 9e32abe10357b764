"""Nodes written anew, reading others."""

from __future__ import annotations

import numpy as np

from sparsead.program.moving import renewed
from sparsead.program.nodes import Join


def test_arrays_that_are_put_together_of_nothing_stay_that():
    nothing = Join(shape=(0,), pieces=(), owner=np.zeros(0, np.uint8), offset=np.zeros(0, np.int32))
    found = renewed(nothing, {})
    assert found.index.size == 0
    assert isinstance(found.node, Join)
    assert found.node.serial != nothing.serial
