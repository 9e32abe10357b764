"""A battery's discharge: PyBaMM's Doyle-Fuller-Newman model by SUNDIALS' IDA with our Jacobian, and by PyBaMM."""

from __future__ import annotations

import time
import warnings
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks.battery import discretised
from benchmarks.report import Part, Table, Target
from sparsead import solvers

PACKAGES = ("pybamm", "sksundae")


class Discharge:
    """``M y' = F(t, y)``, where F is the NumPy code that PyBaMM generates and M is 1 or 0 on its diagonal."""

    def __init__(self) -> None:
        import pybamm

        pybamm.set_logging_level("ERROR")
        model = discretised(pybamm.lithium_ion.DFN())
        evaluate = pybamm.EvaluatorPython(
            pybamm.NumpyConcatenation(model.concatenated_rhs, model.concatenated_algebraic)
        )
        self.F = lambda t, y: np.ravel(evaluate(t, y))
        self._voltage = pybamm.EvaluatorPython(model.get_processed_variable("Voltage [V]"))
        self.mass = model.mass_matrix.entries.diagonal()
        self.algebraic = np.flatnonzero(self.mass == 0.0)
        self.y0, self.yp0 = self._consistent(model.concatenated_initial_conditions.evaluate().ravel())

    def residual(self, t: float, y: Any, yp: Any, res: Any) -> None:
        """Write ``M y' - F(t, y)`` to res."""
        res[:] = self.mass * yp - self.F(t, y)

    def voltage(self, t: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.array([np.ravel(self._voltage(*state))[0] for state in zip(t, y, strict=True)])

    def run(self, times: np.ndarray, rtol: float, **options: Any) -> Any:
        """Integrate by IDA."""
        from sksundae.ida import IDA

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Custom sparse Jacobian")  # said of any jacfn
            ida = IDA(self.residual, rtol=rtol, atol=rtol, algebraic_idx=self.algebraic, max_num_steps=5000, **options)
        return ida.solve(times, self.y0, self.yp0)

    def _consistent(self, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Solve the algebraic equations for the algebraic variables; return y and y'."""
        k = self.algebraic[0]  # they come last

        def algebraic(z: Any, differential: Any) -> Any:
            return self.F(0.0, np.concatenate([differential, z]))[k:]

        found = solvers.newton(algebraic, y[k:], y[:k], ftol=1e-13)
        assert found.success, found.message
        y = np.concatenate([y[:k], found.x])
        return y, self.mass * self.F(0.0, y)


def reference(times: np.ndarray, rtol: float) -> np.ndarray:
    """Return the voltage as PyBaMM's own solver finds it."""
    import pybamm

    simulation = pybamm.Simulation(pybamm.lithium_ion.DFN(), solver=pybamm.IDAKLUSolver(rtol=rtol, atol=rtol))
    return simulation.solve(times)["Voltage [V]"](times)


def run(rtol: float = 1e-6) -> list[Part]:
    """Discharge in an hour by IDA with our Jacobian, with grouped and with dense differences."""
    if not all(map(find_spec, PACKAGES)):
        return []
    times = np.linspace(0.0, 3600.0, 61)
    expected = reference(times, 1e-9)
    discharge = Discharge()
    start = time.process_time()
    ours = solvers.ida_jacobian(discharge.residual, 0.0, discharge.y0, discharge.yp0)
    prepare = time.process_time() - start
    grouped = {"linsolver": "sparse", "sparsity": ours["sparsity"]}
    rows, seconds = [], []
    for name, options in (("our jacfn", ours), ("grouped differences", grouped), ("dense differences", {})):
        start = time.process_time()
        found = discharge.run(times, rtol, **options)
        seconds.append(time.process_time() - start)
        apart = float(np.abs(discharge.voltage(found.t, found.y) - expected).max())
        rows.append((name, found.nfev, found.njev, seconds[-1], seconds[-1] / seconds[0], apart))
    columns = ("IDA with", "residuals", "Jacobians", "s", "of ours", "voltage apart, V")
    note = (
        f"{discharge.y0.size} states, {discharge.algebraic.size} of them algebraic, one hour at 1 C, tolerances "
        f"{rtol:g}. Our Jacobian was prepared in {prepare:.2g} s. 'apart': from PyBaMM's own solver at 1e-9."
    )
    return [
        Table("Discharge of a battery, Doyle-Fuller-Newman (PyBaMM), by IDA", columns, rows, note),
        Target("battery: largest difference of the voltage from PyBaMM's own solver, V", rows[0][-1], 1e-4),
    ]
