"""The adapters for PETSc, on one rank and on two, with PETSc's own test of Jacobians."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.launch import MISSING, launched

pytestmark = pytest.mark.skipif(
    MISSING or not find_spec("petsc4py"),
    reason="petsc4py, mpi4py or mpiexec is not installed (see .ci/solver-packages)",
)
DIFFERENCE = re.compile(r"\|\|J - Jfd\|\|_F/\|\|J\|\|_F = ([0-9.e+-]+)")


@pytest.mark.parametrize("ranks", [1, 2])
def test_petsc(ranks):
    done = launched(ranks, str(Path(__file__).parent / "petsc_program.py"), timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("agrees") == ranks
    differences = [float(found) for found in DIFFERENCE.findall(done.stdout)]
    assert len(differences) >= 6
    assert max(differences) < 1e-6  # PETSc's finite differences
