"""What a mode costs, counted in scalar operations, before anything is compiled.

The weights are nanosecond ratios measured on the Brusselator, Rosenbrock and battery programs: a coefficient is
computed once per block of colors, a seed costs a scattered addition, a lane a fused multiply-add in vector code, a
recovered entry a gather; direct accumulation pays a store per coefficient, or a multiply-add per entry of a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coloring import SparsityPattern
from sparsead.kernels.kernel import Buffer, LinearProgram, reachable
from sparsead.sweeps.compressed import plan_lanes, rows_complete

SEED, LANE, RECOVER, STORE, ROW_ENTRY = 2.0, 0.5, 2.0, 1.0, 3.0


@dataclass(frozen=True)
class Work:
    """Counts over one linear program."""

    coefficients: float
    seeds: float
    dense: float
    rows: int

    @classmethod
    def of(cls, linear: LinearProgram) -> Work:
        """Count a linear program."""
        coefficients = seeds = dense = 0.0
        for kernel in linear.kernels:
            points = float(np.prod(kernel.domain, dtype=np.int64))
            operations = sum(e.op.cost if e.op else 1 for e in reachable(t.coefficient for t in kernel.terms))
            from_x = sum(t.source is linear.source for t in kernel.terms)
            coefficients += points * operations
            seeds += points * from_x
            dense += points * (len(kernel.terms) - from_x)
        laned = [*linear.work] if rows_complete(linear) else [*linear.work, linear.target]
        return cls(coefficients, seeds, dense, sum(b.size for b in laned))

    def compressed(self, num_colors: int, nnz: int) -> float:
        """Cost of a compressed sweep with so many colors."""
        if num_colors == 0:
            return 0.0
        lanes = plan_lanes(num_colors, self.rows)
        once = self.coefficients + SEED * self.seeds
        return lanes.blocks * once + LANE * num_colors * (self.dense + self.rows) + RECOVER * nnz

    def product(self) -> float:
        """Cost of one product with a vector."""
        return self.coefficients + self.seeds + self.dense


def direct_cost(linear: LinearProgram, patterns: dict[Buffer, SparsityPattern]) -> float:
    """Cost of direct accumulation: a store per coefficient on x, a row update per coefficient on a buffer."""
    work = Work.of(linear)
    row_entries = 0.0
    for kernel in linear.kernels:
        for term in kernel.terms:
            if term.source is not linear.source:
                lengths = np.diff(patterns[term.source].indptr)
                repeat = np.prod(kernel.domain, dtype=np.int64) / max(term.index.array().size, 1)
                row_entries += float(lengths[term.index.array()].sum()) * float(repeat)
    return work.coefficients + STORE * work.seeds + ROW_ENTRY * row_entries
