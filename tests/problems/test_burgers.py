"""Burgers' equation by WENO5: order five where it is smooth, conservative, and sharp at a shock."""

import numpy as np
import pytest

from sparsead.problems import burgers, burgers_2d
from sparsead.problems.burgers import at_face


def test_the_reconstruction_is_of_order_five():
    """The reconstruction itself: from means, values at faces to fifth order."""
    errors = []
    for N in (80, 160):
        faces = np.arange(N + 1) / N
        mean = N * np.diff(2.0 * faces - np.cos(2 * np.pi * faces) / (2 * np.pi))
        right = at_face(*(np.roll(mean, k) for k in (2, 1, 0, -1, -2)))
        errors.append(abs(right - 2.0 - np.sin(2 * np.pi * np.arange(1, N + 1) / N)).mean())
    assert 4.7 < np.log2(errors[0] / errors[1]) < 5.5


def test_the_rates_converge():
    """From point values, as finite differences take them, u u' is met to fifth order too."""
    errors = []
    for N in (80, 160):
        x = (np.arange(N) + 0.5) / N
        u, slope = 2.0 + np.sin(2 * np.pi * x), 2 * np.pi * np.cos(2 * np.pi * x)
        errors.append(abs(burgers(N).f(u, 3.0) + u * slope).mean())
    assert 4.5 < np.log2(errors[0] / errors[1]) < 5.8


@pytest.mark.parametrize("problem", [burgers(40), burgers_2d(12)], ids=["1-D", "2-D"])
def test_nothing_is_lost(problem):
    rates = problem.f(problem.x0, *problem.args)
    assert abs(rates.sum()) < 1e-11 * abs(rates).sum()


def test_a_shock_moves_at_the_mean_speed_and_does_not_oscillate():
    """Between 1 and 0 a shock moves at speed 1/2 (Rankine and Hugoniot)."""
    N, end = 200, 0.4
    f, x = burgers(N).f, (np.arange(N) + 0.5) / N
    u = np.where((x > 0.1) & (x < 0.3), 1.0, 0.0)
    steps = 2 * N
    dt = end / steps
    for _ in range(steps):  # Shu and Osher's third-order Runge-Kutta method
        a = u + dt * f(u, 1.0)
        b = 0.75 * u + 0.25 * (a + dt * f(a, 1.0))
        u = (u + 2.0 * (b + dt * f(b, 1.0))) / 3.0
    assert u.min() > -1e-3 and u.max() < 1.0 + 1e-3
    front = x[np.flatnonzero(u > 0.5).max()]
    assert front == pytest.approx(0.3 + 0.5 * end, abs=1.5 / N)


def test_two_dimensions_are_two_directions():
    """A wave that does not depend on y moves as in one dimension."""
    u = burgers(16).x0
    flat, square = burgers(16).f(u, 1.5), burgers_2d(16).f(np.repeat(u[:, None], 16, axis=1), 1.5)
    np.testing.assert_allclose(square, np.repeat(flat[:, None], 16, axis=1), rtol=1e-13, atol=1e-12)
