"""The adapters for scikit-sundae: values in the order of the sparsity, and real runs where it is installed."""

import numpy as np
import pytest

import sparsead as sad
from sparsead import solvers
from sparsead.problems import brusselator

Y0 = brusselator(8).x0
REASON = "scikit-sundae is not installed (pip install scikit-sundae)"


def rhsfn(t, y, yp):
    yp[:] = brusselator(8).f(y, 0.1)


def resfn(t, y, yp, res, rate):
    """A chain of reactions; the last equation is algebraic: everything adds up to one."""
    res[:] = yp + rate * y
    res[1:] -= rate * y[:-1]
    res[-1] = np.sum(y) - 1.0


def filled(options, *args):
    JJ = np.full(options["sparsity"].nnz, np.nan)
    options["jacfn"](*args, JJ)
    matrix = options["sparsity"].copy()
    matrix.data[:] = JJ
    return matrix.toarray()


def test_cvode_values_follow_the_sparsity():
    options = solvers.cvode_jacobian(rhsfn, 0.0, Y0)
    y = Y0 + 0.1
    expected = solvers.ivp_jacobian(lambda t, y: brusselator(8).f(y, 0.1), 0.0, Y0)(0.0, y)
    np.testing.assert_array_equal(filled(options, 0.0, y, None), expected.toarray())
    assert options["sparsity"].nnz == expected.nnz
    assert np.count_nonzero(filled(options, 0.0, np.zeros_like(y), None)) < expected.nnz


def test_a_function_that_fills_nothing_is_refused():
    with pytest.raises(sad.InputError, match="rhsfn returned a value and wrote nothing"):
        solvers.cvode_jacobian(lambda t, y, yp: -y, 0.0, np.ones(2))
    filling = solvers.cvode_jacobian(lambda t, y, yp: np.negative(y, out=yp), 0.0, np.ones(2))  # returns yp
    assert filling["sparsity"].nnz == 2


def test_ida_values_are_the_sum_of_both_derivatives():
    options = solvers.ida_jacobian(resfn, 0.0, np.ones(4), np.zeros(4), 3.0)
    JJ = np.empty(options["sparsity"].nnz)
    options["jacfn"](0.0, np.ones(4), np.zeros(4), None, 10.0, JJ, 2.0)
    matrix = options["sparsity"].copy()
    matrix.data[:] = JJ
    expected = [[12, 0, 0, 0], [-2, 12, 0, 0], [0, -2, 12, 0], [1, 1, 1, 1]]
    np.testing.assert_array_equal(matrix.toarray(), expected)
    options["jacfn"](0.0, np.zeros(4), np.zeros(4), None, 0.0, JJ, 0.0)
    assert np.count_nonzero(JJ) == 4


IGNORED = pytest.mark.filterwarnings("ignore:Custom sparse Jacobian approximation")  # said of any jacfn


@IGNORED
def test_cvode_run():
    cvode = pytest.importorskip("sksundae.cvode", reason=REASON)
    from scipy.integrate import solve_ivp

    solver = cvode.CVODE(rhsfn, rtol=1e-8, atol=1e-10, max_num_steps=5000, **solvers.cvode_jacobian(rhsfn, 0.0, Y0))
    found = solver.solve(np.linspace(0.0, 1.0, 3), Y0)
    assert found.success
    expected = solve_ivp(lambda t, y: brusselator(8).f(y, 0.1), (0.0, 1.0), Y0, method="Radau", rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(found.y[-1], expected.y[:, -1], rtol=1e-5)


@IGNORED
def test_ida_run():
    ida = pytest.importorskip("sksundae.ida", reason=REASON)
    y0 = np.array([1.0, 0.0, 0.0, 0.0])
    yp0 = np.array([-2.0, 2.0, 0.0, 0.0])
    options = solvers.ida_jacobian(resfn, 0.0, y0, yp0, 2.0)
    solver = ida.IDA(resfn, rtol=1e-8, atol=1e-10, algebraic_idx=[3], userdata=2.0, **options)
    found = solver.solve(np.linspace(0.0, 2.0, 5), y0, yp0)
    assert found.success
    t = found.t[-1]
    chain = np.exp(-2 * t) * np.array([1.0, 2 * t, 2 * t**2])
    np.testing.assert_allclose(found.y[-1], [*chain, 1.0 - chain.sum()], atol=1e-7)


@pytest.mark.parametrize("options", [{}, {"method": "finite-difference"}, {"guard": "record"}])
def test_the_function_is_there_compiled(options):
    y, yp, rate = Y0 + 0.1, np.cos(Y0), np.array([3.0])
    found, wanted = np.empty_like(y), np.empty_like(y)
    solvers.cvode_jacobian(rhsfn, 0.0, y, **options).function(0.5, y, found)
    rhsfn(0.5, y, wanted)
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    solvers.ida_jacobian(resfn, 0.0, y, yp, rate, **options).function(0.5, y, yp, found, 2.0 * rate)
    resfn(0.5, y, yp, wanted, 2.0 * rate)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-12)
