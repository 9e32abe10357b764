"""Bounds of tori: never above the fewest colors, reached where it is known, none where rows differ."""

from fractions import Fraction
from itertools import combinations, product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from benchmarks.optima import ARGUED, PROVEN
from coloring import SparsityPattern
from coloring.regular import torus, torus_bound
from tests.sizes import compiled_only

from .test_circular import cross


def of_torus(lengths, stencil):
    """The matrix whose row at x has entries at x + s, modulo the lengths, for the steps s of a stencil."""
    points = list(product(*map(range, lengths)))
    number = {point: k for k, point in enumerate(points)}
    A = np.zeros((len(points), len(points)))
    for point in points:
        for step in stencil:
            A[number[point], number[tuple((a + b) % n for a, b, n in zip(point, step, lengths, strict=True))]] = 1
    return A


@settings(max_examples=30)
@given(st.data())
def test_never_above_the_fewest_colors(data):
    lengths = data.draw(st.sampled_from([(9,), (12,), (4, 5), (5, 5), (3, 6)]))
    steps = st.tuples(*(st.integers(-1, 1) for _ in lengths))
    A = of_torus(lengths, {(0,) * len(lengths), *data.draw(st.lists(steps, max_size=5))})
    for partition in ("column", "row"):
        result = coloring.color(A, partition=partition, search="exact", time_budget=10)
        bound, _ = torus_bound(SparsityPattern.from_scipy(A if partition == "column" else A.T))
        assert bound <= result.num_colors


@pytest.mark.parametrize("name", PROVEN | ARGUED)
def test_never_above_what_constructions_need(name):
    A, colors = (PROVEN | ARGUED)[name]
    bound, proof = torus_bound(SparsityPattern.from_scipy(A))
    assert bound <= colors
    assert bool(proof) == (bound > 0)


@compiled_only
@pytest.mark.parametrize("partition", ["column", "row"])
def test_crosses_need_seventeen_colors_or_eighteen(partition):
    """Boxes of 5 x 5 weigh 17, and 256 x 256 columns cannot be cut into 17 parts that are as large as that allows."""
    result = coloring.color(cross(256), partition=partition)
    assert (result.num_colors, result.lower_bound, result.is_optimal) == (18, 18, True)
    assert result.certificate == f"boxes of 5 x 5 {partition}s leave room for 3855 of one color"
    assert coloring.color(cross(34), partition=partition).is_optimal


@pytest.mark.parametrize("box", [(4,), (3, 3), (1, 6), (2, 3)])
def test_the_weight_of_a_box(box):
    """By trying all sets of its columns."""
    lengths, stencil = (20,) * len(box), [(0,) * len(box), *np.eye(len(box), dtype=int).tolist()]
    differences = {tuple((np.array(s) - t) % 20) for s in stencil for t in stencil}
    columns = list(product(*map(range, box)))
    most = dict.fromkeys(columns, 1)
    for size in range(2, len(columns) + 1):
        for chosen in combinations(columns, size):
            if all(tuple((np.array(v) - w) % 20) not in differences for v, w in combinations(chosen, 2)):
                most |= dict.fromkeys(chosen, size)
    assert torus._weight(box, lengths, differences) == sum(Fraction(1, a) for a in most.values())
    assert torus._weight((6,) * len(box), lengths, {(0,) * len(box)}) in (1, 0)  # 0 where there are too many sets


@pytest.mark.parametrize(
    "A",
    [
        matrices.grid(12, 12),
        matrices.mesh(100),
        matrices.random(50, 60, 0.1),
        matrices.arrow(50),
        np.zeros((4, 4)),
        np.ones((3, 3)),
        np.eye(1),
        sp.csr_array((0, 0)),
    ],
)
def test_no_torus(A):
    bound, _ = torus_bound(SparsityPattern.from_scipy(A))
    assert bound <= coloring.color(A).num_colors


def test_one_entry_elsewhere_is_no_torus():
    A = matrices.grid(20, 20, periodic=True).tolil()
    A[7, 7] = 0
    A[7, 300] = 1
    pattern = SparsityPattern.from_scipy(sp.csr_array(A))
    assert torus_bound(pattern) == (0, "")
