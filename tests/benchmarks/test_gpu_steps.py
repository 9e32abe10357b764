"""Implicit steps on the stand-in for CuPy, against SciPy's solver of equations on the same function in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
from click.testing import CliRunner

from benchmarks import gpu_steps
from sparsead.problems.brusselator import brusselator
from tests.derivatives import fake_cupy
from tests.emit.grid_on_cpu import COMPILER

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


@pytest.fixture
def cupy(monkeypatch):
    return fake_cupy.installed(monkeypatch)


def test_steps_are_those_of_scipy(cupy):
    N, dt = 6, 1.0 / 36
    done = gpu_steps.steps(N, 2, dt)
    y = brusselator(N).x0
    for _ in range(3):
        y = scipy.optimize.fsolve(gpu_steps.implicit_euler, y, (y, dt, 10.0), xtol=1e-13)
    np.testing.assert_allclose(done.y, y, rtol=1e-8)
    assert 3 <= done.newton <= 15 and done.products >= done.newton


def test_the_preconditioner_inverts_the_blocks_of_the_matrix(cupy):
    rng, N = np.random.default_rng(0), 4
    y, old = rng.random((2, 2 * N * N))
    jac = gpu_steps.sad.jacobian(gpu_steps.implicit_euler, y, old, 0.1, 10.0, device="cuda")
    J, r = jac.prepared(y, old, 0.1, 10.0).toarray(), rng.random(y.size)
    rows, columns = np.indices(J.shape)
    blocks = np.where((rows - columns) % (N * N) == 0, J, 0.0)
    solve = gpu_steps.Species(jac.pattern, cupy).of(jac.values(y, old, 0.1, 10.0))
    np.testing.assert_allclose(solve(cupy.asarray(r)), np.linalg.solve(blocks, r), rtol=1e-12)


def test_the_command(cupy):
    found = CliRunner().invoke(gpu_steps.main, ["--points", "5", "--count", "1"], catch_exceptions=False)
    assert found.output.startswith("1 steps on 5 x 5 points") and "Newton iterations" in found.output
