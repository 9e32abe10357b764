"""Jacobians from differences of the function: values, patterns, counted calls, refusals."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sparsead as sad
from sparsead.derivatives.stepping import METHODS


def chain(x):
    return x[1:] ** 2 * x[:-1] + np.sin(x[:-1])


X = np.linspace(0.3, 1.4, 20)
ACCURACY = {"finite-difference": 1e-6, "central-difference": 1e-8, "complex-step": 1e-14}


@pytest.mark.parametrize("method", METHODS)
def test_values_and_pattern_agree_with_the_traced_jacobian(method):
    traced, differenced = sad.jacobian(chain, X), sad.jacobian(chain, X, method=method)
    assert differenced.pattern == traced.pattern
    np.testing.assert_allclose(differenced(X).toarray(), traced(X).toarray(), rtol=0, atol=ACCURACY[method])
    v = np.cos(np.arange(20.0))
    np.testing.assert_allclose(differenced.jvp(X, v), traced(X) @ v, atol=10 * ACCURACY[method])
    y, J = differenced.value_and_jacobian(X)
    np.testing.assert_array_equal(y, chain(X))
    np.testing.assert_array_equal(J.toarray(), differenced(X).toarray())


def test_function_that_cannot_be_traced_works_by_differences():
    def compiled(x):
        return np.array([math.ldexp(a, 0) ** 3 + math.ldexp(b, 0) for a, b in zip(x[1:], x[:-1], strict=True)])

    with pytest.raises(sad.TracedBranchError):
        sad.jacobian(compiled, X)
    jac = sad.jacobian(compiled, X, method="central-difference")
    np.testing.assert_allclose(jac(X).diagonal(1), 3 * X[1:] ** 2, rtol=1e-8)
    assert jac.pattern.nnz == 38


@pytest.mark.parametrize(
    ("method", "calls"), [("finite-difference", 3), ("central-difference", 4), ("complex-step", 2)]
)
def test_calls_are_what_passes_says(method, calls):
    count = 0

    def counted(x):
        nonlocal count
        count += 1
        return chain(x)

    jac = sad.jacobian(counted, X, method=method, pattern=sad.jacobian_pattern(chain, X))
    count = 0
    jac(X)
    assert count == calls == jac.passes["calls"]
    assert f"{calls} calls of counted instead of 20" in str(jac)


def test_probed_pattern_is_said_and_counted():
    jac = sad.jacobian(chain, X, method="finite-difference")
    assert "found by probing" in str(jac)
    assert jac.calls > X.size


def test_relative_step_is_used():
    coarse = sad.jacobian(lambda x: x**3, X, method="finite-difference", step=0.5)
    np.testing.assert_allclose(
        coarse(X).diagonal(), ((X + 0.5 * np.maximum(X, 1)) ** 3 - X**3) / (0.5 * np.maximum(X, 1))
    )


def test_values_orders_and_out():
    jac = sad.jacobian(chain, X, method="complex-step")
    J = jac(X)
    np.testing.assert_array_equal(jac.values(X, order="csc"), J.tocsc().data)
    assert jac(2 * X, out=J) is J
    np.testing.assert_allclose(J.toarray(), sad.jacobian(chain, X)(2 * X).toarray(), rtol=1e-14)


def test_what_has_no_differences_is_refused_in_words():
    with pytest.raises(sad.InputError, match=r"returned float64 for a complex argument.*central-difference"):
        sad.jacobian(lambda x: np.abs(x), X, method="complex-step")(X)
    with pytest.raises(sad.InputError, match="unknown method 'forward'"):
        sad.jacobian(chain, X, method="forward")
    with pytest.raises(sad.InputError, match="mode='reverse' needs method='ad'"):
        sad.jacobian(chain, X, method="complex-step", mode="reverse")
    with pytest.raises(sad.InputError, match=r"pattern has shape \(20, 20\), but the Jacobian is 19 x 20"):
        sad.jacobian(chain, X, method="complex-step", pattern=np.eye(20))
    with pytest.raises(sad.InputError, match=r"x has shape \(3,\)"):
        sad.jacobian(chain, X, method="complex-step")(np.ones(3))


@pytest.mark.parametrize("method", METHODS)
def test_functions_that_draw_are_refused(method):
    rng = np.random.default_rng(0)
    pattern = sad.jacobian_pattern(chain, X)
    with pytest.raises(sad.CheckFailed, match=r"draws random numbers"):
        sad.jacobian(lambda x: chain(x) * rng.uniform(0.9, 1.1), X, method=method, pattern=pattern)
    sad.jacobian(lambda x: chain(x) * rng.uniform(0.9, 1.1), X, method=method, pattern=pattern, check=False)
