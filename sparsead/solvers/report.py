"""What a run of Newton's method leaves: its iterations, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np
import scipy.optimize

from coloring.pictures.html import table
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

    def cells(self) -> list[str]:
        """Return the texts of the line; of the starting point the first two alone."""
        texts = [str(self.number), f"{self.residual:.3e}"]
        if not self.number:
            return texts
        times = (f"{1e3 * seconds:.2f}" for seconds in (self.jacobian_seconds, self.linear_seconds))
        return [*texts, f"{self.step:.3e}", f"{self.share:.3g}", *times]

    def __str__(self) -> str:
        return "  ".join(text.rjust(width) for text, width in zip(self.cells(), COLUMNS.values(), strict=False))


COLUMNS = {"iter": 4, "residual": 10, "step": 10, "share": 6, "Jacobian, ms": 12, "solve, ms": 12}  # and their widths


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

    @property
    def _verdict(self) -> str:
        return f"{'converged' if self.success else 'failed'}: {self.message}"

    def __str__(self) -> str:
        head = "  ".join(name.rjust(width) for name, width in COLUMNS.items())
        return "\n".join([head, *map(str, self.history), self._verdict])

    def _repr_html_(self) -> str:
        return f"<div>{escape(self._verdict)}</div>{table(list(COLUMNS), (each.cells() for each in self.history))}"
