"""Functions of packages that compute with NumPy inside: right-hand sides, losses, test problems."""

from __future__ import annotations

import numpy as np

from tests.real.case import Real, case
from tests.reference import differences


@case("Cahn-Hilliard equation (py-pde)", "pde", against="differences of order 8")
def cahn_hilliard() -> Real:
    import pde

    grid, equation = pde.CartesianGrid([[0.0, 1.0]], 24, periodic=True), pde.CahnHilliardPDE()

    def rate(c):
        return equation.evolution_rate(pde.ScalarField(grid, c)).data

    return Real(rate, np.random.default_rng(0).uniform(0.2, 0.8, 24), lambda c: differences(rate, c), tolerance=1e-10)


@case("photovoltaic cells, plane of array and single diodes (pvlib)", "pvlib", against="differences of order 8")
def photovoltaics() -> Real:
    import pvlib

    def current(x):
        direct, diffuse, air, voltage = 1000.0 * x[:8], 300.0 * x[8:16], 20.0 + 10.0 * x[16:24], 0.5 * x[24:]
        plane = direct * np.cos(np.radians(pvlib.irradiance.aoi(30.0, 180.0, 40.0, 170.0)))
        plane = plane + pvlib.irradiance.isotropic(30.0, diffuse)
        cell = pvlib.temperature.faiman(plane, air, 2.0)
        light, dark, series, shunt, factor = pvlib.pvsystem.calcparams_desoto(
            plane, cell, 0.005, 1.5, 6.0, 1e-9, 300.0, 0.3
        )
        return pvlib.singlediode.bishop88(voltage, light, dark, series, shunt, factor)[0]

    x = np.random.default_rng(0).uniform(0.3, 0.9, 32)
    return Real(current, x, lambda x: differences(current, x), tolerance=1e-9)


@case("design of a car's side, objectives and constraints (pymoo)", "pymoo", against="differences of order 8")
def car_side() -> Real:
    from pymoo.problems import get_problem

    problem = get_problem("carside")

    def evaluated(x):
        out: dict = {}
        problem._evaluate(x[None, :], out)
        return np.concatenate([np.ravel(out["F"]), np.ravel(out["G"])])

    x = problem.xl + (problem.xu - problem.xl) * np.linspace(0.31, 0.67, problem.n_var)
    return Real(evaluated, x, lambda x: differences(evaluated, x), tolerance=1e-10)


@case("vapor pressures of Lee and Kesler (chemicals)", "chemicals", against="differences of order 8")
def lee_kesler() -> Real:
    import chemicals

    def pressures(T):
        return np.array([chemicals.Lee_Kesler(t, 647.0, 22e6, 0.34) for t in T])

    T = np.linspace(300.0, 400.0, 10)
    return Real(pressures, T, lambda T: differences(pressures, T, 1e-2), tolerance=1e-9)
