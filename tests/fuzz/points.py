"""Random programs at many points in one call, against single calls: equal bits by kernels for devices.

On the CPU long sums of a single call are regrouped, so there the last digits may differ.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

import sparsead as sad
from sparsead.derivatives import batch_on_device
from sparsead.emit import device
from tests.derivatives import fake_cupy
from tests.fuzz.grids import MODES, assert_same, counted
from tests.laws.program import point
from tests.laws.programs import random_program

POINTS = 5


def attempt(seed):
    """Compare the program of a seed; raise AssertionError with the program if batches and single calls differ."""
    random = Random(seed)
    program = random_program(random, smooth=random.random() < 0.6)
    derivative = random.choice(["jacobian", "hessian"])
    f = program if derivative == "jacobian" else lambda x, p: np.sum(program(x, p) * np.sin(x).sum())
    mode, threads = random.choice(MODES[derivative]), random.random() < 0.6
    make, shape = getattr(sad, derivative), program.shape

    def compare():
        made = make(f, point(shape), point(shape, 6), mode=mode, check=False)
        _compare(made, np.asarray, shape, assert_near)
        with pytest.MonkeyPatch.context() as patch:
            cupy = fake_cupy.installed(patch)
            patch.setattr(batch_on_device, "SMALL", batch_on_device.SMALL if threads else 0)
            patch.setattr(device, "ROOM", 2000)  # for a few points at once
            there = make(f, point(shape), point(shape, 6), mode=mode, check=False, device="cuda")
            _compare(there, cupy.asarray, shape, assert_same)
        return made

    return counted(compare, f"{derivative} {mode}\n{program!r}")


def assert_near(found, wanted):
    scale = np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)
    np.testing.assert_allclose(found, wanted, rtol=1e-9, atol=1e-12 * scale)


def _compare(made, put, shape, compare):
    x, p = (np.stack([point(shape, seed + k) for k in range(POINTS)]) for seed in (10, 20))
    with np.errstate(all="ignore"):
        for several in (True, False):
            at = [(put(x[k]), put(p[k] if several else p[0])) for k in range(POINTS)]
            matrices, values = (np.stack([call(*a) for a in at]) for call in (made.values, made.value))
            for axis in (0, -1) if shape else (0,):
                turned = [put(np.ascontiguousarray(np.moveaxis(a, 0, axis))) for a in (x, p)]
                given = turned if several else (turned[0], put(p[0]))
                for batch, single in ((made.batch, matrices), (made.value_batch, values)):
                    found = np.moveaxis(batch(*given, axis=axis), axis, 0)
                    compare(np.asarray(found), np.asarray(single))
