"""Power flow for many loads of one network: ``python -m benchmarks.scenarios`` (needs pandapower).

`sparsead.solvers.newton` takes all scenarios at once; pandapower, with its numba code, one after the other. Both start
from the solution of the given loads. Processor time of one core; the solutions are compared.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

import sparsead as sad
from benchmarks.report import Part, Table, Target, show
from sparsead import solvers

NETWORK, SCENARIOS, COMPARED = "case1354pegase", 1000, 40
TOLERANCE = 1e-10


def mismatch(x: np.ndarray, P: np.ndarray, Q: np.ndarray, network: Any) -> np.ndarray:
    """Return the power that is missing at the buses, as pandapower orders them."""
    G, B, held, kinds = network
    _, pv, pq = kinds
    turning = np.r_[pv, pq]
    angle, magnitude = np.angle(held), np.abs(held)
    angle[turning], magnitude[pq] = x[: turning.size], x[turning.size :]
    re, im = magnitude * np.cos(angle), magnitude * np.sin(angle)
    i_re, i_im = G @ re - B @ im, B @ re + G @ im
    return np.concatenate([(re * i_re + im * i_im - P)[turning], (im * i_re - re * i_im - Q)[pq]])


def injections(net: Any, factors: np.ndarray) -> Any:
    """Return the solved state of pandapower after its loads were scaled, and its own seconds."""
    import pandapower

    net.load["scaling"] = factors
    start = time.process_time()
    pandapower.runpp(net, init="results", tolerance_mva=1e-8, numba=True)
    seconds = time.process_time() - start
    solved = net._ppc["internal"]
    return {name: solved[name] for name in ("Ybus", "Sbus", "V", "ref", "pv", "pq")}, seconds


def run() -> list[Part]:
    """Time both."""
    import pandapower
    import pandapower.networks

    net = getattr(pandapower.networks, NETWORK)()
    rng = np.random.default_rng(0)
    base, _ = injections(net, np.ones(len(net.load)))
    one_by_one, states = [], []
    for _ in range(COMPARED):
        state, seconds = injections(net, rng.uniform(0.9, 1.1, len(net.load)))
        one_by_one.append(seconds)
        states.append(state)
    S = np.array([states[k % COMPARED]["Sbus"] for k in range(SCENARIOS)])
    V0, kinds = base["V"], (base["ref"], base["pv"], base["pq"])
    network = base["Ybus"].real.tocsr(), base["Ybus"].imag.tocsr(), V0, kinds
    x0 = np.concatenate([np.angle(V0)[np.r_[kinds[1], kinds[2]]], np.abs(V0)[kinds[2]]])
    jac = sad.jacobian(mismatch, x0, S[0].real.copy(), S[0].imag.copy(), network)
    starts, P, Q = np.tile(x0, (SCENARIOS, 1)), S.real.copy(), S.imag.copy()
    found, batch = None, []
    for _ in range(3):
        start = time.process_time()
        found = solvers.newton(mismatch, starts, P, Q, network, jac=jac, batch=0, ftol=0.0, atol=TOLERANCE)
        batch.append((time.process_time() - start) / SCENARIOS)
    assert found is not None and found.success.all(), found
    expected = [np.r_[np.angle(s["V"])[np.r_[kinds[1], kinds[2]]], np.abs(s["V"])[kinds[2]]] for s in states]
    difference = np.abs(found.x[:COMPARED] - expected).max()
    ours, theirs = float(np.median(batch)), float(np.median(one_by_one))
    table = Table(
        f"{SCENARIOS} scenarios of a network of {len(V0)} buses, milliseconds each",
        ("Newton for all points", "pandapower, one by one", "largest difference of the solutions"),
        [(1e3 * ours, 1e3 * theirs, difference)],
    )
    return [table, Target("1354 buses: pandapower's time / ours", theirs / ours, 20.0, at_least=True)]


if __name__ == "__main__":
    show(run())
