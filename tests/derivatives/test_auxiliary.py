"""Functions that return ``(result, aux)``: what each call returns, as asdex and JAX have it, and what is not traced."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import sparsead as sad
from sparsead.contract import members

X = np.array([0.5, 1.25, 2.0])


def residual(x, p=1.0):
    flux = p * np.diff(x, prepend=0.0)
    return flux**2, {"flux": flux, "words": "as it was", "count": [flux.size]}


def energy(x, p=1.0):
    terms = p * np.exp(x) * x[::-1]
    return np.sum(terms), terms


def plain(f):
    return lambda x, p=1.0: f(x, p)[0]


def assert_beside(found, expected):
    assert type(found) is type(expected)
    if isinstance(found, dict):
        assert found.keys() == expected.keys() and found["words"] == "as it was" and found["count"] == [3]
        found, expected = found["flux"], expected["flux"]
    assert type(found) is np.ndarray
    np.testing.assert_array_equal(found, expected)


def dense(found):
    return found.toarray() if hasattr(found, "toarray") else found


@pytest.mark.parametrize("options", [{}, {"method": "complex-step"}, {"guard": "record"}, {"format": "csc"}])
def test_calls_of_a_jacobian(options):
    jac = sad.jacobian(residual, X, 1.0, has_aux=True, **options)
    alone = sad.jacobian(plain(residual), X, 1.0, **options)
    assert isinstance(jac, sad.WithAux)
    for args, named in (((0.5,), {}), ((), {"p": 0.5})):
        J, aux = jac(X, *args, **named)
        assert type(J) is type(alone(X, 0.5))
        np.testing.assert_array_equal(dense(J), dense(alone(X, 0.5)))
        assert_beside(aux, residual(X, 0.5)[1])
        (value, aux), J = jac.value_and_jacobian(X, *args, **named)
        np.testing.assert_allclose(value, residual(X, 0.5)[0], rtol=1e-14)
        np.testing.assert_array_equal(dense(J), dense(alone(X, 0.5)))
        assert_beside(aux, residual(X, 0.5)[1])
        value, aux = jac.value(X, *args, **named)
        np.testing.assert_allclose(value, residual(X, 0.5)[0], rtol=1e-14)
        assert_beside(aux, residual(X, 0.5)[1])
    np.testing.assert_array_equal(jac.jvp(X, X, 0.5), alone.jvp(X, X, 0.5))
    assert jac.pattern == alone.pattern and jac.shape == (3, 3)
    assert sad.check(jac, X, 0.5).passed
    out = jac.prepared(X, 0.25)
    assert jac(X, 0.5, out=out)[0] is out


def test_calls_of_a_hessian_and_a_gradient():
    hess, grad = sad.hessian(energy, X, 1.0, has_aux=True), sad.gradient(energy, X, 1.0, has_aux=True)
    alone = sad.hessian(plain(energy), X, 1.0)
    value, terms = energy(X, 0.5)
    np.testing.assert_array_equal(hess(X, 0.5)[0].toarray(), alone(X, 0.5).toarray())
    (v, aux), g, H = hess.value_gradient_and_hessian(X, 0.5)
    np.testing.assert_array_equal(H.toarray(), alone(X, 0.5).toarray())
    for made in (hess, grad):
        (v, aux), g = made.value_and_gradient(X, 0.5)
        np.testing.assert_allclose(v, value, rtol=1e-14)
        np.testing.assert_allclose(g, alone.gradient(X, 0.5), rtol=1e-14)
        assert_beside(aux, terms)
    for g, aux in (grad(X, 0.5), hess.gradient(X, 0.5)):
        np.testing.assert_allclose(g, alone.gradient(X, 0.5), rtol=1e-14)
        assert_beside(aux, terms)
    assert sad.check(hess, X, 0.5).passed and sad.check(grad, X, 0.5).passed


def test_nothing_of_what_is_beside_is_traced():
    def f(x):
        return x**2, (np.sin(x) @ np.cos(x), object)

    jac = sad.jacobian(f, X, has_aux=True)
    assert jac(X)[1] == (np.sin(X) @ np.cos(X), object)
    alone = sad.jacobian(lambda x: x**2, X)
    assert str(jac.kernels) == str(alone.kernels) and "sin" not in str(jac.program)


def test_the_function_is_called_once_more_and_keeps_its_hands_off_the_arguments():
    count = 0

    def f(x):
        nonlocal count
        count += 1
        y = x**2
        x[:] = 0.0
        return y, count

    jac = sad.jacobian(f, X, has_aux=True)
    x, count = X.copy(), 0
    _, aux = jac(x)
    assert (aux, count) == (1, 1)
    np.testing.assert_array_equal(x, X)
    jac.prepared(x), jac.jvp(x, x)
    assert count == 1


def test_inside_a_function_it_is_part_of_the_program():
    outside = sad.jacobian(residual, X, 1.0, has_aux=True)

    def composed(x):
        J, aux = outside(x, 0.5)
        (value, again), g = sad.gradient(energy, x, has_aux=True).value_and_gradient(x)
        return np.concatenate([J @ x + aux["flux"], g * value + again])

    def by_hand(x):
        J, aux = outside.prepared(x, 0.5).toarray(), residual(x, 0.5)[1]
        value, terms = energy(x)
        return np.concatenate([J @ x + aux["flux"], (np.exp(x) * x[::-1] + np.exp(x[::-1])) * value + terms])

    h = 1e-6
    expected = np.stack([(by_hand(X + h * e) - by_hand(X - h * e)) / (2.0 * h) for e in np.eye(3)], axis=1)
    jac = sad.jacobian(composed, X)
    np.testing.assert_allclose(composed(X), by_hand(X), rtol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("returned", [lambda x: x, lambda x: (x, x, x), lambda x: [x, x]])
@pytest.mark.parametrize("prepare", [sad.jacobian, sad.hessian, sad.gradient])
def test_functions_that_return_no_pair(prepare, returned):
    with pytest.raises(sad.InputError, match=r"has_aux=True expects <lambda> to return a pair, \(result, aux\)"):
        prepare(returned, X, has_aux=True)


def test_it_pickles_prints_and_offers_what_the_derivative_offers():
    jac = sad.jacobian(residual, X, 1.0, has_aux=True)
    again = pickle.loads(pickle.dumps(jac))
    np.testing.assert_array_equal(again(X, 0.5)[0].toarray(), jac(X, 0.5)[0].toarray())
    assert_beside(again(X, 0.5)[1], residual(X, 0.5)[1])
    assert "aux of residual" in str(jac) and repr(jac).startswith("<with aux <sparse Jacobian")
    for member in members("jacobian"):
        getattr(jac, member)
    with pytest.raises(AttributeError, match="hvp"):
        jac.hvp  # noqa: B018


def test_what_the_function_reads_is_looked_at():
    scale = np.array([1.0, 2.0, 3.0])
    jac = sad.jacobian(lambda x, *, p: (p * scale * x, None), X, p=1.0, has_aux=True)
    np.testing.assert_allclose(jac(X, p=2.0)[0].diagonal(), 2.0 * scale)
    scale[0] = 5.0
    with pytest.raises(sad.CheckFailed, match="scale"):
        sad.check(jac, X, 2.0)
