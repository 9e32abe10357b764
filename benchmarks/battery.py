"""A lithium-ion battery, the Doyle-Fuller-Newman model: the NumPy code that PyBaMM generates for its discretisation."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.problems import Problem

REFERENCE = (
    "M. Doyle, T. F. Fuller and J. Newman, Modeling of galvanostatic charge and discharge of the lithium/polymer/"
    "insertion cell, J. Electrochem. Soc. 140 (1993) 1526-1533; discretised by PyBaMM"
)


def discretised(model: Any, points: int | None = None) -> Any:
    """Discretise a model of PyBaMM, with `points` finite volumes along each axis of cell and particles."""
    import pybamm

    parameters = model.default_parameter_values
    parameters.process_model(model)
    geometry = model.default_geometry
    parameters.process_geometry(geometry)
    chosen = model.default_var_pts if points is None else dict.fromkeys(("x_n", "x_s", "x_p", "r_n", "r_p"), points)
    mesh = pybamm.Mesh(geometry, model.default_submesh_types, chosen)
    pybamm.Discretisation(mesh, model.default_spatial_methods).process_model(model)
    return model


def equations(model: Any) -> tuple[Any, np.ndarray]:
    """Return right-hand side and algebraic equations in one symbol, as PyBaMM's DAE solvers call them, and a state."""
    import pybamm

    parts = [part for part in (model.concatenated_rhs, model.concatenated_algebraic) if part.size]
    y0 = model.concatenated_initial_conditions.evaluate().ravel()
    return pybamm.NumpyConcatenation(*parts), y0 * np.random.default_rng(0).uniform(0.99, 1.01, y0.size)


def battery(size: int) -> Problem:
    """Return the residuals of the model at ``2 size**2 + 8 size + 2`` states."""
    import pybamm

    pybamm.set_logging_level("ERROR")
    symbol, y0 = equations(discretised(pybamm.lithium_ion.DFN(), size))
    evaluate = pybamm.EvaluatorPython(symbol)

    def residuals(y: np.ndarray, symbol: Any) -> np.ndarray:
        return evaluate(0.0, y)

    return Problem(
        name="battery",
        title=f"battery, Doyle-Fuller-Newman, {size} points an axis",
        reference=REFERENCE,
        derivative="jacobian",
        f=residuals,
        x0=y0,
        args=(symbol,),  # what other tools start from
    )
