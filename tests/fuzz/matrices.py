"""Random matrices, colorings and orders against linear algebra: are the values determined by the compressed matrix?

Compressing is a linear map from the values of a matrix to the products with the seeds. It is written down here as a
dense matrix, from the seeds alone. A coloring for direct recovery must leave every value alone in some product; one for
substitution must make the map injective. The values are then found again by least squares.
"""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import numpy as np
import scipy.sparse as sp

import coloring
from coloring import ColoringError, SparsityPattern
from coloring.orders import ORDERS
from coloring.problems import COLORINGS, make_problem
from tests.coloring import reference

SEARCHES = ["auto", "best", "exact"]


def attempt(seed: int) -> Counter[str]:
    """Color the matrix of a seed in several ways, and judge a random coloring of it; return what was counted."""
    rng = np.random.default_rng(seed)
    random = Random(seed)
    symmetric = random.random() < 0.5
    dense = random_pattern(random, rng, symmetric)
    counts = Counter(matrices=1, **{f"size {max(dense.shape)}": 1})
    names = [name for name, (structure, *_) in COLORINGS.items() if symmetric or structure == "nonsymmetric"]
    for name in names:
        order = random.choice([*ORDERS, *SEARCHES, "permutation"])
        try:
            counts += check_coloring(dense, name, order, random, rng)
            counts += check_random_colors(dense, name, rng)
        except Exception as error:
            listing = np.array2string(dense.astype(int), threshold=400)
            raise AssertionError(f"{name}, order {order}: {type(error).__name__}: {error}\n{listing}") from error
    return counts


def random_pattern(random: Random, rng: np.random.Generator, symmetric: bool) -> np.ndarray:
    """Return a small pattern as a dense boolean array: scattered, banded, arrow-like, in blocks, or on a grid."""
    m = random.randint(0, 11)
    n = m if symmetric else random.randint(0, 11)
    i, j = np.indices((m, n))
    dense = rng.random((m, n)) < random.choice([0.05, 0.15, 0.3, 0.6])
    kind = random.choice(["scattered", "scattered", "band", "arrow", "blocks", "grid", "diagonal"])
    if kind == "band":
        dense = abs(i - j) <= random.randint(0, 3)
    elif kind == "arrow":
        dense = (i < random.randint(0, 2)) | (j < random.randint(0, 2)) | (i == j)
    elif kind == "blocks":
        dense |= i // 3 == j // 3
    elif kind == "grid":
        width = random.randint(1, 4)
        dense = abs(i // width - j // width) + abs(i % width - j % width) <= 1
    elif kind == "diagonal":
        dense |= i == j
    if symmetric:
        dense = dense | dense.T
    if random.random() < 0.3:
        rows = rng.permutation(m)
        dense = dense[rows][:, rows if symmetric else rng.permutation(n)]
    return dense


def check_coloring(dense: np.ndarray, name: str, order: str, random: Random, rng: np.random.Generator) -> Counter[str]:
    """Color, check the colors by definition and by linear algebra, and recover values."""
    options: dict[str, Any] = {"postprocess": random.random() < 0.7, "seed": random.randint(0, 99), "order": order}
    if order in ("best", "exact"):
        options["time_budget"] = 0.005
    if order == "permutation":
        options["order"] = rng.permutation(make_problem(pattern_of(dense), *COLORINGS[name], 0).num_vertices)
    result = coloring.color(dense, *COLORINGS[name], **options)
    assert is_valid(result.pattern, result, verify=True), "verify does not hold"
    assert is_valid(result.pattern, result, verify=False), "the definition does not hold"
    assert result.num_colors >= result.lower_bound, f"{result.num_colors} colors, below the bound {result.lower_bound}"
    values = check_recovery(dense, result, rng)
    return Counter(
        {"colorings": 1, "values": values, f"coloring {name}": 1, f"order {order}": 1, "optimal": result.is_optimal}
    )


def check_random_colors(dense: np.ndarray, name: str, rng: np.random.Generator) -> Counter[str]:
    """Judge random colors: the compiled predicates agree with the definitions, and what they accept recovers."""
    m, n = dense.shape
    structure, partition, decompression = COLORINGS[name]

    def colors(size: int) -> np.ndarray:
        number = max(1, min(size, int(rng.integers(1, max(size, 1) + 1))))
        return _without_gaps(rng.integers(-1 if rng.random() < 0.3 else 0, number, size))

    given = (colors(m), colors(n)) if partition == "bidirectional" else colors(m if partition == "row" else n)
    truth = definition_holds(pattern_of(dense), name, given)
    try:
        result = coloring.from_colors(dense, given, structure, partition, decompression)
    except ColoringError:
        assert not truth, f"rejected, but by definition a coloring: {given}"
        return Counter({"rejected": 1})
    assert truth, f"accepted, but by definition no coloring: {given}"
    return Counter({"accepted": 1, "values": check_recovery(dense, result, rng)})


def is_valid(pattern: SparsityPattern, result: Any, verify: bool) -> bool:
    """Judge a result by `coloring.verify`, or by the definition."""
    if not verify:
        name = next(k for k, v in COLORINGS.items() if v == (result.structure, result.partition, result.decompression))
        return definition_holds(pattern, name, result.colors)
    if result.partition == "bidirectional":
        return bool(coloring.is_bicoloring(pattern, *result.colors, result.decompression))
    if result.structure == "symmetric":
        holds = coloring.is_star if result.decompression == "direct" else coloring.is_acyclic
        return bool(holds(pattern, result.colors))
    return bool(coloring.is_structurally_orthogonal(pattern, result.colors, result.partition))


def definition_holds(pattern: SparsityPattern, name: str, colors: Any) -> bool:
    """Judge colors by the linear map that they define, and by the words of the definition."""
    structure, partition, decompression = COLORINGS[name]
    rows = colors[0] if partition == "bidirectional" else colors if partition == "row" else None
    columns = colors[1] if partition == "bidirectional" else colors if partition == "column" else None
    readable = alone(compression(pattern, structure == "symmetric", rows, columns)).all()
    if structure == "symmetric":
        neighbors, listed = reference.adjacency(pattern), columns.tolist()
        unread = any(c < 0 for c, d in zip(listed, pattern.to_scipy().diagonal(), strict=True) if d)
    elif partition == "bidirectional":
        shifted = np.where(rows < 0, -1, rows + int(columns.max(initial=-1)) + 1)
        neighbors, listed, unread = reference.bipartite(pattern), [*columns.tolist(), *shifted.tolist()], False
    else:
        return bool(readable)
    if decompression == "direct":
        return bool(readable) and reference.is_proper(neighbors, listed)
    return not unread and _neutral_apart(neighbors, listed) and reference.is_acyclic(neighbors, listed)


def _neutral_apart(neighbors: reference.Neighbors, colors: list[int]) -> bool:
    """Tell whether the neighbors of each neutral vertex have distinct colors, none of them neutral."""
    around = ([colors[w] for w in neighbors[v]] for v, c in enumerate(colors) if c < 0)
    return all(-1 not in seen and len(set(seen)) == len(seen) for seen in around)


def pattern_of(dense: np.ndarray) -> SparsityPattern:
    """Return the pattern of a boolean array."""
    return SparsityPattern.from_scipy(sp.csr_array(dense.astype(float)))


def compression(
    pattern: SparsityPattern, symmetric: bool, rows: np.ndarray | None, columns: np.ndarray | None
) -> np.ndarray:
    """Return the map from the values of a pattern to all compressed entries, as a dense 0-1 matrix.

    With `symmetric` an entry and its mirror image are one value.
    """
    i, j = pattern.rows.astype(int), pattern.indices.astype(int)
    if symmetric:
        pairs = np.stack([np.minimum(i, j), np.maximum(i, j)], axis=1)
        unknown = np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1) if len(i) else i
    else:
        unknown = np.arange(len(i))
    blocks = [np.zeros((0, int(unknown.max(initial=-1)) + 1))]
    for colors, line, member in ((columns, i, j), (rows, j, i)):
        if colors is None:
            continue
        number = int(np.max(colors, initial=-1)) + 1
        block = np.zeros(((int(line.max(initial=-1)) + 1) * number, blocks[0].shape[1]))
        seen = np.asarray(colors)[member] >= 0
        np.add.at(block, (line[seen] * number + np.asarray(colors)[member][seen], unknown[seen]), 1.0)
        blocks.append(block)
    return np.concatenate(blocks)


def alone(products: np.ndarray) -> np.ndarray:
    """Tell of each value whether some product holds nothing else."""
    single = (products != 0).sum(axis=1) == 1
    return (products[single] != 0).any(axis=0)


def check_recovery(dense: np.ndarray, result: Any, rng: np.random.Generator) -> int:
    """Compress and decompress random values; compare with the seeds, the values and least squares."""
    symmetric = result.structure == "symmetric"
    A = np.where(dense, rng.uniform(0.5, 2.0, dense.shape) * rng.choice([-1.0, 1.0], dense.shape), 0.0)
    A = np.triu(A) + np.triu(A, 1).T if symmetric else A
    compressed = result.compress(sp.csr_array(A))
    seeds = result.seed_matrix()
    if result.partition == "column":
        expected = [A @ seeds]
    elif result.partition == "row":
        expected = [seeds.T @ A]
    else:
        expected = [seeds[0].T @ A, A @ seeds[1]]
    for given, product in zip(compressed if len(expected) == 2 else [compressed], expected, strict=True):
        np.testing.assert_allclose(given, product, rtol=0, atol=1e-13)
    recovered = result.decompress(compressed)
    tolerance = 0.0 if result.decompression == "direct" else 1e-11
    np.testing.assert_allclose(recovered.toarray(), A, rtol=0, atol=tolerance)
    products = compression(result.pattern, symmetric, result.row_colors, result.column_colors)
    assert np.linalg.matrix_rank(products) == products.shape[1], "the products do not determine the values"
    return int(dense.sum())


def _without_gaps(colors: np.ndarray) -> np.ndarray:
    """Number the colors from 0 without gaps; -1 stays."""
    known = np.unique(colors[colors >= 0])
    return np.where(colors < 0, -1, np.searchsorted(known, colors)).astype(np.int32)
