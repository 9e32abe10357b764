"""Combustion of natural gas: ChemPy's rates of the elementary reactions of GRI-Mech 3.0, as stored in Cantera."""

from __future__ import annotations

import numpy as np

from tests.real.case import Real, case


@case("kinetics, 275 reactions of GRI-Mech 3.0 (ChemPy)", "chempy", "cantera", against="Cantera's analytic Jacobian")
def gri30() -> Real:
    import cantera
    import chempy

    stored = cantera.Solution("gri30.yaml")
    gas = cantera.Solution(
        thermo="ideal-gas",
        kinetics="gas",
        species=stored.species(),
        reactions=[r for r in stored.reactions() if r.reaction_type == "Arrhenius"],
    )
    names = gas.species_names
    gas.TPX = 1500.0, cantera.one_atm, np.random.default_rng(0).uniform(0.5, 1.5, gas.n_species)
    reactions = []
    rates = zip(gas.reactions(), gas.forward_rate_constants, gas.reverse_rate_constants, strict=True)
    for reaction, forward, backward in rates:
        reactions.append(chempy.Reaction(reaction.reactants, reaction.products, float(forward)))
        if reaction.reversible:
            reactions.append(chempy.Reaction(reaction.products, reaction.reactants, float(backward)))
    system = chempy.ReactionSystem(reactions, names, checks=())

    def production(c):
        rates = system.rates(dict(zip(names, c, strict=True)))
        return np.array([rates.get(name, 0.0) for name in names])

    def reference(c):
        gas.TDX = 1500.0, c @ gas.molecular_weights, c / c.sum()
        return gas.net_production_rates_ddCi

    return Real(production, gas.concentrations, reference)
