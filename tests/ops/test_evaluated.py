"""Functions that SciPy computes: values, first and second derivatives against high precision."""

from __future__ import annotations

import functools

import mpmath
import numpy as np
import pytest
import scipy.special as sc

import sparsead as sad

POINTS = np.array([0.31, 0.52, 0.74])


def _faddeeva(z):
    return mpmath.exp(-z * z) * mpmath.erfc(-1j * z)


FUNCTIONS = {
    "jv": (lambda x: sc.jv(1.5, x), lambda x: mpmath.besselj(1.5, x)),
    "yv": (lambda x: sc.yv(0.5, x), lambda x: mpmath.bessely(0.5, x)),
    "iv": (lambda x: sc.iv(0.5, x), lambda x: mpmath.besseli(0.5, x)),
    "kv": (lambda x: sc.kv(1, x), lambda x: mpmath.besselk(1, x)),
    "j0": (lambda x: sc.j0(x), lambda x: mpmath.besselj(0, x)),
    "j1": (lambda x: sc.j1(x), lambda x: mpmath.besselj(1, x)),
    "y0": (lambda x: sc.y0(x), lambda x: mpmath.bessely(0, x)),
    "y1": (lambda x: sc.y1(x), lambda x: mpmath.bessely(1, x)),
    "i0": (lambda x: sc.i0(x), lambda x: mpmath.besseli(0, x)),
    "i1": (lambda x: sc.i1(x), lambda x: mpmath.besseli(1, x)),
    "k0": (lambda x: sc.k0(x), lambda x: mpmath.besselk(0, x)),
    "k1": (lambda x: sc.k1(x), lambda x: mpmath.besselk(1, x)),
    "exp1": (lambda x: sc.exp1(x), mpmath.e1),
    "expi": (lambda x: sc.expi(x), mpmath.ei),
    "gammainc": (lambda x: sc.gammainc(2.5, x), lambda x: mpmath.gammainc(2.5, 0, x, regularized=True)),
    "gammaincc": (lambda x: sc.gammaincc(2.5, x), lambda x: mpmath.gammainc(2.5, x, regularized=True)),
    "betainc": (lambda x: sc.betainc(2.0, 3.5, x), lambda x: mpmath.betainc(2, 3.5, 0, x, regularized=True)),
    "betaln": (lambda x: sc.betaln(x, 2.0), lambda x: mpmath.log(mpmath.beta(x, 2))),
    "beta": (lambda x: sc.beta(x, 2.5), lambda x: mpmath.beta(x, 2.5)),
    "beta, below zero": (lambda x: sc.beta(x - 2.0, 2.5), lambda x: mpmath.beta(x - 2, 2.5)),
    "comb": (lambda x: sc.comb(x, 0.4, repetition=True), lambda x: mpmath.binomial(x - 0.6, 0.4)),
    "erfinv": (lambda x: sc.erfinv(x), mpmath.erfinv),
    "erfcinv": (lambda x: sc.erfcinv(x), lambda x: mpmath.erfinv(1 - x)),
    "ndtri": (lambda x: sc.ndtri(x), lambda x: mpmath.sqrt(2) * mpmath.erfinv(2 * x - 1)),
    "log_ndtr": (lambda x: sc.log_ndtr(x), lambda x: mpmath.log(mpmath.ncdf(x))),
    "erfcx": (lambda x: sc.erfcx(x), lambda x: mpmath.exp(x * x) * mpmath.erfc(x)),
    "erfi": (lambda x: sc.erfi(x), mpmath.erfi),
    "dawsn": (lambda x: sc.dawsn(x), lambda x: mpmath.sqrt(mpmath.pi) / 2 * mpmath.exp(-x * x) * mpmath.erfi(x)),
    "ellipk": (lambda x: sc.ellipk(x), mpmath.ellipk),
    "ellipe": (lambda x: sc.ellipe(x), mpmath.ellipe),
    "spence": (lambda x: sc.spence(x), lambda x: mpmath.polylog(2, 1 - x)),
    "hyp2f1": (lambda x: sc.hyp2f1(1.0, 2.0, 3.5, x), lambda x: mpmath.hyp2f1(1, 2, 3.5, x)),
    "hyp1f1": (lambda x: sc.hyp1f1(1.5, 2.5, x), lambda x: mpmath.hyp1f1(1.5, 2.5, x)),
    "polygamma": (lambda x: sc.polygamma(1, x), lambda x: mpmath.psi(1, x)),
    "lambertw": (lambda x: sc.lambertw(x).real, lambda x: mpmath.lambertw(x).real),
    "eval_legendre": (lambda x: sc.eval_legendre(4, x), lambda x: mpmath.legendre(4, x)),
    "eval_chebyt": (lambda x: sc.eval_chebyt(5, x), lambda x: mpmath.chebyt(5, x)),
    "eval_chebyu": (lambda x: sc.eval_chebyu(4, x), lambda x: mpmath.chebyu(4, x)),
    "eval_hermite": (lambda x: sc.eval_hermite(4, x), lambda x: mpmath.hermite(4, x)),
    "eval_hermitenorm": (lambda x: sc.eval_hermitenorm(4, x), lambda x: mpmath.hermite(4, x / mpmath.sqrt(2)) / 4),
    "eval_laguerre": (lambda x: sc.eval_laguerre(3, x), lambda x: mpmath.laguerre(3, 0, x)),
    "eval_genlaguerre": (lambda x: sc.eval_genlaguerre(3, 0.5, x), lambda x: mpmath.laguerre(3, 0.5, x)),
    "eval_gegenbauer": (lambda x: sc.eval_gegenbauer(3, 1.5, x), lambda x: mpmath.gegenbauer(3, 1.5, x)),
    "eval_jacobi": (lambda x: sc.eval_jacobi(3, 0.5, 1.5, x), lambda x: mpmath.jacobi(3, 0.5, 1.5, x)),
    "exprel": (lambda x: sc.exprel(x), lambda x: mpmath.expm1(x) / x),
    "airy": (lambda x: sc.airy(x)[0], mpmath.airyai),
    "airy, second": (lambda x: sc.airy(x)[2], mpmath.airybi),
    "fresnel": (lambda x: sc.fresnel(x)[0], mpmath.fresnels),
    "sici": (lambda x: sc.sici(x)[0], mpmath.si),
    "sici, cosine": (lambda x: sc.sici(x)[1], mpmath.ci),
    "shichi": (lambda x: sc.shichi(x)[0], mpmath.shi),
    "struve": (lambda x: sc.struve(1.5, x), lambda x: mpmath.struveh(1.5, x)),
    "modstruve": (lambda x: sc.modstruve(1.5, x), lambda x: mpmath.struvel(1.5, x)),
    "ber": (lambda x: sc.ber(x), lambda x: mpmath.ber(0, x)),
    "kei": (lambda x: sc.kei(x), lambda x: mpmath.kei(0, x)),
    "ellipkinc": (lambda x: sc.ellipkinc(x, 0.3), lambda x: mpmath.ellipf(x, 0.3)),
    "ellipeinc": (lambda x: sc.ellipeinc(x, 0.3), lambda x: mpmath.ellipe(x, 0.3)),
    "ellipj": (lambda x: sc.ellipj(x, 0.3)[0], lambda x: mpmath.ellipfun("sn", x, m=0.3)),
    "ellipkm1": (lambda x: sc.ellipkm1(x), lambda x: mpmath.ellipk(1 - x)),
    "expn": (lambda x: sc.expn(2, x), lambda x: mpmath.expint(2, x)),
    "hyp0f1": (lambda x: sc.hyp0f1(1.5, x), lambda x: mpmath.hyp0f1(1.5, x)),
    "hyperu": (lambda x: sc.hyperu(1.5, 2.0, x), lambda x: mpmath.hyperu(1.5, 2.0, x)),
    "agm": (lambda x: sc.agm(x, 1.0), lambda x: mpmath.agm(x, 1)),
    "binom": (lambda x: sc.binom(4.0, x), lambda x: mpmath.binomial(4, x)),
    "poch": (lambda x: sc.poch(2.0, x), lambda x: mpmath.rf(2, x)),
    "rgamma": (lambda x: sc.rgamma(x), mpmath.rgamma),
    "pbdv": (lambda x: sc.pbdv(1.5, x)[0], lambda x: mpmath.pcfd(1.5, x)),
    "ive": (lambda x: sc.ive(0.5, x), lambda x: mpmath.exp(-x) * mpmath.besseli(0.5, x)),
    "kve": (lambda x: sc.kve(0.5, x), lambda x: mpmath.exp(x) * mpmath.besselk(0.5, x)),
    "spherical_jn": (
        lambda x: sc.spherical_jn(2, x),
        lambda x: mpmath.sqrt(mpmath.pi / (2 * x)) * mpmath.besselj(2.5, x),
    ),
    "voigt_profile": (
        lambda x: sc.voigt_profile(x, 0.7, 0.4),
        lambda x: (
            mpmath.re(_faddeeva((x + 0.4j) / (mpmath.mpf(0.7) * mpmath.sqrt(2))))
            / (mpmath.mpf(0.7) * mpmath.sqrt(2 * mpmath.pi))
        ),
    ),
    "lambertw, other branch": (lambda x: sc.lambertw(-0.3 * x, -1).real, lambda x: mpmath.lambertw(-0.3 * x, -1).real),
}


def exact(f, x, order):
    """Return a derivative of a function of high precision at each point."""
    with mpmath.workdps(40):
        return np.array([float(mpmath.diff(f, mpmath.mpf(float(v)), order)) for v in x])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_and_second_derivatives(name):
    f, reference = FUNCTIONS[name]
    jac = sad.jacobian(f, POINTS)
    assert jac.pattern.nnz == POINTS.size
    np.testing.assert_allclose(jac.value(POINTS), f(POINTS), rtol=1e-14)
    np.testing.assert_allclose(jac(POINTS).diagonal(), exact(reference, POINTS, 1), rtol=1e-11)
    hess = sad.hessian(lambda x: np.sum(f(x)), POINTS)
    np.testing.assert_allclose(hess(POINTS).diagonal(), exact(reference, POINTS, 2), rtol=1e-9)


@pytest.mark.parametrize(
    ("name", "point"), [("ellipk", 0.0), ("ellipk", 3e-5), ("ellipe", 0.0), ("ellipe", -5e-5), ("spence", 1.0)]
)
def test_points_where_the_formula_is_not_smooth(name, point):
    f, reference = FUNCTIONS[name]
    x = np.array([point])
    assert sad.jacobian(f, x)(x).data[0] == pytest.approx(exact(reference, x, 1)[0], rel=1e-10)


def test_a_traced_order_is_refused():
    with pytest.raises(sad.UnsupportedOperationError, match="jv with a traced order"):
        sad.jacobian(lambda x: sc.jv(x, 2.0), POINTS)


def test_polynomials_of_degree_zero_are_constant():
    for name in ("legendre", "chebyt", "chebyu", "hermite", "laguerre", "sh_legendre", "chebys"):
        jac = sad.jacobian(functools.partial(getattr(sc, f"eval_{name}"), 0), POINTS)
        assert not jac(POINTS).toarray().any()


@pytest.mark.parametrize("name", ["gammaincinv", "gammainccinv", "chdtri", "stdtrit"])
def test_inverses_have_reciprocal_slopes(name):
    inverse = getattr(sc, name)
    forward = {"gammaincinv": sc.gammainc, "gammainccinv": sc.gammaincc, "chdtri": sc.chdtrc, "stdtrit": sc.stdtr}[name]
    there = sad.jacobian(lambda x: inverse(2.5, x), POINTS)
    back = sad.jacobian(lambda x: forward(2.5, x), POINTS)
    np.testing.assert_allclose(there(POINTS).diagonal() * back(inverse(2.5, POINTS)).diagonal(), 1.0, rtol=1e-11)


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (sc.digamma, [-3.0, -1.0, 0.0, 1e-300, -1e-300]),
        (sc.logsumexp, [-np.inf, -np.inf]),
        (sc.logsumexp, [np.inf, -np.inf]),
        (sc.softmax, [np.inf, 1.0]),
        (lambda x: sc.comb(x, 0.0, repetition=True), [-1.0, 0.0, 0.5]),
    ],
)
def test_values_at_poles_and_of_infinities_are_those_of_scipy(f, point):
    with np.errstate(all="ignore"):
        value = sad.jacobian(f, POINTS[: len(point)] if len(point) < 4 else np.arange(5.0), check=False).value
        np.testing.assert_allclose(value(np.array(point)), f(np.array(point)), rtol=1e-15)


def test_whole_numbers_are_counted_for_whole_numbers_alone():
    with pytest.raises(sad.UnsupportedOperationError, match="exact=True"):
        sad.jacobian(lambda x: sc.factorial(x, exact=True), POINTS)
