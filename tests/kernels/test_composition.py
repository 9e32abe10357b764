"""Layers put together: pairs of points, products of matrices, kernels over the same points."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead.ops  # noqa: F401  (fills the table of scalar operations)
from sparsead.kernels.alignment import aligned, joined
from sparsead.kernels.composition import Eliminator, pairs
from sparsead.kernels.indexmap import recognise
from sparsead.kernels.kernel import Buffer, Load
from sparsead.kernels.linear import LinearKernel, Term
from sparsead.kernels.moving import in_order
from sparsead.program.index import narrowed
from sparsead.program.scalar import Pool

RNG = np.random.default_rng(17)
SIZES = {"x": 7, "a": 9, "b": 8, "y": 6}
BUFFERS = {name: Buffer(name, size, "work") for name, size in SIZES.items()}


def layer(target, source, points, terms=1, domain=None):
    """Return a kernel of random terms: rows, columns and coefficients (read from an array) at so many points."""
    pool, built = Pool(), []
    shape = (points,) if domain is None else domain
    for _ in range(terms):
        values = Buffer(f"c{RNG.integers(1 << 30)}", points, "constant", RNG.standard_normal(points))
        place, index = (
            recognise(narrowed(RNG.integers(SIZES[name], size=points)).reshape(shape)) for name in (target, source)
        )
        coefficient = pool.leaf(Load(values, recognise(narrowed(np.arange(points)).reshape(shape)))) * 2.0
        built.append(Term(BUFFERS[target], place, coefficient, BUFFERS[source], index))
    return LinearKernel(shape, tuple(built))


def evaluated(expr, shape):
    if expr.op is not None:
        return expr.op.numpy(*(evaluated(e, shape) for e in expr.args))
    if isinstance(expr.value, Load):
        return expr.value.buffer.value[expr.value.index.array()]
    return np.full(shape, expr.value)


def matrix(kernels, target, source):
    """Return the sum of the terms between two arrays, and what goes through arrays in between, dense."""
    total = np.zeros((SIZES[target], SIZES[source]))
    for kernel in kernels:
        for t in kernel.terms:
            if t.target.name != target:
                continue
            part = np.zeros((SIZES[target], t.source.size))
            values = np.broadcast_to(evaluated(t.coefficient, kernel.domain), kernel.domain)
            np.add.at(part, (t.place.array().reshape(-1), t.index.array().reshape(-1)), values.reshape(-1))
            total += part if t.source.name == source else part @ matrix(kernels, t.source.name, source)
    return total


def test_pairs_are_all_points_that_meet():
    reads, writes = RNG.integers(5, size=20), RNG.integers(6, size=15)
    above, below = pairs(reads, writes)
    expected = [(p, q) for p in range(20) for q in range(15) if reads[p] == writes[q]]
    assert list(zip(above.tolist(), below.tolist(), strict=True)) == expected


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
@pytest.mark.parametrize("domain", [None, (10, 4)])
def test_elimination_keeps_the_matrix(order, domain):
    kernels = [layer("a", "x", 30), layer("a", "x", 12, 2), layer("b", "a", 40, 2, domain), layer("b", "x", 9)]
    kernels += [layer("y", "b", 25), layer("y", "a", 17), layer("y", "x", 5)]
    expected = matrix(kernels, "y", "x")
    eliminator = Eliminator()
    for name in order:
        kernels = eliminator.without(BUFFERS[name], kernels)
        assert all(name not in (t.target.name, t.source.name) for k in kernels for t in k.terms)
    for step in eliminator.stored:  # coefficients that were to be computed before
        for s in step.stores:
            object.__setattr__(s.buffer, "value", evaluated(s.value, step.domain).reshape(-1))
    np.testing.assert_allclose(matrix(kernels, "y", "x"), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (3, 4), (3, 1, 2)])
def test_points_are_numbered_in_order(shape):
    numbers = np.arange(np.prod(shape, dtype=int)).reshape(shape)
    np.testing.assert_array_equal(in_order(shape).array(), numbers)


def test_a_reader_does_not_run_together_with_what_it_reads():
    first = layer("a", "x", 30)
    (term,) = first.terms
    second = LinearKernel((30,), (Term(BUFFERS["b"], term.place, term.coefficient, BUFFERS["a"], term.index),))
    assert len(joined([first, second], {})) == 2


def test_points_in_common_run_together():
    n = 400
    columns = np.arange(n)

    def diagonal(points):
        pool = Pool()
        values = Buffer("c", n, "constant", RNG.standard_normal(n))
        coefficient = pool.leaf(Load(values, recognise(narrowed(points))))
        place = recognise(narrowed(points))
        return LinearKernel(points.shape, (Term(y, place, coefficient, x, place),))

    x, y = Buffer("x", n, "input"), Buffer("y", n, "output")
    first, second = diagonal(columns[::-1].copy()), diagonal(columns[100:])
    common, rest, none = aligned(first, second, {})
    assert common.domain == (300,) and [k.domain for k in rest] == [(100,)] and not none
    SIZES.update(x=n, y=n)
    np.testing.assert_allclose(matrix([common, *rest], "y", "x"), matrix([first, second], "y", "x"), rtol=1e-15)
    SIZES.update(x=7, y=6)


def test_kernels_of_one_point_that_share_work_are_one():
    pool = Pool()
    a = pool.leaf(Load(BUFFERS["a"], recognise(narrowed(np.arange(1)))))
    shared = (a + 1.0) * (a + 2.0) * (a + 3.0)
    rows, columns = ([recognise(narrowed(np.array([k]))) for k in range(2)] for _ in range(2))
    kernels = [
        LinearKernel((1,), (Term(BUFFERS["y"], rows[k], shared * (a + float(k)), BUFFERS["x"], columns[k]),))
        for k in range(2)
    ]
    assert [len(k.terms) for k in joined(kernels, {})] == [2]
    apart = [
        LinearKernel((1,), (Term(BUFFERS["y"], rows[k], a + float(k), BUFFERS["x"], columns[k]),)) for k in range(2)
    ]
    assert [len(k.terms) for k in joined(apart, {})] == [1, 1]
