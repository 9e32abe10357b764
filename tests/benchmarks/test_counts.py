"""Counted multiplications: the functions and their derivatives are right, the count is that of a count by hand."""

import numpy as np
import pytest

import sparsead as sad
from benchmarks import scalar_functions as functions
from benchmarks.counts import TASKS, Count, counted, run
from benchmarks.report import Target


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_derivatives_agree_with_differences(task):
    h = 1e-6 * np.eye(task.x.size)
    differences = np.column_stack([(task.f(task.x + e) - task.f(task.x - e)) / 2e-6 for e in h])
    for mode in ("direct", "forward"):
        J = sad.jacobian(task.f, task.x, mode=mode)(task.x).toarray()
        np.testing.assert_allclose(J, differences, rtol=1e-6, atol=1e-8 * abs(differences).max())


def test_a_flux_between_equal_gases_is_theirs():
    gas = np.array([1.2, 0.3, -2.0])
    p = -0.5 * (gas[2] - 0.5 * 0.3**2 / 1.2)
    flux = [0.3, p + 0.3**2 / 1.2, 0.3 / 1.2 * (gas[2] + p)]
    np.testing.assert_allclose(functions.roe_flux_1d(np.tile(gas, 2)), flux, rtol=1e-14)
    gas = np.array([1.2, 0.3, 0.1, -0.2, -2.0])
    p = -0.5 * (gas[4] - 0.5 * (gas[1:4] @ gas[1:4]) / 1.2)
    # the published task carries each momentum with its own velocity
    flux = [0.3, *(gas[1:4] ** 2 / 1.2 + [p, 0.0, 0.0]), 0.3 / 1.2 * (gas[4] + p)]
    np.testing.assert_allclose(functions.roe_flux_3d(np.tile(gas, 2)), flux, rtol=1e-14)


def test_the_price_of_a_known_option():
    assert functions.option_price(np.array([42.0, 40.0, 0.1, 0.2, 0.5])) == pytest.approx(4.76, abs=5e-3)  # Hull


def test_what_is_counted_by_hand():
    def f(x):
        return np.stack([np.sin(x[0] * x[1]) * x[2]])

    jac = sad.jacobian(f, np.array([1.0, 2.0, 3.0]), mode="direct")
    # x0 x1, cos(x0 x1) x2, and that by x1 and by x0; the value: x0 x1 and sin(x0 x1) x2
    assert counted(jac) == Count(sweep=4, shared=1, value=2)


def test_points_are_counted_one_by_one():
    jac = sad.jacobian(lambda x: x * x[::-1] * x, np.arange(1.0, 6.0), mode="direct")
    assert counted(jac).value == 10


def test_no_count_is_above_the_best_known_order():
    targets = [part for part in run() if isinstance(part, Target)]
    assert len(targets) == len(TASKS)
    assert all(target.met for target in targets)
