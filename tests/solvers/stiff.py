"""Small stiff problems of the literature, as E. Hairer and G. Wanner give them (Solving ODEs II, section IV.10)."""

import numpy as np


def robertson(t, y):
    r1, r2, r3 = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return np.stack([-r1 + r2, r1 - r2 - r3, r3])


def van_der_pol(t, y):
    return np.stack([y[1], 1e3 * (1.0 - y[0] ** 2) * y[1] - y[0]])


def hires(t, y):
    """The High Irradiance RESponse of photomorphogenesis."""
    light = 280.0 * y[5] * y[7]
    return np.stack([
        -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
        1.71 * y[0] - 8.75 * y[1],
        -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
        8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
        -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
        -light + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
        light - 1.81 * y[6],
        -light + 1.81 * y[6],
    ])  # fmt: skip


def burgers(t, u):
    """Viscous, on a ring of 100 points."""
    n = u.size
    left, right = np.roll(u, 1), np.roll(u, -1)
    return -0.5 * n * u * (right - left) + 0.01 * n * n * (left - 2.0 * u + right)


RING = np.arange(100) / 100
STIFF = {  # right-hand side, start, end, rtol, atol
    "Robertson": (robertson, np.array([1.0, 0.0, 0.0]), 4e4, 1e-4, 1e-9),
    "van der Pol": (van_der_pol, np.array([2.0, 0.0]), 1500.0, 1e-5, 1e-8),
    "HIRES": (hires, np.array([1.0, 0, 0, 0, 0, 0, 0, 0.0057]), 321.8122, 1e-6, 1e-9),
    "Burgers": (burgers, 1.5 + np.sin(2.0 * np.pi * RING), 1.0, 1e-5, 1e-8),
}
