"""Sparse derivatives as solvers want them, and a sparse Newton method.

Each adapter takes the user's function as the solver does, and returns what the solver asks for, with a structure that
is the same at every call. Packages other than NumPy and SciPy are imported only when they are used.
"""

from sparsead.solvers.ipopt import IpoptProblem
from sparsead.solvers.ivp import BDF, IvpJacobian, Radau, ivp_jacobian
from sparsead.solvers.jax import jax_function
from sparsead.solvers.minimize import minimize_derivatives, nonlinear_constraint
from sparsead.solvers.newton import newton
from sparsead.solvers.openmdao import openmdao_component
from sparsead.solvers.petsc import PetscEnergy, PetscRates, PetscSteps, PetscSystem
from sparsead.solvers.points import NewtonBatchResult
from sparsead.solvers.pyomo import pyomo_grey_box
from sparsead.solvers.pytensor import pytensor_op
from sparsead.solvers.report import Iteration, NewtonResult
from sparsead.solvers.sundials import cvode_jacobian, ida_jacobian, shifted_jacobian

__all__ = [
    "BDF",
    "IpoptProblem",
    "Iteration",
    "IvpJacobian",
    "NewtonBatchResult",
    "NewtonResult",
    "PetscEnergy",
    "PetscRates",
    "PetscSteps",
    "PetscSystem",
    "Radau",
    "cvode_jacobian",
    "ida_jacobian",
    "ivp_jacobian",
    "jax_function",
    "minimize_derivatives",
    "newton",
    "nonlinear_constraint",
    "openmdao_component",
    "pyomo_grey_box",
    "pytensor_op",
    "shifted_jacobian",
]
