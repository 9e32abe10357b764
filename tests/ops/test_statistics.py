"""Distributions of several variables, quantiles, kernel densities: against SciPy's values and differences."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats as st

import sparsead as sad
from tests.reference import assert_close, differences

X = np.array([0.41, 1.37, 2.26, 0.93, 1.64, 0.72])
S = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 1.5]])
DATA = np.random.default_rng(0).normal(size=(7, 3))


def cov(x):
    return S + np.outer(x[:3], x[:3])


CASES = {
    "at unknown points": lambda x: st.multivariate_normal.logpdf(x.reshape(2, 3), np.zeros(3), S),
    "of lists": lambda x: st.multivariate_normal.logpdf(x.reshape(2, 3), [0.0, 0.1, 0.2], S.tolist()),
    "density": lambda x: st.multivariate_normal.pdf(x[:3], x[3:], cov(x)),
    "unknown covariance": lambda x: st.multivariate_normal.logpdf(DATA, x[:3], cov(x)),
    "not singular": lambda x: st.multivariate_normal.logpdf(x[:3], x[3:], cov(x), allow_singular=True),
    "one point": lambda x: (
        st.multivariate_normal.logpdf(x[:1], x[1], x[2]) * st.multivariate_t.logpdf(x[None, :3], shape=S, df=3)
    ),
    "diagonal": lambda x: st.multivariate_normal.logpdf(DATA, x[:3], x[3:]),
    "one number": lambda x: st.multivariate_normal.logpdf(DATA, x[:3], x[3]),
    "one variable": lambda x: st.multivariate_normal.logpdf(x, x[0], x[1]),
    "frozen": lambda x: st.multivariate_normal(np.zeros(3), S).logpdf(x.reshape(2, 3)),
    "frozen, unknown": lambda x: st.multivariate_normal(x[:3], cov=cov(x)).logpdf(DATA) * x[0],
    "t": lambda x: st.multivariate_t.logpdf(DATA, x[:3], cov(x), x[4]),
    "t, frozen": lambda x: st.multivariate_t(x[:3], S, 4.0).pdf(DATA),
    "dirichlet": lambda x: st.dirichlet.logpdf(x / x.sum(), x + 1.0),
    "dirichlet, frozen": lambda x: st.dirichlet([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).logpdf(x / x.sum()),
    "multinomial": lambda x: st.multinomial.logpmf([[1, 2, 0, 1, 0, 2]], 6, x / x.sum()),
    "quantiles": lambda x: st.norm.ppf(x / 3.0, x[0], x[1]) + st.gamma.isf(x / 3.0, 2.5, scale=x),
    "quantiles of t": lambda x: st.t.ppf(x / 3.0, 4.0) + st.beta.ppf(x / 3.0, 2.0, 3.0) + st.expon.isf(x / 3.0),
    "of more variables": lambda x: st.gaussian_kde(DATA.T)(x.reshape(3, 2)),
    "with weights": lambda x: st.gaussian_kde(DATA[:, 0], weights=np.arange(1.0, 8.0)).logpdf(x),
    "entropies": lambda x: np.array([st.entropy(x), st.entropy(x, X[::-1]), st.skew(x), st.kurtosis(x, fisher=False)]),
    "means": lambda x: np.array([st.gmean(x, weights=X), st.hmean(x), st.pmean(x, 0), st.sem(x), st.moment(x, 4)]),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_derivatives(name):
    f = CASES[name]
    jac = sad.jacobian(f, X, check=False, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-11)
    assert_close(jac(X).toarray(), differences(f, X), 1e-8)
    hess = sad.hessian(lambda x: np.sum(f(x)), X, check=False, backend="python")
    assert_close(hess(X).toarray(), differences(hess.gradient, X), 1e-6)


def test_a_covariance_that_becomes_singular_is_an_error():
    def f(x):
        return st.multivariate_normal.logpdf(x[:2], np.zeros(2), np.diag(x[2:4]), allow_singular=True)

    jac = sad.jacobian(f, X)
    with pytest.raises(np.linalg.LinAlgError, match="rank"):
        jac(np.array([0.3, 0.4, 1.0, 1e-12, 0.0, 0.0]))


def test_ends_of_quantiles():
    x = np.array([0.0, 0.5, 1.0, 1.5])
    for f in (lambda x: st.expon.ppf(x), lambda x: st.expon.isf(x), lambda x: st.norm.ppf(x, 1.0, 2.0)):
        np.testing.assert_array_equal(sad.jacobian(f, x, check=False).value(x), f(x))


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: st.multivariate_normal.logpdf(x, np.zeros(6), np.zeros((6, 6)), allow_singular=True), "regular"),
        (lambda x: st.dirichlet.logpdf(x[:2], [1.0, 2.0, 3.0]), "the last one"),
        (lambda x: st.multinomial.logpmf([1, 2, 3], 7, x[:3]), "outside of its support"),
        (lambda x: st.moment(x), "Orders from 2 on"),
        (lambda x: st.boxcox(x), "looks for lmbda"),
        (lambda x: st.wishart.logpdf(S * x[0], 7, S), "logpdf, which asks(.|\n)*for most distributions"),
        (lambda x: st.pearsonr(x, X).statistic, "for most distributions"),
    ],
)
def test_what_is_refused_says_what_to_write(f, words):
    with pytest.raises(sad.SparseADError, match=words):
        sad.jacobian(f, X)
