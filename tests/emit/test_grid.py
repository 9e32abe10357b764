"""Grids, run on the CPU thread by thread in both directions, against the loops that they are made of: every bit equal."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
from random import Random

import numpy as np
import pytest

import sparsead as sad
from sparsead.emit import python, sweep
from sparsead.emit.cuda import Module
from sparsead.emit.grid import Grids
from sparsead.emit.source import Source
from sparsead.emit.sweep import Engine, Sweep
from sparsead.errors import InputError
from sparsead.problems import PROBLEMS
from tests.emit.grid_on_cpu import COMPILER, on_grid
from tests.laws.program import point
from tests.laws.programs import random_program

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
OF_TWO = {"atan2", "hypot", "fmod", "copysign"}
SEEDS = 40


@functools.cache
def mathematics():
    """Return the functions of the C library, for Python: those that the compiled grids call."""
    library = ctypes.CDLL(ctypes.util.find_library("m"))

    def function(name):
        call = getattr(library, name)
        call.restype, call.argtypes = ctypes.c_double, [ctypes.c_double] * (2 if name in OF_TWO else 1)
        return lambda *operands: np.float64(call(*operands))

    return {name: function(name) for name in python.FUNCTIONS}


@pytest.fixture(autouse=True)
def backends(monkeypatch):
    """Add a back end of grids, and let the interpreter of plain loops call the same C library."""
    monkeypatch.setitem(sweep.BACKENDS, "grid", on_grid)
    monkeypatch.setattr(sweep, "GRIDS", {"grid"})
    monkeypatch.setattr(python, "INTERPRETED", mathematics())


def assert_same(found, wanted):
    """Compare all bits, but for those of numbers that are none."""
    np.testing.assert_array_equal(found, wanted)
    there = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found)[there], np.signbit(wanted)[there])


def computed(prepared, x, *args):
    """Return all that is computed at x: value, matrix, products, gradient."""
    m, n = prepared.shape
    v, w = np.cos(np.arange(float(n))), np.sin(np.arange(m) + 0.5)
    with np.errstate(all="ignore"):
        results = [prepared.values(x, *args), prepared.value(x, *args)]
        if prepared.derivative == "jacobian":
            value, matrix = prepared.value_and_jacobian(x, *args)
            results += [prepared.jvp(x, v, *args), prepared.vjp(x, w, *args), value, matrix.data]
        else:
            results += [prepared.hvp(x, v, *args), prepared.gradient(x, *args)]
    return [np.ravel(r) for r in results]


def assert_equal_to_loops(derivative, f, x, *args, **options):
    """Compare grids with loops; return the prepared grids."""
    made = [
        getattr(sad, derivative)(f, x, *args, **options, backend=backend, check=False) for backend in ("grid", "python")
    ]
    found, wanted = (computed(prepared, x, *args) for prepared in made)
    for ours, theirs in zip(found, wanted, strict=True):
        assert_same(ours, theirs)
    return made[0]


SIZES = {"bratu": 4, "broyden": 30, "brusselator": 7, "burgers": 24, "cavity": 6, "rosenbrock": 40,
         "minimal-surface": 7, "hyperelastic": 1, "power-flow": 14}  # fmt: skip


@pytest.mark.parametrize("mode", ["direct", "colored"])
@pytest.mark.parametrize("name", SIZES)
def test_benchmark_problems(name, mode):
    problem = PROBLEMS[name](SIZES[name])
    if mode == "colored":
        mode = "compressed" if problem.derivative == "jacobian" else "star"
    x = problem.x0 + 0.01
    assert_equal_to_loops(problem.derivative, problem.f, x, *problem.args, mode=mode)
