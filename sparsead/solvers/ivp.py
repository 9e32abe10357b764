"""Initial value problems of ``scipy.integrate.solve_ivp``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import scipy.integrate
import scipy.sparse

from sparsead.jacobian import Jacobian, jacobian
from sparsead.solvers.factors import direct_solver
from sparsead.solvers.structure import Columns


class IvpJacobian:
    """The Jacobian in y of ``f(t, y, *args)``, called as ``jac(t, y, *args)``. Made by `ivp_jacobian`.

    Attributes
    ----------
    prepared : sparsead.Jacobian
        What computes it; its first argument is t.
    """

    def __init__(self, prepared: Jacobian) -> None:
        self.prepared = prepared
        self._columns = Columns(prepared)

    def __call__(self, t: float, y: Any, *args: Any) -> scipy.sparse.csc_array:
        """Return the Jacobian in y at time t."""
        return self._columns(float(t), y, *args)

    def __str__(self) -> str:
        return str(self.prepared)


def ivp_jacobian(f: Callable[..., Any], t0: float, y0: Any, *args: Any, **options: Any) -> IvpJacobian:
    """Prepare the ``jac`` of `scipy.integrate.solve_ivp`, for the implicit methods ``"Radau"`` and ``"BDF"``.

    (``"LSODA"`` takes dense and banded matrices only, and raises ValueError on a sparse one.)

    Parameters
    ----------
    f : callable
        The right-hand side, ``f(t, y, *args)``.
    t0, y0, *args
        Examples of its arguments; floats and float arrays among the args may change later.
    **options
        Those of `sparsead.jacobian`.

    Returns
    -------
    IvpJacobian
        Called as ``jac(t, y, *args)``; returns a ``csc_array``.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.integrate import solve_ivp
    >>> from sparsead import solvers
    >>> def decay(t, y, rate):
    ...     return -rate * y + np.roll(y, 1)
    >>> y0 = np.ones(50)
    >>> jac = solvers.ivp_jacobian(decay, 0.0, y0, 1e3)
    >>> solve_ivp(decay, (0.0, 1.0), y0, method=solvers.BDF, jac=jac, args=(1e3,)).success
    True
    """
    return IvpJacobian(jacobian(f, float(t0), y0, *args, argnum=1, **options))


class BDF(scipy.integrate.BDF):
    """SciPy's BDF with factors that fit the pattern: ``solve_ivp(..., method=solvers.BDF, jac=...)``.

    SciPy orders the columns by COLAMD whatever the pattern. On a structurally symmetric one, as that of most
    discretised equations, minimum degree on ``A + A^T`` leaves several times less to compute.

    Parameters
    ----------
    *args, **options
        Those of `scipy.integrate.BDF`; ``solve_ivp`` passes them on.
    linear_solver : str or callable
        ``"superlu"``, ``"pardiso"`` (package pypardiso), or a function, see `newton`.
    """

    def __init__(self, *args: Any, linear_solver: Any = "superlu", **options: Any) -> None:
        super().__init__(*args, **options)
        _set_factors(self, linear_solver)


class Radau(scipy.integrate.Radau):
    """SciPy's Radau with factors that fit the pattern, see `BDF`; pypardiso cannot factor its complex matrices."""

    def __init__(self, *args: Any, linear_solver: Any = "superlu", **options: Any) -> None:
        super().__init__(*args, **options)
        _set_factors(self, linear_solver)


def _set_factors(solver: Any, kind: Any) -> None:
    """Replace the factorisation of a SciPy solver that has a sparse Jacobian."""
    if not scipy.sparse.issparse(solver.J):
        return
    factor = direct_solver(kind, solver.J)

    def lu(A: Any) -> Any:
        solver.nlu += 1
        return factor(A)

    solver.lu = lu
    solver.solve_lu = lambda solve, b: solve(b)
