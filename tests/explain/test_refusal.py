"""A matrix that is too large is refused with the line that made it so."""

import re

import numpy as np
import pytest

import sparsead as sad

N = 200_000


def mean_field(x):
    total = np.sum(x)
    return x * total  # the product


def squared(x):
    total = np.sum(x)
    return np.sum(x) + total**2  # the square


@pytest.mark.parametrize("prepare", [sad.jacobian, sad.jacobian_pattern])
def test_the_line_of_a_dense_jacobian(prepare):
    with pytest.raises(MemoryError) as refused:
        prepare(mean_field, np.ones(N))
    *_, place, way = str(refused.value).splitlines()
    assert re.fullmatch(rf'  File "{re.escape(__file__)}", line \d+: total = np.sum\(x\)', place)
    assert re.fullmatch(r"  brings 200,000 entries into row \d+: multiply \(.*\) <- sum of 200,000 \(.*\) <- x", way)


@pytest.mark.parametrize("prepare", [sad.hessian, sad.hessian_pattern])
def test_the_line_of_a_dense_hessian(prepare):
    with pytest.raises(MemoryError) as refused:
        prepare(squared, np.ones(N))
    *_, place, way = str(refused.value).splitlines()
    assert place.endswith("# the square")
    assert "power (line" in way and "<- sum of 200,000 (line" in way


def test_other_errors_stay_what_they_are():
    with pytest.raises(sad.InputError, match="needs a function that returns one number"):
        sad.hessian(mean_field, np.ones(3))
