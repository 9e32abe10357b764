"""Small stiff problems of the literature, as E. Hairer and G. Wanner give them (Solving ODEs II, section IV.10)."""

import numpy as np

from benchmarks.stiff import hires, robertson


def van_der_pol(t, y):
    return np.stack([y[1], 1e3 * (1.0 - y[0] ** 2) * y[1] - y[0]])


def burgers(t, u):
    """Viscous, on a ring of 100 points."""
    n = u.size
    left, right = np.roll(u, 1), np.roll(u, -1)
    return -0.5 * n * u * (right - left) + 0.01 * n * n * (left - 2.0 * u + right)


RING = np.arange(100) / 100
STIFF = {  # right-hand side, start, end, rtol, atol
    "Robertson": (lambda t, y: robertson(y), np.array([1.0, 0.0, 0.0]), 4e4, 1e-4, 1e-9),
    "van der Pol": (van_der_pol, np.array([2.0, 0.0]), 1500.0, 1e-5, 1e-8),
    "HIRES": (lambda t, y: hires(y), np.array([1.0, 0, 0, 0, 0, 0, 0, 0.0057]), 321.8122, 1e-6, 1e-9),
    "Burgers": (burgers, 1.5 + np.sin(2.0 * np.pi * RING), 1.0, 1e-5, 1e-8),
}
