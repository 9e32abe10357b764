"""Real electric networks: MATPOWER's cases, in the form of `sparsead.problems.power_flow`."""

from __future__ import annotations

import numpy as np

from benchmarks.opf import PowerFlow, read_case
from sparsead.problems import Problem
from sparsead.problems.power_flow import BASE, Network, admittances, problem_of

REFERENCE = (
    "C. Josz, S. Fliscounakis, J. Maeght and P. Panciatici, AC Power Flow Data in MATPOWER and QCQP Format: iTesla, "
    "RTE Snapshots, and PEGASE, arXiv:1603.01533 (2016)"
)


def network_of(case: dict[str, np.ndarray]) -> Network:
    """Return the network of a case of MATPOWER."""
    bus, gen = case["bus"], case["gen"][case["gen"][:, 7] > 0]
    branch = case["branch"][case["branch"][:, 10] > 0]
    position = {number: k for k, number in enumerate(bus[:, 0])}
    ends = np.array([[position[number] for number in branch[:, k]] for k in (0, 1)])
    ratio = np.where(branch[:, 8] == 0.0, 1.0, branch[:, 8]) * np.exp(1j * np.deg2rad(branch[:, 9]))
    Y = admittances(ends, np.stack([*branch[:, 2:5].T, ratio]), (bus[:, 4] + 1j * bus[:, 5]) / BASE)
    at = np.array([position[number] for number in gen[:, 0]])
    P, Q = -bus[:, 2] / BASE, -bus[:, 3] / BASE
    np.add.at(P, at, gen[:, 1] / BASE)
    magnitude = np.ones(len(bus))
    magnitude[at] = gen[:, 5]
    kind = bus[:, 1].copy()
    held = np.zeros(len(bus), dtype=bool)
    held[at] = True
    kind[(kind == 2) & ~held] = 1  # its generators are switched off
    return Network(Y.real, Y.imag, P, Q, magnitude, np.flatnonzero(kind != 3), np.flatnonzero(kind == 1))


def european(size: int) -> Problem:
    """Return the power flow of the part of the European network with `size` buses: 89, 1354, 2869, 9241 or 13659."""
    network = network_of(read_case(f"case{size}pegase"))
    return problem_of(network, "network", f"AC power flow, PEGASE, {size} buses", REFERENCE)


def dispatch(size: int) -> Problem:
    """Return the Lagrangian of the optimal power flow of this network: interior-point solvers need its Hessian."""
    flow = PowerFlow(f"case{size}pegase")
    multipliers = np.random.default_rng(0).standard_normal(2 * flow.buses + 2 * flow.limits.size)

    def lagrangian(x: np.ndarray, flow: PowerFlow, multipliers: np.ndarray) -> float:
        return flow.objective(x) + multipliers @ flow.constraints(x)

    return Problem(
        name="dispatch",
        title=f"Lagrangian of the optimal power flow, PEGASE, {size} buses",
        reference=REFERENCE,
        derivative="hessian",
        f=lagrangian,
        x0=flow.x0,
        args=(flow, multipliers),
    )
