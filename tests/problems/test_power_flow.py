"""Power flow: the published solution of the IEEE 14-bus network, and the pattern of the network."""

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.problems import power_flow

# The solution as the archive prints it, magnitudes to 0.001, angles to 0.01 degrees; its own power balance is off by
# as much as 0.001 and 0.02 change.
MAGNITUDES = np.array([1.06, 1.045, 1.01, 1.019, 1.02, 1.07, 1.062, 1.09, 1.056, 1.051, 1.057, 1.055, 1.05, 1.036])
ANGLES = np.array(
    [0, -4.98, -12.72, -10.33, -8.78, -14.22, -13.37, -13.36, -14.94, -15.1, -14.79, -15.07, -15.16, -16.04]
)


def solved(problem):
    jac, x = sad.jacobian(problem.f, problem.x0, *problem.args), problem.x0
    residuals = []
    for _ in range(6):
        x = x - scipy.sparse.linalg.spsolve(jac(x, *problem.args).tocsc(), problem.f(x, *problem.args))
        residuals.append(abs(problem.f(x, *problem.args)).max())
    return x, residuals


def test_the_published_voltages():
    problem = power_flow(1)
    (network,) = problem.args
    x, residuals = solved(problem)
    assert residuals[-1] < 1e-12
    np.testing.assert_allclose(np.rad2deg(x[:13]), ANGLES[1:], atol=0.02)
    np.testing.assert_allclose(x[13:], MAGNITUDES[network.loads], atol=0.0015)


def test_convergence_is_quadratic():
    _, residuals = solved(power_flow(5))
    late = [r for r in residuals if 1e-12 < r < 1e-1]
    assert len(late) >= 2
    assert all(b < 10.0 * a * a for a, b in pairwise(late))


def test_power_is_that_of_the_complex_form():
    problem = power_flow(3)
    (network,) = problem.args
    rng = np.random.default_rng(0)
    x = problem.x0 + 0.1 * rng.random(problem.x0.size)
    angle, magnitude = np.zeros(network.P.size), network.magnitude.copy()
    angle[network.turning], magnitude[network.loads] = np.split(x, [network.turning.size])
    V = magnitude * np.exp(1j * angle)
    S = V * np.conj((network.G + 1j * network.B) @ V) - network.P - 1j * network.Q
    expected = np.concatenate([S.real[network.turning], S.imag[network.loads]])
    np.testing.assert_allclose(problem.f(x, network), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("areas", [1, 2, 7])
def test_the_areas_are_joined(areas):
    (network,) = power_flow(areas).args
    parts, _ = scipy.sparse.csgraph.connected_components(network.B)
    assert parts == 1
    assert network.turning.size == 14 * areas - 1
