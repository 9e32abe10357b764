"""`check` passes what is right and names what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad


def chain(x):
    return x[1:] ** 2 * x[:-1] + np.sin(x[:-1])


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


X = np.linspace(0.3, 1.4, 20)


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_right_jacobian_passes(mode):
    report = sad.check(sad.jacobian(chain, X, mode=mode), X)
    assert report.passed
    assert len(report.comparisons) == 8
    assert report.calls < 25


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_right_hessian_passes(mode):
    assert sad.check(sad.hessian(rosenbrock, X, mode=mode), X).passed


def test_missing_entry_of_a_given_pattern_is_named():
    full = sad.jacobian_pattern(chain, X).to_scipy().tolil()
    full[7, 8] = 0.0
    holed = scipy.sparse.csr_array(full)
    holed.eliminate_zeros()
    jac = sad.jacobian(chain, X, method="central-difference", pattern=holed)
    with pytest.raises(
        sad.CheckFailed, match=r"worst in row 7: .* column 8 explains it: the pattern has no entry there"
    ):
        sad.check(jac, X)


def test_missing_entry_whose_derivative_is_zero_is_found_by_moving_other_columns():
    """At x[8] = 0 the derivative of x[8] ** 2 is zero: products and differences say nothing."""

    def f(x):
        return np.exp(x) + 1e-3 * np.where(np.arange(12) == 5, x[8] ** 2, 0.0)

    x = np.linspace(0.5, 1.0, 12)
    x[8] = 0.0
    jac = sad.jacobian(f, x, method="central-difference", pattern=scipy.sparse.eye_array(12))
    failures = [error for error in (failure_of(jac, x, seed) for seed in range(20)) if error is not None]
    assert len(failures) > 10  # each of the six sets tells the two columns apart with probability 1/4
    for error in failures:
        assert "row 5 depends on column 8: the pattern has no entry there" in str(error)
        failed = [c.name for c in error.report.comparisons if not c.passed]
        assert failed == ["rows without an entry in the columns that move"]


def test_conditions_that_flip_in_other_columns_are_no_missing_entries():
    x = np.linspace(0.2, 1.0, 40)
    near = 1.005 * x  # each threshold is crossed when its element is moved
    assert sad.check(sad.jacobian(lambda x: np.where(x[::-1] > near[::-1], x**2, 1.0), x), x).passed


def finish_by(prepared, spoil):
    """Let `spoil` finish the values; calls that machine code takes by itself have been prepared with what was there."""
    prepared._assembly.finish = spoil
    for entry in ("_fast", "_fast_both"):
        vars(prepared).pop(entry, None)


def failure_of(prepared, x, seed):
    try:
        sad.check(prepared, x, seed=seed)
    except sad.CheckFailed as error:
        return error
    return None


def test_wrong_value_is_named():
    jac = sad.jacobian(chain, X, mode="forward")
    right = jac._assembly.finish

    def spoil(data):
        right(data)
        data[5] += 1e-4  # row 2, its second entry: column 3

    finish_by(jac, spoil)
    with pytest.raises(sad.CheckFailed, match=r"worst in row 2.*column 3 explains it: its value is wrong") as caught:
        sad.check(jac, X)
    assert not caught.value.report.passed


def test_wrong_function_is_noticed():
    jac = sad.jacobian(chain, X)
    jac.function = lambda x: 1.0001 * chain(x)
    with pytest.raises(sad.CheckFailed, match="FAILED the value by the kernels and by the function"):
        sad.check(jac, X)


def test_asymmetry_is_noticed():
    hess = sad.hessian(rosenbrock, X, mode="star")
    right = hess._assembly.finish

    def spoil(data):
        right(data)
        data[1] *= 1 + 1e-15

    finish_by(hess, spoil)
    with pytest.raises(sad.CheckFailed, match="FAILED H and its transpose"):
        sad.check(hess, X)


def test_large_and_small_scales_do_not_fail():
    for scale in (1e-6, 1.0, 1e5):
        assert sad.check(sad.jacobian(chain, X), scale * X).passed


def test_scales_that_differ_between_elements():
    """Concentrations next to temperatures: a step that suits one leaves the domain of the other."""
    x = np.array([1e-12, 3e-9, 2e-4, 0.5, 300.0, 1e6])
    report = sad.check(sad.jacobian(lambda x: np.log(x) + np.sqrt(x[::-1]) * x, x), x)
    in_proportion = next(c for c in report.comparisons if "in proportion" in c.name)
    assert in_proportion.undecided == 0


def test_rows_without_a_derivative_are_left_out_and_counted():
    x = np.array([0.0, 0.5, 0.0])
    report = sad.check(sad.jacobian(lambda x: np.maximum(x, 0.0) + np.abs(x[::-1]), x), x)
    assert [c.undecided for c in report.comparisons if "differences" in c.name and "@ f" not in c.name] == [2, 2]
    assert "2 rows not compared" in str(report)


def test_a_wrong_value_beside_a_kink_is_noticed():
    x = np.array([0.0, 0.5, 0.7])
    jac = sad.jacobian(lambda x: np.maximum(x, 0.0) * 3.0, x, mode="forward")
    jac.function = lambda x: np.maximum(x, 0.0) * np.array([3.0, 3.001, 3.0])
    with pytest.raises(sad.CheckFailed, match="worst in row 1"):
        sad.check(jac, x)


def test_values_that_are_undefined_pass_where_the_function_has_none_either():
    x = np.array([-1.0, 0.5, np.nan, 4.0, 2.0, np.inf])
    assert sad.check(sad.jacobian(lambda x: np.log(x) * x[::-1], x), x).passed


def test_function_that_changes_is_named():
    state = [0.0]

    def drifting(x):
        state[0] += 1e-3
        return x * (1.0 + state[0])

    with pytest.raises(sad.CheckFailed, match="it gives other values each time"):
        sad.check(sad.jacobian(drifting, X, check=False), X)


def test_cancellation_is_not_taken_for_a_wrong_value():
    """Large terms cancel: the values of f are nothing but rounding errors of them."""

    def diffusion(u):
        return 1e9 * (np.roll(u, 1) - 2.0 * u + np.roll(u, -1))

    x = np.full(50, 0.7)
    assert sad.check(sad.jacobian(diffusion, x), x).passed
    assert sad.check(sad.hessian(lambda u: np.sum(diffusion(u) ** 2), x), x).passed


def test_any_argument():
    def f(t, y, rate):
        return rate * y[1:] * y[:-1] * t

    assert sad.check(sad.jacobian(f, 2.0, X, 0.3, argnum=1), 2.0, X, 0.3).passed
    assert sad.check(sad.jacobian(f, 2.0, X, 0.3), 2.0, X, 0.3).passed


def test_every_branch_of_a_guarded_derivative_passes():
    def branching(x):
        return x**2 if x[0] > 0.0 else -x * x[::-1]

    guarded = sad.jacobian(branching, X, guard="record")
    assert sad.check(guarded, X).passed and sad.check(guarded, -X).passed
    assert guarded(X, verify=True).nnz == X.size


def test_the_hessian_of_a_lagrangian_passes():
    lag = sad.lagrangian_hessian(rosenbrock, lambda x: x[1:] * x[:-1] ** 3, X)
    multipliers = np.linspace(-1, 1, 19)
    assert sad.check(lag, X, multipliers).passed
    assert (lag(X, multipliers, sigma=0.3, verify=True) != lag(X, multipliers, sigma=0.3)).nnz == 0


# -- verify=True: one residual per evaluation ----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_verified_jacobian_is_the_same(mode):
    jac = sad.jacobian(chain, X, mode=mode)
    plain = jac(X)
    for how in (True, "products"):
        np.testing.assert_array_equal(jac(X, verify=how).data, plain.data)
        np.testing.assert_array_equal(jac(X, verify=how, out=plain.copy()).data, plain.data)
        np.testing.assert_array_equal(jac.value_and_jacobian(X, verify=how)[1].data, plain.data)
        np.testing.assert_array_equal(jac.values(X, verify=how, order="csc"), jac.values(X, order="csc"))


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_verified_hessian_is_the_same(mode):
    hess = sad.hessian(rosenbrock, X, mode=mode)
    plain = hess(X)
    for how in (True, "products"):
        np.testing.assert_array_equal(hess(X, verify=how).data, plain.data)
        np.testing.assert_array_equal(hess(X, verify=how, triangle="lower").data, hess(X, triangle="lower").data)
        np.testing.assert_array_equal(hess.value_gradient_and_hessian(X, verify=how)[2].data, plain.data)


def test_verified_differences_are_the_same():
    jac = sad.jacobian(chain, X, method="central-difference")
    np.testing.assert_array_equal(jac(X, verify=True).data, jac(X).data)


def spoiled(prepared, entry=5, by=1e-4):
    right = prepared._assembly.finish

    def spoil(data):
        if right is not None:
            right(data)
        data[entry] += by

    finish_by(prepared, spoil)
    return prepared


@pytest.mark.parametrize("how", [True, "products"])
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_verify_refuses_a_wrong_entry(mode, how):
    jac = spoiled(sad.jacobian(chain, X, mode=mode), by=1e-7)
    jac(X)  # nobody asked
    for evaluate in (jac, jac.value_and_jacobian, jac.values):
        with pytest.raises(sad.CheckFailed, match="worst in row 2"):
            evaluate(X, verify=how)


@pytest.mark.parametrize("mode", ["star", "acyclic", "column"])
def test_verify_refuses_a_wrong_entry_of_a_hessian(mode):
    hess = spoiled(sad.hessian(rosenbrock, X, mode=mode))
    for evaluate in (hess, hess.value_gradient_and_hessian, hess.values):
        with pytest.raises(sad.CheckFailed, match="FAILED H @ v by the matrix and by HVP"):
            evaluate(X, verify=True)


def test_verify_refuses_a_function_that_is_not_what_was_traced():
    """A global that changed after the preparation: the products agree, the function does not."""
    factor = np.array([2.0])
    jac = sad.jacobian(lambda x: factor * x**2, X)
    factor[0] = 3.0
    jac(X, verify="products")
    with pytest.raises(sad.CheckFailed, match="FAILED J @ v and differences of the function"):
        jac(X, verify=True)


def test_verify_takes_known_words_only():
    with pytest.raises(sad.InputError, match="unknown verify 'maybe'; expected one of False, True, products"):
        sad.jacobian(chain, X)(X, verify="maybe")
