"""The adapters for PETSc, on one rank and on two, with PETSc's own test of Jacobians."""

import os
import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not (find_spec("petsc4py") and find_spec("mpi4py") and shutil.which("mpiexec")),
    reason="petsc4py, mpi4py or mpiexec is not installed (see .ci/solver-packages)",
)
ROOT = Path(__file__).parents[2]
DIFFERENCE = re.compile(r"\|\|J - Jfd\|\|_F/\|\|J\|\|_F = ([0-9.e+-]+)")


@pytest.mark.parametrize("ranks", [1, 2])
def test_petsc(ranks):
    program = [sys.executable, str(Path(__file__).parent / "petsc_program.py")]
    mpi = ["mpiexec", "--allow-run-as-root", "--oversubscribe", "-n", str(ranks)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*mpi, *program], capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("agrees") == ranks
    differences = [float(found) for found in DIFFERENCE.findall(done.stdout)]
    assert len(differences) >= 3
    assert max(differences) < 1e-6  # PETSc's finite differences
