"""Lists and tuples of the user's own classes, wherever NumPy takes a sequence."""

from __future__ import annotations

from collections import namedtuple
from random import Random
from typing import NamedTuple

import numpy as np
import pytest

import sparsead as sad
from sparsead.tracing.trace import trace
from tests.reference import differences
from tests.tracing.compared import value

X = np.array([0.31, 0.74, 0.52, 0.93])
Pair = namedtuple("Pair", "a b")


class Typed(NamedTuple):
    a: object
    b: object = 1.0


class Checked(tuple):
    """A tuple that is made of two things."""

    def __new__(cls, a, b):
        return super().__new__(cls, (a, b))


class Listed(list):
    """A list that is made of two things."""

    def __init__(self, a, b):
        super().__init__([a, b])


KINDS = [Pair, Typed, Checked, Listed, lambda a, b: [a, b], lambda a, b: (a, b)]
TAKES = {
    "concatenate": lambda s: np.concatenate(s),
    "stack": lambda s: np.stack(s, axis=1),
    "array": lambda s: np.array(s),
    "sum": lambda s: np.sum(s, axis=0),
    "block": lambda s: np.block(s) if isinstance(s, list) else np.hstack(s),
    "broadcast_arrays": lambda s: np.broadcast_arrays(*s)[0],
    "select": lambda s: np.select([np.array([True, False])] * 2, s),
    "choose": lambda s: np.choose([0, 1], s),
    "r_": lambda s: np.r_[tuple(s)],
    "einsum": lambda s: np.einsum("i,j->ij", *s),
    "meshgrid": lambda s: np.meshgrid(*s)[0],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TAKES)
@pytest.mark.parametrize("second", ["array", "constant"])
def test_sequences_of_every_kind(kind, name, second):
    def f(x):
        return np.ravel(TAKES[name](kind(x[:2] ** 2, x[2:] if second == "array" else np.array([2.0, 3.0]))))

    jac = sad.jacobian(f, X, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_sequences_of_numbers(kind):
    def f(x):
        return np.array(kind(x[0] * x[1], 2.0)) * np.max(kind(x[2], x[3])) + np.asarray(kind(x[:2], x[2:])).sum()

    jac = sad.jacobian(f, X, backend="python")
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), atol=1e-9)


LEAVES = [lambda x: x[0] * x[1], lambda x: 2.0, lambda x: x[1:2], lambda x: x[:1].reshape(1, 1), lambda x: 1j * x[2]]


def random_blocks(random, depth):
    """Return a function of x that gives lists in lists of numbers, and arrays with one element."""
    if depth == 0:
        return random.choice(LEAVES)
    parts = [random_blocks(random, depth - 1) for _ in range(random.randint(1, 3))]
    return lambda x: [part(x) for part in parts]


@pytest.mark.parametrize("depth", range(4))
def test_blocks_of_numbers_keep_their_shape(depth):
    random, compared = Random(depth), 0
    while compared < 20:
        blocks = random_blocks(random, depth)
        try:
            expected = np.block(blocks(X))
        except ValueError:  # they do not fit together
            continue

        def f(x, blocks=blocks, expected=expected):
            made = np.block(blocks(x))
            assert made.shape == expected.shape
            return np.concatenate([np.ravel(made).real, np.ravel(made).imag])

        np.testing.assert_allclose(value(f, trace(f, (X,))[0], X), f(X), rtol=1e-14)
        compared += 1
