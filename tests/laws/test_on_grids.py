"""Registered operations as grids of threads: values and Jacobians have the bits of plain loops.

The text for devices is compiled as C++ and run in both directions, see `tests.emit.grid_on_cpu`; that of many samples
at once. A run takes some of them, others each time; ``GRIDS=all`` (`make grids`) takes all.
"""

from __future__ import annotations

import os
import re
from random import SystemRandom

import numpy as np
import pytest

import sparsead as sad
from sparsead.emit.sweep import compile_together
from sparsead.errors import InputError
from tests.emit.grid_on_cpu import COMPILER
from tests.fuzz.grids import REFUSED, assert_same, on_the_cpu
from tests.laws.samples import CALLS
from tests.reference import generic_points

X = generic_points(3)[0]
TOGETHER = 40  # samples that are compiled together
NAMES = list(CALLS)
CHOSEN = NAMES if os.environ.get("GRIDS") == "all" else SystemRandom().sample(NAMES, TOGETHER)


def prepared(name, backend):
    np.random.seed(0)  # noqa: NPY002  (SciPy's barycentric interpolation draws an order from this generator)
    return sad.jacobian(CALLS[name].call, X, backend=backend, check=False)


@pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
@pytest.mark.parametrize("first", range(0, len(CHOSEN), TOGETHER))
def test_samples_have_the_bits_of_loops(first):
    with on_the_cpu():
        made = {name: prepared(name, "grid") for name in CHOSEN[first : first + TOGETHER]}
        sweeps = [sweep for jac in made.values() for sweep in jac._assembly.all_sweeps(jac._both)]
        compile_together(sweeps)
        for sweep in sweeps:
            sweep._local.bound = sweep._bound()
        assert sum(compared(name, jac) for name, jac in made.items()) > len(made) / 2


def compared(name, jac):
    """Compare a sample with plain loops, bit by bit; tell whether it could be, and is no recurrence."""
    try:
        y, matrix = jac.value_and_jacobian(X)
    except InputError as refusal:
        if not re.search(REFUSED, str(refusal)):
            raise
        return False
    value, wanted = prepared(name, "python").value_and_jacobian(X)
    for found, expected in ((y, value), (matrix.data, wanted.data)):
        np.testing.assert_array_equal(found, expected, err_msg=name)
        assert_same(found, expected)
    return True
