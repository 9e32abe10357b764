"""Ctrl-C in every stage: nothing half-written stays behind, NumPy is itself again, and the process goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sparsead as sad
from sparsead.extend import operation
from sparsead.stages import watching
from sparsead.tracing.replacing import names, standins, undo

X = np.linspace(0.3, 1.4, 20)
ZEROS = np.zeros


def function(x):
    y = np.zeros(20)
    y[1:] = x[1:] ** 2 * x[:-1]
    return y + np.sin(x)


def energy(x):
    return np.sum(function(x) ** 2)


def assert_usable(folder):
    """Everything is as before, and works."""
    assert np.zeros is ZEROS
    assert not names._active and not undo.CHANGES
    assert standins.TRACING.depth == 0
    assert not list(folder.glob(".partial*"))
    jac = sad.jacobian(function, X)
    assert sad.check(jac, X).passed


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARSEAD_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


STAGES = ["trace", "lower", "linearize", "detect", "color", "compile"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("when", ["begins", "ends"])
@pytest.mark.parametrize("prepare", [sad.jacobian, sad.hessian])
def test_interrupted_stage(stage, when, prepare, folder):
    seen = []

    def watcher(name, seconds):
        seen.append(name)
        if name == stage and (seconds is None) == (when == "begins"):
            signal.raise_signal(signal.SIGINT)

    f = function if prepare is sad.jacobian else energy
    with pytest.raises(KeyboardInterrupt), watching(watcher):
        prepare(f, X, mode="compressed")
    assert seen[-1] == stage
    assert_usable(folder)


def test_interrupted_function(folder):
    """In the middle of the user's own code, as long loops are interrupted."""

    def impatient(x):
        y = np.zeros(20)
        for i in range(20):
            y[i] = x[i] ** 2
            if i == 10:
                signal.raise_signal(signal.SIGINT)
        return y

    with pytest.raises(KeyboardInterrupt):
        sad.jacobian(impatient, X)
    assert_usable(folder)


def test_interrupted_compiler(folder, monkeypatch):
    """While LLVM works: the code is finished and stored first."""
    from sparsead.emit import llvm

    optimise = llvm._optimise

    def interrupted(*args):
        signal.raise_signal(signal.SIGINT)
        optimise(*args)

    monkeypatch.setattr(llvm, "_optimise", interrupted)
    llvm._codes.clear()
    with pytest.raises(KeyboardInterrupt):
        sad.jacobian(function, X, backend="llvm")
    monkeypatch.undo()
    monkeypatch.setenv("SPARSEAD_CACHE", str(folder))
    assert len(list(folder.glob("*.o"))) == 1
    assert_usable(folder)


def test_interrupted_evaluation(folder):
    """In an operation that is called in the middle of a sweep; the next evaluation starts afresh."""
    impatient = [False]

    def sine(a):
        if impatient[0]:
            signal.raise_signal(signal.SIGINT)
        return np.sin(a)

    traced = operation(sine, jvp=lambda operands, tangents: np.cos(operands[0]) * tangents[0])

    def f(x):
        return np.exp(traced(x[1:] * x[:-1])) * traced(x[1:] ** 2)

    for mode in ("direct", "forward", "reverse"):
        jac = sad.jacobian(f, X, mode=mode)
        impatient[0] = False
        expected = jac(X).data.copy()
        impatient[0] = True
        with pytest.raises(KeyboardInterrupt):
            jac.value_and_jacobian(1.1 * X)
        impatient[0] = False
        np.testing.assert_array_equal(jac(X).data, expected)
    assert_usable(folder)


AT_RANDOM = """
import random, signal, sys, time
import numpy as np
import sparsead as sad
from tests.test_interrupts import X, assert_usable, function
from pathlib import Path

folder, rng, armed = Path(sys.argv[1]), random.Random(0), [False]

def evaluate():
    for entry in folder.glob("*.o"):
        entry.unlink()
    return sad.jacobian(function, X, mode="forward")(X).data

def ring(*_):
    if armed[0]:
        signal.raise_signal(signal.SIGINT)

def seconds():
    start = time.perf_counter()
    evaluate()
    return time.perf_counter() - start

expected = evaluate()
whole = min(seconds() for _ in range(3))  # of this machine, so that the interrupts fall inside
signal.signal(signal.SIGALRM, ring)
interrupted = 0
for _ in range(60):
    try:
        armed[0] = True
        signal.setitimer(signal.ITIMER_REAL, rng.uniform(1e-4, whole))
        evaluate()
        armed[0] = False
    except KeyboardInterrupt:
        interrupted += 1
    armed[0] = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert_usable(folder)
np.testing.assert_array_equal(evaluate(), expected)
print(interrupted)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no interval timer")
def test_interrupted_at_random_moments(folder):
    """Sixty preparations, each with an interrupt somewhere; in a process of its own, to keep this one from it."""
    root = Path(sad.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", AT_RANDOM, str(folder)]
    run = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    assert int(run.stdout) > 20
