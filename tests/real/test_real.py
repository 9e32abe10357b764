"""Functions of packages on PyPI, traced as they are, against derivatives that we did not compute."""

import pytest
import scipy.sparse

import sparsead as sad
from tests.real.collection import CASES
from tests.reference import assert_close


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pandapower")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_agrees_with_the_reference(case):
    for package in case.packages:
        pytest.importorskip(package)
    real = case.build()
    matrix = getattr(sad, real.derivative)(real.f, real.x)
    if real.derivative == "jacobian":
        assert_close(matrix.value(real.x), real.f(real.x), 1e-12)
    ours = matrix(real.x)
    reference = scipy.sparse.csr_array(real.reference(real.x))
    assert abs(ours - reference).max() <= real.tolerance * abs(reference).max()
    if real.same_pattern:
        assert matrix.pattern.nnz == reference.nnz
