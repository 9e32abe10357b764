"""Functions of ``np.emath`` of real unknowns: real or complex by a branch, which is recorded or refused."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

INSIDE, OUTSIDE = np.array([0.3, 0.7]), np.array([-1.3, 0.6])


@pytest.mark.parametrize("name", ["sqrt", "log", "arccos", "arctanh"])
def test_the_branch_is_recorded(name):
    def f(x):
        z = getattr(np.emath, name)(x)
        return np.concatenate([np.real(z), np.imag(z)])

    jac = sad.jacobian(f, INSIDE, guard="record")
    for x in (INSIDE, OUTSIDE):
        np.testing.assert_allclose(jac(x).toarray(), differences(f, x), atol=1e-9)
    assert jac.preparations == 2


def test_without_records_the_next_step_is_named():
    with pytest.raises(sad.TracedBranchError, match=r"np.emath.sqrt(.|\n)*np.sqrt\(x \+ 0j\)"):
        sad.jacobian(lambda x: np.emath.sqrt(x), INSIDE)
