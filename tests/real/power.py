"""AC power flow: the part of the European transmission network that MATPOWER and pandapower hold as PEGASE 1354."""

from __future__ import annotations

import numpy as np
import scipy.sparse

from tests.real.case import Real, case

AGAINST = "pandapower's power flow Jacobian"


def network():
    """Return the admittances, the injections, a solved state, and the buses of each kind."""
    import pandapower
    import pandapower.networks

    net = pandapower.networks.case1354pegase()
    pandapower.runpp(net, numba=False)
    solved = net._ppc["internal"]
    return (solved[name] for name in ("Ybus", "Sbus", "V", "ref", "pv", "pq"))


def perturbed(V):
    rng = np.random.default_rng(0)
    return np.angle(V) + rng.uniform(-0.01, 0.01, V.size), np.abs(V) * rng.uniform(0.98, 1.02, V.size)


@case("power flow, PEGASE 1354 (pandapower)", "pandapower", against=AGAINST)
def mismatch() -> Real:
    from pandapower.pf.create_jacobian import _create_J_without_numba
    from pandapower.pypower.newtonpf import _evaluate_Fx

    Ybus, Sbus, V0, ref, pv, pq = network()
    pvpq = np.r_[pv, pq]
    angle, magnitude = perturbed(V0)

    def voltage(x):
        va, vm = np.zeros(V0.size), np.zeros(V0.size)
        va[ref], va[pvpq] = angle[ref], x[: pvpq.size]
        vm[ref], vm[pv], vm[pq] = magnitude[ref], magnitude[pv], x[pvpq.size :]
        return vm * np.exp(1j * va)

    def power(x):
        return _evaluate_Fx(Ybus, voltage(x), Sbus, ref, pv, pq)

    def reference(x):
        return _create_J_without_numba(Ybus, voltage(x), ref, pvpq, pq, None, False)

    return Real(power, np.r_[angle[pvpq], magnitude[pq]], reference)


@case("power flow, PEGASE 1354, Hessian of multipliers (pandapower)", "pandapower", against="pandapower's d2Sbus_dV2")
def multipliers() -> Real:
    from pandapower.pypower.d2Sbus_dV2 import d2Sbus_dV2

    Ybus, _, V0, *_ = network()
    rng = np.random.default_rng(1)
    p, q = rng.normal(size=V0.size), rng.normal(size=V0.size)

    def voltage(x):
        return x[V0.size :] * np.exp(1j * x[: V0.size])

    def weighted(x):
        V = voltage(x)
        S = V * np.conj(Ybus @ V)
        return p @ S.real + q @ S.imag

    def block(aa, av, va, vv):
        return scipy.sparse.block_array([[aa, av], [va, vv]])

    def reference(x):
        return block(*d2Sbus_dV2(Ybus, voltage(x), p)).real + block(*d2Sbus_dV2(Ybus, voltage(x), q)).imag

    return Real(weighted, np.concatenate(perturbed(V0)), reference, "hessian")
