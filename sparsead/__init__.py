"""Sparse Jacobians of plain NumPy code: tracing, graph coloring, compiled sweeps.

>>> import numpy as np
>>> import sparsead as sad
>>> jac = sad.jacobian(lambda x: np.roll(x, 1) * x, np.ones(5))
>>> jac(np.arange(5.0)).nnz
10
"""

from sparsead.errors import InputError, SparseADError, TracedBranchError, UnsupportedOperationError
from sparsead.jacobian import Jacobian, jacobian, jacobian_pattern

__all__ = [
    "InputError",
    "Jacobian",
    "SparseADError",
    "TracedBranchError",
    "UnsupportedOperationError",
    "jacobian",
    "jacobian_pattern",
]

__version__ = "0.1.0"
