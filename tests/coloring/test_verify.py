"""Predicates agree with the definitions on any colors, and their witnesses are witnesses."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coloring
from coloring import ColoringError, SparsityPattern

from . import reference
from .helpers import patterns

PATH = np.eye(4) + np.eye(4, k=1) + np.eye(4, k=-1)
RING = PATH + np.eye(4, k=3) + np.eye(4, k=-3)


@st.composite
def colored(draw, symmetric):
    rows, columns, (m, n) = draw(patterns(symmetric=symmetric, max_size=8))
    if symmetric:
        rows, columns = [*rows, *range(n)], [*columns, *range(n)]
    A = SparsityPattern.from_coo(rows, columns, (m, n))
    colors = [draw(st.lists(st.integers(0, max(0, min(3, k - 1))), min_size=k, max_size=k)) for k in (m, n)]
    return A, *colors


@given(colored(symmetric=True))
def test_star_and_acyclic_follow_their_definitions(case):
    A, _, colors = case
    neighbors = reference.adjacency(A)
    star, acyclic = coloring.is_star(A, colors), coloring.is_acyclic(A, colors)
    assert bool(star) == reference.is_star(neighbors, colors)
    assert bool(acyclic) == reference.is_acyclic(neighbors, colors)
    if not star:
        assert_bad(neighbors, colors, star.witness, closed=False)
    if not acyclic:
        assert_bad(neighbors, colors, acyclic.witness, closed=True)


def assert_bad(neighbors, colors, witness, closed):
    """An edge of one color, or a two-colored path on four vertices or cycle of distinct vertices."""
    steps = list(pairwise(witness))
    if len(witness) == 2:
        assert colors[witness[0]] == colors[witness[1]]
    else:
        assert len(set(witness)) == len(witness) >= 4
        assert len(witness) == 4 or closed
        assert len({colors[v] for v in witness}) == 2
        steps += [(witness[-1], witness[0])] if closed else []
    assert all(w in neighbors[v] for v, w in steps)


@given(colored(symmetric=False))
def test_structural_orthogonality_follows_its_definition(case):
    A, row_colors, column_colors = case
    for partition, colors, B in (("column", column_colors, A), ("row", row_colors, A.T)):
        verdict = coloring.is_structurally_orthogonal(A, colors, partition)
        assert bool(verdict) == reference.is_proper(reference.column_intersection(B), colors)
        if not verdict:
            a, b, line = verdict.witness
            dense = B.to_scipy().toarray()
            assert a != b
            assert colors[a] == colors[b]
            assert dense[line, a] == dense[line, b] == 1


@given(colored(symmetric=False), st.sampled_from(["direct", "substitution"]))
def test_bicolorings_follow_their_definition(case, decompression):
    A, row_colors, column_colors = case
    holds = reference.is_star if decompression == "direct" else reference.is_acyclic
    apart = [*column_colors, *(10 + c for c in row_colors)]
    verdict = coloring.is_bicoloring(A, row_colors, column_colors, decompression)
    assert bool(verdict) == holds(reference.bipartite(A), apart)


@pytest.mark.parametrize(
    ("verdict", "reason", "witness"),
    [
        (coloring.is_star(PATH, [0, 1, 0, 1]), "the path 0 - 1 - 2 - 3 has two colors", (0, 1, 2, 3)),
        (coloring.is_star(PATH, [0, 0, 1, 2]), "columns 0 and 1 have color 0 and are adjacent", (0, 1)),
        (coloring.is_acyclic(RING, [0, 1, 0, 1]), "the cycle 0 - 1 - 2 - 3 has two colors", (0, 1, 2, 3)),
        (coloring.is_star(PATH, [0, -1, 1, 2]), "column 1 is neutral but has a diagonal entry", (1,)),
        (
            coloring.is_structurally_orthogonal(PATH, [0, 1, 2, 1]),
            "columns 1 and 3 have color 1 and meet in row 2",
            (1, 3, 2),
        ),
        (
            coloring.is_structurally_orthogonal(PATH, [0, 1, 2, -1]),
            "column 3 is neutral but has an entry in row 2",
            (3, 2),
        ),
        (coloring.is_bicoloring([[1]], [-1], [-1]), "0 and 1 are both neutral and adjacent", (0, 1)),
        (coloring.is_bicoloring([[1, 1]], [-1], [0, 0]), "0 and 1 have color 0 and meet in neutral 2", (0, 2, 1)),
    ],
)
def test_a_witness_is_named(verdict, reason, witness):
    assert not verdict
    assert verdict.reason == reason
    assert verdict.witness == witness


def test_neutral_vertices_are_fine_where_nothing_needs_them():
    hollow = PATH - np.eye(4)
    assert coloring.is_star(hollow, [-1, 0, 1, -1])
    assert coloring.is_structurally_orthogonal([[1, 0]], [0, -1])
    assert coloring.is_bicoloring([[1, 1]], [0], [-1, -1])


@pytest.mark.parametrize(
    ("colors", "message"),
    [
        ([0, 1], r"colors of shape \(2,\) for 4 columns"),
        ([0.0, 1.0, 2.0, 3.0], "colors of type float64; expected integers"),
        ([0, 1, 2, 9], "colors from 0 to 9; expected -1 <= color < 4"),
        ([0, 1, 2, -2], "colors from -2 to 2"),
    ],
)
def test_arrays_that_are_no_colors_are_refused(colors, message):
    for check in (coloring.is_star, coloring.is_acyclic, coloring.is_structurally_orthogonal):
        with pytest.raises(ColoringError, match=message):
            check(PATH, colors)


def test_a_nonsymmetric_matrix_has_no_star_coloring():
    with pytest.raises(ColoringError, match="not equal to its transpose"):
        coloring.is_star([[1, 1], [0, 1]], [0, 1])


def test_colors_from_elsewhere_are_checked_before_use():
    A = np.eye(3)
    assert coloring.from_colors(A, [0, 0, 0]).num_colors == 1
    assert coloring.from_colors(A, ([-1, -1, -1], [0, 0, 0]), partition="bidirectional").num_colors == 1
    assert coloring.from_colors(PATH, [0, 1, 0, 1], "symmetric", decompression="substitution").num_colors == 2
    with pytest.raises(ColoringError, match="the path 0 - 1 - 2 - 3 has two colors"):
        coloring.from_colors(PATH, [0, 1, 0, 1], "symmetric")
    with pytest.raises(ColoringError, match="colors of type float64; expected integers"):
        coloring.from_colors(A, ([-1, -1, -1], [0.5, 0.5, 0.5]), partition="bidirectional")
    with pytest.raises(ColoringError, match="columns 0 and 1 have color 0 and meet in row 0"):
        coloring.from_colors(PATH, [0, 0, 1, 1])
