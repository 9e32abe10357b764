"""Minimisation with and without constraints, by ``scipy.optimize``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.optimize

from sparsead.derivatives.gradient import gradient
from sparsead.derivatives.hessian import hessian
from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.lagrangian import weighted
from sparsead.errors import InputError
from sparsead.tracing.arguments import flattened

SPARSE, DENSE = ("trust-constr", "newton-cg"), ("trust-exact", "dogleg")
PRODUCTS, FIRST_ORDER = ("trust-ncg", "trust-krylov"), ("cg", "bfgs", "l-bfgs-b", "tnc", "slsqp")


def minimize_derivatives(
    f: Callable[..., Any], x0: Any, *args: Any, method: str = "trust-constr", **options: Any
) -> dict[str, Callable[..., Any]]:
    """Prepare the derivatives that a method of `scipy.optimize.minimize` takes.

    Parameters
    ----------
    f : callable
        The objective, ``f(x, *args)``.
    x0, *args
        Examples of its arguments.
    method : str
        Newton-CG and trust-constr get the sparse Hessian; trust-ncg and trust-krylov products with it;
        trust-exact and dogleg, which factor it, a dense one; CG, BFGS, L-BFGS-B, TNC and SLSQP the gradient alone.
    **options
        Those of `sparsead.hessian`.

    Returns
    -------
    dict
        ``jac`` and, where the method uses it, ``hess`` or ``hessp``.

    Raises
    ------
    InputError
        If the method uses no derivatives, or is not known; if x0 is no array of one axis.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.optimize import minimize
    >>> from sparsead import solvers
    >>> def energy(x):
    ...     return np.sum(np.cosh(x - 1.0)) + np.sum(np.diff(x) ** 2)
    >>> x0 = np.zeros(100)
    >>> found = minimize(energy, x0, method="Newton-CG", **solvers.minimize_derivatives(energy, x0, method="Newton-CG"))
    >>> bool(np.allclose(found.x, 1.0, atol=1e-4))
    True
    """
    _check_flat(x0)
    kind = method.lower()
    if kind in FIRST_ORDER:
        return {"jac": gradient(f, x0, *args)}
    if kind not in (*SPARSE, *DENSE, *PRODUCTS):
        known = ", ".join((*SPARSE, *PRODUCTS, *DENSE, *FIRST_ORDER))
        raise InputError(f"method {method!r} of scipy.optimize.minimize takes no derivatives; those that do: {known}")
    hess = hessian(f, x0, *args, **options)
    if kind in PRODUCTS:
        return {"jac": hess.gradient, "hessp": hess.hvp}
    return {"jac": hess.gradient, "hess": hess if kind in SPARSE else lambda x, *args: hess(x, *args).toarray()}


def _check_flat(x0: Any) -> None:
    """Refuse examples of x that SciPy's minimizers do not take."""
    if np.ndim(x0) != 1:
        met = f"an array with {np.ndim(x0)} axes" if np.ndim(x0) else f"a {type(x0).__name__}"
        raise InputError(
            f"scipy.optimize hands over x as an array of one axis, and so must x0 be; got {met}: pass np.ravel(x0), or "
            "sparsead.pack(x0), and take x apart inside of the function (x.reshape(shape), or "
            "sparsead.unpack(x, like=x0))"
        )


def nonlinear_constraint(
    c: Callable[..., Any], x0: Any, lb: Any, ub: Any, *args: Any, **options: Any
) -> scipy.optimize.NonlinearConstraint:
    """Return ``lb <= c(x, *args) <= ub`` for trust-constr, with its sparse Jacobian and Hessian.

    Parameters
    ----------
    c : callable
        The constraints, ``c(x, *args)``, an array of any shape, or a dict or another container of arrays.
    x0 : array_like
        An example of x.
    lb, ub : array_like
        The bounds, a number or one for each constraint; equal where it is an equation.
    *args
        The other arguments of c.
    **options
        More options of `scipy.optimize.NonlinearConstraint`.

    Returns
    -------
    scipy.optimize.NonlinearConstraint

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> ring = solvers.nonlinear_constraint(lambda x: x[1:] ** 2 + x[:-1] ** 2, np.ones(4), 1.0, 1.0)
    >>> ring.jac(np.ones(4)).toarray()
    array([[2., 2., 0., 0.],
           [0., 2., 2., 0.],
           [0., 0., 2., 2.]])
    """
    _check_flat(x0)
    jac = jacobian(c, x0, *args)
    hess = hessian(weighted(c), x0, np.ones(jac.shape[0]), *args)

    def of_weighted(*x_and_v: Any) -> Any:
        return hess(*x_and_v, *args)

    return scipy.optimize.NonlinearConstraint(
        lambda x: flattened(c(x, *args)),
        np.ravel(lb),
        np.ravel(ub),
        jac=lambda x: jac(x, *args),
        hess=of_weighted,
        **options,
    )
