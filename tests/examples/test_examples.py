"""A part of the examples in NumPy's docstrings, with their arrays unknown; the whole by ``make examples``."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from tests.examples.__main__ import reason_of
from tests.examples.programs import Program, of_file, of_text
from tests.examples.replay import Replay

TRACING = "from sparsead.tracing.loops.tape import is_tracing as tracing"
PART = [np.append, np.gradient, np.nditer, np.nditer.copy, np.flatiter.coords, np.linalg.norm, np.cross, np.insert]
pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="no time limits")


@pytest.mark.parametrize("function", PART, ids=lambda f: f.__qualname__)
def test_examples_of_numpy_are_the_same_with_unknowns(function):
    (program,) = of_text(function.__qualname__, function.__doc__)
    found = list(Replay(program).outcomes())
    assert any(o.result == "same" for o in found)
    assert [o for o in found if o.result not in ("same", "refused", "failed") and not reason_of(o)] == []


def outcomes(*statements):
    return [o.result for o in Replay(Program("", ("import numpy as np", TRACING, *statements))).outcomes()]


def test_what_a_program_becomes():
    assert outcomes("x = np.arange(3.0)", "y = x[::-1] * x", "np.sum(y)") == ["same", "same"]
    assert outcomes("x = np.arange(3.0)", "np.argsort(x)", "x**2") == ["refused", "same"]
    assert outcomes("x = np.arange(3.0)", "undefined(x)", "x**2") == ["same"]
    assert outcomes("x = np.ones(2)", "y = x * np.random.SeedSequence().entropy")[0] == "failed"
    assert outcomes("x = np.ones(2)", "y = x * (2.0 if tracing() else 1.0)")[0] == "different"
    assert outcomes("x = np.ones(2)", "y = x[: 1 if tracing() else 2]")[0] == "different"
    assert outcomes("x = np.ones(2)", "{}['traced' if tracing() else 0] if tracing() else x")[0] == "crash"


def test_programs_of_files(tmp_path):
    (tmp_path / "a.py").write_text("n = 400\nx = 2 * n\n")
    (tmp_path / "b.md").write_text("Text\n\n```python\nx = 1.0\n```\n\n>>> x + 1\n2.0\n")
    (tmp_path / "c.ipynb").write_text('{"cells": [{"cell_type": "code", "source": ["%pylab\\n", "x = 1"]}]}')
    assert [p.statements for p in of_file(tmp_path / "a.py")] == [("n = 9", "x = 2 * n")]
    assert [p.statements[1:] for p in of_file(tmp_path / "b.md")] == [("x + 1",), ("x = 1.0",)]
    assert [p.statements for p in of_file(tmp_path / "c.ipynb")] == [("x = 1",)]
