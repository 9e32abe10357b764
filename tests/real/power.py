"""AC power flow: the part of the European transmission network that MATPOWER and pandapower hold as PEGASE 1354."""

from __future__ import annotations

import numpy as np

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


@case("power flow, PEGASE 1354, polar real form (pandapower)", "pandapower", against=AGAINST)
def polar() -> Real:
    from pandapower.pf.create_jacobian import _create_J_without_numba

    Ybus, Sbus, V0, ref, pv, pq = network()
    G, B = Ybus.real.tocsr(), Ybus.imag.tocsr()
    P, Q = Sbus.real, Sbus.imag
    pvpq = np.r_[pv, pq]
    angle, magnitude = perturbed(V0)

    def voltage(x):
        va, vm = np.zeros(V0.size), np.zeros(V0.size)
        va[ref], va[pvpq] = angle[ref], x[: pvpq.size]
        vm[ref], vm[pv], vm[pq] = magnitude[ref], magnitude[pv], x[pvpq.size :]
        return va, vm

    def mismatch(x):
        va, vm = voltage(x)
        e, f = vm * np.cos(va), vm * np.sin(va)
        i_re, i_im = G @ e - B @ f, G @ f + B @ e
        return np.r_[(e * i_re + f * i_im - P)[pvpq], (f * i_re - e * i_im - Q)[pq]]

    def reference(x):
        va, vm = voltage(x)
        return _create_J_without_numba(Ybus, vm * np.exp(1j * va), ref, pvpq, pq, None, False)

    return Real(mismatch, np.r_[angle[pvpq], magnitude[pq]], reference)


@case("power flow, PEGASE 1354, Hessian of multipliers (pandapower)", "pandapower", against="pandapower's d2Sbus_dV2")
def multipliers() -> Real:
    import scipy.sparse
    from pandapower.pypower.d2Sbus_dV2 import d2Sbus_dV2

    Ybus, _, V0, *_ = network()
    G, B = Ybus.real.tocsr(), Ybus.imag.tocsr()
    n = V0.size
    rng = np.random.default_rng(1)
    p, q = rng.normal(size=n), rng.normal(size=n)

    def weighted(x):
        va, vm = x[:n], x[n:]
        e, f = vm * np.cos(va), vm * np.sin(va)
        i_re, i_im = G @ e - B @ f, G @ f + B @ e
        return p @ (e * i_re + f * i_im) + q @ (f * i_re - e * i_im)

    def block(aa, av, va, vv):
        return scipy.sparse.block_array([[aa, av], [va, vv]])

    def reference(x):
        V = x[n:] * np.exp(1j * x[:n])
        real, imag = (block(*d2Sbus_dV2(Ybus, V, weights)) for weights in (p, q))
        return real.real + imag.imag

    return Real(weighted, np.concatenate(perturbed(V0)), reference, "hessian")
