"""A number times a list is no product: integers repeat the list, all others raise; arrays of shape () multiply."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad

X = np.array([0.5, 1.5])
SEQUENCES = ([1.0, 2.0], (1.0, 2.0), "ab")
SIDES = {"number first": lambda a, b: a * b, "list first": lambda a, b: b * a}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("items", SEQUENCES, ids=str)
@pytest.mark.parametrize("number", [lambda x: x[0], lambda x: x.sum() > 0.3, lambda x: np.float64(2.0)])
def test_numbers_raise_as_numpys(number, items, side):
    raised = []
    for run in (lambda f: f(X), lambda f: sad.jacobian(f, X)):
        with pytest.raises(TypeError) as met:
            run(lambda x: np.sum(SIDES[side](number(x), items)) * x)
        raised.append(str(met.value).splitlines()[0])
    if number(X).dtype == float:
        assert raised[0] == raised[1]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("items", SEQUENCES, ids=str)
def test_counts_that_depend_on_x_are_refused(items, side):
    with pytest.raises(sad.TracedBranchError, match="repeating a list"):
        sad.jacobian(lambda x: len(SIDES[side](np.sum(x > 0.0), items)) * x, X)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("items", SEQUENCES[:2], ids=str)
@pytest.mark.parametrize("array", [lambda x: np.full((), 3.0), lambda x: x[1:].reshape(())])
def test_arrays_of_no_axis_multiply(array, items, side):
    def f(x):
        return SIDES[side](array(x), items) * x

    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-15)
