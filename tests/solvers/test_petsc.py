"""The adapters for PETSc, on one rank and on several, with PETSc's own test of Jacobians."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.launch import MISSING, launched

pytestmark = pytest.mark.skipif(
    MISSING or not find_spec("petsc4py"),
    reason="petsc4py, mpi4py or mpiexec is not installed (see .ci/solver-packages)",
)
DIFFERENCE = re.compile(r"\|\|([JH]) - \1fd\|\|_F/\|\|\1\|\|_F = ([0-9.e+-]+)")  # of Jacobians and Hessians


@pytest.mark.parametrize("ranks", [1, 2, pytest.param(4, marks=pytest.mark.slow)])
def test_petsc_agrees_with_its_own_differences(ranks):
    done = launched(ranks, str(Path(__file__).parent / "petsc_program.py"), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("agrees") == ranks
    differences = DIFFERENCE.findall(done.stdout)
    for kind in "JH":
        assert sum(found == kind for found, _ in differences) >= 6
    assert max(float(size) for _, size in differences) < 1e-6  # PETSc's finite differences
