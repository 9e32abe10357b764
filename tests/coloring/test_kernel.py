"""Kernels give the same results interpreted and compiled; a process begins with the first, goes on with the second."""

import sys
from functools import partial

import numpy as np
import pytest

import coloring
from coloring.kernels import kernel
from coloring.kernels.kernel import Kernel
from tests.coloring.helpers import COLORINGS, RECTANGULAR_MATRICES, SYMMETRIC, SYMMETRIC_MATRICES
from tests.sizes import compiled_only


@pytest.fixture
def everything_interpreted(monkeypatch):
    """Interpret whatever is called, also kernels that this process has compiled."""
    monkeypatch.setattr(kernel._spent, "numbers", -(10**12))
    modules = [module for name, module in sys.modules.items() if name.startswith("coloring.kernels.")]
    kernels = {id(k): k for module in modules for k in vars(module).values() if isinstance(k, Kernel)}
    for one in kernels.values():
        monkeypatch.setattr(one, "_run", None)


def colored(A, kind):
    structure, partition, decompression = COLORINGS[kind]
    found = coloring.color(A, structure, partition, decompression)
    B = found.compress(A)
    colors = found.colors if isinstance(found.colors, tuple) else (found.colors,)
    compressed = B if isinstance(B, tuple) else (B,)
    return found.tried, found.lower_bound, *colors, *compressed, found.decompress(B).toarray()


CASES = [(kind, name, A) for kind in COLORINGS for name, A in SYMMETRIC_MATRICES.items()]
CASES += [(kind, name, A) for kind in COLORINGS if kind not in SYMMETRIC for name, A in RECTANGULAR_MATRICES.items()]


@compiled_only
@pytest.mark.parametrize(("kind", "name", "A"), CASES, ids=lambda value: value if isinstance(value, str) else "")
def test_interpreted_as_compiled(kind, name, A, monkeypatch, everything_interpreted):
    interpreted = colored(A, kind)
    monkeypatch.undo()
    monkeypatch.setattr(kernel._spent, "numbers", kernel.INTERPRETED)
    compiled = colored(A, kind)
    assert interpreted[:2] == compiled[:2]
    for found, expected in zip(interpreted[2:], compiled[2:], strict=True):
        np.testing.assert_array_equal(found, expected, strict=True)


def test_process_interprets_so_much_and_compiles_then(monkeypatch):
    monkeypatch.setattr(kernel._spent, "numbers", 0)

    @Kernel
    def total(numbers):
        return numbers.sum()

    ran = []
    total.__dict__["compiled"] = lambda numbers: ran.append(numbers.size)
    half = np.ones(kernel.INTERPRETED // 2)
    assert [total(half), total(half)] == [half.size, half.size]
    total(half[:1])
    monkeypatch.setattr(kernel._spent, "numbers", 0)
    total(half[:2])  # compiled once, compiled for good
    assert ran == [1, 2]


def test_what_an_interpreted_kernel_calls_is_interpreted(monkeypatch):
    monkeypatch.setattr(kernel._spent, "numbers", 0)
    inner = Kernel(lambda numbers: numbers.size)
    outer = partial(Kernel, work=lambda *_: 1)(lambda numbers: inner(numbers))
    assert outer(np.ones(2 * kernel.INTERPRETED)) == 2 * kernel.INTERPRETED
    assert kernel._spent.numbers == 1


def test_warnings_are_those_of_compiled_code(monkeypatch):
    monkeypatch.setattr(kernel._spent, "numbers", 0)
    A = np.array([[np.inf, 1.0], [1.0, np.inf]])
    found = coloring.color(A, "symmetric", decompression="substitution")
    assert not np.isfinite(found.decompress(found.compress(A)).toarray()).all()
