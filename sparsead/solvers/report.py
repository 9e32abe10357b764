"""What a run of Newton's method leaves: its iterations, and the result."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.optimize

from sparsead.derivatives.prepared_jacobian import Jacobian


@dataclass(frozen=True)
class Iteration:
    """One line of the report; prints itself.

    Attributes
    ----------
    number : int
        0 for the starting point.
    residual : float
        Largest ``|f(x)|`` after the step.
    step : float
        Largest change of an unknown.
    share : float
        How much of the Newton step was taken.
    jacobian_seconds, linear_seconds : float
        Time of the Jacobian, and of factoring and solving.
    """

    number: int
    residual: float
    step: float = 0.0
    share: float = 0.0
    jacobian_seconds: float = 0.0
    linear_seconds: float = 0.0

    def __str__(self) -> str:
        line = f"{self.number:4d}  {self.residual:10.3e}"
        if not self.number:
            return line
        times = f"{1e3 * self.jacobian_seconds:12.2f}  {1e3 * self.linear_seconds:12.2f}"
        return f"{line}  {self.step:10.3e}  {self.share:6.3g}  {times}"


HEAD = "iter    residual        step   share  Jacobian, ms    solve, ms"


class NewtonResult(scipy.optimize.OptimizeResult):
    """What `newton` found; ``print(result)`` shows the iterations.

    Attributes
    ----------
    x, fun : ndarray
        The best point, and f there.
    success : bool
        Whether it is a solution.
    status : int
        0 converged, 1 too many iterations, 2 singular Jacobian, 3 no step lowers the residual, 4 f is not finite.
    message : str
        The same in words.
    nit, nfev, njev : int
        Iterations, evaluations of f and of the Jacobian.
    history : list of Iteration
        One line per iteration.
    jac : sparsead.Jacobian
        The prepared Jacobian, to be passed on to the next solve.
    """

    x: np.ndarray
    fun: np.ndarray
    success: bool
    status: int
    message: str
    nit: int
    nfev: int
    njev: int
    history: list[Iteration]
    jac: Jacobian

    def __str__(self) -> str:
        lines = [HEAD, *(str(iteration) for iteration in self.history)]
        return "\n".join([*lines, f"{'converged' if self.success else 'failed'}: {self.message}"])
