"""Rates of a mechanism of combustion in plain NumPy, for one cell or many: a reactor of constant volume.

The text is the same for one cell, ``y = (T, c)``, and for arrays (cells, 1 + species). Reactions are sorted by kind:
elementary ones, those with a third body, those that fall off (Troe). Units are those of Cantera: K, kmol, m, s, J.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

GAS_CONSTANT, ONE_ATM = 8314.46261815324, 101325.0
MOST = 4  # species on one side of a reaction
NEVER = 1e30  # a temperature that is not reached


@dataclass(frozen=True)
class Mechanism:
    """The arrays of a mechanism, S species and R reactions.

    Attributes
    ----------
    names : list of str
        The species.
    ahead, behind : ndarray of int, shape (R, 4)
        Species on the two sides of each reaction, as often as they take part; S where there is none.
    net : csr_array, shape (S, R)
        How many of each species a reaction makes.
    order : ndarray of int
        The number of each reaction in the source.
    rate, low : ndarray, shape (R, 3) and (F, 3)
        log A, b and E / R of each reaction, and of the low-pressure limits of those that fall off.
    third, falloff : ndarray, shape (M, S) and (F, S)
        Efficiencies of third bodies.
    reversible : ndarray, shape (R,)
        1 where a reaction goes both ways, else 0.
    troe : ndarray, shape (F, 4)
        ``A, 1 / T3, 1 / T1, T2``.
    thermo : ndarray, shape (2, 7, S)
        NASA polynomials below and above the `middle` temperatures.
    """

    names: list[str]
    ahead: np.ndarray
    behind: np.ndarray
    net: scipy.sparse.csr_array
    order: np.ndarray
    rate: np.ndarray
    low: np.ndarray
    third: np.ndarray
    falloff: np.ndarray
    reversible: np.ndarray
    troe: np.ndarray
    thermo: np.ndarray
    middle: np.ndarray

    @property
    def plain(self) -> int:
        """How many reactions are elementary."""
        return len(self.rate) - len(self.third) - len(self.falloff)


def gri30() -> tuple[Mechanism, Any]:
    """Return GRI-Mech 3.0 (53 species, 325 reactions) as Cantera publishes it, and Cantera's own object."""
    import cantera

    gas = cantera.Solution("gri30.yaml")
    return read(gas), gas


def read(gas: Any) -> Mechanism:
    """Return the arrays of a Cantera mechanism of elementary, third-body and Troe reactions."""
    names = gas.species_names
    kinds = np.array([_kind(r) for r in gas.reactions()])
    order = np.argsort(kinds, kind="stable")
    reactions, kinds = [gas.reaction(int(k)) for k in order], kinds[order]
    ahead, behind, net = _sides(reactions, names)
    falling = [r for r, kind in zip(reactions, kinds, strict=True) if kind == 2]
    bodies = np.array([_efficiencies(r.third_body, names) for r in reactions if r.third_body is not None])
    troe = np.array([_troe(r.rate.falloff_coeffs) for r in falling])
    thermo = np.array([s.thermo.coeffs for s in gas.species()])
    return Mechanism(
        names, ahead, behind, net, order,
        np.array([_arrhenius(getattr(r.rate, "high_rate", r.rate)) for r in reactions]),
        np.array([_arrhenius(r.rate.low_rate) for r in falling]),
        bodies[: -len(falling)], bodies[-len(falling) :],
        np.array([float(r.reversible) for r in reactions]),
        np.stack([troe[:, 0], 1.0 / troe[:, 1], 1.0 / troe[:, 2], troe[:, 3]], axis=1),
        np.stack([thermo[:, 8:15].T, thermo[:, 1:8].T]), thermo[:, 0].copy(),
    )  # fmt: skip


def _kind(reaction: Any) -> int:
    if hasattr(reaction.rate, "low_rate"):
        return 2
    return int(reaction.third_body is not None)


def _arrhenius(rate: Any) -> tuple[float, float, float]:
    return np.log(rate.pre_exponential_factor), rate.temperature_exponent, rate.activation_energy / GAS_CONSTANT


def _troe(coefficients: np.ndarray) -> tuple[float, ...]:
    """Return ``A, T3, T1, T2`` of the broadening of a reaction, which is 1 where it has none (Lindemann)."""
    a, T3, T1, T2 = [*coefficients, NEVER][:4] if len(coefficients) else (1.0, NEVER, NEVER, NEVER)
    return float(a), float(T3), float(T1), float(T2)


def _efficiencies(body: Any, names: list[str]) -> list[float]:
    return [body.efficiencies.get(name, body.default_efficiency) for name in names]


def _sides(reactions: list[Any], names: list[str]) -> tuple[np.ndarray, np.ndarray, scipy.sparse.csr_array]:
    """Return the species on both sides of reactions, and what each makes; a third body counts on neither side."""
    S = len(names)
    sides = np.full((2, len(reactions), MOST), S)
    net = np.zeros((S, len(reactions)))
    for i, reaction in enumerate(reactions):
        for side, (species, sign) in enumerate(((reaction.reactants, -1.0), (reaction.products, 1.0))):
            found = [names.index(name) for name, times in species.items() for _ in range(round(times))]
            sides[side, i, : len(found)] = found
            np.add.at(net[:, i], found, sign)
    return sides[0], sides[1], scipy.sparse.csr_array(net)


def reactor(m: Mechanism, xp: Any = np) -> Callable[[Any], Any]:
    """Return dy/dt of reactors with ``y = (T, c)`` along the last axis; `xp` is NumPy, or what has its names."""
    S, plain, falling = len(m.names), m.plain, len(m.falloff)
    net = m.net if xp is np else xp.asarray(m.net.toarray())
    logA, b, E = m.rate.T
    logA0, b0, E0 = m.low.T
    a, inverse3, inverse1, T2 = m.troe.T
    moles = np.asarray(m.net.sum(axis=0)).reshape(-1)
    used = [int((side < S).any(axis=0).sum()) for side in (m.ahead, m.behind)]

    def times(matrix: Any, array: Any) -> Any:
        return (matrix @ array.T).T

    def f(y: Any) -> Any:
        T, c = y[..., :1], y[..., 1:]
        logT, inverse = xp.log(T), 1.0 / T
        p = [xp.where(m.middle < T, high, low) for low, high in zip(*m.thermo, strict=True)]
        # limits of the rates, third bodies, and Troe's way from one limit to the other
        k = xp.exp(logA + b * logT - E * inverse)
        reduced = xp.exp(logA0 + b0 * logT - E0 * inverse) * (c @ m.falloff.T) / k[..., -falling:]
        center = xp.log10((1.0 - a) * xp.exp(-T * inverse3) + a * xp.exp(-T * inverse1) + xp.exp(-T2 * inverse))
        x = xp.log10(reduced) - 0.4 - 0.67 * center
        bend = 10.0 ** (center / (1.0 + (x / (0.75 - 1.27 * center - 0.14 * x)) ** 2))
        factor = xp.concatenate([c @ m.third.T, reduced / (1.0 + reduced) * bend], axis=-1)
        k = xp.concatenate([k[..., :plain], k[..., plain:] * factor], axis=-1)
        # the other direction, from the Gibbs energies
        high = T * (p[1] / 2 + T * (p[2] / 6 + T * (p[3] / 12 + T * p[4] / 20)))
        gibbs = p[0] * (1.0 - logT) - high + p[5] * inverse - p[6]
        back = m.reversible * xp.exp(times(net.T, gibbs) - moles * xp.log(ONE_ATM / GAS_CONSTANT * inverse))
        with_one = xp.concatenate([c, xp.ones_like(T)], axis=-1)
        forth = xp.ones(1) * with_one[..., m.ahead[:, 0]]
        for column in range(1, used[0]):
            forth = forth * with_one[..., m.ahead[:, column]]
        reverse = back * with_one[..., m.behind[:, 0]]
        for column in range(1, used[1]):
            reverse = reverse * with_one[..., m.behind[:, column]]
        made = times(net, k * (forth - reverse))
        # energy: heat capacity and internal energy over R
        cv = p[0] - 1.0 + T * (p[1] + T * (p[2] + T * (p[3] + T * p[4])))
        energy = T * (p[0] - 1.0 + T * (p[1] / 2 + T * (p[2] / 3 + T * (p[3] / 4 + T * p[4] / 5)))) + p[5]
        heating = -xp.sum(energy * made, axis=-1, keepdims=True) / xp.sum(cv * c, axis=-1, keepdims=True)
        return xp.concatenate([heating, made], axis=-1)

    return f


def states(m: Mechanism, cells: int, seed: int = 0) -> np.ndarray:
    """Return states of reactors at one atmosphere, 1100 to 2300 K, every species present."""
    rng = np.random.default_rng(seed)
    T = rng.uniform(1100.0, 2300.0, (cells, 1))
    shares = rng.uniform(0.01, 1.0, (cells, len(m.names)))
    shares /= shares.sum(axis=1, keepdims=True)
    return np.concatenate([T, shares * ONE_ATM / GAS_CONSTANT / T], axis=1)


def reference(gas: Any, y: np.ndarray) -> np.ndarray:
    """Return dy/dt of one cell by Cantera."""
    gas.TDX = y[0], y[1:] @ gas.molecular_weights, y[1:] / y[1:].sum()
    made = gas.net_production_rates
    energy, cv = gas.partial_molar_int_energies, gas.partial_molar_cp - GAS_CONSTANT
    return np.concatenate([[-(energy @ made) / (cv @ y[1:])], made])
