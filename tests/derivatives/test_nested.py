"""Derivatives inside functions that are differentiated: the kernel form is closed under differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import mpmath
import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg as spla
import scipy.special

import sparsead as sad
from sparsead.extend import implicit
from tests.reference import complex_step, differences

X = np.linspace(0.5, 1.5, 6)
V = np.cos(np.arange(6.0))


def g(x):
    """Return a sum over neighbours."""
    return np.sum(np.sin(x[1:] * x[:-1]) + np.exp(0.3 * x[1:]) * x[:-1])


def c(x):
    """Return constraints."""
    return x[1:] ** 2 - x[:-1] * x[1:]


SLOPE, CONSTRAINTS, CURVATURE = sad.gradient(g, X), sad.jacobian(c, X), sad.hessian(g, X)
HESSIAN = CURVATURE(X).toarray()


@pytest.mark.parametrize(
    "slope", [SLOPE, sad.grad(g), lambda x: sad.gradient(g, x)(x), lambda x: CURVATURE.gradient(x)]
)
def test_jacobian_of_a_gradient_is_the_hessian(slope):
    J = sad.jacobian(slope, X)(X)
    assert J.nnz == CURVATURE.pattern.nnz
    np.testing.assert_array_equal(J.toarray(), HESSIAN)


def test_third_derivatives_against_high_precision():
    third = sad.jacobian(sad.grad(lambda x: np.dot(sad.grad(g)(x), V)), X)(X).toarray()
    mpmath.mp.dps = 40
    x = [mpmath.mpf(v) for v in X]

    def value(*point):
        pairs = zip(point[1:], point[:-1], strict=True)
        return sum(mpmath.sin(b * a) + mpmath.exp(mpmath.mpf("0.3") * b) * a for b, a in pairs)

    for i, j in [(0, 0), (0, 1), (2, 3), (5, 5)]:
        expected = mpmath.mpf(0)
        for k in range(6):
            orders = [0] * 6
            for axis in (i, j, k):
                orders[axis] += 1
            expected += mpmath.mpf(V[k]) * mpmath.diff(value, tuple(x), tuple(orders))
        assert abs(third[i, j] - float(expected)) <= 1e-12 * max(1.0, abs(float(expected)))


def saddle(z):
    """Return the Jacobian that the optimality conditions must have."""
    lagrangian = sad.lagrangian_hessian(g, c, X)(z[:6], z[6:]).toarray()
    A = CONSTRAINTS(z[:6]).toarray()
    return np.block([[lagrangian, A.T], [A, np.zeros((5, 5))]])


@pytest.mark.parametrize(
    "conditions",
    [
        lambda x, m: [SLOPE(x) + CONSTRAINTS(x).T @ m, c(x)],
        lambda x, m: [sad.gradient(g, x)(x) + sad.jacobian(c, x)(x).T @ m, c(x)],
        lambda x, m: [SLOPE(x) + CONSTRAINTS.vjp(x, m), CONSTRAINTS.value(x)],
        lambda x, m: [sad.grad(lambda y: g(y) + m @ c(y))(x), c(x)],
        lambda x, m: [sad.grad(lambda y, m: g(y) + m @ c(y))(x, m), sad.grad(lambda m, y: m @ c(y))(m, x)],
    ],
)
def test_optimality_conditions(conditions):
    z = np.concatenate([X, np.arange(1.0, 6.0)])
    jac = sad.jacobian(lambda z: np.concatenate(conditions(z[:6], z[6:])), z)
    np.testing.assert_allclose(jac(z).toarray(), saddle(z), rtol=1e-14, atol=1e-14)


def test_products_and_matrices():
    expected = differences(lambda x: CURVATURE(x) @ V, X)
    for f in (lambda x: CURVATURE.hvp(x, V), lambda x: CURVATURE(x) @ V, lambda x: sad.hessian(g, x)(x) @ V):
        np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), expected, rtol=1e-7, atol=1e-8)
    f = lambda x: CONSTRAINTS.jvp(x, x) * 2.0  # noqa: E731
    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_products_with_so_many_columns(count):
    products = [(CURVATURE, CURVATURE.hvp), (CONSTRAINTS, CONSTRAINTS.jvp), (CONSTRAINTS, CONSTRAINTS.vjp)]
    for of, product in products:
        v = np.ones((of.shape[0 if product == CONSTRAINTS.vjp else 1], count))
        shapes = []
        jac = sad.jacobian(lambda x, v=v, p=product, s=shapes: s.append(p(x, v).shape) or np.sum(p(x, v)) * x, X)
        assert set(shapes) == {product(X, v).shape}
        np.testing.assert_allclose(jac.value(X), np.sum(product(X, v)) * X)


def test_second_derivatives_of_what_holds_a_gradient():
    hess = sad.hessian(lambda x: np.sum(SLOPE(x) ** 2), X)
    gradient = lambda x: 2.0 * CURVATURE(x) @ SLOPE(x)  # noqa: E731
    np.testing.assert_allclose(hess.gradient(X), gradient(X), rtol=1e-13)
    np.testing.assert_allclose(hess(X).toarray(), differences(gradient, X), rtol=1e-7, atol=1e-7)


def test_gradients_of_a_few_unknowns_are_one_array_each():
    def energy(y):
        return np.sum(y[1:] ** 2 * y[:-1] ** 3) + np.sum(np.exp(y))

    def slope(y):
        inside = np.exp(y)
        inside[1:] += 2.0 * y[1:] * y[:-1] ** 3
        inside[:-1] += 3.0 * y[1:] ** 2 * y[:-1] ** 2
        return inside

    def descent(slope):
        def f(x):
            for _ in range(2):
                x = x - 0.01 * slope(x)
            return np.sum(np.sin(x))

        return f

    x = np.linspace(0.5, 1.3, 8)
    hess = sad.hessian(descent(sad.grad(energy)), x)
    assert len(hess.linear.kernels) == 1  # one for each element of each gradient was too much code to compile
    gradient = lambda x: complex_step(descent(slope), x).reshape(-1)  # noqa: E731
    np.testing.assert_allclose(hess.gradient(x), gradient(x), rtol=1e-13)
    np.testing.assert_allclose(hess(x).toarray(), differences(gradient, x), rtol=1e-7, atol=1e-7)


def test_trees_and_arguments():
    energy = sad.grad(lambda s, k: k * np.sum(s["u"] ** 3) * s["p"])
    state = {"u": np.array([1.0, 2.0]), "p": 3.0}

    def residual(s, k):
        slope = energy(s, k)
        return np.concatenate([slope["u"], np.reshape(slope["p"], 1)])

    jac = sad.jacobian(residual, state, 0.5)
    np.testing.assert_allclose(jac(state, 0.5).toarray(), [[9, 0, 1.5], [0, 18, 6], [1.5, 6, 0]])


@dataclass
class State:
    u: np.ndarray
    p: float


def test_dataclasses_of_unknowns():
    """As an argument that is one, and made inside of unknowns."""
    energy = sad.grad(lambda s: np.sum(s.u**3) * s.p)
    state = State(np.array([1.0, 2.0]), 3.0)
    whole = sad.jacobian(lambda s: np.append(energy(s).u, energy(s).p), state)
    np.testing.assert_allclose(whole(state).toarray(), [[18, 0, 3], [0, 36, 12], [3, 12, 0]])
    made = sad.jacobian(lambda u: energy(State(u, 3.0)).u, state.u)
    np.testing.assert_allclose(made(state.u).toarray(), [[18, 0], [0, 36]])


def chain(q, v):
    """Return the Lagrangian of masses in a row, whose springs harden."""
    stretched = q[1:] - q[:-1]
    return 0.5 * np.sum((1.0 + 0.1 * q**2) * v**2) - np.sum(0.5 * stretched**2 + 0.25 * stretched**4)


@pytest.mark.parametrize("n", [5, 1000])
def test_equations_of_motion_from_a_lagrangian(n):
    """One step of the implicit midpoint rule, in momenta: all derivatives of the Lagrangian are taken inside."""
    momentum, force = sad.grad(chain, argnum=1), sad.grad(chain, argnum=0)
    q0, v0, h = np.sin(np.arange(n)), np.zeros(n), 0.05

    def residual(q1, q0, v0):
        v = (q1 - q0) / h
        middle = 0.5 * (q0 + q1)
        return momentum(middle, v) - momentum(q0, v0) - 0.5 * h * force(middle, v)

    q1 = q0 + 0.01 * np.cos(np.arange(n))
    jac = sad.jacobian(residual, q1, q0, v0)
    assert jac.pattern.nnz == 3 * n - 2
    if n < 10:

        def by_hand(q1):
            v, q = (q1 - q0) / h, 0.5 * (q0 + q1)
            s = q[1:] - q[:-1]
            pull = s + s**3
            zero = np.zeros(1)
            f = 0.1 * q * v**2 + np.concatenate([pull, zero]) - np.concatenate([zero, pull])
            return (1.0 + 0.1 * q**2) * v - (1.0 + 0.1 * q0**2) * v0 - 0.5 * h * f

        np.testing.assert_allclose(jac(q1, q0, v0).toarray(), complex_step(by_hand, q1), rtol=1e-13, atol=1e-13)


def double_pendulum(q, v):
    """Return the Lagrangian of two masses on two rods."""
    kinetic = v[0] ** 2 + 0.5 * v[1] ** 2 + v[0] * v[1] * np.cos(q[0] - q[1])
    return kinetic + 9.81 * (2.0 * np.cos(q[0]) + np.cos(q[1]))


def test_euler_lagrange_equations_of_a_double_pendulum():
    """The momenta change in time as the positions and speeds do: second derivatives inside, third ones outside."""
    momentum, pull = sad.grad(double_pendulum, argnum=1), sad.grad(double_pendulum, argnum=0)

    def equations(z):
        q, v, a = z[:2], z[2:4], z[4:]
        by_q, by_v = sad.jacobian(momentum, q, v), sad.jacobian(momentum, q, v, argnum=1)
        return by_q(q, v) @ v + by_v(q, v) @ a - pull(q, v)

    def by_hand(z):
        q, v, a = z[:2], z[2:4], z[4:]
        sin, cos = np.sin(q[0] - q[1]), np.cos(q[0] - q[1])
        first = 2.0 * a[0] + a[1] * cos + v[1] ** 2 * sin + 2.0 * 9.81 * np.sin(q[0])
        return np.array([first, a[1] + a[0] * cos - v[0] ** 2 * sin + 9.81 * np.sin(q[1])])

    z = np.array([0.4, -1.1, 0.8, 1.7, -0.3, 2.2])
    np.testing.assert_allclose(equations(z), by_hand(z), rtol=1e-13)
    jac = sad.jacobian(equations, z)
    np.testing.assert_allclose(jac(z).toarray(), complex_step(by_hand, z), rtol=1e-13, atol=1e-13)
    assert sad.check(jac, z).passed


def test_residual_of_finite_elements_with_a_penalty():
    """The gradient of an energy on triangles: its Jacobian is the stiffness, and the penalty where it is met."""
    n, weight = 6, 50.0
    number = np.arange(n * n).reshape(n, n)
    corners = number[:-1, :-1], number[1:, :-1], number[:-1, 1:], number[1:, 1:]
    triangles = np.concatenate([np.stack([corners[k].ravel() for k in t], 1) for t in ((0, 1, 2), (3, 2, 1))])
    floor = np.cos(np.arange(n * n))

    def energy(u):
        a, b, c = u[triangles].T
        return 0.25 * np.sum((b - a) ** 2 + (c - a) ** 2) + 0.5 * weight * np.sum(np.minimum(u - floor, 0.0) ** 2)

    element = 0.5 * np.array([[2.0, -1.0, -1.0], [-1.0, 1.0, 0.0], [-1.0, 0.0, 1.0]])
    rows, columns = np.repeat(triangles, 3, axis=1), np.tile(triangles, 3)
    entries = np.tile(element.ravel(), len(triangles))
    stiffness = sp.coo_array((entries, (rows.ravel(), columns.ravel())), (n * n, n * n)).toarray()
    u = np.sin(np.arange(n * n))
    sunk = u < floor
    assert 0 < sunk.sum() < u.size
    residual = sad.grad(energy)
    np.testing.assert_allclose(residual(u), stiffness @ u + weight * np.where(sunk, u - floor, 0.0), atol=1e-13)
    jac = sad.jacobian(residual, u)
    np.testing.assert_allclose(jac(u).toarray(), stiffness + weight * np.diag(sunk * 1.0), atol=1e-13)
    assert jac.pattern.nnz <= 7 * n * n


def test_recurrences_inside():
    def decayed(x):
        y, s = np.zeros(60), 0.0
        y[0] = x[0]
        for k in range(1, 60):
            y[k] = np.maximum(0.5 * np.sin(y[k - 1]) + x[k % x.size], 0.1)
            s = 0.9 * s + y[k]
        return np.sum(y**2) + s

    slope = sad.grad(decayed)
    J = sad.jacobian(lambda x: slope(x) * 1.0, X)(X).toarray()
    np.testing.assert_allclose(J, differences(slope, X), rtol=1e-7, atol=1e-7)
    with pytest.raises(sad.UnsupportedOperationError, match="matrix of a recurrence"):
        sad.jacobian(lambda x: sad.hessian(decayed, x)(x) @ x, X)


def test_the_transform_keeps_a_preparation_for_each_shape():
    calls = []

    def counted(x):
        calls.append(np.shape(x))
        return np.sum(x**2)

    slope = sad.grad(counted)
    np.testing.assert_array_equal(slope(np.ones(3)), [2.0, 2.0, 2.0])
    before = len(calls)
    slope(np.zeros(3))
    assert len(calls) == before
    np.testing.assert_array_equal(slope(np.ones(2)), [2.0, 2.0])


TILTED = np.array([[0.0, 0.3, 0.1, 0.0, 0.2], [0.1, 0.0, 0.4, 0.1, 0.0], [0.2, 0.1, 0.0, 0.3, 0.1],
                   [0.0, 0.2, 0.1, 0.0, 0.3], [0.3, 0.0, 0.2, 0.1, 0.0]])  # fmt: skip
STATED_AFTERWARDS = {  # functions whose derivatives hold results that NumPy or SciPy computes
    "solve": lambda y: np.sum(np.linalg.solve(np.diag(y + 4.0) + TILTED, y**2) ** 2),
    "spsolve": lambda y: np.sum(spla.spsolve(sp.csc_array(np.diag(y + 4.0) + TILTED), y) ** 2),
    "det": lambda y: np.linalg.det(np.diag(y + 2.0) + TILTED),
    "cholesky": lambda y: np.sum(np.linalg.cholesky(np.diag(y + 4.0) + TILTED @ TILTED.T) ** 3),
    "eigenvalues": lambda y: np.sum(np.linalg.eigvalsh(np.diag(3.0 * y) + TILTED + TILTED.T) ** 2),
    "jv": lambda y: np.sum(scipy.special.jv(1.0, y)),
    "erfcx": lambda y: np.sum(scipy.special.erfcx(y)),  # a formula that names the value
    "implicit": lambda y: np.sum(implicit(lambda z, a: z**3 + z - a)(np.ones(5), y) ** 2),
}


@pytest.mark.parametrize("name", STATED_AFTERWARDS)
def test_orders_add_up(name):
    g, x = STATED_AFTERWARDS[name], np.array([0.5, 1.3, 0.7, 2.1, 1.1])
    slope, hess = sad.gradient(g, x, backend="python"), sad.hessian(g, x, backend="python")
    J = sad.jacobian(sad.grad(g), x, check=False, backend="python")(x).toarray()
    np.testing.assert_allclose(J, hess(x).toarray(), rtol=1e-10, atol=1e-12)
    twice = sad.jacobian(sad.grad(lambda y: np.sum(sad.grad(g)(y) ** 2)), x, check=False, backend="python")
    np.testing.assert_allclose(twice.value(x), 2.0 * hess(x) @ slope(x), rtol=1e-10, atol=1e-12)
    third = differences(lambda y: 2.0 * hess(y) @ slope(y), x)
    np.testing.assert_allclose(twice(x).toarray(), third, rtol=1e-6, atol=1e-7 * abs(third).max())
    with pytest.raises(sad.UnsupportedOperationError, match=r"prepared outside.*\n.*\n.*sparsead\.grad"):
        sad.jacobian(lambda y: slope(y), x, check=False)
