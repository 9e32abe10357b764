"""The Jacobian of a reactor by hand, in numba: one loop over the reactions, cell by cell, dense."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse
from numba import njit

from benchmarks.mechanism import GAS_CONSTANT, ONE_ATM, Mechanism

LN10 = np.log(10.0)


def arrays(m: Mechanism) -> tuple[Any, ...]:
    """Return the arrays that `fill` takes after the states and the matrices."""
    by_reaction = scipy.sparse.csc_array(m.net)
    moles = np.asarray(m.net.sum(axis=0)).reshape(-1)
    bodies = np.concatenate([m.third, m.falloff])
    return (
        m.ahead, m.behind, by_reaction.indptr, by_reaction.indices, by_reaction.data, moles, m.rate, m.low, bodies,
        m.reversible, m.troe, m.thermo, m.middle, m.plain, len(m.third),
    )  # fmt: skip


@njit
def fill(
    Y, J, ahead, behind, start, species, times, moles, rate, low, bodies, both, troe, thermo, middle, plain, third
):  # type: ignore[no-untyped-def]
    """Write the Jacobians of all cells, (cells, 1 + S, 1 + S)."""
    S = middle.size
    gibbs, d_gibbs, energy, cv, d_cv = np.empty(S), np.empty(S), np.empty(S), np.empty(S), np.empty(S)
    made, y = np.empty(S), np.ones(S + 1)  # a place more than there are species, of one
    for cell in range(Y.shape[0]):
        T = Y[cell, 0]
        y[:S] = Y[cell, 1:]
        _thermodynamics(T, thermo, middle, gibbs, d_gibbs, energy, cv, d_cv)
        M = J[cell]
        M[:] = 0.0
        made[:] = 0.0
        log_T, inverse = np.log(T), 1.0 / T
        log_c = np.log(ONE_ATM / GAS_CONSTANT * inverse)
        for i in range(moles.size):
            k = np.exp(rate[i, 0] + rate[i, 1] * log_T - rate[i, 2] * inverse)
            dk = k * (rate[i, 1] + rate[i, 2] * inverse) * inverse
            by_body = 0.0  # dk / d(sum of third bodies)
            if i >= plain:
                body, total = bodies[i - plain], 0.0
                for s in range(S):
                    total += body[s] * y[s]
                if i < plain + third:
                    by_body, dk, k = k, dk * total, k * total
                else:
                    k, dk, by_body = _falling(T, log_T, k, dk, total, low[i - plain - third], troe[i - plain - third])
            exponent, slope = -moles[i] * log_c, moles[i] * inverse
            for e in range(start[i], start[i + 1]):
                exponent += times[e] * gibbs[species[e]]
                slope += times[e] * d_gibbs[species[e]]
            back = both[i] * np.exp(exponent)
            a, b = ahead[i], behind[i]
            forth, reverse = y[a[0]] * y[a[1]] * y[a[2]] * y[a[3]], y[b[0]] * y[b[1]] * y[b[2]] * y[b[3]]
            drive = forth - back * reverse
            q, dT = k * drive, dk * drive - k * back * slope * reverse
            for e in range(start[i], start[i + 1]):
                s, v = species[e], times[e]
                row = M[1 + s]
                made[s] += v * q
                row[0] += v * dT
                for t in range(4):
                    if a[t] < S:
                        row[1 + a[t]] += v * k * y[a[t - 1]] * y[a[t - 2]] * y[a[t - 3]]
                    if b[t] < S:
                        row[1 + b[t]] -= v * k * back * y[b[t - 1]] * y[b[t - 2]] * y[b[t - 3]]
                if i >= plain:
                    change = v * by_body * drive
                    for j in range(S):
                        row[1 + j] += change * body[j]
        _heating(M, made, y, energy, cv, d_cv)


@njit
def _falling(T, log_T, k, dk, total, low, troe):  # type: ignore[no-untyped-def]
    """Return a rate between its limits, and its derivatives with respect to T and the third bodies."""
    inverse = 1.0 / T
    k0 = np.exp(low[0] + low[1] * log_T - low[2] * inverse)
    reduced = k0 * total / k
    d_reduced = reduced * ((low[1] + low[2] * inverse) * inverse - dk / k)
    first, second, third = np.exp(-T * troe[1]), np.exp(-T * troe[2]), np.exp(-troe[3] * inverse)
    center = (1.0 - troe[0]) * first + troe[0] * second + third
    d_center = -(1.0 - troe[0]) * troe[1] * first - troe[0] * troe[2] * second + troe[3] * inverse * inverse * third
    c, dc = np.log10(center), d_center / (center * LN10)
    x, n = np.log10(reduced) - 0.4 - 0.67 * c, 0.75 - 1.27 * c
    width = n - 0.14 * x
    g = x / width
    by_x, by_c = n / width**2, (-0.67 * n + 1.27 * x) / width**2
    bottom = 1.0 / (1.0 + g * g)
    bend = 10.0 ** (c * bottom)
    outer = -2.0 * c * g * bottom * bottom
    log_slope = bend * LN10
    lift = reduced / (1.0 + reduced)
    by_reduced = bend / (1.0 + reduced) ** 2 + lift * log_slope * outer * by_x / (reduced * LN10)
    by_center = lift * log_slope * (bottom + outer * by_c)
    value = k * lift * bend
    return value, dk * lift * bend + k * (by_reduced * d_reduced + by_center * dc), k * by_reduced * k0 / k


@njit
def _thermodynamics(T, thermo, middle, gibbs, d_gibbs, energy, cv, d_cv):  # type: ignore[no-untyped-def]
    log_T, inverse = np.log(T), 1.0 / T
    for s in range(middle.size):
        p = thermo[1 if middle[s] < T else 0, :, s]
        cv[s] = p[0] - 1.0 + T * (p[1] + T * (p[2] + T * (p[3] + T * p[4])))
        d_cv[s] = p[1] + T * (2.0 * p[2] + T * (3.0 * p[3] + T * 4.0 * p[4]))
        energy[s] = T * (p[0] - 1.0 + T * (p[1] / 2 + T * (p[2] / 3 + T * (p[3] / 4 + T * p[4] / 5)))) + p[5]
        high = T * (p[1] / 2 + T * (p[2] / 6 + T * (p[3] / 12 + T * p[4] / 20)))
        gibbs[s] = p[0] * (1.0 - log_T) - high + p[5] * inverse - p[6]
        d_gibbs[s] = -(energy[s] + T) * inverse * inverse  # minus the enthalpy over R T**2


@njit
def _heating(M, made, y, energy, cv, d_cv):  # type: ignore[no-untyped-def]
    """Write the row of the temperature: minus the sum of energies times rates, over the heat capacity."""
    S = cv.size
    power, capacity, d_power, d_capacity = 0.0, 0.0, 0.0, 0.0
    for s in range(S):
        power += energy[s] * made[s]
        d_power += cv[s] * made[s]
        capacity += cv[s] * y[s]
        d_capacity += d_cv[s] * y[s]
        for j in range(S + 1):
            M[0, j] -= energy[s] * M[1 + s, j]
    for j in range(S + 1):
        M[0, j] /= capacity
    M[0, 0] += -d_power / capacity + power * d_capacity / capacity**2
    for s in range(S):
        M[0, 1 + s] += power * cv[s] / capacity**2
