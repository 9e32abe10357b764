"""The check of every preparation notices the old faults of the border to NumPy, and nothing without them."""

from __future__ import annotations

import pytest

import sparsead as sad
from tests.mutation.border import FAULTS, X, raises

REFUSED = ("keywords that are not known are dropped", "a refusal that is caught is forgotten")


@pytest.mark.parametrize("planted", FAULTS, ids=lambda planted: planted.words)
def test_the_self_check_raises_on_an_old_fault(planted):
    if planted.words in REFUSED:  # what is right there is no matrix
        with pytest.raises((sad.UnsupportedOperationError, sad.TracedBranchError)):
            sad.jacobian(planted.function, X)
    else:
        assert sad.jacobian(planted.function, X, backend="python").checked.passed
    assert raises(planted)
