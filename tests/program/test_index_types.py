"""Index types: all runs with int8 or int16 in place of int32, on inputs that are small and as large as these hold.

What is computed in the narrow type although it may not fit (offsets of stretches, sums of tables, places in lanes) goes
wrong here at a hundred elements, where with int32 it would take 2e9.
"""

from __future__ import annotations

import ast
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sparsead as sad
from sparsead.emit.nest import Nest
from sparsead.emit.python import load
from sparsead.emit.source import Source
from sparsead.kernels.indexmap import recognise
from sparsead.program import index
from tests.fuzz.programs import attempt
from tests.sizes import compiled_only

PACKAGE = Path(sad.__file__).parent
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture(params=[np.int8, np.int16], ids=["int8", "int16"])
def narrow(request, monkeypatch):
    """Put a narrower type in place of int32."""
    index.IDENTITIES.clear()
    monkeypatch.setattr(index, "NARROW", request.param)
    yield request.param
    index.IDENTITIES.clear()


def test_one_module_names_the_types():
    named = {"int8", "int16", "int32", "uint16", "uint32", "intc", "short"}
    for file in PACKAGE.rglob("*.py"):
        if file == PACKAGE / "program" / "index.py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            found = (
                node.attr if isinstance(node, ast.Attribute) else node.value if isinstance(node, ast.Constant) else ""
            )
            allowed = isinstance(node, ast.Attribute) and node.attr == "int8" and file.parent.name == "solvers"
            assert found not in (*named, "i4") or allowed or file.parent.name == "emit", f"{file}: {found}"


@pytest.mark.parametrize("seed", range(30))
def test_random_programs(narrow, seed):
    attempt(seed)


def agrees(f, n, hessian=False):
    """Compare all modes with each other's reference: complex steps of f."""
    x = np.linspace(0.2, 0.9, n)
    expected = np.stack([np.imag(f(x + 1e-30j * e)) / 1e-30 for e in np.eye(n)], axis=1)
    for mode in ("direct", "forward", "reverse"):
        for backend in ("llvm", "python"):
            jac = sad.jacobian(f, x, mode=mode, backend=backend)
            np.testing.assert_allclose(jac(x).toarray(), expected, rtol=1e-12, atol=1e-13, err_msg=f"{mode} {backend}")
            assert jac.source  # what ran was generated


@settings(max_examples=15, derandomize=True, suppress_health_check=QUIET)
@given(st.data())
def test_indices_in_stretches(narrow, data):
    """``x[idx]``, affine but for a few breaks: the offset of a stretch is far outside of x."""
    n = data.draw(st.integers(100, 127 if narrow is np.int8 else 180))
    stretches = data.draw(st.integers(1, 13))
    step = data.draw(st.sampled_from([1, 2, 5, n // 8, -1, -(n // 8)]))
    starts = data.draw(st.lists(st.integers(0, n - 1), min_size=stretches, max_size=stretches))
    idx = np.concatenate([(start + step * np.arange(8)) % n for start in starts])
    agrees(lambda x: np.sin(x[idx]) * np.arange(1.0, idx.size + 1), n)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.exp(np.tile(x, 3)) * np.repeat(x, 3),
        lambda x: (x[:, None] * x[None, :11]).reshape(-1)[::-1],
        lambda x: np.outer(x, x[:9])[::-1, ::-1].sum(axis=1) ** 2,
        lambda x: np.convolve(x * x, np.arange(1.0, 6.0), mode="same") * x,
        lambda x: np.cumsum(np.sin(x))[::3],
        lambda x: x[np.arange(x.size * 2) * 7 % x.size] ** 3,
    ],
)
@pytest.mark.parametrize("n", [121, 127, 128, 131])
@compiled_only
def test_sizes_around_the_largest(narrow, f, n):
    agrees(f, n)


def test_loops_of_scalars(narrow):
    def f(x):
        r = np.zeros(2 * x.size, x.dtype)
        for i in range(x.size):
            r[2 * i] = x[i] * x[(7 * i) % x.size]
            r[2 * i + 1] = r[2 * i] - x[i - 1] ** 2
        return r

    agrees(f, 125)


def test_an_array_that_outgrows_its_memory(narrow):
    """The memory is written by an array too large for the type that its offsets had at first."""

    def f(x):
        large = np.sin(np.tile(x, 300))
        y = np.zeros(x.size, x.dtype)
        y[:3] = x[:3]
        y[3:] = large[-x.size + 3 :]
        return y

    agrees(f, 40)


@settings(max_examples=100, derandomize=True, suppress_health_check=QUIET)
@given(st.data())
def test_recognised_maps_say_what_they_were(narrow, data):
    """Also where a sum of lines is right only modulo 2^8: that must not pass for a separable map."""
    limits = np.iinfo(narrow)
    shape = tuple(data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=4)))
    lines = [data.draw(st.lists(st.integers(0, int(limits.max)), min_size=n, max_size=n)) for n in shape]
    total = sum(
        np.array(line).reshape([-1 if a == k else 1 for a in range(len(shape))]) for k, line in enumerate(lines)
    )
    wrapped = (np.broadcast_to(total, shape) % (int(limits.max) + 1)).astype(narrow)
    found = recognise(np.ascontiguousarray(wrapped))
    np.testing.assert_array_equal(found.array(), wrapped)
    exact = np.broadcast_to(total, shape)
    np.testing.assert_array_equal(recognise(np.ascontiguousarray(index.narrowed(exact))).array(), exact)


def test_offsets_of_stretches_beyond_int32():
    """104 indices into 2e8 elements: ``step * first`` is beyond 2**31, which once wrote outside of memory."""
    step, n = 25_000_000, 200_000_000
    idx = np.concatenate([(k * 1_234_567 + step * np.arange(8)) % n for k in range(13)]).astype(np.int32)
    source = Source("f")
    nest = Nest(source, idx.shape, itertools.count())
    name = nest.index(recognise(idx))
    with nest.body():
        source.write(f"y[0] = {name}")
    arrays = source.fixed | {"y": np.zeros(1)}
    met: list[int] = []
    run = load(replace(source.functions[0], arrays=dict.fromkeys(arrays, "f8")), {})
    run(*(_Noting(met) if k == "y" else v.data for k, v in arrays.items()))
    assert met == idx.tolist()
    assert any(v.dtype == np.int64 and int(v.min()) < -(2**31) for v in source.fixed.values())


class _Noting:
    """An array that notes what is stored in it."""

    def __init__(self, met):
        self.met = met

    def __setitem__(self, at, value):
        self.met.append(value)
