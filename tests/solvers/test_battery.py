"""A battery model of PyBaMM, a stiff DAE, integrated through the adapter for IDA."""

import numpy as np
import pytest

from benchmarks import discharge

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize(("rtol", "bound"), [(1e-5, 1e-4), (1e-8, 1e-6)])
def test_the_voltage_is_that_of_pybamms_own_solver(rtol, bound):
    for package in discharge.PACKAGES:
        pytest.importorskip(package)
    times = np.linspace(0.0, 3600.0, 13)
    battery = discharge.Discharge()
    options = discharge.solvers.ida_jacobian(battery.residual, 0.0, battery.y0, battery.yp0)
    found = battery.run(times, rtol, **options)
    assert found.success
    voltage = battery.voltage(found.t, found.y)
    assert voltage[0] - voltage[-1] > 0.5  # it does discharge
    np.testing.assert_allclose(voltage, discharge.reference(times, 1e-9), rtol=0.0, atol=bound)
