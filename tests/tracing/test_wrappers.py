"""Values of other packages beside unknowns: fractions, units, matrices, labelled arrays; complex values viewed."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.31, 0.74, 0.52, 0.93, 0.17, 0.66])


def agrees(f):
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), np.asarray(f(X), dtype=float), rtol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-8, atol=1e-9)


def test_fractions_are_numbers():
    agrees(lambda x: Fraction(1, 3) * x[0] * x - x / Fraction(1, 2) + x[1] ** Fraction(1, 2))
    agrees(lambda x: np.where(x > Fraction(1, 2), x, x**2) + Fraction(1, 2) ** x)


def test_quantities_of_pint_go_through_from_either_side():
    pint = pytest.importorskip("pint")
    u = pint.UnitRegistry()
    agrees(lambda x: (x * u.m).to("cm").magnitude + (u.m * x).magnitude)
    agrees(lambda x: (x * (3.0 * u.m)).to("cm").magnitude - ((3.0 * u.m) * x).magnitude)
    agrees(lambda x: (x * (np.arange(6.0) * u.m) + u.Quantity(x**2, "cm")).to("m").magnitude)
    agrees(lambda x: np.sin(u.Quantity(x, "degree")).magnitude)


def test_series_of_pandas():
    pd = pytest.importorskip("pandas")
    s = pd.Series(np.arange(1.0, 7.0))
    agrees(lambda x: np.array([x @ s, s @ x]) * x[0])
    agrees(lambda x: pd.Series(x) ** 2)
    agrees(lambda x: pd.DataFrame({"a": x, "b": x**2})["b"].values * x)
    np.testing.assert_array_equal(sad.jacobian(lambda x: x**2, s)(s).toarray(), np.diag(2.0 * s.to_numpy()))


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.matrix(np.eye(6)) @ x,
        lambda x: x @ np.matrix(np.eye(6)),
        lambda x: x * np.matrix(np.eye(6)),
        lambda x: np.matrix(np.eye(6)) * x.reshape(6, 1),
        lambda x: np.dot(np.matrix(np.eye(6)), x),
        lambda x: np.matrix(np.eye(6)) + x,
    ],
)
def test_matrices_of_numpy_are_refused_with_what_to_write(f):
    with pytest.raises(sad.UnsupportedOperationError, match="@ for products"):
        sad.jacobian(f, X)


def written_through_a_view(x):
    z = np.exp(1j * x)
    v = z.view(float)
    v[::2] *= 2.0
    z *= 3.0
    return np.concatenate([v, z.real])


def test_computed_complex_values_are_viewed_as_floats():
    agrees(lambda x: np.exp(1j * x.reshape(2, 3)).view("f8"))
    agrees(written_through_a_view)

    def f(x):
        z = np.exp(1j * x)
        other = z[::2]
        z.view(float)[:] = 0.0
        return other.real

    with pytest.raises(sad.UnsupportedOperationError, match="other views"):
        sad.jacobian(f, X)
