"""Trees are taken apart and built again without loss; what fits no structure is named."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import sparsead as sad
from sparsead.tracing.trees import is_tree, leaves, spelled, structure

Pair = namedtuple("Pair", "first second")


@dataclasses.dataclass(frozen=True)
class Frozen:
    inner: object
    label: str = "fixed"


floats = st.floats(-10.0, 10.0) | arrays(
    np.float64, array_shapes(max_dims=2, max_side=3), elements=st.floats(-1.0, 1.0)
)
fixed = st.none() | st.integers() | st.text(max_size=3) | st.booleans()
trees = st.recursive(
    floats | fixed,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
        | st.builds(OrderedDict, st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=2))
        | st.builds(Pair, inner, inner)
        | st.builds(Frozen, inner)
    ),
    max_leaves=8,
)


def equal(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.shape == b.shape and np.array_equal(a, b)
    if dataclasses.is_dataclass(a):
        return type(a) is type(b) and equal(vars(a), vars(b))
    if isinstance(a, dict):
        return type(a) is type(b) and list(a) == list(b) and all(equal(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(equal, a, b))
    return type(a) is type(b) and a == b


@given(trees)
def test_packed_and_unpacked_is_the_same(tree):
    vector = sad.pack(tree)
    assert vector.size == sum(leaf.size for _, leaf in leaves(structure(tree)))
    assert equal(sad.unpack(vector, like=tree), tree)


@given(trees)
def test_what_is_unpacked_is_new(tree):
    before = sad.pack(tree)
    for array in (v for v in [sad.unpack(before, like=tree)] if isinstance(v, np.ndarray)):
        array[...] = 99.0
    assert np.array_equal(sad.pack(tree), before)


def test_leaves_are_named_by_the_way_to_them():
    tree = {"state": Pair(np.zeros(2), [1.0, "text", 2.0]), "k": Frozen(3.0)}
    assert [spelled(path) for path, _ in leaves(structure(tree))] == [
        "state.first", "state.second.0", "state.second.2", "k.inner",
    ]  # fmt: skip


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(sad.InputError, match=r"hold 3 floats together, got a vector of shape \(2,\)"):
        sad.unpack(np.zeros(2), like={"a": np.zeros(3)})


@settings(max_examples=20)
@given(trees)
def test_unknowns_are_unpacked(tree):
    n = sad.pack(tree).size
    if n:
        J = sad.jacobian(lambda vector: 2 * sad.pack(sad.unpack(vector, like=tree)), np.zeros(n))
        assert np.array_equal(J(np.ones(n)).toarray(), 2 * np.eye(n))


@pytest.mark.parametrize("value", [[1.0, 2], [[1.0], [2.0]], (1, 2.0), [], 3.0, np.zeros(2), "text", None])
def test_what_numpy_takes_for_an_array_is_no_tree(value):
    assert not is_tree(value)


@pytest.mark.parametrize("value", [{}, {"a": 1.0}, Pair(1.0, 2.0), [np.zeros(2)], (1.0, [np.zeros(1)]), Frozen(1.0)])
def test_containers_of_arrays_and_names_are_trees(value):
    assert is_tree(value)
