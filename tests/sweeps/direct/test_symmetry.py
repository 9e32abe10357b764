"""Which Jacobians are symmetric for every x, and so are stored by columns as by rows."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad

X = np.linspace(0.3, 1.2, 12)


def heat(x):
    """A second difference, added up of three, and a reaction."""
    p = np.pad(x, 1)
    return (p[2:] + p[:-2] - 2.0 * x) / 0.01 - 0.1 * x - np.exp(x) * x


def transport(x):
    return heat(x) + np.gradient(x)


def coupled(x):
    return heat(x) + x * np.roll(x, 1) + x * np.roll(x, -1)


def summed(x):
    """The same constant on both sides of the diagonal, added up in another order: other last bits."""
    return np.concatenate([[0.1 * x[1] + 0.2 * x[1] + 0.3 * x[1]], [0.3 * x[0] + 0.2 * x[0] + 0.1 * x[0]], x[2:] ** 2])


def layered(x):
    return np.cumsum(x) + 0.5 * np.sin(np.cumsum(x[::-1]))[::-1]


@pytest.mark.parametrize(
    ("f", "symmetric"), [(heat, True), (transport, False), (coupled, False), (summed, False), (layered, False)]
)
def test_what_is_stored_by_columns_as_by_rows(f, symmetric):
    by_rows, jac = (
        sad.jacobian(f, X, mode="direct", backend="python", check=False, format=format) for format in ("csr", "csc")
    )
    wanted, J = by_rows(X), jac(X)
    assert J.format == "csc" and jac.structure.in_order == symmetric
    np.testing.assert_array_equal(J.toarray(), wanted.toarray())
    for order in ("csr", "csc", "lower", "upper"):
        np.testing.assert_array_equal(jac.values(X, order=order), by_rows.values(X, order=order))
    np.testing.assert_array_equal(jac.diagonal(X), wanted.diagonal())
    v, step = np.cos(X), 1e-200
    np.testing.assert_allclose(J @ v, f(X + 1j * step * v).imag / step, rtol=1e-12)
