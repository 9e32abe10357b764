"""What test_petsc.py runs under mpiexec: SNES on Bratu's problem, TS on the Brusselator, TAO on two energies."""

import sys

import petsc4py

TESTS = "-snes_test_jacobian -blocks_snes_test_jacobian -tao_test_hessian"
petsc4py.init(["program", *TESTS.split(), "-ksp_type", "preonly", "-pc_type", "lu", *sys.argv[1:]])

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from petsc4py import PETSc  # noqa: E402
from scipy.integrate import solve_ivp  # noqa: E402
from scipy.optimize import minimize  # noqa: E402

import sparsead as sad  # noqa: E402
from sparsead import solvers  # noqa: E402
from sparsead.problems import bratu, brusselator  # noqa: E402
from sparsead.ranks import RankError  # noqa: E402

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
    U = system.vector()
    U.setArray(problem.x0[system.start : system.stop])
    return whole(integrated_from(system, U))


def integrated_from(system, U):
    """Take some steps with PETSc's test of Jacobians, which takes long; then all of them from the start."""
    stepped(system, U.copy(), "", steps=2)
    return stepped(system, U, "untested_")


def stepped(system, U, prefix, steps=100_000):
    ts = PETSc.TS().create()
    ts.setOptionsPrefix(prefix)
    ts.setProblemType(PETSc.TS.ProblemType.NONLINEAR)
    ts.setType(PETSc.TS.Type.BDF)
    for name, value in {"ts_bdf_order": 4, "ksp_type": "preonly", "pc_type": "lu"}.items():
        PETSc.Options().setValue(prefix + name, value)
    PETSc.Options().setValue(f"{prefix}pc_factor_mat_solver_type", DIRECT)
    system.set_up(ts)
    ts.setTime(0.0)
    ts.setTimeStep(1e-5)
    ts.setMaxTime(0.02)
    ts.setMaxSteps(steps)
    ts.setExactFinalTime(PETSc.TS.ExactFinalTime.MATCHSTEP)
    ts.setTolerances(rtol=1e-9, atol=1e-10)
    ts.setFromOptions()
    ts.solve(U)
    return U


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


def points(dm, X):
    """Return a vector of a grid, on every rank, with the axes that NumPy would give it: (z, y, x, unknown)."""
    natural = dm.createNaturalVec()
    dm.globalToNatural(X, natural)
    return whole(natural)


def bratu_on_a_block(u, strength, h):
    """Bratu's equations on a block with a layer of ghosts, zero beyond the walls."""
    inside = slice(1, -1)
    middle = u[inside, inside, inside]
    total = u[2:, inside, inside] + u[:-2, inside, inside] + u[inside, 2:, inside]
    total = total + u[inside, :-2, inside] + u[inside, inside, 2:] + u[inside, inside, :-2]
    return (6.0 * middle - total) / h**2 - strength * np.exp(middle)


def block_of_a_grid():
    """Solve with a DMDA: the Jacobian as a matrix, and as products beside it."""
    N = 6
    problem = bratu(N)
    dm = PETSc.DMDA().create([N] * 3, dof=1, stencil_width=1, boundary_type=PETSc.DM.BoundaryType.GHOSTED)
    local = tuple(dm.getGhostCorners()[1])
    expected = solvers.newton(problem.f, problem.x0, *problem.args).x.ravel()
    for products in (False, True):
        system = solvers.PetscSystem(bratu_on_a_block, np.zeros(local), 6.0, 1.0 / (N + 1), dm=dm)
        snes = PETSc.SNES().create()
        system.set_up(snes, products=products)
        snes.setTolerances(rtol=1e-13)
        snes.getKSP().setTolerances(rtol=1e-12)
        if products:  # no options: PETSc's test of Jacobians takes matrices only
            snes.setOptionsPrefix("products_")
            snes.getKSP().setType("gmres")
            snes.getKSP().getPC().setType("none")
        else:
            snes.setFromOptions()
        X = system.vector()
        snes.solve(None, X)
        assert snes.getConvergedReason() > 0
        np.testing.assert_allclose(points(dm, X), expected, rtol=1e-10)
    check_transposed(system, X)


def check_transposed(system, X):
    matrix, operator, v, a, b = system.matrix(), system.operator(), *(system.vector() for _ in range(3))
    system.jacobian(None, X, operator, matrix)
    v.setArray(np.sin(np.arange(system.start, system.stop)))
    for name in ("mult", "multTranspose"):
        getattr(matrix, name)(v, a)
        getattr(operator, name)(v, b)
        np.testing.assert_allclose(b.getArray(), a.getArray(), rtol=1e-11, atol=1e-9)


def brusselator_on_a_block(t, w, alpha, N):
    """Two unknowns at a point, ``w[x, y, unknown]``, with a layer of ghosts all around."""
    u, v = w[1:-1, 1:-1, 0], w[1:-1, 1:-1, 1]
    spread = N**2 * (w[2:, 1:-1] + w[:-2, 1:-1] + w[1:-1, 2:] + w[1:-1, :-2] - 4.0 * w[1:-1, 1:-1])
    reaction = np.stack([1.0 + u * u * v - 4.4 * u, 3.4 * u - u * u * v], axis=-1)
    return reaction + alpha * spread


def time_steps_of_a_grid():
    """Rates of the block; the grid's first axis is the second one of the problem, as PETSc has x run fastest."""
    N = 6
    problem = brusselator(N)
    dm = PETSc.DMDA().create([N, N], dof=2, stencil_width=1, boundary_type="periodic", stencil_type="star")
    local = (*dm.getGhostCorners()[1], 2)

    def steps(t, w, wdot, alpha, N):
        return wdot[1:-1, 1:-1] - brusselator_on_a_block(t, w, alpha, N)

    expected = solve_ivp(
        lambda t, y: problem.f(y, 0.1), (0.0, 0.02), problem.x0, method="Radau", rtol=1e-9, atol=1e-11
    ).y[:, -1]
    natural = problem.x0.reshape(2, N, N).transpose(1, 2, 0)
    start = dm.createGlobalVec()
    (x, y), (m, n) = dm.getCorners()
    start.setArray(natural[y : y + n, x : x + m].ravel())
    for system in (
        solvers.PetscRates(brusselator_on_a_block, 0.0, np.ones(local), 0.1, float(N), dm=dm, block=2),
        solvers.PetscSteps(steps, 0.0, np.ones(local), 0.1, float(N), dm=dm),
    ):
        found = points(dm, integrated_from(system, start.copy())).reshape(N, N, 2).transpose(2, 0, 1)
        np.testing.assert_allclose(found.ravel(), expected, rtol=1e-5)


def surface(x, N):
    """The areas of pairs of triangles between the points of a square, with a fixed wave as its border."""
    edge = np.sin(np.arange(N + 2))
    inner = np.concatenate([edge[1:-1, None], x.reshape(N, N), edge[1:-1, None] * 0.5], axis=1)
    z = np.concatenate([edge[None], inner, -edge[None]])
    dx, dy = np.diff(z, axis=0) * (N + 1), np.diff(z, axis=1) * (N + 1)
    flat = (N + 1) ** -2 / 2.0
    return flat * (np.sqrt(1.0 + dx[:, :-1] ** 2 + dy[:-1] ** 2) + np.sqrt(1.0 + dx[:, 1:] ** 2 + dy[1:] ** 2))


def minimized(system, X, products):
    tao = PETSc.TAO().create()
    tao.setType("ntr")
    system.set_up(tao, products=products)
    tao.setTolerances(gatol=1e-11, grtol=0.0, gttol=0.0)
    tao.getKSP().setTolerances(rtol=1e-10)
    tao.getKSP().getPC().setType("none")
    if products:  # PETSc's test of Hessians takes matrices only
        tao.setOptionsPrefix("products_")
    tao.setFromOptions()
    tao.solve(X)
    assert tao.getConvergedReason() > 0
    return tao.getObjectiveValue()


def minimum():
    """Minimize with TAO's trust regions; the Hessian as a matrix and as products, against SciPy."""
    N = 5
    expected = minimize(lambda x: np.sum(surface(x, N)), np.zeros(N * N), method="BFGS", options={"gtol": 1e-9})
    system = solvers.PetscEnergy(surface, np.zeros(N * N), N)
    for products in (False, True):
        X = system.vector()
        value = minimized(system, X, products)
        np.testing.assert_allclose(value, expected.fun, rtol=1e-12)
        np.testing.assert_allclose(whole(X), expected.x, atol=1e-6)


def strings(u, k):
    """The energy of springs along both axes of a block, walls at zero, and a load on every point of it."""
    across = np.concatenate([np.ravel(np.diff(u[:, 1:-1], axis=0)), np.ravel(np.diff(u[1:-1], axis=1))])
    return np.concatenate([0.5 * k * across**2 + across**4, np.ravel(np.cos(u[1:-1, 1:-1]))])


def minimum_on_a_grid():
    """The same on a block of a DMDA: springs across borders stand in two blocks, and are counted once."""
    N = 6

    def everywhere(x):
        return np.sum(strings(np.pad(x.reshape(N, N), 1), 2.0))

    start = 0.5 + 0.1 * np.cos(np.arange(N * N))
    expected = minimize(everywhere, start, method="BFGS", options={"gtol": 1e-9})
    dm = PETSc.DMDA().create([N, N], dof=1, stencil_width=1, boundary_type=PETSc.DM.BoundaryType.GHOSTED)
    local = tuple(dm.getGhostCorners()[1])
    system = solvers.PetscEnergy(strings, np.full(local, 0.5), 2.0, dm=dm)
    X = system.vector()
    X.set(0.5)
    value = minimized(system, X, False)
    np.testing.assert_allclose(value, expected.fun, rtol=1e-11)
    np.testing.assert_allclose(np.abs(points(dm, X)), np.abs(expected.x), atol=1e-5)


def triples(x):
    """Three unknowns at a point, of which each equation reads some, and some of the neighbours'."""
    u = x.reshape(-1, 3)
    left = np.concatenate([u[:1], u[:-1]])
    a, b, c = u.T
    rows = [a**2 + left[:, 1] - 1.0, 3.0 * b - np.sin(a) + 0.1 * left[:, 0] * c, 2.0 * c + 0.5 * c**3 - b]
    return np.stack(rows, axis=1).ravel()


def blocks_that_belong_together():
    """The same matrix in dense blocks, MPIBAIJ; PETSc's test of Jacobians, and a solution."""
    x0 = np.linspace(0.5, 1.0, 21)
    system = solvers.PetscSystem(triples, x0, block=3)
    assert (system.stop - system.start) % 3 == 0
    X, matrix = system.vector(), system.matrix()
    assert matrix.getType() in ("mpibaij", "seqbaij") and matrix.getBlockSize() == 3
    X.setArray(x0[system.start : system.stop])
    system.jacobian(None, X, matrix, matrix)
    expected = sad.jacobian(triples, x0)(x0).toarray()
    mine = range(system.start, system.stop)
    found = np.array(matrix.getValues(list(mine), list(range(21)))).reshape(len(mine), 21)
    np.testing.assert_allclose(found, expected[system.start : system.stop], rtol=1e-14)
    snes = PETSc.SNES().create()
    system.set_up(snes)
    snes.setTolerances(rtol=1e-13)
    snes.setOptionsPrefix("blocks_")
    snes.getKSP().setType("gmres")
    snes.getKSP().setTolerances(rtol=1e-12)
    snes.getKSP().getPC().setType("pbjacobi")
    snes.setFromOptions()
    snes.solve(None, X)
    assert snes.getConvergedReason() > 0
    np.testing.assert_allclose(triples(whole(X)), 0.0, atol=1e-11)
    with pytest.raises(RankError, match="22 unknowns cannot be put together in blocks of 3"):
        solvers.PetscSystem(lambda x: x, np.ones(22), block=3)


steady_state()
blocks_that_belong_together()
minimum()
minimum_on_a_grid()
time_steps()
rates_without_a_diagonal()
block_of_a_grid()
time_steps_of_a_grid()
print(f"rank {PETSc.COMM_WORLD.rank} of {PETSc.COMM_WORLD.size} agrees", flush=True)
