"""Systems up to 4 x 4: pivots, conditions up to 1e10, any scale, against NumPy and mpmath."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import sparsead as sad
from tests.reference import assert_close, complex_step, differences

RNG = np.random.default_rng(8)
SIZES = [1, 2, 3, 4]
T = np.array([0.0, 0.1, 0.2, 0.3])
FUNCTIONS = {
    "inv": np.linalg.inv,
    "det": np.linalg.det,
    "logdet": lambda a: np.linalg.slogdet(a)[1],
    "solve": lambda a: np.linalg.solve(a, np.arange(1.0, 1.0 + a.shape[-1])),
    "solve for several": lambda a: np.linalg.solve(a, a[..., ::-1, :] ** 2),
}


def permuted(n):
    """A matrix whose elimination stops at a zero without pivots, for every order of rows."""
    return np.roll(np.diag(RNG.uniform(1.0, 2.0, n)), 1, axis=0) + np.triu(RNG.uniform(-0.2, 0.2, (n, n)), 1) * 0.5


def ill_conditioned(n):
    u, _ = np.linalg.qr(RNG.normal(size=(n, n)))
    v, _ = np.linalg.qr(RNG.normal(size=(n, n)))
    return u @ np.diag(np.logspace(0, -10, n)) @ v if n > 1 else u


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("n", SIZES)
def test_values_and_derivatives(name, n):
    f, a = FUNCTIONS[name], permuted(n)
    jac = sad.jacobian(f, a, backend="python")
    assert_close(jac.value(a), f(a), 1e-14)
    assert_close(jac(a).toarray(), differences(f, a), 1e-8)
    hess = sad.hessian(lambda a: np.sum(f(a)), a, backend="python")
    assert_close(hess(a).toarray(), differences(lambda a: sad_gradient(jac, f, a), a), 1e-7)


def sad_gradient(jac, f, a):
    """The gradient of the sum, by products held to differences above."""
    return jac.vjp(a, np.ones(np.size(f(a))))


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["inv", "solve", "logdet"])
@pytest.mark.parametrize("scale", [1e100, 1e-100])
def test_any_scale(name, n, scale):
    f, a = FUNCTIONS[name], scale * permuted(n)
    jac = sad.jacobian(f, a, backend="python")
    np.testing.assert_allclose(jac.value(a), f(a), rtol=1e-13)
    slopes = jac(a).toarray()
    power = {"inv": scale**-2 if scale < 1e150 else 0.0, "solve": scale**-2, "logdet": 1.0 / scale}[name]
    np.testing.assert_allclose(slopes / power, jac(a / scale).toarray(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n", [2, 3, 4])
def test_conditions_of_1e10(n):
    """No worse than NumPy, whose errors are about 1e-16 times the condition."""
    a = ill_conditioned(n)
    with mp.workdps(60):
        inverse = np.array((mp.matrix(a.tolist()) ** -1).tolist(), dtype=object)
        slopes = -np.einsum("ik,lj->ijkl", inverse, inverse).astype(float).reshape(n * n, n * n)
        inverse, det = inverse.astype(float), float(mp.det(mp.matrix(a.tolist())))
    jac = sad.jacobian(np.linalg.inv, a, backend="python")
    for found, expected in ((jac.value(a), inverse), (jac(a).toarray(), slopes)):
        assert np.abs(found - expected).max() < 1e-5 * np.abs(expected).max()
    found = sad.jacobian(np.linalg.det, a, backend="python")
    assert abs(found.value(a) / det - 1.0) < 1e-5
    np.testing.assert_allclose(found(a).toarray().reshape(n, n).T, det * inverse, rtol=0, atol=1e-14)


def test_a_kernel_matrix():
    y = np.arange(4.0)

    def f(p):
        return np.linalg.solve(np.exp(-((T[:, None] - T) ** 2) / (2.0 * p[0] ** 2)), y)

    p = np.array([1.5])
    with mp.workdps(60):

        def exact(p):
            a = mp.matrix([[mp.exp(-((mp.mpf(s) - mp.mpf(t)) ** 2) / (2 * p**2)) for t in T] for s in T])
            return np.array([mp.mpf(v) for v in mp.lu_solve(a, mp.matrix(y.tolist()))], dtype=object)

        h = mp.mpf(10) ** -25
        value = exact(mp.mpf(p[0])).astype(float)
        slope = ((exact(p[0] + h) - exact(p[0] - h)) / (2 * h)).astype(float)
    jac = sad.jacobian(f, p)
    assert np.abs(jac.value(p) - value).max() < 1e-6 * np.abs(value).max()  # the condition is 1.5e8
    assert np.abs(jac(p).toarray()[:, 0] - slope).max() < 1e-6 * np.abs(slope).max()


def test_determinants_have_derivatives_at_singular_matrices():
    column = np.array([[0.0, 1.0, 2.0], [0.0, 3.0, 4.0], [0.0, 5.0, 6.0]])
    jac = sad.jacobian(np.linalg.det, column, backend="python")
    for a in (column, column.T, np.ones((3, 3)), np.zeros((3, 3))):
        cofactors = [
            [(-1.0) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(3)] for i in range(3)
        ]
        assert jac.value(a) == pytest.approx(0.0, abs=1e-15)
        np.testing.assert_allclose(jac(a).toarray().reshape(3, 3), cofactors, atol=1e-14)


def test_signs_of_determinants_agree_with_numpy():
    for a in (permuted(3), permuted(4), -permuted(3)):
        found = sad.jacobian(lambda a: np.linalg.slogdet(a).sign * a[0], a, backend="python").value(a)
        np.testing.assert_array_equal(found, np.linalg.slogdet(a).sign * a[0])


def test_stacked_and_broadcast():
    a = np.stack([permuted(3), permuted(3)])
    for f in (
        lambda a: np.linalg.solve(a, np.ones((3, 2))),
        lambda a: np.linalg.solve(a[0], a),
        lambda a: np.linalg.solve(a, np.array([1.0, 2.0, 3.0])),
        np.linalg.inv,
    ):
        jac = sad.jacobian(f, a, backend="python")
        assert jac.value(a).shape == f(a).shape
        assert_close(jac.value(a), f(a), 1e-13)
        assert_close(jac(a).toarray(), differences(f, a), 1e-8)


@pytest.mark.parametrize("known", [True, False])
def test_code_does_not_grow_with_the_columns_of_a_right_hand_side(known):
    matrix = np.array([[4.0, 1.0, 0.5], [-1.0, 3.0, 0.2], [0.3, 0.1, 5.0]])

    def solved(x):
        return np.linalg.solve(matrix if known else matrix + np.outer(x[:3], x[3:6]), x.reshape(3, -1))

    nodes, rng = [], np.random.default_rng(3)
    for columns in (20, 40):
        x = rng.uniform(0.1, 0.9, 3 * columns)
        jac = sad.jacobian(solved, x)
        nodes.append(len(jac.program.nodes))
        assert_close(jac(x).toarray(), complex_step(solved, x), 1e-12)
    assert nodes[0] == nodes[1]
