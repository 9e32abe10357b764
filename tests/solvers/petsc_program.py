"""What test_petsc.py runs under mpiexec: SNES on Bratu's problem, TS on the Brusselator, both checked."""

import sys

import petsc4py

petsc4py.init(["program", "-snes_test_jacobian", "-ksp_type", "preonly", "-pc_type", "lu", *sys.argv[1:]])

import numpy as np  # noqa: E402
from petsc4py import PETSc  # noqa: E402
from scipy.integrate import solve_ivp  # noqa: E402

from sparsead import solvers  # noqa: E402
from sparsead.problems import bratu, brusselator  # noqa: E402

DIRECT = "mumps" if PETSc.COMM_WORLD.size > 1 else "petsc"
PETSc.Options().setValue("pc_factor_mat_solver_type", DIRECT)


def whole(X):
    """Return all of a vector, on every rank."""
    scatter, everything = PETSc.Scatter.toAll(X)
    scatter.scatter(X, everything)
    return everything.getArray().copy()


def structure(matrix):
    return [array.copy() for array in matrix.getValuesCSR()[:2]]


def steady_state():
    problem = bratu(5)
    system = solvers.PetscSystem(problem.f, problem.x0, *problem.args)
    rows = PETSc.COMM_WORLD.tompi4py().allreduce(len(system.prepared.own.rows))
    assert rows == problem.x0.size, "every row is prepared on one rank"
    snes = PETSc.SNES().create()
    system.set_up(snes)
    snes.setTolerances(rtol=1e-12)
    snes.setFromOptions()
    X, matrix = system.vector(), snes.getJacobian()[0]
    system.jacobian(snes, X, matrix, matrix)  # at x = 0
    before = structure(matrix)
    X.setArray(problem.x0.ravel()[system.start : system.stop])
    snes.solve(None, X)
    assert snes.getConvergedReason() > 0
    assert all(np.array_equal(a, b) for a, b in zip(before, structure(matrix), strict=True))
    expected = solvers.newton(problem.f, problem.x0, *problem.args).x.ravel()
    np.testing.assert_allclose(whole(X), expected, rtol=1e-8)


def integrated(system, problem):
    """Integrate to t = 0.02 by BDF of order 4; return all of the end."""
    ts = PETSc.TS().create()
    ts.setProblemType(PETSc.TS.ProblemType.NONLINEAR)
    ts.setType(PETSc.TS.Type.BDF)
    PETSc.Options().setValue("ts_bdf_order", 4)
    system.set_up(ts)
    ts.setTime(0.0)
    ts.setTimeStep(1e-5)
    ts.setMaxTime(0.02)
    ts.setExactFinalTime(PETSc.TS.ExactFinalTime.MATCHSTEP)
    ts.setTolerances(rtol=1e-9, atol=1e-10)
    ts.setFromOptions()
    U = system.vector()
    U.setArray(problem.x0[system.start : system.stop])
    ts.solve(U)
    return whole(U)


def time_steps():
    problem = brusselator(6)

    def residual(t, u, udot, alpha):
        return udot - problem.f(u, alpha)

    def rates(t, u, alpha):
        return problem.f(u, alpha)

    expected = solve_ivp(
        lambda t, y: problem.f(y, 0.1), (0.0, 0.02), problem.x0, method="Radau", rtol=1e-9, atol=1e-11
    ).y[:, -1]
    for system in (
        solvers.PetscSteps(residual, 0.0, problem.x0, 0.1),
        solvers.PetscRates(rates, 0.0, problem.x0, 0.1),
    ):
        np.testing.assert_allclose(integrated(system, problem), expected, rtol=1e-5)


def rates_without_a_diagonal():
    """Rotations: no rate depends on its own unknown, yet implicit steps need the place."""
    n = 6
    system = solvers.PetscRates(lambda t, u: np.roll(u, 1) - np.roll(u, -1), 0.0, np.ones(n))
    matrix = system.matrix()
    system.jacobian(None, 0.0, system.vector(), matrix, matrix)
    rows, columns = matrix.getValuesCSR()[0], matrix.getValuesCSR()[1]
    own = np.repeat(np.arange(system.start, system.stop), np.diff(rows))
    assert np.count_nonzero(own == columns) == system.stop - system.start
    assert np.all(np.diff(rows) == 3)


steady_state()
time_steps()
rates_without_a_diagonal()
print(f"rank {PETSc.COMM_WORLD.rank} of {PETSc.COMM_WORLD.size} agrees", flush=True)
