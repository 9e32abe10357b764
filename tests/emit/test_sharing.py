"""Equal loops are compiled once, and called with their own arrays."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.emit import assembly, sharing
from sparsead.emit.sequence import FEW
from sparsead.emit.sharing import WORTH, loops, with_calls
from sparsead.emit.sweep import Engine
from sparsead.kernels.lower import lower
from sparsead.sweeps import compressed
from sparsead.sweeps.vector import value_sweep
from sparsead.tracing.trace import trace

ARRAYS = {"x": "f8", "y": "f8", "z": "f8", "t": "i4"}


def replaced(*texts):
    """Return the lines with calls, and the procedures, of loops one after the other."""
    lines, spans = [], []
    for text in texts:
        spans.append((len(lines), len(lines) + len(text)))
        lines += text
    found = loops(lines, spans, ARRAYS)
    times = {loop.key: sum(other.key == loop.key for other in found) for loop in found}
    return with_calls(lines, found, times, ARRAYS)


def renamed(text, **names):
    for old, new in names.items():
        text = [line.replace(f"{old}[", f"{new}[") for line in text]
    return text


BODY = ["    for i0 in range(9):", *(f"        y[i0] += {k}.5 * x[i0]" for k in range(WORTH))]


def test_loops_on_other_arrays_become_calls():
    lines, procedures = replaced(BODY, renamed(BODY, y="z"))
    (procedure,) = procedures.values()
    assert lines == [f"    {procedure.name}(y, x)", f"    {procedure.name}(z, x)"]
    assert procedure.lines == BODY and procedure.arrays == {"y": "f8", "x": "f8"}


@pytest.mark.parametrize(
    "other",
    [
        renamed(BODY, y="x"),  # one array in place of two
        [line.replace("range(9)", "range(8)") for line in BODY],
        [line.replace("3.5", "3.25") for line in BODY],
        renamed(BODY, x="t"),  # an array of another type
        BODY[:-1],
    ],
)
def test_loops_that_differ_stay(other):
    lines, procedures = replaced(BODY, other)
    assert not procedures and lines == [*BODY, *other]


def test_short_loops_stay_where_they_are_read():
    short = BODY[:5]
    assert not replaced(short, renamed(short, y="z"))[1]


def test_numbers_of_the_blocks_around_are_passed():
    deep = ["    " + line for line in BODY]
    with_number = [line.replace("[i0] +=", "[i0 + first] +=") for line in deep]
    lines, procedures = replaced(with_number, renamed(with_number, y="z"))
    (procedure,) = procedures.values()
    assert procedure.numbers == ("first",) and procedure.lines[0] == BODY[0]
    assert lines[0] == f"        {procedure.name}(y, x, first)"


def steps(times):
    def f(u):
        for _ in range(times):
            v = np.exp(-u) * np.sin(u) / (1.0 + u**2)
            u = u + 0.1 * (np.roll(v, 1) - 2.0 * v + np.roll(v, -1))
        return u

    return f


def loss(times):
    return lambda u: np.sum(steps(times)(u) ** 2)


X = np.linspace(0.2, 1.0, 40)


def test_machine_code_does_not_grow_with_the_steps():
    sizes = []
    for times in (FEW, 2 * FEW, 4 * FEW):
        gradient = sad.gradient(loss(times), X)
        text = assembly.assembly(gradient._sweep("gradient").functions)
        sizes.append(sum(len(line) < 200 for line in text.splitlines()))  # but for tables of numbers
    assert sizes[2] - sizes[1] <= 0.1 * sizes[1]


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_back_ends_agree_on_procedures(mode, monkeypatch):
    monkeypatch.setattr(sharing, "WORTH", 1)
    f = steps(5)
    compiled, plain = (sad.jacobian(f, X, mode=mode, backend=b) for b in ("llvm", "python"))
    assert "loop_" in compiled.source
    np.testing.assert_allclose(compiled(X).toarray(), plain(X).toarray(), rtol=1e-13, atol=1e-15)


def test_many_colors_in_blocks_through_procedures(monkeypatch):
    """Forward mode with more colors than lanes: the kernels are inside the loop over blocks of colors."""
    monkeypatch.setattr(compressed, "MAX_CACHED", compressed.MAX_LANES)
    x = np.linspace(0.2, 1.0, 90)
    jac = sad.jacobian(steps(20), x, mode="forward")
    assert "for block in" in jac.source and "loop_" in jac.source
    direct = sad.jacobian(steps(20), x, mode="direct")
    np.testing.assert_allclose(jac(x).toarray(), direct(x).toarray(), rtol=1e-12, atol=1e-15)


@pytest.mark.slow
def test_numba_calls_procedures(monkeypatch):
    monkeypatch.setattr(sharing, "WORTH", 1)
    sweep = value_sweep(lower(trace(steps(7), (X,))[0]), Engine("numba"))
    assert "loop_" in sweep.source.text
    y = np.empty_like(X)
    sweep(x=X, y=y)
    np.testing.assert_allclose(y, steps(7)(X), rtol=1e-14)


def test_a_gradient_is_compiled_when_it_is_prepared():
    gradient = sad.gradient(lambda u: np.sum(steps(3)(u) ** 2), X)
    assert all(gradient._sweep(name)._compiled for name in ("value", "gradient", "value_and_gradient"))
    assert [stage for stage in gradient.timings if stage != "load"] == [
        "trace",
        "lower",
        "linearize",
        "compile",
        "check",
    ]
    value, slope = gradient.value_and_gradient(X)
    assert value == pytest.approx(np.sum(steps(3)(X) ** 2), rel=1e-14)
    assert (slope == gradient(X)).all()
