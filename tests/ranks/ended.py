"""What test_over_ranks.py runs under mpiexec: the last rank ends in the middle of things, the others wait for it."""

import os
import signal
import sys

import numpy as np
from mpi4py import MPI

from sparsead import ranks

COMM = MPI.COMM_WORLD
jac = ranks.jacobian(lambda x: x * np.roll(x, 1), np.ones(6))
u = np.ones(len(jac.columns.own(COMM.rank)))
jac.value(u)
print("prepared", flush=True)
COMM.Barrier()
if COMM.rank == COMM.size - 1:
    if sys.argv[1] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    raise OSError("the disk is full")
jac.value(u)
print("went on", flush=True)
