"""Random programs against a reference that our code did not produce.

SPARSEAD_EXAMPLES sets how many programs are tried, with fresh seeds (`make fuzz`). Without it the programs are the
same at every run: a few at home, a thousand of each kind where CI is set.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings

import sparsead as sad
from tests.laws.programs import point, programs
from tests.reference import assert_close, complex_step, differences

EXAMPLES = os.environ.get("SPARSEAD_EXAMPLES")
COUNT = int(EXAMPLES or (1000 if os.environ.get("CI") else 100))
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
tried = settings(
    max_examples=COUNT,
    derandomize=EXAMPLES is None,
    deadline=None,
    report_multiple_bugs=False,
    suppress_health_check=CHECKS,
)


def check(program, expected):
    x = point(program.shape)
    jac = sad.jacobian(program, x, backend="python", mode="forward")
    assert_close(jac.value(x), program(x), 1e-12)
    pattern = jac.pattern.to_scipy().toarray() != 0
    missed = (np.abs(expected) > 1e-9 * max(1.0, np.abs(expected).max(initial=0.0))) & ~pattern
    assert not missed.any(), f"the pattern misses {np.argwhere(missed)}"
    assert_close(jac(x).toarray(), expected, 1e-8)
    assert_close(jac.vjp(x, np.eye(jac.shape[0])).T, expected, 1e-8)
    assert_close(sad.jacobian(program, x, backend="python", mode="direct")(x).toarray(), expected, 1e-8)


@tried
@given(programs(smooth=True))
def test_analytic_programs_against_complex_steps(program):
    with np.errstate(all="ignore"):
        check(program, complex_step(program, point(program.shape)))


@tried
@given(programs(smooth=False))
def test_programs_with_kinks_against_differences(program):
    x = point(program.shape)
    with np.errstate(all="ignore"):
        coarse, expected = differences(program, x, 2e-4), differences(program, x, 1e-4)
        assume(np.abs(coarse - expected).max(initial=0.0) <= 1e-8 * max(1.0, np.abs(expected).max(initial=0.0)))
        check(program, expected)


@settings(tried, max_examples=max(COUNT // 3, 1))
@given(programs(smooth=True))
def test_hessians_of_random_programs(program):
    x = point(program.shape)
    with np.errstate(all="ignore"):
        hess = sad.hessian(lambda x: np.sum(program(x) ** 2), x, backend="python")
        expected = differences(lambda x: complex_step(lambda z: np.sum(program(z) ** 2), x), x)
        assert_close(hess(x).toarray(), expected, 1e-7)


@pytest.mark.slow
@settings(tried, max_examples=max(COUNT // 10, 1))
@given(programs(smooth=False))
def test_machine_code_agrees_with_the_interpreter(program):
    x = point(program.shape)
    with np.errstate(all="ignore"):
        slow = sad.jacobian(program, x, backend="python", mode="forward")
        fast = sad.jacobian(program, x, backend="llvm", mode="forward")
        assert_close(fast(x).data, slow(x).data, 1e-12)
