"""Rarer functions of scipy.special: derivatives of both orders against high precision, or SciPy's own inverse."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc

import sparsead as sad

POINTS = np.array([0.31, 0.52, 0.74])


def _integral(f):
    return lambda x: mp.quad(f, [0, x])


def _wright(a, b):
    return lambda x: mp.nsum(lambda k: x**k / (mp.factorial(k) * mp.gamma(a * k + b)), [0, mp.inf])


FUNCTIONS = {
    "hankel1": (lambda x: sc.hankel1(1.5, x).imag, lambda x: mp.bessely(1.5, x)),
    "hankel2": (lambda x: (sc.hankel2(0, x) * 1j).real, lambda x: mp.bessely(0, x)),
    "itj0y0": (lambda x: sc.itj0y0(x)[0], _integral(lambda t: mp.besselj(0, t))),
    "iti0k0": (lambda x: sc.iti0k0(x)[0], _integral(lambda t: mp.besseli(0, t))),
    "it2j0y0": (lambda x: sc.it2j0y0(x)[0], _integral(lambda t: (1 - mp.besselj(0, t)) / t)),
    "it2i0k0": (lambda x: sc.it2i0k0(x)[0], _integral(lambda t: (mp.besseli(0, t) - 1) / t)),
    "itstruve0": (lambda x: sc.itstruve0(x), _integral(lambda t: mp.struveh(0, t))),
    "itmodstruve0": (lambda x: sc.itmodstruve0(x), _integral(lambda t: mp.struvel(0, t))),
    "wright_bessel": (lambda x: sc.wright_bessel(0.5, 1.5, x), _wright(0.5, 1.5)),
    "log_wright_bessel": (lambda x: sc.log_wright_bessel(0.5, 1.5, x), lambda x: mp.log(_wright(0.5, 1.5)(x))),
    "pbvv": (lambda x: sc.pbvv(1.5, x)[0], lambda x: mp.pcfv(-2, x)),
    "pbwa": (lambda x: sc.pbwa(0.5, x)[0], lambda x: mp.pcfw(0.5, x)),
    "zeta": (lambda x: sc.zeta(2.5, 1.0 + x), lambda x: mp.zeta(2.5, 1 + x)),
    "perm": (lambda x: sc.perm(4.0 + x, 2.0), lambda x: (4 + x) * (3 + x)),
    "radian": (lambda x: sc.radian(x, 3.0, 4.0), lambda x: (x + mp.mpf(3) / 60 + mp.mpf(4) / 3600) * mp.pi / 180),
}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if hasattr(sc, name)])  # SciPy 1.14 brought some
def test_first_and_second_derivatives(name):
    f, reference = FUNCTIONS[name]
    with mp.workdps(30):
        first, second = (np.array([float(mp.re(mp.diff(reference, mp.mpf(p), k))) for p in POINTS]) for k in (1, 2))
    np.testing.assert_allclose(sad.jacobian(f, POINTS)(POINTS).diagonal(), first, rtol=1e-11)
    hess = sad.hessian(lambda x: np.sum(f(x)), POINTS)
    np.testing.assert_allclose(hess(POINTS).diagonal(), second, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("func", [sc.mathieu_cem, sc.mathieu_sem])
def test_mathieu_functions_solve_their_equation(func):
    x, q = 90.0 * POINTS, 1.5
    characteristic = (sc.mathieu_a if func is sc.mathieu_cem else sc.mathieu_b)(2, q)
    hess = sad.hessian(lambda x: np.sum(func(2, q, x)[0]), x)
    bent = (2.0 * q * np.cos(np.radians(2.0 * x)) - characteristic) * func(2, q, x)[0]
    np.testing.assert_allclose(hess(x).diagonal(), bent * np.radians(1.0) ** 2, rtol=1e-11)
    slope = sad.jacobian(lambda x: func(2, q, x)[0], x)(x).diagonal()
    h = 1e-3
    differences = (func(2, q, x + h)[0] - func(2, q, x - h)[0]) / (2.0 * h)
    np.testing.assert_allclose(slope, differences, rtol=1e-7)


INVERSES = {
    "gdtrix": (lambda p: sc.gdtrix(2.0, 2.5, p), lambda x: sc.gdtr(2.0, 2.5, x)),
    "pdtri": (lambda p: sc.pdtri(2.0, p), lambda x: sc.pdtr(2.0, x)),
    "bdtri": (lambda p: sc.bdtri(2, 5, p), lambda x: sc.bdtr(2, 5, x)),
    "nbdtri": (lambda p: sc.nbdtri(2, 5, p), lambda x: sc.nbdtr(2, 5, x)),
    "tklmbda": (lambda x: sc.tklmbda(x, 0.5), lambda p: (np.sqrt(p) - np.sqrt(1.0 - p)) / 0.5),
    "nrdtrimn": (lambda x: sc.nrdtrimn(0.3, 0.8, x), lambda m: m + 0.8 * sc.ndtri(0.3)),
}


@pytest.mark.parametrize("name", INVERSES)
def test_inverses_have_reciprocal_slopes(name):
    inverse, forward = INVERSES[name]
    there = sad.jacobian(inverse, POINTS)(POINTS).diagonal()
    back = sad.jacobian(forward, POINTS)(inverse(POINTS)).diagonal()
    np.testing.assert_allclose(there * back, 1.0, rtol=1e-8)
