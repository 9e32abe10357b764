"""Random programs as grids of threads, run on the CPU in both directions, against plain loops: every bit equal."""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import re
from collections import Counter
from contextlib import ExitStack, contextmanager
from random import Random
from unittest import mock

import numpy as np

import sparsead as sad
from sparsead.emit import python, sweep
from sparsead.errors import InputError
from tests.emit.grid_on_cpu import on_grid
from tests.laws.program import point
from tests.laws.programs import random_program

OF_TWO = {"atan2", "hypot", "fmod", "copysign"}
REFUSED = "a recurrence|is called on the host"
MODES = {"jacobian": ["direct", "forward", "reverse", "bidirectional"], "hessian": ["direct", "star", "column"]}


@functools.cache
def mathematics():
    """Return the functions of the C library, for Python: those that the compiled grids call."""
    library = ctypes.CDLL(ctypes.util.find_library("m"))

    def function(name):
        call = getattr(library, name)
        call.restype, call.argtypes = ctypes.c_double, [ctypes.c_double] * (2 if name in OF_TWO else 1)
        return lambda *operands: np.float64(call(*operands))

    return {name: function(name) for name in python.FUNCTIONS}


@contextmanager
def on_the_cpu():
    """Add a back end of grids, and let the interpreter of plain loops call the same C library."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(sweep.BACKENDS, grid=on_grid))
        stack.enter_context(mock.patch.object(sweep, "GRIDS", {"grid"}))
        stack.enter_context(mock.patch.object(python, "INTERPRETED", mathematics()))
        yield


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
    made = []
    for backend in ("grid", "python"):
        np.random.seed(0)  # noqa: NPY002  (SciPy's barycentric interpolation draws an order from this generator)
        made.append(getattr(sad, derivative)(f, x, *args, **options, backend=backend, check=False))
    found, wanted = (computed(prepared, x, *args) for prepared in made)
    for ours, theirs in zip(found, wanted, strict=True):
        assert_same(ours, theirs)
    return made[0]


def counted(compare, what):
    """Return what a comparison, which returns the prepared derivative, adds to the counts; tell `what` fails."""
    try:
        made = compare()
    except InputError as refusal:
        if not re.search(REFUSED, str(refusal)):
            raise AssertionError(f"{refusal}\n{what}") from refusal
        return Counter(programs=1, refused=1)
    except Exception as error:
        raise AssertionError(f"{type(error).__name__}: {error}\n{what}") from error
    return Counter(programs=1, entries=made.pattern.nnz)


def attempt(seed):
    """Compare the program of a seed; raise AssertionError with the program if grids and loops differ."""
    random = Random(seed)
    program = random_program(random, smooth=random.random() < 0.6)
    derivative = random.choice(["jacobian", "hessian"])
    f = program if derivative == "jacobian" else lambda x, p: np.sum(program(x, p) * np.sin(x).sum())
    x, p = point(program.shape), point(program.shape, 6)
    mode = random.choice(MODES[derivative])
    with on_the_cpu():
        return counted(
            lambda: assert_equal_to_loops(derivative, f, x, p, mode=mode), f"{derivative} {mode}\n{program!r}"
        )
