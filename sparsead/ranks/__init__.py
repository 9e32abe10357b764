"""Derivatives over the ranks of an MPI communicator: every rank prepares and computes the rows that it owns.

A rank holds its own unknowns and those of others that its rows read, the ghosts; nothing that it prepares or receives
grows with the whole problem. mpi4py is imported only where a communicator is used.
"""

from sparsead.ranks.collective import RankError
from sparsead.ranks.colors import DistributedColors, color_columns
from sparsead.ranks.distributed import DistributedGradient, DistributedJacobian
from sparsead.ranks.exchange import Exchange, Plan, plans
from sparsead.ranks.partition import Partition
from sparsead.ranks.prepare import hessian, jacobian, local_hessian, local_jacobian
from sparsead.ranks.rows import OwnRows, own_rows, parts, whole
from sparsead.ranks.sums import gradient, local_gradient

__all__ = [
    "DistributedColors",
    "DistributedGradient",
    "DistributedJacobian",
    "Exchange",
    "OwnRows",
    "Partition",
    "Plan",
    "RankError",
    "color_columns",
    "gradient",
    "hessian",
    "jacobian",
    "local_gradient",
    "local_hessian",
    "local_jacobian",
    "own_rows",
    "parts",
    "plans",
    "whole",
]
