"""Densities and distribution functions of scipy.stats."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats as st

import sparsead as sad
from tests.reference import differences

X = np.array([0.4, 1.3, 0.75])
CASES = {
    "norm": lambda d, m, x: getattr(d, m)(x, 0.3, x[0] + 1.0),
    "expon": lambda d, m, x: getattr(d, m)(x, scale=x[1]),
    "gamma": lambda d, m, x: getattr(d, m)(x, 2.5),
    "beta": lambda d, m, x: getattr(d, m)(x / 2.0, 2.0, 3.0),
    "lognorm": lambda d, m, x: getattr(d, m)(x, x[0]) if m in ("pdf", "logpdf") else getattr(st.norm, m)(x),
    "t": lambda d, m, x: getattr(d, m)(x, 4.0) if m in ("pdf", "logpdf") else getattr(st.norm, m)(x),
    "uniform": lambda d, m, x: getattr(d, m)(x, -1.0, 4.0),
    "laplace": lambda d, m, x: getattr(d, m)(x) if m in ("pdf", "logpdf") else getattr(st.norm, m)(x),
    "cauchy": lambda d, m, x: getattr(d, m)(x),
    "weibull_min": lambda d, m, x: getattr(d, m)(x, 1.5),
}


@pytest.mark.parametrize("method", ["pdf", "logpdf", "cdf", "sf", "logcdf"])
@pytest.mark.parametrize("name", CASES)
def test_densities_and_distribution_functions(name, method):
    f = lambda x: CASES[name](getattr(st, name), method, x)  # noqa: E731
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: st.norm.logpdf(0.3, x[0], x[1]),
        lambda x: st.norm.cdf([0.1, 0.2], scale=x[:2]),
        lambda x: st.gamma.logpdf(0.5, x[0], scale=x[1]),
        lambda x: st.beta.logpdf(0.5, x[0], x[1]),
        lambda x: st.weibull_min.ppf(0.4, x[0], scale=x[1]),
        lambda x: st.skewnorm.logpdf(0.1, x[0], scale=x[1]),
        lambda x: st.erlang.logpdf(0.5, x[0]),
        lambda x: st.poisson.logpmf([0, 2], x[0]),
        lambda x: st.geom.pmf(2, x[0] / 2.0),
        lambda x: st.nbinom.logpmf(2, 5, x[1]),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_parameters_of_no_distribution_give_nan(f):
    jac = sad.jacobian(f, np.array([0.4, 0.3]))
    for x in ([0.7, 0.2], [-0.7, 0.2], [0.7, -0.2], [0.0, 0.2], [2.5, 1.5]):
        np.testing.assert_allclose(jac.value(np.array(x)), f(np.array(x)), rtol=1e-12)


def test_outside_of_the_support():
    x = np.array([-0.5, 0.5])
    assert sad.jacobian(lambda x: st.expon.pdf(x), x)(x).toarray()[0, 0] == 0.0
    assert sad.jacobian(lambda x: st.beta.cdf(x + 1.2, 2.0, 3.0), x).value(x)[1] == 1.0


def test_likelihood_of_counts():
    counts = np.array([3, 0, 2])
    f = lambda x: st.poisson.logpmf(counts, x) + st.binom.logpmf(counts, 5, x / 2.0)  # noqa: E731
    np.testing.assert_allclose(sad.jacobian(f, X)(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)
    with pytest.raises(sad.UnsupportedOperationError, match="outside of its support"):
        sad.jacobian(lambda x: st.poisson.logpmf([-1, 0, 1], x), X)


def test_hessian_of_a_likelihood():
    data = np.array([0.3, 1.1, 2.5, 0.7])
    f = lambda p: -np.sum(st.norm.logpdf(data, p[0], p[1]))  # noqa: E731
    p = np.array([1.0, 1.5])
    hess = sad.hessian(f, p)
    np.testing.assert_allclose(hess(p).toarray(), differences(hess.gradient, p), rtol=1e-7)
    np.testing.assert_allclose(hess.gradient(p), differences(f, p)[0], rtol=1e-8)
