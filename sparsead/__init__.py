"""Sparse Jacobians and Hessians of plain NumPy code: tracing, graph coloring, compiled sweeps.

>>> import numpy as np
>>> import sparsead as sad
>>> jac = sad.jacobian(lambda x: np.roll(x, 1) * x, np.ones(5))
>>> jac(np.arange(5.0)).nnz
10
"""

import importlib
from typing import TYPE_CHECKING

from sparsead import namesake  # noqa: F401  # before anything that imports coloring

if TYPE_CHECKING:
    from sparsead.checking.check import check
    from sparsead.checking.report import CheckFailed, Report
    from sparsead.derivatives.auxiliary import WithAux
    from sparsead.derivatives.blocks import Blocks
    from sparsead.derivatives.differences import DifferenceJacobian
    from sparsead.derivatives.gradient import Gradient, gradient
    from sparsead.derivatives.guard import Guarded
    from sparsead.derivatives.hessian import Hessian, hessian
    from sparsead.derivatives.jacobian import jacobian
    from sparsead.derivatives.lagrangian import LagrangianHessian, lagrangian_hessian
    from sparsead.derivatives.loading import load
    from sparsead.derivatives.patterns import hessian_pattern, jacobian_pattern
    from sparsead.derivatives.prepared_jacobian import Jacobian
    from sparsead.derivatives.transform import grad
    from sparsead.errors import InputError, SparseADError, TracedBranchError, UnsupportedOperationError
    from sparsead.explain.explanation import Explanation, Overview
    from sparsead.tracing.trees import pack, unpack

__all__ = [
    "Blocks",
    "CheckFailed",
    "DifferenceJacobian",
    "Explanation",
    "Gradient",
    "Guarded",
    "Hessian",
    "InputError",
    "Jacobian",
    "LagrangianHessian",
    "Overview",
    "Report",
    "SparseADError",
    "TracedBranchError",
    "UnsupportedOperationError",
    "WithAux",
    "check",
    "grad",
    "gradient",
    "hessian",
    "hessian_pattern",
    "jacobian",
    "jacobian_pattern",
    "lagrangian_hessian",
    "load",
    "pack",
    "unpack",
]

__version__ = "0.1.0"


# Names are looked up at first use: ``import sparsead`` and ``sparsead --help`` wait for nothing.
_HOMES = {
    "checking.check": ("check",),
    "checking.report": ("CheckFailed", "Report"),
    "derivatives.auxiliary": ("WithAux",),
    "derivatives.blocks": ("Blocks",),
    "derivatives.differences": ("DifferenceJacobian",),
    "derivatives.gradient": ("Gradient", "gradient"),
    "derivatives.guard": ("Guarded",),
    "derivatives.hessian": ("Hessian", "hessian"),
    "derivatives.jacobian": ("jacobian",),
    "derivatives.lagrangian": ("LagrangianHessian", "lagrangian_hessian"),
    "derivatives.loading": ("load",),
    "derivatives.patterns": ("hessian_pattern", "jacobian_pattern"),
    "derivatives.prepared_jacobian": ("Jacobian",),
    "derivatives.transform": ("grad",),
    "errors": ("InputError", "SparseADError", "TracedBranchError", "UnsupportedOperationError"),
    "explain.explanation": ("Explanation", "Overview"),
    "tracing.trees": ("pack", "unpack"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_SUBMODULES = {"errors", "extend", "problems", "ranks", "solvers"}


def __getattr__(name: str) -> object:
    if name in _HOME:
        from sparsead.stages import loading

        with loading():
            value = getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*__all__, *_SUBMODULES, "__version__"})
