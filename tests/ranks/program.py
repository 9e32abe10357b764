"""Part of main.py: rows, products and Hessians against those of one process."""

import numpy as np
from mpi4py import MPI

import sparsead as sad
from sparsead import ranks
from sparsead.problems import cavity
from sparsead.ranks.colors import _shuffled

COMM = MPI.COMM_WORLD
RNG = np.random.default_rng(5)


def own(partition):
    block = partition.own(COMM.rank)
    return slice(block.start, block.stop)


def point(problem):
    return problem.x0 + 0.01 * RNG.uniform(size=problem.x0.shape)


def uneven(size):
    """The last rank owns nothing, where there are several."""
    shares = np.arange(1, COMM.size + 1) if COMM.size == 1 else np.arange(COMM.size, 0, -1) - 1
    starts = np.floor(size * np.cumsum(shares) / shares.sum()).astype(int)
    return ranks.Partition(np.concatenate([[0], starts]))


def all_unknowns():
    problem = cavity(7)
    at, n = point(problem), problem.x0.size
    reference = sad.jacobian(problem.f, problem.x0, *problem.args)
    J, y, x = reference(at, *problem.args), reference.value(at, *problem.args).ravel(), at.ravel()
    v, w = RNG.uniform(size=(2, n))
    for partition in (None, uneven(n)):
        # only the rank that traces needs values
        example = problem.x0 if COMM.rank == 0 else np.broadcast_to(0.0, problem.x0.shape)
        jac = ranks.jacobian(problem.f, example, *problem.args, columns=partition)
        mine = own(jac.columns)
        rows = jac(x[mine], *problem.args)
        assert rows.shape == (mine.stop - mine.start, n) and rows.has_sorted_indices
        assert np.array_equal(rows.indptr, J[mine].indptr) and np.array_equal(rows.indices, J[mine].indices)
        np.testing.assert_allclose(rows.data, J[mine].data, rtol=1e-13, atol=1e-10)
        np.testing.assert_allclose(jac.value(x[mine], *problem.args), y[mine], rtol=1e-12, atol=1e-10)
        np.testing.assert_allclose(jac.jvp(x[mine], v[mine], *problem.args), (J @ v)[mine], rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(jac.vjp(x[mine], w[mine], *problem.args), (J.T @ w)[mine], rtol=1e-12, atol=1e-9)
        read = np.setdiff1d(np.unique(J[mine].indices), np.arange(mine.start, mine.stop))
        assert np.array_equal(jac.ghosts, read)
        before = jac.exchange.bytes_received
        jac.value(x[mine], *problem.args)
        assert jac.exchange.bytes_received - before == 8 * read.size


def sources(u, heat, strength):
    return np.roll(u, 1) - 2.0 * u + np.roll(u, -1) + heat * np.exp(strength["rate"] * u)


def spread_arguments():
    n = 23
    u, heat = RNG.uniform(0.1, 0.9, (2, n))
    strength = {"rate": 0.5, "name": "reaction"}
    J = sad.jacobian(sources, u, heat, strength)(u, heat, strength)
    jac = ranks.jacobian(sources, u, heat, strength, spread=(1,), columns=ranks.Partition.even(n, COMM.size))
    mine = own(jac.columns)
    found = jac(u[mine], heat[mine], strength)
    np.testing.assert_allclose(found.toarray(), J[mine].toarray(), rtol=1e-14)


def blocks():
    """A block with one ghost on each side, and nothing beyond the ends."""
    n = 17
    u, heat = RNG.uniform(0.1, 0.9, (2, n))

    def whole(u, heat):
        p = np.pad(u, 1)
        return p[:-2] - 2.0 * u + p[2:] + heat * u**2

    def block(u, heat):
        return u[:-2] - 2.0 * u[1:-1] + u[2:] + heat[1:-1] * u[1:-1] ** 2

    J = sad.jacobian(whole, u, heat)(u, heat)
    sizes = ranks.Partition.even(n, COMM.size)
    mine = own(sizes)
    reads = np.arange(mine.start - 1, mine.stop + 1)
    reads[reads >= n] = -1
    examples = np.full((2, reads.size), 0.5)
    jac = ranks.local_jacobian(block, *examples, reads=reads, owned=mine.stop - mine.start, spread=(1,))
    np.testing.assert_allclose(jac(u[mine], heat[mine]).toarray(), J[mine].toarray(), rtol=1e-14)
    assert jac.ghosts.size == 2 - (COMM.rank == 0) - (COMM.rank == COMM.size - 1)


def energy(x, stiffness):
    return np.sum(np.sqrt(1.0 + stiffness * np.diff(x) ** 2)) + np.sum(x**4)


def hessians():
    n = 19
    x = RNG.uniform(-1.0, 1.0, n)
    H = sad.hessian(energy, x, 2.0)(x, 2.0)
    g = sad.gradient(energy, x, 2.0)(x, 2.0)
    whole = ranks.hessian(energy, x, 2.0)
    mine = own(whole.columns)
    reads = np.arange(max(mine.start - 1, 0), min(mine.stop + 1, n))
    by_block = ranks.local_hessian(energy, x[reads], 2.0, reads=reads, owned=mine.stop - mine.start)
    for hess in (whole, by_block):
        np.testing.assert_allclose(hess(x[mine], 2.0).toarray(), H[mine].toarray(), rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(hess.value(x[mine], 2.0), g[mine], rtol=1e-12, atol=1e-13)


def bonds(x, stiffness):
    return np.concatenate([np.sqrt(1.0 + stiffness * np.diff(x) ** 2), x**4])


def sums():
    """A sum of terms, each counted once, from all unknowns and from blocks in which terms of borders stand twice."""
    n = 19
    x = RNG.uniform(-1.0, 1.0, n)
    value, slope = sad.gradient(energy, x, 2.0).value_and_gradient(x, 2.0)
    H = sad.hessian(energy, x, 2.0)(x, 2.0)
    whole = ranks.gradient(bonds, x, 2.0)
    mine = own(whole.columns)
    reads = np.arange(max(mine.start - 1, 0), min(mine.stop + 1, n))
    by_block = ranks.local_gradient(bonds, x[reads], 2.0, reads=reads, owned=mine.stop - mine.start)
    for found in (whole, by_block):
        total, own_slope = found.value_and_gradient(x[mine], 2.0)
        np.testing.assert_allclose(total, value, rtol=1e-14)
        np.testing.assert_allclose(found.value(x[mine], 2.0), total, rtol=1e-15)
        np.testing.assert_allclose(own_slope, slope[mine], rtol=1e-12, atol=1e-13)
        assert COMM.allgather(total) == [total] * COMM.size
    for hess in (
        ranks.hessian(bonds, x, 2.0),
        ranks.local_hessian(bonds, x[reads], 2.0, reads=reads, owned=mine.stop - mine.start),
    ):
        np.testing.assert_allclose(hess(x[mine], 2.0).toarray(), H[mine].toarray(), rtol=1e-12, atol=1e-13)
    nothing = ranks.gradient(bonds, x, 2.0, columns=uneven(n))
    part = own(nothing.columns)
    np.testing.assert_allclose(nothing(x[part], 2.0), slope[part], rtol=1e-12, atol=1e-13)


def messages_of_the_program():
    """A receive of anything from anybody, which the program has posted before, gets what the program sends."""
    n, room = 8, np.zeros(3)
    request = COMM.Irecv(room, source=MPI.ANY_SOURCE, tag=MPI.ANY_TAG)
    jac = ranks.jacobian(lambda x: x * np.roll(x, 1), np.ones(n))
    x = np.arange(1.0, 1.0 + n)
    np.testing.assert_allclose(jac.value(x[own(jac.columns)]), (x * np.roll(x, 1))[own(jac.columns)])
    COMM.Send(np.full(3, 7.0), dest=(COMM.rank + 1) % COMM.size)
    request.Wait()
    assert room.tolist() == [7.0] * 3


def first_fit(pattern, order):
    """Color columns one by one, as slowly as can be."""
    shared = (pattern.T @ pattern).toarray() > 0
    colors = np.full(len(order), -1)
    for j in order:
        met = set(colors[shared[j]])
        colors[j] = next(c for c in range(len(order)) if c not in met)
    return colors


def colors():
    """The colors of one process, whatever the ranks; entries recovered from compressed products."""
    problem = cavity(6)
    n = problem.x0.size
    x = point(problem).ravel()
    J = sad.jacobian(problem.f, problem.x0, *problem.args)(x.reshape(problem.x0.shape), *problem.args)
    pattern = J.copy()
    pattern.data[:] = 1.0
    shuffled = np.argsort(_shuffled(np.arange(n)))
    for partition in (ranks.Partition.even(n, COMM.size), uneven(n)):
        jac = ranks.jacobian(problem.f, problem.x0, *problem.args, columns=partition)
        mine = own(jac.columns)
        for order, sequence in (("natural", np.arange(n)), ("random", shuffled)):
            found = ranks.color_columns(jac.own.indptr, jac.own.indices, columns=jac.columns, order=order)
            expected = first_fit(pattern, sequence)
            assert np.array_equal(found.colors, expected[mine]) and found.num_colors == expected.max() + 1
            seeds = found.seeds()
            products = [jac.jvp(x[mine], seeds[:, k], *problem.args) for k in range(found.num_colors)]
            entries = found.recovered(np.column_stack(products))
            np.testing.assert_allclose(entries, J[mine].data, rtol=1e-12, atol=1e-9)


def run():
    all_unknowns()
    spread_arguments()
    blocks()
    hessians()
    sums()
    messages_of_the_program()
    colors()
