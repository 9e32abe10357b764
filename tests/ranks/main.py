"""What test_over_ranks.py runs under mpiexec, on every rank."""

import failures
import program
from mpi4py import MPI

program.run()
failures.run()
print(f"rank {MPI.COMM_WORLD.rank} of {MPI.COMM_WORLD.size} agrees", flush=True)
