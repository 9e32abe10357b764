"""Sparse Jacobians and Hessians of plain NumPy code: tracing, graph coloring, compiled sweeps.

>>> import numpy as np
>>> import sparsead as sad
>>> jac = sad.jacobian(lambda x: np.roll(x, 1) * x, np.ones(5))
>>> jac(np.arange(5.0)).nnz
10
"""

import importlib

from sparsead.checking import check
from sparsead.comparisons import CheckFailed
from sparsead.differences import DifferenceJacobian
from sparsead.errors import InputError, SparseADError, TracedBranchError, UnsupportedOperationError
from sparsead.gradient import Gradient, gradient
from sparsead.hessian import Hessian, hessian, hessian_pattern
from sparsead.jacobian import Jacobian, jacobian, jacobian_pattern
from sparsead.lagrangian import LagrangianHessian, lagrangian_hessian
from sparsead.loading import load

__all__ = [
    "CheckFailed",
    "DifferenceJacobian",
    "Gradient",
    "Hessian",
    "InputError",
    "Jacobian",
    "LagrangianHessian",
    "SparseADError",
    "TracedBranchError",
    "UnsupportedOperationError",
    "check",
    "gradient",
    "hessian",
    "hessian_pattern",
    "jacobian",
    "jacobian_pattern",
    "lagrangian_hessian",
    "load",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name == "solvers":  # imported when it is first named
        return importlib.import_module("sparsead.solvers")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
