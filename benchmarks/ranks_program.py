"""What `benchmarks.ranks` runs under mpiexec: ``python -m benchmarks.ranks_program KIND SIZE [FILE]``.

Bratu's problem in slabs of planes, prepared from the function of all unknowns or from one of a block with ghosts, and
the Brusselator in strips of lines; or whole solutions by PETSc, written to FILE. Rank 0 prints what all ranks measured.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from benchmarks.fresh import peak_gib
from sparsead import ranks
from sparsead.problems.bratu import residual
from sparsead.problems.brusselator import rates as brusselator_rates

COMM = MPI.COMM_WORLD
STRENGTH = 6.0


def slab(u: np.ndarray, strength: float, h: float) -> Any:
    """Return Bratu's equations on planes of a cube, u with a plane of ghosts on each side, zero beyond the walls."""
    p = np.pad(u, ((0, 0), (1, 1), (1, 1)))
    k = slice(1, -1)
    around = p[k, 2:, k] + p[k, :-2, k] + p[k, k, 2:] + p[k, k, :-2]
    return (6.0 * u[k] - around - u[2:] - u[:-2]) / h**2 - strength * np.exp(u[k])


def planes(size: int) -> ranks.Partition:
    return ranks.Partition(ranks.Partition.even(size, COMM.size).starts * size**2)


def rates(w: np.ndarray, alpha: float) -> Any:
    """Return the rates of the Brusselator, w (N, N, 2): the species at a point follow each other, as PETSc has them."""
    return np.moveaxis(brusselator_rates(np.moveaxis(w, 2, 0).ravel(), alpha).reshape(2, *w.shape[:2]), 0, 2)


def arguments(kind: str, size: int) -> tuple[float, ...]:
    """Return what the function takes beside the unknowns."""
    return {"whole": (STRENGTH,), "block": (STRENGTH, 1.0 / (size + 1)), "brusselator": (10.0,)}[kind]


def prepared(kind: str, size: int) -> ranks.DistributedJacobian:
    if kind == "brusselator":
        columns = ranks.Partition(ranks.Partition.even(size, COMM.size).starts * 2 * size)
        return ranks.jacobian(rates, np.broadcast_to(0.5, (size, size, 2)), *arguments(kind, size), columns=columns)
    columns = planes(size)
    if kind == "whole":
        return ranks.jacobian(residual, np.broadcast_to(0.5, (size,) * 3), STRENGTH, columns=columns)
    own = columns.own(COMM.rank)
    reads = np.arange(own.start - size**2, own.stop + size**2).reshape(-1, size, size)
    reads[(reads < 0) | (reads >= size**3)] = -1
    example = np.full(reads.shape, 0.5)
    return ranks.local_jacobian(slab, example, STRENGTH, 1.0 / (size + 1), reads=reads, owned=len(own))


def forget_peak() -> float:
    """Start to measure the peak anew; return the memory that is held now, in GiB."""
    Path("/proc/self/clear_refs").write_text("5")
    return peak_gib()


def measured(kind: str, size: int) -> dict[str, float]:
    prepared(kind, COMM.size + 3)  # imports, compilers, caches
    before = forget_peak()
    jac = prepared(kind, size)
    taken = peak_gib() - before
    args = arguments(kind, size)
    x = np.full(len(jac.columns.own(COMM.rank)), 0.5)
    sent = jac.exchange.bytes_received
    jac.values(x, *args)
    bytes_received = jac.exchange.bytes_received - sent
    expected = np.setdiff1d(jac.own.indices, jac.columns.own(COMM.rank)).size
    return {"mib": 1024 * taken, "bytes": bytes_received, "ghosts": expected, "nnz": jac.own.indices.size}


def solved(kind: str, size: int, file: str) -> dict[str, float]:
    """Solve with PETSc: Newton's method for Bratu's problem, implicit steps for the Brusselator."""
    import petsc4py

    petsc4py.init(["program"])
    from petsc4py import PETSc

    from benchmarks.ranks_solve import bratu_solution, brusselator_solution

    solution = (bratu_solution if kind == "bratu" else brusselator_solution)(PETSc, size)
    parts = COMM.gather(solution)
    if COMM.rank == 0:
        np.save(file, np.concatenate(parts))
    return {}


def main(kind: str, size: str, *file: str) -> None:
    found = solved(kind, int(size), *file) if file else measured(kind, int(size))
    every = COMM.gather(found)
    if COMM.rank == 0:
        print(json.dumps(every))


if __name__ == "__main__":
    main(*sys.argv[1:])
