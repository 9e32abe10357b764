"""Lithium-ion batteries: the NumPy code that PyBaMM generates for its discretised models."""

from __future__ import annotations

import numpy as np

from tests.real.case import Real, case


def discretised(model):
    import pybamm

    parameters = model.default_parameter_values
    parameters.process_model(model)
    geometry = model.default_geometry
    parameters.process_geometry(geometry)
    mesh = pybamm.Mesh(geometry, model.default_submesh_types, model.default_var_pts)
    pybamm.Discretisation(mesh, model.default_spatial_methods).process_model(model)
    return model


def generated(model) -> Real:
    """Right-hand side and algebraic equations in one evaluator, as PyBaMM's DAE solvers call them."""
    import pybamm

    model = discretised(model)
    parts = [part for part in (model.concatenated_rhs, model.concatenated_algebraic) if part.size]
    symbol = pybamm.NumpyConcatenation(*parts)
    evaluate = pybamm.EvaluatorPython(symbol)
    y0 = model.concatenated_initial_conditions.evaluate().ravel()
    symbolic = symbol.jac(pybamm.StateVector(slice(0, y0.size)))
    return Real(
        lambda y: evaluate(0.0, y),
        y0 * np.random.default_rng(0).uniform(0.99, 1.01, y0.size),
        lambda y: symbolic.evaluate(0.0, y.reshape(-1, 1)),
        same_pattern=True,
    )


@case("battery, Doyle-Fuller-Newman (PyBaMM)", "pybamm", against="PyBaMM's symbolic Jacobian")
def dfn() -> Real:
    import pybamm

    return generated(pybamm.lithium_ion.DFN())


@case("battery, single particle with electrolyte (PyBaMM)", "pybamm", against="PyBaMM's symbolic Jacobian")
def spme() -> Real:
    import pybamm

    return generated(pybamm.lithium_ion.SPMe())
