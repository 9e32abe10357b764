"""What a mode costs, counted in scalar operations, before anything is compiled.

The weights are nanosecond ratios measured on the Brusselator, Rosenbrock and battery programs: a coefficient is
computed once per block of colors, a seed costs a scattered addition, a lane a fused multiply-add in vector code, a
recovered entry a gather; direct accumulation pays a store per coefficient, or a multiply-add per entry of a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coloring import SparsityPattern
from sparsead.kernels.kernel import Buffer
from sparsead.kernels.linear import LinearProgram
from sparsead.sweeps.compressed import plan_lanes, rows_complete
from sparsead.sweeps.direct.elimination import eliminated
from sparsead.sweeps.operation_cost import computing

SEED, LANE, RECOVER = 2.0, 0.5, 2.0


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
            operations = computing(t.coefficient for t in kernel.terms)
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
    """Cost of direct accumulation: see `sparsead.sweeps.direct.elimination`."""
    return eliminated(linear, patterns).cost
