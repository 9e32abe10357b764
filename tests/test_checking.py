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
    assert len(report.comparisons) == 5


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


def test_wrong_value_is_named():
    jac = sad.jacobian(chain, X, mode="forward")
    right = jac._assembly.finish

    def spoil(data):
        right(data)
        data[5] += 1e-4  # row 2, its second entry: column 3

    jac._assembly.finish = spoil
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

    hess._assembly.finish = spoil
    with pytest.raises(sad.CheckFailed, match="FAILED H and its transpose"):
        sad.check(hess, X)


def test_large_and_small_scales_do_not_fail():
    for scale in (1e-6, 1.0, 1e5):
        assert sad.check(sad.jacobian(chain, X), scale * X).passed
