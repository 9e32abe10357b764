"""NetworkX as an engine, its graphs, and the backend: the same colors as NetworkX, to the last node."""

import os
import subprocess
import sys

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coloring
from benchmarks import matrices
from coloring import ColoringError
from coloring.networks.lazy import CompressedGraph

from ..helpers import MATRICES

STRATEGIES = [
    "largest_first",
    "smallest_last",
    "independent_set",
    "connected_sequential",
    "connected_sequential_bfs",
    "connected_sequential_dfs",
    "saturation_largest_first",
    "DSATUR",
]


@pytest.fixture(autouse=True)
def no_notes_on_caching():
    nx.config.warnings_to_ignore.add("cache")
    yield
    nx.config.warnings_to_ignore.discard("cache")


@st.composite
def graphs(draw):
    """Nodes of any kind, nodes and edges in any order."""
    n = draw(st.integers(0, 60))
    G = nx.gnp_random_graph(n, draw(st.sampled_from([0.02, 0.1, 0.3])), seed=draw(st.integers(0, 10**6)))
    label = draw(st.sampled_from([int, str, lambda v: 37 * v + 1000 * (v % 3), lambda v: (v, "node"), lambda v: -v]))
    H = nx.Graph()
    H.add_nodes_from(draw(st.permutations([label(v) for v in G])))
    H.add_edges_from(draw(st.permutations([(label(v), label(w)) for v, w in G.edges])))
    return H


@pytest.mark.parametrize("strategy", STRATEGIES)
@settings(max_examples=60)
@given(graphs())
def test_the_backend_gives_the_colors_of_networkx(strategy, G):
    expected = nx.greedy_color(G, strategy, backend="networkx")
    found = nx.greedy_color(G, strategy, backend="coloring")
    assert list(found.items()) == list(expected.items())


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_strategies_may_be_given_as_functions(strategy):
    G = nx.karate_club_graph()
    function = nx.coloring.greedy_coloring.STRATEGIES[strategy]
    assert nx.greedy_color(G, function, backend="coloring") == nx.greedy_color(G, strategy, backend="networkx")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_larger_graphs(strategy):
    """Sets of nodes that were resized, with more than one component."""
    G = nx.disjoint_union(nx.gnp_random_graph(700, 0.02, seed=1), nx.grid_2d_graph(20, 20))
    expected = nx.greedy_color(G, strategy, backend="networkx")
    assert list(nx.greedy_color(G, strategy, backend="coloring").items()) == list(expected.items())


@pytest.mark.parametrize(
    ("G", "arguments"),
    [
        (nx.path_graph(3, nx.DiGraph), {}),
        (nx.path_graph(3, nx.MultiGraph), {}),
        (nx.Graph([(0, 0), (0, 1)]), {}),
        (nx.path_graph(3), {"interchange": True}),
        (nx.path_graph(3), {"strategy": "random_sequential"}),
        (nx.path_graph(3), {"strategy": lambda G, colors: list(G)}),
    ],
    ids=["directed", "parallel edges", "loop", "interchange", "random", "callable"],
)
def test_what_would_not_match_is_left_to_networkx(G, arguments):
    with pytest.raises(NotImplementedError):
        nx.greedy_color(G, **arguments, backend="coloring")
    with nx.config.backend_priority(algos=["coloring"]):
        assert nx.greedy_color(G, **arguments).keys() == set(G)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"strategy": "unheard_of"}, nx.NetworkXError),
        ({"strategy": "independent_set", "interchange": True}, nx.NetworkXPointlessConcept),
        ({"strategy": "DSATUR", "interchange": True}, nx.NetworkXPointlessConcept),
    ],
)
def test_bad_calls_raise_what_networkx_raises(arguments, error):
    G = nx.path_graph(3)
    for backend in ("networkx", "coloring"):
        with pytest.raises(error):
            nx.greedy_color(G, **arguments, backend=backend)


@pytest.mark.parametrize("fallback", [False, True])
def test_the_tests_of_networkx_pass_through_the_backend(fallback):
    """What the backend does not implement counts as an expected failure, or runs in NetworkX."""
    environment = os.environ | {"NETWORKX_TEST_BACKEND": "coloring"}
    if fallback:
        environment["NETWORKX_FALLBACK_TO_NX"] = "True"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "networkx.algorithms.coloring", "-p", "no:cacheprovider"],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
        cwd=os.path.dirname(nx.__file__),
    )
    summary = done.stdout.strip().splitlines()[-1]
    assert done.returncode == 0, done.stdout
    assert ("17 passed" in summary) if fallback else ("8 passed" in summary), summary


@pytest.mark.parametrize("name", ["five_point", "mesh", "wide", "dense_frame", "zero"])
def test_graphs_of_a_matrix(name):
    A = MATRICES[name]
    pattern = (A.toarray() != 0).astype(int)
    for graph, overlap in (
        (coloring.column_intersection_graph(A), pattern.T @ pattern),
        (coloring.row_intersection_graph(A), pattern @ pattern.T),
    ):
        expected = nx.from_numpy_array(overlap - np.diag(overlap.diagonal()) > 0)
        assert nx.utils.graphs_equal(nx.Graph(graph.edges), nx.Graph(expected.edges))
        assert list(graph) == list(expected)


def test_adjacency_and_bipartite_graphs():
    A = MATRICES["mesh"]
    graph = coloring.adjacency_graph(A)
    assert set(graph.edges) == {(i, j) for i, j in zip(*A.nonzero(), strict=True) if i < j}
    both = coloring.bipartite_graph(MATRICES["wide"])
    assert nx.is_bipartite(both)
    m, n = MATRICES["wide"].shape
    assert {v for v, side in both.nodes(data="bipartite") if side == 0} == set(range(n, n + m))
    assert both.number_of_edges() == MATRICES["wide"].nnz


def test_graphs_stay_compressed_until_something_needs_dictionaries():
    graph = coloring.column_intersection_graph(matrices.grid(30, 30))
    colors = nx.greedy_color(graph, "largest_first", backend="coloring")
    assert isinstance(graph, CompressedGraph)
    assert graph.lists is not None
    assert nx.greedy_color(graph, "largest_first", backend="networkx") == colors
    assert graph.lists is None
    graph.add_edge(0, 899)
    assert nx.greedy_color(graph, backend="coloring")[0] != nx.greedy_color(graph, backend="coloring")[899]
    assert nx.is_connected(graph.copy())


@pytest.mark.parametrize("partition", ["column", "row"])
@pytest.mark.parametrize("order", ["natural", "largest_first", "saturation"])
def test_both_engines_agree(partition, order):
    A = MATRICES["wide"]
    ours = coloring.color(A, partition=partition, order=order, postprocess=False)
    theirs = coloring.color(A, partition=partition, order=order, engine="networkx", postprocess=False)
    np.testing.assert_array_equal(ours.colors, theirs.colors)


@pytest.mark.parametrize("strategy", [*STRATEGIES, "random"])
def test_the_order_of_a_strategy_gives_its_colors(strategy):
    A = MATRICES["mesh"]
    theirs = coloring.color(A, engine="networkx", order=strategy)
    visited = []

    def recorded(G, colors):
        function = nx.coloring.greedy_coloring.STRATEGIES.get(strategy, nx.coloring.strategy_largest_first)
        for v in function(G, colors):
            visited.append(v)
            yield v

    if strategy != "random":
        again = coloring.color(A, engine="networkx", order=recorded)
        np.testing.assert_array_equal(again.colors, theirs.colors)
        np.testing.assert_array_equal(coloring.color(A, order=np.array(visited)).colors, theirs.colors)
    assert coloring.is_structurally_orthogonal(A, theirs.colors)


@pytest.mark.parametrize("name", ["mesh", "random_without_diagonal"])
def test_networkx_colors_the_square_of_a_symmetric_matrix(name):
    result = coloring.color(MATRICES[name], "symmetric", engine="networkx", order="smallest_last")
    assert coloring.is_star(MATRICES[name], result.colors)


def test_networkx_is_refused_where_it_has_no_coloring():
    with pytest.raises(ColoringError, match="use engine='numba'"):
        coloring.color(MATRICES["mesh"], "symmetric", decompression="substitution", engine="networkx")
    with pytest.raises(ColoringError, match="networkx: strategy must be callable"):
        coloring.color(MATRICES["mesh"], engine="networkx", order="unheard_of")
