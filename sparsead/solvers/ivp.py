"""Initial value problems of ``scipy.integrate.solve_ivp``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.integrate
import scipy.sparse

from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.prepared_jacobian import Jacobian
from sparsead.solvers.banded import banded
from sparsead.solvers.factors import direct_solver
from sparsead.solvers.kept import Combination, KeptFactors, System


class IvpJacobian:
    """The Jacobian in y of ``f(t, y, *args)``, called as ``jac(t, y, *args)``. Made by `ivp_jacobian`.

    Attributes
    ----------
    prepared : sparsead.Jacobian
        What computes it; its first argument is t.
    """

    def __init__(self, prepared: Jacobian) -> None:
        self.prepared = prepared

    def __call__(self, t: float, y: Any, *args: Any) -> scipy.sparse.sparray | np.ndarray:
        """Return the Jacobian in y at time t."""
        return self.prepared(float(t), y, *args)

    def f(self, t: float, y: Any, *args: Any) -> np.ndarray:
        """Return ``f(t, y, *args)`` from compiled code: for ``solve_ivp(jac.f, ..., jac=jac)``."""
        return self.prepared.value(float(t), y, *args)

    def banded(self) -> dict[str, Any]:
        """Return what ``solve_ivp(..., method="LSODA")`` takes: ``jac``, and the widths ``lband`` and ``uband``.

        Examples
        --------
        >>> import numpy as np
        >>> from sparsead import solvers
        >>> jac = solvers.ivp_jacobian(lambda t, y: np.append(y[0], np.diff(y)), 0.0, np.ones(4))
        >>> banded = jac.banded()
        >>> banded["lband"], banded["uband"]
        (1, 0)
        >>> banded["jac"](0.0, np.ones(4))
        array([[ 1.,  1.,  1.,  1.],
               [-1., -1., -1.,  0.]])
        """
        pattern = self.prepared.pattern
        below = pattern.rows - pattern.indices
        lower, upper = int(below.max(initial=0)), int(-below.min(initial=0))

        def jac(t: float, y: Any, *args: Any) -> np.ndarray:
            packed = np.zeros((lower + upper + 1, pattern.shape[1]))
            packed[upper + below, pattern.indices] = self.prepared.values(float(t), y, *args, order="csr")
            return packed

        return {"jac": jac, "lband": lower, "uband": upper}

    def __str__(self) -> str:
        return str(self.prepared)


def ivp_jacobian(f: Callable[..., Any], t0: float, y0: Any, *args: Any, **options: Any) -> IvpJacobian:
    """Prepare the ``jac`` of `scipy.integrate.solve_ivp`, for the implicit methods ``"Radau"`` and ``"BDF"``.

    (``"LSODA"`` takes dense and banded matrices only: ``format="dense"``, or `IvpJacobian.banded`.)

    Parameters
    ----------
    f : callable
        The right-hand side, ``f(t, y, *args)``.
    t0, y0, *args
        Examples of its arguments; floats and float arrays among the args may change later.
    **options
        Those of `sparsead.jacobian`; the format is ``"csc"`` by default.

    Returns
    -------
    IvpJacobian
        Called as ``jac(t, y, *args)``.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.integrate import solve_ivp
    >>> from sparsead import solvers
    >>> def decay(t, y, rate):
    ...     return -rate * y + np.roll(y, 1)
    >>> y0 = np.ones(50)
    >>> jac = solvers.ivp_jacobian(decay, 0.0, y0, 1e3)
    >>> solve_ivp(jac.f, (0.0, 1.0), y0, method=solvers.BDF, jac=jac, args=(1e3,)).success
    True
    """
    return IvpJacobian(jacobian(f, float(t0), y0, *args, argnum=1, **{"format": "csc", **options}))


class BDF(scipy.integrate.BDF):
    """SciPy's BDF with other linear algebra: ``solve_ivp(..., method=solvers.BDF, jac=...)``.

    Steps, orders and errors are controlled by SciPy. SciPy factors ``I - c J`` whenever the step size changes; here
    the factors are kept, and serve the next matrices in a few iterations, until that takes too many. They are ordered
    for the pattern, see `Radau`. A narrow band, as in one dimension, is factored by banded LU, which costs less than
    to spare it.

    Parameters
    ----------
    *args, **options
        Those of `scipy.integrate.BDF`; ``solve_ivp`` passes them on.
    linear_solver : str or callable
        ``"superlu"``, ``"pardiso"`` (package pypardiso), or a function, see `newton`.
    """

    def __init__(self, *args: Any, linear_solver: Any = "superlu", **options: Any) -> None:
        super().__init__(*args, **options)
        _keep_factors(self, linear_solver)


class Radau(scipy.integrate.Radau):
    """SciPy's Radau with factors that fit the pattern: ``solve_ivp(..., method=solvers.Radau, jac=...)``.

    SciPy orders the columns by COLAMD whatever the pattern. On a structurally symmetric one, as that of most
    discretised equations, minimum degree on ``A + A^T`` leaves several times less to compute.

    Parameters
    ----------
    *args, **options
        Those of `scipy.integrate.Radau`; ``solve_ivp`` passes them on.
    linear_solver : str or callable
        As for `BDF`; pypardiso cannot factor the complex matrices of this method.
    """

    def __init__(self, *args: Any, linear_solver: Any = "superlu", **options: Any) -> None:
        super().__init__(*args, **options)
        _order_factors(self, linear_solver)


def _keep_factors(solver: Any, linear_solver: Any) -> None:
    """Make a SciPy solver that has a sparse Jacobian solve with `KeptFactors`; dense ones stay as they are."""
    if not scipy.sparse.issparse(solver.J):
        return
    if linear_solver == "superlu" and _banded_factors(solver):
        return
    kept = KeptFactors(direct_solver(linear_solver, solver.J), linear_solver == "superlu")
    jac = solver.jac

    def lu(A: Combination) -> System:
        system = kept.system(A, solver.atol + solver.rtol * np.abs(solver.y))
        solver.nlu = kept.count
        return system

    solver.lu, solver.solve_lu = lu, kept.solve
    solver.I, solver.J = Combination(1.0, 0.0), _combination(solver.J)
    if jac is not None:
        solver.jac = lambda t, y: _combination(jac(t, y))


def _order_factors(solver: Any, linear_solver: Any) -> None:
    """Replace the factorisation of a SciPy solver that has a sparse Jacobian."""
    if not scipy.sparse.issparse(solver.J) or (linear_solver == "superlu" and _banded_factors(solver)):
        return
    factor = direct_solver(linear_solver, solver.J)

    def lu(A: Any) -> Any:
        solver.nlu += 1
        return factor(A)

    solver.lu, solver.solve_lu = lu, lambda solve, b: solve(b)


def _banded_factors(solver: Any) -> bool:
    """Let a SciPy solver factor by banded LU, if the band of its Jacobian is narrow; tell whether it is."""
    jac, J = solver.jac, solver.J
    band = banded(J if J.has_sorted_indices else J.sorted_indices())
    if band is None:
        return False

    def lu(A: Combination) -> Any:
        solver.nlu += 1
        return band.factor(A.a, A.b, A.J)

    solver.lu, solver.solve_lu = lu, lambda solve, b: solve(b)
    solver.I, solver.J = Combination(1.0, 0.0), _combination(J)
    if jac is not None:
        solver.jac = lambda *point: _combination(jac(*point))
    return True


def _combination(J: Any) -> Combination:
    return Combination(0.0, 1.0, J if J.has_sorted_indices else J.sorted_indices())
