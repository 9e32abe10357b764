"""Stages of a preparation are reported while they run, to whom it was asked for."""

import subprocess
import sys

import numpy as np
import pytest

import sparsead as sad
from sparsead import stages
from sparsead.stages import MEANING

X = np.linspace(0.5, 1.5, 6)


def residual(x):
    return x[1:] * x[:-1]


def energy(x):
    return np.sum(x[1:] ** 2 * x[:-1])


PREPARE = {
    "jacobian": lambda **options: sad.jacobian(residual, X, **options),
    "differences": lambda **options: sad.jacobian(residual, X, method="finite-difference", **options),
    "guarded": lambda **options: sad.jacobian(residual, X, guard="record", **options),
    "hessian": lambda **options: sad.hessian(energy, X, **options),
    "lagrangian": lambda **options: sad.lagrangian_hessian(energy, residual, X, **options),
    "gradient": lambda **options: sad.gradient(energy, X, **options),
}


@pytest.mark.parametrize("name", PREPARE)
def test_each_stage_is_a_line_on_standard_error(name, capfd):
    prepared = PREPARE[name](progress=True)
    out, err = capfd.readouterr()
    lines = [line.rpartition("\r")[2] for line in err.rstrip("\n").split("\n")]
    assert not out and [line.split()[0] for line in lines] == list(prepared.timings)
    assert all(MEANING[line.split()[0]] in line and len(line) < 80 for line in lines)


@pytest.mark.parametrize("name", PREPARE)
def test_a_function_is_told_when_stages_begin_and_end(name):
    told = []
    prepared = PREPARE[name](progress=lambda *what: told.append(what))
    assert told[::2] == [(stage, None) for stage in prepared.timings]
    assert told[1::2] == list(prepared.timings.items())


def test_nothing_is_said_unless_asked(capfd):
    sad.jacobian(residual, X)
    assert capfd.readouterr() == ("", "")


def test_an_error_begins_a_line_of_its_own(capfd):
    with pytest.raises(ZeroDivisionError):
        sad.jacobian(lambda x: x / (1 // 0), X, progress=True)
    assert capfd.readouterr().err.endswith("\n")
    sad.jacobian(residual, X)
    assert capfd.readouterr() == ("", "")


FIRST = """
import numpy as np, sys, time
import sparsead as sad
start = time.perf_counter()
prepare = sad.jacobian
assert "llvmlite" in sys.modules
jac = prepare(lambda x: x**2, np.ones(3), backend="python")
waited = time.perf_counter() - start
assert list(jac.timings)[0] == "load" and 0.0 < jac.timings["load"] < jac.timings.total < waited, (waited, jac.timings)
assert "load" not in sad.jacobian(lambda x: x**2, np.ones(3), backend="python").timings
others = {"numba", "networkx", "matplotlib", "sparsead.solvers", "sparsead.ranks", "sparsead.derivatives.lagrangian"}
others |= {f"scipy.{name}" for name in ("optimize", "signal", "stats", "interpolate", "ndimage", "integrate", "fft")}
assert not others & sys.modules.keys(), others & sys.modules.keys()
"""
CALLED = """
import numpy as np
import sparsead as sad
jac = sad.jacobian(lambda x: x**2, np.ones(3), backend="llvm", check=False)
from sparsead.emit import llvm
llvm.Code = None
assert jac(np.full(3, 2.0)).data.tolist() == [4.0, 4.0, 4.0]
"""


@pytest.mark.parametrize("code", [FIRST, CALLED], ids=["imports are told of", "nothing compiles at the first call"])
def test_the_first_preparation(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert not done.returncode, done.stderr


def test_a_stage_that_runs_twice_counts_twice(monkeypatch):
    clock = iter([0.0, 1.0, 5.0, 7.0])
    monkeypatch.setattr(stages.time, "perf_counter", lambda: next(clock))
    monkeypatch.setattr(stages, "_loading", [])
    seen, timings = [], stages.Timings()
    with stages.watching(lambda name, seconds: seen.append((name, seconds))):
        for _ in range(2):
            with timings.stage("lower"):
                pass
    assert timings == {"lower": 3.0}
    assert seen == [("lower", None), ("lower", 1.0), ("lower", None), ("lower", 2.0)]
