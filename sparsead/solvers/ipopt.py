"""Nonlinear programs for Ipopt, by cyipopt (or a package with the same interface, such as pounce)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsead.derivatives.gradient import gradient
from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.lagrangian import lagrangian_hessian
from sparsead.extras import optional
from sparsead.solvers.structure import Shaped
from sparsead.tracing.trees import pack

if TYPE_CHECKING:
    import cyipopt


class IpoptProblem:
    """What ``cyipopt.Problem(problem_obj=...)`` asks for: minimise f(x) subject to bounds on x and on c(x).

    Objective, constraints and derivatives are evaluated by compiled code, compiled when this is made. The structures
    are those of every call: the Jacobian by rows, the Hessian of the Lagrangian as its lower triangle by rows,
    explicit zeros kept.

    Parameters
    ----------
    f : callable
        The objective, ``f(x, *args)``, one number.
    x0 : array_like, or dict, list, tuple, named tuple, dataclass of float arrays and floats
        An example of x, of any shape; Ipopt sees it flat, as `sparsead.pack` makes it.
    c : callable, optional
        The constraints, ``c(x, *args)``: an array of any shape, or a container of arrays, whose elements Ipopt numbers
        in order.
    *args
        The other arguments of both functions.
    **options
        Those of `sparsead.lagrangian_hessian`.

    Attributes
    ----------
    n, m : int
        Numbers of variables and of constraints.
    prepared_jacobian, prepared_hessian
        What computes the derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> nlp = solvers.IpoptProblem(lambda x: np.sum(x**4), np.ones(3), lambda x: x[1:] * x[:-1])
    >>> nlp.jacobianstructure()
    (array([0, 0, 1, 1], dtype=int32), array([0, 1, 1, 2], dtype=int32))
    >>> nlp.hessian(np.ones(3), lagrange=np.array([5.0, 7.0]), obj_factor=1.0)
    array([12.,  5., 12.,  7., 12.])
    """

    def __init__(
        self, f: Callable[..., Any], x0: Any, c: Callable[..., Any] | None = None, *args: Any, **options: Any
    ) -> None:
        constraints = c if c is not None else lambda x, *args: np.zeros(0)
        self._args, self._shaped = args, Shaped(x0)
        self.prepared_gradient = gradient(f, x0, *args)
        self.prepared_jacobian = jacobian(constraints, x0, *args)
        self.prepared_hessian = lagrangian_hessian(f, constraints, x0, *args, **{"triangle": "lower", **options})
        self.m, self.n = self.prepared_jacobian.shape
        self.prepared_gradient.compile()
        self.prepared_jacobian.compile("value")

    def problem(
        self, lb: Any = None, ub: Any = None, cl: Any = 0.0, cu: Any = 0.0, package: Any = None
    ) -> cyipopt.Problem:
        """Return the problem with its bounds; ``problem.solve(x0)`` runs Ipopt.

        Parameters
        ----------
        lb, ub : array_like, optional
            Bounds of x (numbers hold for all); none by default.
        cl, cu : array_like
            Bounds of c(x); equations ``c(x) = 0`` by default.
        package : module, optional
            ``cyipopt`` by default.
        """
        if package is None:
            package = optional("cyipopt")
        bounds = (_bound(lb, -np.inf, self.n), _bound(ub, np.inf, self.n))
        limits = (_bound(cl, 0.0, self.m), _bound(cu, 0.0, self.m))
        return package.Problem(self.n, self.m, self, bounds[0], bounds[1], limits[0], limits[1])

    def objective(self, x: np.ndarray) -> float:
        """Return ``f(x)``."""
        return self.prepared_gradient.value(self._shaped(x), *self._args)

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the gradient of the objective, flat."""
        return pack(self.prepared_gradient(self._shaped(x), *self._args))

    def constraints(self, x: np.ndarray) -> np.ndarray:
        """Return ``c(x)``, flat."""
        return pack(self.prepared_jacobian.value(self._shaped(x), *self._args))

    def jacobianstructure(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns of the Jacobian of the constraints."""
        pattern = self.prepared_jacobian.pattern
        return pattern.rows, pattern.indices

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Return the values at these places."""
        return self.prepared_jacobian.values(self._shaped(x), *self._args, order="csr")

    def hessianstructure(self) -> tuple[np.ndarray, np.ndarray]:
        """Return rows and columns of the lower triangle of the Hessian of the Lagrangian."""
        pattern = self.prepared_hessian.pattern
        lower = pattern.indices <= pattern.rows
        return pattern.rows[lower], pattern.indices[lower]

    def hessian(self, x: np.ndarray, lagrange: np.ndarray, obj_factor: float) -> np.ndarray:
        """Return the values at these places."""
        shaped = self._shaped(x)
        return self.prepared_hessian.values(shaped, lagrange, *self._args, sigma=obj_factor, order="lower")


def _bound(value: Any, default: float, size: int) -> np.ndarray:
    filled = np.empty(size)
    filled[...] = default if value is None else np.ravel(value) if np.size(value) > 1 else value
    return filled
