"""Solutions over ranks by PETSc: the same problems, whatever the number of ranks."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead import solvers
from sparsead.problems import bratu, brusselator

STEPS, STEP = 3, 1e-3


def bratu_solution(PETSc: Any, size: int) -> np.ndarray:
    """Return the own part of the solution of Bratu's problem, by Newton's method."""
    problem = bratu(size)
    system = solvers.PetscSystem(problem.f, problem.x0, *problem.args)
    snes = PETSc.SNES().create()
    system.set_up(snes)
    snes.setTolerances(rtol=1e-14, atol=1e-12, stol=1e-15)
    snes.getKSP().setType("cg")
    snes.getKSP().setTolerances(rtol=1e-8, max_it=2000)
    snes.getKSP().getPC().setType("bjacobi")
    X = system.vector()
    X.setArray(problem.x0.ravel()[system.start : system.stop])
    snes.solve(None, X)
    _require(snes.getFunctionNorm(), system, problem, X)
    return np.array(X.getArray())


def _require(norm: float, system: Any, problem: Any, X: Any) -> None:
    """Raise unless the residual is at the level of rounding."""
    largest = float(np.max(np.abs(system.prepared.values(np.array(X.getArray()), *problem.args)), initial=0.0))
    if not norm < 1e-12 * largest * np.sqrt(problem.x0.size):
        raise AssertionError(f"the residual is {norm:.2e}")


def brusselator_solution(PETSc: Any, size: int) -> np.ndarray:
    """Return the own part of the Brusselator after some steps of the implicit Euler method, by PETSc's TS."""
    problem = brusselator(size)

    def steps(t: Any, u: Any, udot: Any, alpha: float) -> Any:
        return udot - problem.f(u, alpha)

    system = solvers.PetscSteps(steps, 0.0, problem.x0, 0.1)
    ts = PETSc.TS().create()
    ts.setProblemType(PETSc.TS.ProblemType.NONLINEAR)
    ts.setType(PETSc.TS.Type.BEULER)
    system.set_up(ts)
    ts.setTime(0.0)
    ts.setTimeStep(STEP)
    ts.setMaxSteps(STEPS)
    ts.setMaxTime(1.0)
    ts.setExactFinalTime(PETSc.TS.ExactFinalTime.STEPOVER)
    adapt = PETSc.Options()
    adapt.setValue("ts_adapt_type", "none")
    ts.setFromOptions()
    snes = ts.getSNES()
    snes.setTolerances(rtol=1e-13, atol=1e-12, stol=1e-15)
    snes.getKSP().setType("gmres")
    snes.getKSP().setTolerances(rtol=1e-9, max_it=2000)
    snes.getKSP().getPC().setType("bjacobi")
    U = system.vector()
    U.setArray(problem.x0[system.start : system.stop])
    ts.solve(U)
    if ts.getStepNumber() != STEPS or ts.getSNESFailures():
        raise AssertionError(f"{ts.getStepNumber()} steps, {ts.getSNESFailures()} failures")
    return np.array(U.getArray())
