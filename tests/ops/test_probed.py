"""Functions that are linear in an argument: what they fill up with stays what it is."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.interpolate as si
import scipy.ndimage as nd

import sparsead as sad

X = np.array([1.0, 2.0, 3.0, 4.0])
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.1, 0.9]])
AT = np.array([[0.4, 0.3], [5.0, 5.0]])  # the second is outside

FILLED = {
    "griddata, NaN": lambda x: si.griddata(CORNERS, x, AT),
    "griddata, 7": lambda x: si.griddata(CORNERS, x, AT, fill_value=7.0),
    "griddata, infinite": lambda x: si.griddata(CORNERS, x, AT, fill_value=-np.inf),
    "shift, infinite": lambda x: nd.shift(x, 1.0, cval=np.inf, order=0),
    "shift, NaN": lambda x: nd.shift(x, 1.0, cval=np.nan, order=0),
}


@pytest.mark.filterwarnings("ignore:invalid value")  # inf - inf of the reference
@pytest.mark.parametrize("name", FILLED)
def test_what_is_outside(name):
    f = FILLED[name]
    jac = sad.jacobian(f, X, check=False)
    np.testing.assert_allclose(jac.value(2.0 * X), f(2.0 * X), rtol=1e-14)
    expected = np.stack([f(X + unit) - f(X) for unit in np.eye(4)], axis=1)
    np.testing.assert_allclose(jac(X).toarray(), np.where(np.isfinite(expected), expected, 0.0), atol=1e-14)
