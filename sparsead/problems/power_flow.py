"""AC power flow: the voltages of an electric network for given generation and load."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse

from sparsead.problems.base import Problem, check_size

REFERENCE = (
    "W. F. Tinney and C. E. Hart, Power flow solution by Newton's method, IEEE Trans. Power App. Syst. 86 (1967) "
    "1449-1460; the network is the IEEE 14-bus test case of R. D. Christie's Power Systems Test Case Archive, "
    "University of Washington (1993)"
)

# Type (3 slack, 2 generator, 1 load), load in MW and MVAr, shunt in MW and MVAr, magnitude of the voltage, generation.
BUSES = np.array([
    [3, 0.0, 0.0, 0, 0, 1.060, 232.4], [2, 21.7, 12.7, 0, 0, 1.045, 40.0], [2, 94.2, 19.0, 0, 0, 1.010, 0.0],
    [1, 47.8, -3.9, 0, 0, 1.000, 0.0], [1, 7.6, 1.6, 0, 0, 1.000, 0.0], [2, 11.2, 7.5, 0, 0, 1.070, 0.0],
    [1, 0.0, 0.0, 0, 0, 1.000, 0.0], [2, 0.0, 0.0, 0, 0, 1.090, 0.0], [1, 29.5, 16.6, 0, 19, 1.000, 0.0],
    [1, 9.0, 5.8, 0, 0, 1.000, 0.0], [1, 3.5, 1.8, 0, 0, 1.000, 0.0], [1, 6.1, 1.6, 0, 0, 1.000, 0.0],
    [1, 13.5, 5.8, 0, 0, 1.000, 0.0], [1, 14.9, 5.0, 0, 0, 1.000, 0.0],
])  # fmt: skip
# From, to (counted from 1), resistance, reactance, charging, ratio of the transformer (0 for a line).
BRANCHES = np.array([
    [1, 2, 0.01938, 0.05917, 0.0528, 0], [1, 5, 0.05403, 0.22304, 0.0492, 0], [2, 3, 0.04699, 0.19797, 0.0438, 0],
    [2, 4, 0.05811, 0.17632, 0.0340, 0], [2, 5, 0.05695, 0.17388, 0.0346, 0], [3, 4, 0.06701, 0.17103, 0.0128, 0],
    [4, 5, 0.01335, 0.04211, 0, 0], [4, 7, 0, 0.20912, 0, 0.978], [4, 9, 0, 0.55618, 0, 0.969],
    [5, 6, 0, 0.25202, 0, 0.932], [6, 11, 0.09498, 0.19890, 0, 0], [6, 12, 0.12291, 0.25581, 0, 0],
    [6, 13, 0.06615, 0.13027, 0, 0], [7, 8, 0, 0.17615, 0, 0], [7, 9, 0, 0.11001, 0, 0],
    [9, 10, 0.03181, 0.08450, 0, 0], [9, 14, 0.12711, 0.27038, 0, 0], [10, 11, 0.08205, 0.19207, 0, 0],
    [12, 13, 0.22092, 0.19988, 0, 0], [13, 14, 0.17093, 0.34802, 0, 0],
])  # fmt: skip
BASE = 100.0


@dataclass(frozen=True)
class Network:
    """A network in per unit.

    Attributes
    ----------
    G, B : scipy.sparse.csr_array, shape (N, N)
        Real and imaginary part of the bus admittance matrix.
    P, Q : ndarray, shape (N,)
        Power that generators and loads feed in.
    magnitude : ndarray, shape (N,)
        Voltages, held where there is a generator, a first guess elsewhere.
    turning, loads : ndarray of int
        Buses whose angle, and whose magnitude is unknown.
    """

    G: scipy.sparse.csr_array
    B: scipy.sparse.csr_array
    P: np.ndarray
    Q: np.ndarray
    magnitude: np.ndarray
    turning: np.ndarray
    loads: np.ndarray

    @property
    def flat(self) -> np.ndarray:
        """The unknowns of a flat start: no angles, magnitudes as they are."""
        return np.concatenate([np.zeros(self.turning.size), self.magnitude[self.loads]])


def admittances(ends: np.ndarray, branches: np.ndarray, shunts: np.ndarray) -> scipy.sparse.csr_array:
    """Return the complex bus admittance matrix.

    Parameters
    ----------
    ends : ndarray of int, shape (2, L)
        The buses that each branch connects.
    branches : ndarray, shape (4, L)
        Resistance, reactance, charging, complex ratio of the transformer at the first end (1 for a line).
    shunts : ndarray of complex, shape (N,)
        Admittances from the buses to ground.
    """
    resistance, reactance, charging, ratio = branches
    series = 1.0 / (resistance + 1j * reactance)
    at_end = series + 0.5j * charging
    own, (f, t) = np.arange(shunts.size), ends
    values = np.concatenate([at_end / abs(ratio) ** 2, -series / ratio.conj(), -series / ratio, at_end, shunts])
    places = np.concatenate([f, f, t, t, own]), np.concatenate([f, t, f, t, own])
    return scipy.sparse.csr_array(scipy.sparse.coo_array((values, places), shape=(own.size, own.size)))


def ring(areas: int) -> Network:
    """Return copies of the 14-bus network, bus 5 of each tied to bus 4 of the next, and the slack bus in the first."""
    count = len(BUSES)
    bus, branch = np.tile(BUSES, (areas, 1)), np.tile(BRANCHES, (areas, 1))
    ends = branch[:, :2].astype(int) - 1 + np.repeat(np.arange(areas), len(BRANCHES))[:, None] * count
    if areas > 1:
        area = np.arange(areas) * count
        ends = np.vstack([ends, np.stack([area + 4, np.roll(area, -1) + 3], axis=1)])
        branch = np.vstack([branch, np.tile([1.0, 1.0, 0.02, 0.2, 0.02, 0.0], (areas, 1))])
    kind = bus[:, 0]
    kind[1:][kind[1:] == 3] = 2
    ratio = np.where(branch[:, 5] == 0.0, 1.0, branch[:, 5]).astype(complex)
    Y = admittances(ends.T, np.stack([*branch[:, 2:5].T, ratio]), (bus[:, 3] + 1j * bus[:, 4]) / BASE)
    P, Q = (bus[:, 6] - bus[:, 1]) / BASE, -bus[:, 2] / BASE
    return Network(Y.real, Y.imag, P, Q, bus[:, 5], np.flatnonzero(kind != 3), np.flatnonzero(kind == 1))


def mismatch(x: np.ndarray, network: Network) -> np.ndarray:
    """Return the power that is missing: active at buses with unknown angle, reactive at those with unknown magnitude.

    x holds these angles (radians), then these magnitudes.
    """
    turning, loads = network.turning, network.loads
    angle = np.zeros_like(x, shape=network.P.shape)
    angle[turning] = x[: turning.size]
    magnitude = np.zeros_like(x, shape=network.P.shape)
    magnitude[:] = network.magnitude
    magnitude[loads] = x[turning.size :]
    e, f = magnitude * np.cos(angle), magnitude * np.sin(angle)
    real, imaginary = network.G @ e - network.B @ f, network.G @ f + network.B @ e
    P, Q = e * real + f * imaginary, f * real - e * imaginary
    return np.concatenate([(P - network.P)[turning], (Q - network.Q)[loads]])


def power_flow(size: int) -> Problem:
    """Return the power flow of a ring of `size` copies of the IEEE 14-bus network, from a flat start.

    Source: Tinney and Hart (1967), polar voltages. One copy is the test case itself.

    Examples
    --------
    >>> power_flow(1).x0.shape
    (22,)
    """
    areas = check_size(size)
    return problem_of(ring(areas), "power-flow", f"AC power flow of {areas} x 14 buses", REFERENCE)


def problem_of(network: Network, name: str, title: str, reference: str) -> Problem:
    """Return the power flow of a network, from a flat start."""
    return Problem(
        name=name,
        title=title,
        reference=reference,
        derivative="jacobian",
        f=mismatch,
        x0=network.flat,
        args=(network,),
    )
