"""The solvers cost nothing until they are asked for."""

import subprocess
import sys

CODE = """
import sys, sparsead
assert "sparsead.solvers" not in sys.modules
sparsead.solvers.newton
heavy = {"cyipopt", "sksundae", "petsc4py", "mpi4py", "pypardiso", "matplotlib", "rich", "click"} & set(sys.modules)
assert not heavy, heavy
"""


def test_import_is_light():
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
