"""Programs on several ranks, each in a process of its own, with an end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
MISSING = not (find_spec("mpi4py") and shutil.which("mpiexec"))
REASON = "mpi4py or mpiexec is not installed (see .ci/solver-packages)"


def launched(ranks: int, *program: str, timeout: float = 240.0) -> subprocess.CompletedProcess[str]:
    """Run a Python program on so many ranks; whether they are more than there are cores does not matter."""
    version = subprocess.run(["mpiexec", "--version"], capture_output=True, text=True, timeout=60).stdout
    open_mpi = ["--allow-run-as-root", "--oversubscribe"] if "Open" in version else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = ["mpiexec", *open_mpi, "-n", str(ranks), sys.executable, *program]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=timeout)
