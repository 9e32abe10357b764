"""Functions of packages on PyPI, traced as they are, against derivatives that we did not compute."""

import numpy as np
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


def test_fields_in_a_subclass_of_ndarray_are_refused():
    skfem = pytest.importorskip("skfem")
    basis = skfem.Basis(skfem.MeshTri(), skfem.ElementTriP1())
    load = skfem.LinearForm(lambda v, w: w.u**2 * v)
    with pytest.raises(sad.UnsupportedOperationError, match=r"ndarray\.view"):
        sad.jacobian(lambda u: load.assemble(basis, u=basis.interpolate(u)), np.ones(basis.N))
