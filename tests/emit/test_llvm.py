"""Translation to LLVM: long functions are cut, and cut where no name crosses; what was compiled is freed."""

from __future__ import annotations

import ast
import gc
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.emit import assembly, llvm, parts
from sparsead.emit.llvm import Code

STATUS = Path("/proc/self/status")


def many_pieces(x):
    parts = [np.sin(x[k % 9 : k % 9 + 3 + k % 7] * (k + 1.5)) * x[0] ** (k % 4) for k in range(90)]
    return np.concatenate(parts)


def test_long_functions_are_cut_and_give_the_same_values():
    x = np.linspace(0.1, 1.0, 24)
    jac = sad.jacobian(many_pieces, x, mode="forward", backend="llvm")
    text = assembly.assembly(jac._assembly.sweeps()[0].source.functions)
    assert text.count("define internal void @body") > 1
    slow = sad.jacobian(many_pieces, x, mode="forward", backend="python")
    np.testing.assert_allclose(jac(x).toarray(), slow(x).toarray(), rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(jac.value(x), many_pieces(x), rtol=1e-14)


def test_names_that_are_read_later_stay_in_one_part(monkeypatch):
    monkeypatch.setattr(parts, "LONG", 0)
    x = np.linspace(0.1, 1.0, 24)

    def f(x, a, b):  # runtime numbers are loaded once, before the loop that uses them
        return np.concatenate([a * x, b * np.sin(x) + a, x[:5] * b])

    jac = sad.jacobian(f, x, 2.0, 3.0, backend="llvm")
    np.testing.assert_allclose(jac.value(x, 4.0, 5.0), f(x, 4.0, 5.0), rtol=1e-15)
    np.testing.assert_allclose(jac(x, 4.0, 5.0).toarray()[0, 0], 4.0)


def test_only_short_innermost_loops_are_unrolled():
    x = np.linspace(0.1, 1.0, 12)
    A = scipy.sparse.random_array((12, 12), density=0.2, random_state=np.random.default_rng(0), format="csr")

    def layered(x):
        return np.exp(A @ np.sin(A @ x))

    jac = sad.jacobian(layered, x, mode="forward", coloring="none", backend="llvm")  # 12 lanes
    text = assembly.assembly(jac._assembly.sweeps()[0].source.functions)
    marks = [line for line in text.splitlines() if "br label" in line and "!llvm.loop" in line]
    lanes, zeros = (jac.source.count(f"for {name} in range(12):") for name in "ki")
    assert lanes > 0
    unrolled = re.findall(r"^!\d+ = distinct !\{!\d+, !0\}$", text, re.MULTILINE)  # the first advice of all
    assert len(unrolled) == lanes + zeros < jac.source.count("for ")
    assert len(set(marks)) == len(marks)  # a node each
    slow = sad.jacobian(layered, x, mode="forward", coloring="none", backend="python")
    np.testing.assert_allclose(jac(x).toarray(), slow(x).toarray(), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize(("terms", "unrolled"), [(1, True), (2000, False)])
def test_a_loop_of_one_long_statement_is_not_short(terms, unrolled):
    (loop,) = ast.parse(f"for k in range(5):\n    a[k] = {' + '.join(['a[k]'] * terms)}").body
    assert assembly._is_short(loop) == unrolled


@pytest.mark.skipif(not STATUS.exists(), reason="no /proc")
def test_code_that_nobody_uses_takes_no_memory():
    jac = sad.jacobian(lambda x: np.sin(x[1:]) * x[:-1], np.ones(9), mode="forward", backend="llvm")
    text = assembly.assembly(jac._assembly.sweeps()[0].source.functions)

    def resident():
        gc.collect()
        return int(next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS")).split()[1])

    for _ in range(20):
        Code(text)
    before = resident()
    for _ in range(50):
        Code(text)
    assert resident() - before < 50 * 30  # kB; 80 stay of each where the list of passes is not freed


def test_long_blocks_are_not_vectorised_and_give_the_same_values(monkeypatch):
    def f(x):
        y = x[:8].reshape(2, 4) * x[8:].reshape(2, 4)
        return np.concatenate([y[0] * y[1], y[0] / (1.0 + y[1] ** 2)])

    made = []
    create = llvm.llvm.create_pipeline_tuning_options
    monkeypatch.setattr(llvm.llvm, "create_pipeline_tuning_options", lambda **o: made.append(create(**o)) or made[-1])
    monkeypatch.setenv("SPARSEAD_CACHE", "")
    x, found = np.linspace(0.3, 1.2, 16), []
    for length, vectorised in ((llvm.LONG_BLOCK, True), (1, False)):
        monkeypatch.setattr(llvm, "LONG_BLOCK", length)
        llvm._codes.clear()
        made.clear()
        found.append(sad.jacobian(f, x, mode="direct")(x).data)
        assert made
        assert all(options.slp_vectorization is vectorised for options in made)
    np.testing.assert_array_equal(*found)
