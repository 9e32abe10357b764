"""Whole programs as people write them, each against a derivative that our code did not produce."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from tests.reference import assert_close, complex_step, differences

RNG = np.random.default_rng(7)


def brusselator(u, alpha=10.0, a=3.4, b=1.0):
    """Two reacting and diffusing fields on a periodic grid, u of shape (2, n, n)."""
    n = u.shape[1]
    first, second = u

    def laplacian(v):
        neighbours = np.roll(v, 1, 0) + np.roll(v, -1, 0) + np.roll(v, 1, 1) + np.roll(v, -1, 1)
        return alpha * (n - 1) ** 2 * (neighbours - 4.0 * v)

    product = first**2 * second
    return np.stack([b + product - (a + 1.0) * first + laplacian(first), a * first - product + laplacian(second)])


def bratu_ghost_cells(u, lam=6.0):
    """Bratu's problem on a square with zero boundary values, by padding with ghost cells."""
    h = 1.0 / (u.shape[0] + 1)
    v = np.pad(u, 1)
    laplacian = v[2:, 1:-1] + v[:-2, 1:-1] + v[1:-1, 2:] + v[1:-1, :-2] - 4.0 * u
    return laplacian + h**2 * lam * np.exp(u)


def bratu_zero_fill(u, lam=6.0):
    """The same, with an array of zeros that is filled."""
    n = u.shape[0]
    h = 1.0 / (n + 1)
    v = np.zeros((n + 2, n + 2), dtype=u.dtype)
    v[1:-1, 1:-1] = u
    out = np.empty_like(u)
    out[:] = h**2 * lam * np.exp(u)
    out += v[2:, 1:-1] + v[:-2, 1:-1]
    out += v[1:-1, 2:] + v[1:-1, :-2]
    out -= 4.0 * u
    return out


def bratu_loops(u, lam=6.0):
    """The same, one grid point at a time."""
    n = u.shape[0]
    h = 1.0 / (n + 1)
    out = np.zeros((n, n), dtype=u.dtype)
    for i in range(n):
        for j in range(n):
            out[i, j] = -4.0 * u[i, j] + h**2 * lam * np.exp(u[i, j])
            if i > 0:
                out[i, j] += u[i - 1, j]
            if i < n - 1:
                out[i, j] += u[i + 1, j]
            if j > 0:
                out[i, j] += u[i, j - 1]
            if j < n - 1:
                out[i, j] += u[i, j + 1]
    return out


def upwind(u, limiter):
    """Burgers' equation with slope-limited upwind fluxes on a periodic grid."""
    backward, forward = u - np.roll(u, 1), np.roll(u, -1) - u
    slope = limiter(backward, forward)
    left, right = u + 0.5 * slope, np.roll(u - 0.5 * slope, -1)
    speed = np.maximum(np.abs(left), np.abs(right))
    flux = 0.25 * (left**2 + right**2) - 0.5 * speed * (right - left)
    return np.roll(flux, 1) - flux


def minmod(a, b):
    return np.where(a * b <= 0.0, 0.0, np.where(np.abs(a) < np.abs(b), a, b))


def van_leer(a, b):
    return np.where(a * b > 0.0, 2.0 * a * b / np.where(a * b > 0.0, a + b, 1.0), 0.0)


def superbee(a, b):
    s = np.sign(a)
    big = np.maximum(np.minimum(2.0 * np.abs(a), s * b), np.minimum(np.abs(a), 2.0 * s * b))
    return s * np.maximum(0.0, big)


# A triangulated square: nodes on a grid, each cell cut along its diagonal.
SIDE = 4
POINTS = np.stack(np.meshgrid(np.linspace(0, 1, SIDE), np.linspace(0, 1, SIDE)), axis=-1).reshape(-1, 2)
CELLS = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
TRIANGLES = np.concatenate(
    [
        np.stack([CELLS[:-1, :-1], CELLS[1:, :-1], CELLS[:-1, 1:]], axis=-1).reshape(-1, 3),
        np.stack([CELLS[1:, 1:], CELLS[:-1, 1:], CELLS[1:, :-1]], axis=-1).reshape(-1, 3),
    ]
)


def _gradients():
    corner = POINTS[TRIANGLES]
    edges = np.stack([corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]], axis=-1)
    local = np.array([[-1.0, -1.0], [1.0, 0.0], [0.0, 1.0]])
    return np.einsum("ki,eij->ekj", local, np.linalg.inv(edges)), np.abs(np.linalg.det(edges)) / 2.0


GRADIENTS, AREAS = _gradients()


def finite_elements(u, assemble):
    """Residual of  -div((1 + u^2) grad u) = 1  with linear triangles."""
    nodal = u[TRIANGLES]
    gradient = (GRADIENTS * nodal[:, :, None]).sum(axis=1)
    conductivity = 1.0 + nodal.mean(axis=1) ** 2
    stiffness = (GRADIENTS * gradient[:, None, :]).sum(axis=2) * (conductivity * AREAS)[:, None]
    return assemble(stiffness - (AREAS / 3.0)[:, None], u)


def by_add_at(elements, u):
    out = np.zeros(u.shape, dtype=u.dtype)
    np.add.at(out, TRIANGLES, elements)
    return out


def by_bincount(elements, u):
    return np.bincount(TRIANGLES.ravel(), weights=elements.ravel(), minlength=u.size)


def by_matrix(elements, u):
    size = TRIANGLES.size
    scatter = scipy.sparse.csr_matrix((np.ones(size), (TRIANGLES.ravel(), np.arange(size))), (u.size, size))
    return scatter @ elements.ravel()


def kinetics(c):
    """A reaction network in stoichiometric form: rates of mass action, a constant sparse matrix."""
    reactants = np.array([[0, 1], [1, 2], [2, 2], [3, 0], [4, 1]])
    stoichiometry = scipy.sparse.csr_array(
        np.array([[-1, 0, 0, -1, 1], [-1, -1, 0, 0, -1], [1, -1, -2, 0, 0], [0, 1, 1, -1, 0], [0, 0, 0, 1, -1.0]])
    )
    rates = np.array([1.0, 0.5, 2.0, 0.1, 3.0]) * c[reactants[:, 0]] * c[reactants[:, 1]]
    return stoichiometry @ rates


def collocation(z):
    """Trapezoidal collocation of a pendulum with a control; z holds the states (2, n), then the controls (n,)."""
    n = z.size // 3
    state, control = z[: 2 * n].reshape(2, n), z[2 * n :]
    slope = np.vstack([state[1], -np.sin(state[0]) + control])
    defects = state[:, 1:] - state[:, :-1] - 0.05 * (slope[:, 1:] + slope[:, :-1])
    return np.concatenate([defects.ravel(), state[:, 0], state[:, -1] - np.array([np.pi, 0.0])])


def bundle_adjustment(p):
    """Reprojection of 4 points in 3 cameras: rotation by Rodrigues' formula, pinhole with distortion."""
    cameras, points = p[:21].reshape(3, 7), p[21:].reshape(4, 3)
    seen_by, point = np.repeat(np.arange(3), 4), np.tile(np.arange(4), 3)
    w, q = cameras[seen_by, :3], points[point]
    angle = np.sqrt(np.sum(w * w, axis=1))[:, np.newaxis]
    axis = w / angle
    along = np.sum(axis * q, axis=1)[:, np.newaxis]
    a, b = axis[:, [1, 2, 0]], axis[:, [2, 0, 1]]
    across = a * q[:, [2, 0, 1]] - b * q[:, [1, 2, 0]]
    rotated = np.cos(angle) * q + np.sin(angle) * across + along * (1.0 - np.cos(angle)) * axis
    x, y, z = (rotated + cameras[seen_by, 3:6]).T
    r2 = (x / z) ** 2 + (y / z) ** 2
    scale = cameras[seen_by, 6] * (1.0 + 0.1 * r2)
    return np.column_stack([scale * x / z, scale * y / z])


ANALYTIC = {
    "brusselator": (brusselator, RNG.normal(size=(2, 5, 5)), 6),
    "bratu with ghost cells": (bratu_ghost_cells, RNG.normal(size=(4, 4)), None),
    "bratu with a zero fill": (bratu_zero_fill, RNG.normal(size=(4, 4)), None),
    "bratu in loops": (bratu_loops, RNG.normal(size=(4, 4)), None),
    "finite elements, add.at": (lambda u: finite_elements(u, by_add_at), RNG.normal(size=SIDE**2), None),
    "finite elements, matrix": (lambda u: finite_elements(u, by_matrix), RNG.normal(size=SIDE**2), None),
    "kinetics": (kinetics, RNG.uniform(0.5, 1.5, 5), None),
    "collocation": (collocation, RNG.normal(size=24), None),
    "bundle adjustment": (bundle_adjustment, 1.0 + RNG.uniform(0.1, 0.9, 33), None),
}
SMOOTH = {
    "upwind, minmod": (lambda u: upwind(u, minmod), np.sin(np.arange(12.0)) + 0.3),
    "upwind, van Leer": (lambda u: upwind(u, van_leer), np.sin(np.arange(12.0)) + 0.3),
    "upwind, superbee": (lambda u: upwind(u, superbee), np.sin(np.arange(12.0)) + 0.3),
    "finite elements, bincount": (lambda u: finite_elements(u, by_bincount), RNG.normal(size=SIDE**2)),
}


def check(f, x, expected, backend):
    jac = sad.jacobian(f, x, backend=backend)
    y, matrix = jac.value_and_jacobian(x)
    assert_close(y, f(x), 1e-13)
    assert_close(matrix.toarray(), expected, 1e-9)
    assert_close(jac.vjp(x, np.eye(jac.shape[0])).T, expected, 1e-9)
    return jac


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("name", ANALYTIC)
def test_against_complex_steps(name, backend):
    f, x, per_column = ANALYTIC[name]
    jac = check(f, x, complex_step(f, x), backend)
    if per_column:
        assert jac.pattern.nnz == per_column * x.size


@pytest.mark.parametrize("backend", ["python", "llvm"])
@pytest.mark.parametrize("name", SMOOTH)
def test_against_differences(name, backend):
    f, x = SMOOTH[name]
    check(f, x, differences(f, x, 1e-4), backend)


@pytest.mark.parametrize("f", [brusselator, bratu_ghost_cells], ids=["brusselator", "bratu"])
def test_numba_back_end(f):
    x = RNG.normal(size=(2, 4, 4)) if f is brusselator else RNG.normal(size=(4, 4))
    check(f, x, complex_step(f, x), "numba")


def test_three_ways_to_write_bratu_have_one_pattern():
    x = RNG.normal(size=(4, 4))
    patterns = [sad.jacobian_pattern(f, x).to_scipy() for f in (bratu_ghost_cells, bratu_zero_fill, bratu_loops)]
    assert patterns[0].nnz == 5 * 16 - 4 * 4
    for other in patterns[1:]:
        assert (patterns[0] != other).nnz == 0


def test_numba_compiled_function_is_traced_through_its_python_code():
    import numba

    @numba.njit
    def f(x):
        return x[1:] * x[:-1] ** 2

    x = RNG.normal(size=5)
    assert_close(sad.jacobian(f, x, backend="python")(x).toarray(), complex_step(f.py_func, x))
