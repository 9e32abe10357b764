"""Rows of ranks in one process, for all ranks of generated partitions: those of the Jacobian of the whole."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sparsead as sad
from sparsead import problems, ranks
from sparsead.ranks.exchange import wanted
from sparsead.ranks.rows import PartFunction, own_places, whole
from sparsead.tracing.arguments import signature_of


def cut(draw, size, count):
    return ranks.Partition(np.array([0, *sorted(draw(st.integers(0, size)) for _ in range(count - 1)), size]))


def delivered(plans, partition, x):
    """Return what every rank has after the messages of its plan."""
    own = [x[partition.starts[r] : partition.starts[r + 1]] for r in range(partition.ranks)]
    found = []
    for rank, plan in enumerate(plans):
        values = np.full(plan.size, np.nan)
        values[plan.own] = own[rank]
        for source, place in plan.received:
            (sent,) = (places for target, places in plans[source].sent if target == rank)
            values[place] = own[source][sent]
        found.append(values)
    return found


@pytest.mark.parametrize("name", ["bratu", "brusselator", "cavity"])
@settings(max_examples=3, deadline=None)
@given(data=st.data())
def test_rows_of_parts_are_rows_of_the_whole(name, data):
    problem = getattr(problems, name)(4)
    x, n = problem.x0.ravel() + 0.01, problem.x0.size
    reference = sad.jacobian(problem.f, problem.x0, *problem.args)
    J = reference(x.reshape(problem.x0.shape), *problem.args)
    columns = cut(data.draw, n, 3)
    traced = whole(problem.f, problem.x0, *problem.args)
    arguments = signature_of(problem.f, (problem.x0, *problem.args), 0).arguments[1:]
    pieces = list(ranks.parts(traced, columns, columns))
    plans = ranks.plans(columns, [numbers for _, numbers in pieces])
    for rank, values in enumerate(delivered(plans, columns, x)):
        program, numbers = pieces[rank]
        assert np.array_equal(values, x[numbers])
        rows = columns.own(rank)
        part = PartFunction(program, arguments)
        own = ranks.OwnRows(part, rows, numbers, n, (values, *problem.args), backend="python")
        found = own.matrix(own.prepared.values(values, *problem.args))
        expected = J[rows.start : rows.stop]
        assert np.array_equal(found.indptr, expected.indptr) and np.array_equal(found.indices, expected.indices)
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-13, atol=1e-10)


def area(x):
    z = np.concatenate([np.ones((1, 6)), np.concatenate([np.zeros((4, 1)), x.reshape(4, 4), np.ones((4, 1))], axis=1)])
    dx, dy = np.diff(z, axis=0)[:, :-1], np.diff(z, axis=1)[:-1]
    return np.sum(np.sqrt(1.0 + dx**2 + dy**2))


@pytest.mark.parametrize("count", [2, 5])
def test_rows_of_gradients_whose_sums_lose_all_terms(count):
    """In the part of a rank, some derivatives of reads are sums to which nothing of that rank adds."""
    x = np.linspace(0.1, 0.9, 16)
    H = sad.hessian(area, x)(x).toarray()
    columns = ranks.Partition.even(16, count)
    pieces = ranks.parts(whole(sad.grad(area), x), columns, columns)
    for rank, (program, numbers) in enumerate(pieces):
        rows = columns.own(rank)
        own = ranks.OwnRows(PartFunction(program, ()), rows, numbers, 16, (x[numbers],), backend="python")
        found = own.matrix(own.prepared.values(x[numbers])).toarray()
        np.testing.assert_allclose(found, H[rows.start : rows.stop], rtol=1e-13, atol=1e-14)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_plans_of_any_reads(data):
    n, count = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 5))
    partition = cut(data.draw, n, count)
    numbers = [
        np.array(sorted(set(partition.own(r)) | data.draw(st.sets(st.integers(0, n - 1)))), dtype=np.int64)
        for r in range(count)
    ]
    plans = ranks.plans(partition, numbers)
    x = np.arange(n) + 0.5
    for read, values, plan in zip(numbers, delivered(plans, partition, x), plans, strict=True):
        assert np.array_equal(values, x[read])
        assert plan.ghosts == sum(place.stop - place.start for _, place in plan.received)


def test_reads_that_nobody_owns_are_refused():
    half = ranks.Partition.even(6, 2)
    with pytest.raises(sad.InputError, match="reads unknown 6, but there are 6"):
        wanted(np.array([3, 4, 5, 6]), half, 1)
    with pytest.raises(sad.InputError, match="owns 3 unknowns, 2 of them are listed"):
        wanted(np.array([0, 3, 4]), half, 1)


def stencil(block):
    return block[:-2] - 2.0 * block[1:-1] + block[2:] ** 2


@pytest.mark.parametrize(
    ("reads", "words"),
    [
        ([2, 3, 4, 5, 9], "names unknown 9, but there are 6"),
        ([2, 3, 4, 5, -2], "names unknown -2, but there are 6"),
        ([2.0, 3.0, 4.0, 5.0, 0.0], "integers; got float64"),
        ([2, 3, 4, 5], r"shape \(5,\), but reads has shape \(4,\)"),
    ],
)
def test_blocks_that_do_not_fit_are_refused(reads, words):
    with pytest.raises(sad.InputError, match=words):
        ranks.own_rows(stencil, np.ones(5), reads=reads, partition=ranks.Partition.even(6, 2), rank=1)


def test_other_numbers_of_rows_are_refused():
    with pytest.raises(sad.InputError, match="returned 3 values, but 4 rows"):
        ranks.own_rows(stencil, np.ones(5), reads=[2, 3, 4, 5, 0], partition=ranks.Partition.of_sizes([2, 4]), rank=1)


def test_options_that_rows_cannot_have_are_refused():
    half = ranks.Partition.even(6, 2)
    with pytest.raises(sad.InputError, match="not argnum, method"):
        ranks.own_rows(
            stencil, np.ones(5), reads=[2, 3, 4, 5, 0], partition=half, rank=1, argnum=0, method="complex-step"
        )


def test_a_block_may_hold_an_unknown_twice():
    """A periodic grid on one rank: the ghosts are its own, and their derivatives are added up."""
    one = ranks.Partition.of_sizes([4])
    own = ranks.own_rows(stencil, np.ones(6), reads=[3, 0, 1, 2, 3, 0], partition=one, rank=0)
    x = np.array([1.0, 2.0, 3.0, 4.0])
    J = sad.jacobian(lambda u: np.roll(u, 1) - 2.0 * u + np.roll(u, -1) ** 2, x)(x)
    assert np.array_equal(own.matrix(own.prepared.values(x)).toarray(), J.toarray())


def test_own_places():
    assert own_places([[7, 2, 3], [-1, 4, 0]], range(2, 5), 8).tolist() == [1, 2, 4]
    with pytest.raises(sad.InputError, match="3 unknowns are owned here, 1 of them are not in the block"):
        own_places([7, 2, 3], range(2, 5), 8)


def test_arguments_spread_like_x_have_its_size():
    with pytest.raises(sad.InputError, match="needs 4 elements, got 3"):
        whole(lambda x, k: x[:3] * k, np.ones(4), np.ones(3), spread=(1,))
