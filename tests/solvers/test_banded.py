"""Banded LU against dense solutions, and in SciPy's methods for stiff systems."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from scipy.integrate import solve_ivp

from sparsead import solvers
from sparsead.solvers.banded import WIDEST, banded

RNG = np.random.default_rng(2)


def matrix(n, offsets, order=None):
    J = scipy.sparse.diags_array([RNG.normal(size=n - abs(k)) for k in offsets], offsets=offsets, format="csc")
    return J if order is None else scipy.sparse.csc_array(J[order][:, order])


@pytest.mark.parametrize("offsets", [(0,), (-1, 0, 1), (-2, 1), (3,), (-WIDEST, 0, 2), ()])
@pytest.mark.parametrize("a", [1.0, 0.0, 2.0 + 3.0j])
def test_solutions_are_those_of_the_dense_matrix(offsets, a):
    J = matrix(40, offsets) if offsets else scipy.sparse.csc_array((40, 40))
    if a == 0.0 and 0 not in offsets:
        return
    J.sort_indices()
    b = RNG.normal(size=40)
    dense = a * np.eye(40) - 0.3 * J.toarray()
    found = banded(J).factor(a, -0.3, J)(b)
    np.testing.assert_allclose(dense @ found, b, rtol=0, atol=1e-9 * np.linalg.cond(dense) ** 0.5)


def test_a_hidden_band_is_found():
    order = RNG.permutation(300)
    J = matrix(300, (-2, -1, 0, 1, 2), order)
    J.sort_indices()
    b = RNG.normal(size=300)
    found = banded(J).factor(1.0, -0.01, J)(b)
    np.testing.assert_allclose(found - 0.01 * (J @ found), b, atol=1e-12)


def test_wide_bands_are_left_to_others():
    assert banded(matrix(100, (-WIDEST - 1, 0, WIDEST + 1))) is not None  # in another order
    grid = scipy.sparse.kronsum(matrix(40, (-1, 0, 1)), matrix(40, (-1, 0, 1)), format="csc")
    grid.sort_indices()
    assert banded(grid) is None


def test_a_singular_matrix_is_told():
    J = scipy.sparse.csc_array(np.ones((2, 2)))
    with pytest.raises(RuntimeError, match="singular"):
        banded(J).factor(0.0, 1.0, J)


def brusselator(t, y):
    """Reaction and diffusion on a line, of 2 x 60 unknowns."""
    u, v = y.reshape(60, 2).T
    up, vp = np.pad(u, 1, constant_values=1.0), np.pad(v, 1, constant_values=3.0)
    reaction = u * u * v
    du = 1.0 + reaction - 4.0 * u + 75.0 * (up[2:] - 2.0 * u + up[:-2])
    dv = 3.0 * u - reaction + 75.0 * (vp[2:] - 2.0 * v + vp[:-2])
    return np.stack([du, dv], axis=1).ravel()


@pytest.mark.parametrize(("ours", "theirs"), [(solvers.BDF, "BDF"), (solvers.Radau, "Radau")])
def test_steps_are_those_of_scipy(ours, theirs):
    y0 = np.stack([1.0 + np.sin(np.linspace(0.0, 6.28, 60)), np.full(60, 3.0)], axis=1).ravel()
    jac = solvers.ivp_jacobian(brusselator, 0.0, y0)
    found, wanted = (
        solve_ivp(f, (0.0, 5.0), y0, method=method, jac=jac, rtol=1e-6, atol=1e-8)
        for f, method in ((jac.f, ours), (brusselator, theirs))
    )
    assert found.success
    assert (found.nfev, found.njev, found.nlu) == (wanted.nfev, wanted.njev, wanted.nlu)
    np.testing.assert_allclose(found.y, wanted.y, rtol=1e-7, atol=1e-9)
