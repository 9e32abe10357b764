"""Lithium-ion batteries: the NumPy code that PyBaMM generates for its discretised models."""

from __future__ import annotations

from benchmarks.battery import discretised, equations
from tests.real.case import Real, case


def generated(model) -> Real:
    """Right-hand side and algebraic equations in one evaluator, against PyBaMM's own differentiation of them."""
    import pybamm

    symbol, y0 = equations(discretised(model))
    evaluate = pybamm.EvaluatorPython(symbol)
    symbolic = symbol.jac(pybamm.StateVector(slice(0, y0.size)))
    return Real(lambda y: evaluate(0.0, y), y0, lambda y: symbolic.evaluate(0.0, y.reshape(-1, 1)), same_pattern=True)


@case("battery, Doyle-Fuller-Newman (PyBaMM)", "pybamm", against="PyBaMM's symbolic Jacobian")
def dfn() -> Real:
    import pybamm

    return generated(pybamm.lithium_ion.DFN())


@case("battery, single particle with electrolyte (PyBaMM)", "pybamm", against="PyBaMM's symbolic Jacobian")
def spme() -> Real:
    import pybamm

    return generated(pybamm.lithium_ion.SPMe())
