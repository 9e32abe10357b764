"""Newton's method for sparse systems of equations."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypedDict, Unpack, overload

import numpy as np
import scipy.sparse.linalg

from coloring.words import several
from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.prepared_jacobian import Jacobian
from sparsead.derivatives.validation import check_options
from sparsead.errors import InputError
from sparsead.solvers.diagnosis import named, singular_because
from sparsead.solvers.factors import Solve, column_order, direct_solver
from sparsead.solvers.globalize import full_step, globalization
from sparsead.solvers.krylov import Krylov
from sparsead.solvers.points import NewtonBatchResult, Systems, newton_of_points
from sparsead.solvers.report import Iteration, NewtonResult
from sparsead.solvers.structure import Columns, Shaped, check_square
from sparsead.tracing.floats import real_array

CONVERGED, TOO_MANY, SINGULAR, STUCK, NOT_FINITE = range(5)
PATIENCE = 10  # steps in which the residual falls by less than one percent
UNSOLVED = 0.1  # share of a right-hand side that no factorisation of a regular matrix leaves
ROUNDING = 100 * np.finfo(np.float64).eps


class NewtonOptions(TypedDict, total=False):
    """The options of `newton` but `batch`."""

    jac: Jacobian | None
    linear_solver: str | Callable[[Any], Solve]
    globalize: str | None
    ftol: float
    xtol: float
    atol: float
    maxiter: int
    callback: Callable[[Iteration], Any] | None


@overload
def newton(
    f: Callable[..., Any], x0: Any, *args: Any, batch: None = None, **options: Unpack[NewtonOptions]
) -> NewtonResult: ...
@overload
def newton(
    f: Callable[..., Any], x0: Any, *args: Any, batch: int, **options: Unpack[NewtonOptions]
) -> NewtonBatchResult: ...
def newton(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    jac: Jacobian | None = None,
    linear_solver: str | Callable[[Any], Solve] = "superlu",
    globalize: str | None = "line-search",
    ftol: float = 1e-10,
    xtol: float = 1e-12,
    atol: float = 0.0,
    maxiter: int = 50,
    callback: Callable[[Iteration], Any] | None = None,
    batch: int | None = None,
) -> NewtonResult | NewtonBatchResult:
    """Solve ``f(x, *args) = 0``, as many equations as unknowns, by Newton's method with sparse Jacobians.

    Parameters
    ----------
    f : callable
        NumPy code; x and f(x) may have any shape, or be containers of arrays, as for `sparsead.jacobian`.
    x0 : array_like, or container of float arrays and floats
        Where to start.
    *args
        The other arguments of f.
    jac : sparsead.Jacobian, optional
        The Jacobian of f prepared before, as ``result.jac`` of another solve with arguments of the same shapes.
    linear_solver : str or callable
        ``"superlu"``: LU of SciPy, ordered for the pattern; ``"pardiso"``: package pypardiso; ``"krylov"``: GMRES on
        products with J, preconditioned by an incomplete LU; or a function that takes a ``csc_array`` and returns a
        function that solves, as `scipy.sparse.linalg.factorized` does (by UMFPACK where scikit-umfpack is installed).
    globalize : str or None
        ``"line-search"`` (Armijo's rule on the sum of squares), ``"dogleg"`` (a trust region), or None: full steps.
    ftol, atol : float
        Converged when the largest ``|f(x)|`` is at most ``ftol`` times that at x0, plus ``atol``.
    xtol : float
        Converged too when a Newton step changes x by at most ``xtol`` times its largest element; or when nothing
        lowers the residual and it is no more than the rounding errors of f, estimated from ``|J| |x|``.
    maxiter : int
        Largest number of steps.
    callback : callable, optional
        Called with each `Iteration`; ``print`` will do.
    batch : {0, -1}, optional
        Solve at many points: x0 has an axis of points, first (0) or last (-1), and so may the other arguments. Every
        point has its own steps and ends when it has converged; `jac`, prepared for one point, says which arguments
        have an axis more than there, and is needed where there are arguments; `f` and its Jacobians are evaluated by
        ``jac.value_batch`` and ``jac.batch``, and one elimination, planned for the pattern, solves for all of them.

    Returns
    -------
    NewtonResult, or NewtonBatchResult with `batch`
        As in SciPy, a failure is a result too: ``success`` is False, ``message`` says what happened and where, and x
        is the point of the lowest residual.

    Raises
    ------
    InputError
        If there are not as many equations as unknowns, or an option is not known.

    Notes
    -----
    Dennis and Schnabel, Numerical Methods for Unconstrained Optimization and Nonlinear Equations, 1983, chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> def chain(x, load):
    ...     return 2.0 * x - np.roll(x, 1) - np.roll(x, -1) + x**3 - load
    >>> found = solvers.newton(chain, np.ones(100), 8.0)
    >>> found.success, found.x[:3]
    (True, array([2., 2., 2.]))
    >>> solvers.newton(chain, found.x, 27.0, jac=found.jac).x[:3]  # nothing is prepared again
    array([3., 3., 3.])
    >>> loads = np.array([8.0, 27.0, 64.0])
    >>> solvers.newton(chain, np.ones((3, 100)), loads, jac=found.jac, batch=0).x[:, 0]
    array([2., 3., 4.])
    >>> def pair(state):
    ...     return {"sum": state["u"] + state["v"] - 3.0, "product": state["u"] * state["v"] - 2.0}
    >>> found = solvers.newton(pair, {"u": np.zeros(2), "v": np.full(2, 3.0)})
    >>> found.x["v"]
    array([2., 2.])
    """
    check_options(jac=jac, ftol=ftol, xtol=xtol, atol=atol, maxiter=maxiter, callback=callback)
    if batch is not None:
        if linear_solver != "superlu" or callback is not None:
            raise InputError("with batch=, linear_solver= and callback= cannot be chosen")
        jac = jac if jac is not None else _prepared_for_one(f, x0, args, batch)
        return newton_of_points(Systems(jac, x0, args, batch), globalize, ftol, atol, xtol, maxiter)
    shaped = Shaped(x0)
    jac = jac if jac is not None else jacobian(f, shaped(shaped.vector), *args, format="csc")
    rule = globalization(globalize)
    if rule is None:
        raise InputError(f"unknown globalize {globalize!r}; expected 'line-search', 'dogleg' or None")
    system = System(f, shaped, args, jac, linear_solver)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # a trial step may leave the domain of f
        return _Run(system, shaped.vector, rule, (ftol, atol, xtol), callback).iterate(maxiter)


def _prepared_for_one(f: Callable[..., Any], x0: Any, args: tuple[Any, ...], batch: int) -> Jacobian:
    """Prepare the Jacobian for the first of many points."""
    points = np.moveaxis(real_array(x0, "x0 of a batch"), batch, 0)
    if args or not points.size:
        raise InputError(
            "which arguments differ from point to point is told by jac=, prepared for one point: pass "
            "jac=sparsead.jacobian(f, x, *args) with x and args of that point (also where there are no points)"
        )
    return jacobian(f, points[0])


class System:
    """The equations and their linearization at the latest point, flat."""

    def __init__(
        self, f: Callable[..., Any], shaped: Shaped, args: tuple[Any, ...], jac: Jacobian, solver: Any
    ) -> None:
        check_square(jac)
        self.jac, self.shaped = jac, shaped
        self._f, self._args, self._columns = f, args, Columns(jac)
        self._krylov = Krylov(column_order(jac.pattern)) if solver == "krylov" else None
        self._factor = direct_solver(solver, jac.pattern) if self._krylov is None else None
        self._matrix: Any = None
        self._x: Any = None

    def residual(self, x: np.ndarray) -> np.ndarray:
        """Return f(x), flat."""
        self.output = Shaped(self._f(self.shaped(x), *self._args))
        return self.output.vector

    def linearize(self, x: np.ndarray) -> None:
        """Move to a point; the matrix is computed now where it is sure to be needed."""
        self._x, self._matrix = self.shaped(x), None
        if self._krylov is None:
            self.matrix()

    def matrix(self) -> Any:
        """Return the Jacobian at the point, by columns."""
        if self._matrix is None:
            self._matrix = self._columns(self._x, *self._args)
        return self._matrix

    def solve(self, b: np.ndarray, rtol: float) -> np.ndarray:
        """Return the solution of ``J x = b``; `rtol` is for the iterative solver."""
        if self._krylov is None:
            return self._factor(self.matrix())(b)  # type: ignore[misc]
        operator = scipy.sparse.linalg.LinearOperator(self.jac.shape, self.matvec, dtype=np.float64)
        return self._krylov.solve(self.matrix, operator, b, rtol)

    def solves(self, x: np.ndarray, b: np.ndarray) -> bool:
        """Tell whether a direct solution is one: of a singular J some packages perturb the pivots."""
        return self._krylov is not None or _size(self.matvec(x) - b) <= UNSOLVED * _size(b)

    def matvec(self, v: np.ndarray) -> np.ndarray:
        """Return ``J @ v``."""
        return self.jac.jvp(self._x, np.ravel(v), *self._args) if self._matrix is None else self._matrix @ v

    def rmatvec(self, v: np.ndarray) -> np.ndarray:
        """Return ``J.T @ v``."""
        return self.jac.vjp(self._x, v, *self._args) if self._matrix is None else self._matrix.T @ v

    def noise(self, x: np.ndarray) -> float:
        """Return an estimate of the rounding errors of f at x."""
        return ROUNDING * _size(abs(self.matrix()) @ np.abs(x))


class _Run:
    """The state of one call of `newton`."""

    def __init__(self, system: System, x: np.ndarray, rule: Any, tolerances: Any, callback: Any) -> None:
        self.system, self.rule, self.callback = system, rule, callback
        self.x, self.F = x, system.residual(x)
        self.best = self.x, self.F
        ftol, atol, self.xtol = tolerances
        self.tolerance = ftol * _size(self.F) + atol
        self.nfev, self.njev, self.history = 1, 0, [Iteration(0, _size(self.F))]
        self._report()

    def iterate(self, maxiter: int) -> NewtonResult:
        bad = np.flatnonzero(~np.isfinite(self.F))
        if bad.size:
            where = named(int(bad[0]), self.system.output.shape)
            return self._result(
                NOT_FINITE, f"f[{where}] = {self.F[bad[0]]} at x0 ({several(bad.size, 'element')} not finite)"
            )
        while True:
            if _size(self.F) <= self.tolerance:
                return self._result(CONVERGED, f"the residual {_size(self.F):.3g} is within {self.tolerance:.3g}")
            if self._stalled():
                return self._stuck(
                    f"the residual hardly falls: {_size(self.F):.3g} after {len(self.history) - 1} steps"
                )
            if len(self.history) > maxiter:
                return self._result(TOO_MANY, f"no convergence in {maxiter} iterations")
            ended = self._step()
            if ended is not None:
                return ended

    def _step(self) -> NewtonResult | None:
        """Take a step; return the result where it is the last one."""
        start = time.perf_counter()
        self.system.linearize(self.x)
        self.njev += 1
        evaluated = time.perf_counter()
        step = self._newton_step()
        if step is None:
            return self._no_step()
        seconds = evaluated - start, time.perf_counter() - evaluated
        small = _size(step) <= self.xtol * _size(self.x)
        trial = self.rule(self.system.residual, self.x, self.F, step, self.system)
        if trial is None:
            return self._blocked(small)
        self.nfev += trial.evaluations
        change = _size(trial.x - self.x)
        self.x, self.F = trial.x, trial.F
        if _size(trial.F) < _size(self.best[1]):
            self.best = trial.x, trial.F
        self.history.append(Iteration(len(self.history), _size(self.F), change, trial.share, *seconds))
        self._report()
        return self._result(CONVERGED, f"the last step changed x by {change:.3g}, rounding apart") if small else None

    def _newton_step(self) -> np.ndarray | None:
        """Return the Newton step; None where the Jacobian is singular."""
        try:
            step = self.system.solve(-self.F, self._forcing())
        except RuntimeError as error:  # of SuperLU: "Factor is exactly singular"
            if "singular" not in str(error):
                raise
            return None
        return step if np.all(np.isfinite(step)) and self.system.solves(step, -self.F) else None

    def _no_step(self) -> NewtonResult:
        """Say why there is no Newton step at this point."""
        J, f_shape, x_shape = self.system.matrix(), self.system.output.shape, self.system.shaped.shape
        bad = np.flatnonzero(~np.isfinite(J.data))
        if not bad.size:
            return self._result(SINGULAR, singular_because(J, f_shape, x_shape))
        row, column = int(J.indices[bad[0]]), int(np.searchsorted(J.indptr, bad[0], side="right")) - 1
        place = f"d f[{named(row, f_shape)}] / d x[{named(column, x_shape)}]"
        return self._result(
            NOT_FINITE, f"{place} = {J.data[bad[0]]} ({several(bad.size, 'entry')} of the Jacobian not finite)"
        )

    def _forcing(self) -> float:
        """Return how exactly an iterative solver must solve: the second choice of Eisenstat and Walker (1996)."""
        if len(self.history) < 2:
            return 0.1
        ratio = self.history[-1].residual / self.history[-2].residual
        return float(np.clip(0.9 * ratio**2, 1e-10, 0.1))

    def _blocked(self, small: bool) -> NewtonResult:
        residual, noise = _size(self.F), self.system.noise(self.x)
        if small or residual <= noise:
            return self._result(CONVERGED, f"the residual {residual:.3g} is at the rounding errors of f")
        return self._stuck(f"no step lowers the residual {residual:.3g}")

    def _stalled(self) -> bool:
        if len(self.history) <= PATIENCE or self.rule is full_step:
            return False
        return self.history[-1].residual > 0.99 * self.history[-1 - PATIENCE].residual

    def _stuck(self, what: str) -> NewtonResult:
        where = named(int(np.argmax(np.abs(self.F))), self.system.output.shape)
        return self._result(
            STUCK,
            f"{what} (largest in f[{where}]): start closer, perhaps from the solution of an easier problem; there may "
            "be no solution near this x",
        )

    def _report(self) -> None:
        if self.callback is not None:
            self.callback(self.history[-1])

    def _result(self, status: int, message: str) -> NewtonResult:
        x, F = (self.x, self.F) if status == CONVERGED else self.best
        fields = {
            "x": self.system.shaped(x),
            "fun": self.system.output(F),
            "success": status == CONVERGED,
            "status": status,
            "message": message,
            "nit": len(self.history) - 1,
            "nfev": self.nfev,
            "njev": self.njev,
            "history": self.history,
            "jac": self.system.jac,
        }
        return NewtonResult(**fields)


def _size(v: np.ndarray) -> float:
    return float(np.abs(v).max(initial=0.0))
