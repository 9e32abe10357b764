"""Gas dynamics: the Euler equations in finite volumes, with minmod-limited slopes and the HLL flux (Toro, chapter 14).

Written so that complex numbers pass through (they compare by their real parts), which gives the reference.
"""

from __future__ import annotations

import numpy as np

from tests.real.case import Real, case
from tests.reference import complex_step

GAMMA = 1.4


def minmod(a, b):
    return np.where(a * b > 0.0, np.where(np.abs(a) < np.abs(b), a, b), 0.0)


def primitive(U):
    rho, u = U[0], U[1] / U[0]
    return rho, u, (GAMMA - 1.0) * (U[2] - 0.5 * rho * u**2)


def flux(U):
    _, u, p = primitive(U)
    return np.stack([U[1], U[1] * u + p, u * (U[2] + p)])


def hll(left, right):
    rho_l, u_l, p_l = primitive(left)
    rho_r, u_r, p_r = primitive(right)
    c_l, c_r = np.sqrt(GAMMA * p_l / rho_l), np.sqrt(GAMMA * p_r / rho_r)
    slow, fast = np.minimum(u_l - c_l, u_r - c_r), np.maximum(u_l + c_l, u_r + c_r)
    f_l, f_r = flux(left), flux(right)
    between = (fast * f_l - slow * f_r + fast * slow * (right - left)) / (fast - slow)
    return np.where(slow >= 0.0, f_l, np.where(fast <= 0.0, f_r, between))


def euler(U, dx):
    """Return dU/dt, U of shape (3, cells): density, momentum, energy; what leaves does not come back."""
    W = np.pad(U, ((0, 0), (2, 2)), mode="edge")
    jump = np.diff(W, axis=1)
    slope = minmod(jump[:, :-1], jump[:, 1:])
    W = W[:, 1:-1]
    F = hll((W + 0.5 * slope)[:, :-1], (W - 0.5 * slope)[:, 1:])
    return -np.diff(F, axis=1) / dx


@case("gas dynamics, minmod and HLL (own code)", "numpy", against="complex steps")
def gas() -> Real:
    cells = 200
    rng = np.random.default_rng(0)
    s = (np.arange(cells) + 0.5) / cells
    rho = np.where(s < 0.5, 1.0, 0.3) * rng.uniform(0.9, 1.1, cells)
    u = 2.0 * np.sin(7.0 * s) * rng.uniform(0.9, 1.1, cells)  # faster and slower than sound, both ways
    p = np.where(s < 0.5, 1.0, 0.2) * rng.uniform(0.9, 1.1, cells)
    U = np.stack([rho, rho * u, p / (GAMMA - 1.0) + 0.5 * rho * u**2])

    def rate(U):
        return euler(U, 1.0 / cells)

    return Real(rate, U, lambda U: complex_step(rate, U))
