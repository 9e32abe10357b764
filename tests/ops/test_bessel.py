"""Bessel, Struve, Kelvin functions and 1 / gamma where formulas have quotients or poles: derivatives of both orders."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sc

import sparsead as sad


def _spherical(sign, n):
    """Return a spherical Bessel function of the first kind by its series, which converges everywhere."""

    def value(z):
        half = sign * mp.mpf(z) * z / 2
        return z**n * mp.fsum(half**k / (mp.factorial(k) * mp.fac2(2 * n + 2 * k + 1)) for k in range(60))

    return value


def _prime(f):
    return lambda x: mp.diff(f, x)


AROUND_0 = (0.0, 1e-8, -1e-3, 0.99, 1.01, 6.0)
FUNCTIONS = {
    **{f"struve {v}": (lambda x, v=v: sc.struve(v, x), lambda x, v=v: mp.struveh(v, x), AROUND_0) for v in range(4)},
    **{f"modstruve {v}": (lambda x, v=v: sc.modstruve(v, x), lambda x, v=v: mp.struvel(v, x), AROUND_0)
       for v in range(4)},
    **{f"struve {v}": (lambda x, v=v: sc.struve(v, x), lambda x, v=v: mp.struveh(v, x), AROUND_0[3:])
       for v in (-2, -0.5, 0.5, 1.5)},
    **{name: (getattr(sc, name), lambda x, name=name: getattr(mp, name)(0, x), AROUND_0) for name in ("ber", "bei")},
    **{f"{name}p": (getattr(sc, f"{name}p"), _prime(lambda x, name=name: getattr(mp, name)(0, x)), AROUND_0)
       for name in ("ber", "bei")},
    **{f"spherical_jn {n}": (lambda x, n=n: sc.spherical_jn(n, x), _spherical(-1, n), AROUND_0) for n in range(4)},
    **{f"spherical_in {n}": (lambda x, n=n: sc.spherical_in(n, x), _spherical(1, n), AROUND_0) for n in range(4)},
    "spherical_jn'": (lambda x: sc.spherical_jn(2, x, derivative=True), _prime(_spherical(-1, 2)), AROUND_0),
    "spherical_in'": (lambda x: sc.spherical_in(1, x, derivative=True), _prime(_spherical(1, 1)), AROUND_0),
    "rgamma": (sc.rgamma, mp.rgamma, (0.0, -1.0, -2.0, -3.0, -10.0, 1e-9, -0.999, 0.499, 0.5, 1.0, 5.0, -20.3, 30.0)),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_and_second_derivatives_around_0_and_at_zeros(name):
    f, reference, points = FUNCTIONS[name]
    x = np.array(points)
    with mp.workdps(30):
        first, second = (np.array([float(mp.re(mp.diff(reference, mp.mpf(p), k))) for p in points]) for k in (1, 2))
    scale = np.abs(first) + np.abs(second) + 1e-3
    assert np.all(np.abs(sad.jacobian(f, x)(x).diagonal() - first) <= 1e-12 * scale)
    hess = sad.hessian(lambda x: np.sum(f(x)), x)
    assert np.all(np.abs(hess(x).diagonal() - second) <= 1e-11 * scale)


def test_kei_is_bent_without_bound_at_0():
    x = np.array([0.0, 1e-8])
    assert sad.jacobian(sc.kei, x)(x).diagonal()[0] == 0.0
    bent = sad.hessian(lambda x: np.sum(sc.kei(x)), x)(x).diagonal()
    assert bent[0] == np.inf
    np.testing.assert_allclose(bent[1], float(mp.diff(lambda t: mp.kei(0, t), mp.mpf("1e-8"), 2)), rtol=1e-9)
