"""Test functions for optimizers, from SciPy and optimagic."""

from __future__ import annotations

import numpy as np
import scipy.optimize

from tests.real.case import Real, case


@case("Rosenbrock, Hessian (SciPy)", "scipy", against="scipy.optimize.rosen_hess")
def rosenbrock() -> Real:
    x = np.random.default_rng(0).uniform(-1.0, 2.0, 1000)
    return Real(scipy.optimize.rosen, x, scipy.optimize.rosen_hess, "hessian")


@case("Rosenbrock, Jacobian of the gradient (SciPy)", "scipy", against="scipy.optimize.rosen_hess")
def rosenbrock_gradient() -> Real:
    x = np.random.default_rng(0).uniform(-1.0, 2.0, 1000)
    return Real(scipy.optimize.rosen_der, x, scipy.optimize.rosen_hess)
