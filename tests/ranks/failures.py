"""Part of main.py: what fails on one rank is raised on all of them, and nothing hangs."""

import numpy as np
import pytest
from mpi4py import MPI

from sparsead import ranks

COMM = MPI.COMM_WORLD
LAST = COMM.size - 1
IS_LAST = COMM.rank == LAST
N = 12


def system(u, power):
    return u**power - np.roll(u, 1)


def fails(pattern, call):
    """Check that a call raises RankError here, which says what happened where."""
    with pytest.raises(ranks.RankError, match=f"(?s){pattern}"):
        call()


even = ranks.Partition.even
OWN = even(N, COMM.size).own(COMM.rank)
OWNED, OWNED_BY_LAST = len(OWN), len(even(N, COMM.size).own(LAST))
u0 = np.linspace(0.5, 1.0, N)
u = u0[OWN.start : OWN.stop]


def refuses(block):
    return block.astype(complex) if IS_LAST else block**2


def broken(u):
    raise ZeroDivisionError("no such system")


def evaluations():
    jac = ranks.jacobian(system, u0, 3.0)
    wrong = np.ones(OWNED + 1) if IS_LAST else u
    fails(rf"rank {LAST} of .*{OWNED_BY_LAST + 1} values, but {OWNED_BY_LAST} unknowns", lambda: jac.value(wrong, 3.0))
    fails(rf"rank {LAST} of .*x expects real numbers", lambda: jac(u + 1j if IS_LAST else u, 3.0))
    fails(rf"rank {LAST} of .*v has {OWNED_BY_LAST + 1} values", lambda: jac.jvp(u, wrong, 3.0))
    fails(rf"rank {LAST} of .*shape \({OWNED_BY_LAST},\)", lambda: jac.vjp(u, wrong, 3.0))
    fails(rf"rank {LAST} of .*expected 2 arguments", lambda: jac.value(u, *([] if IS_LAST else [3.0])))
    np.testing.assert_allclose(jac.value(u, 3.0)[1:], (u**3)[1:] - u[:-1])  # and afterwards all is well


def preparations():
    reads = np.arange(OWN.start, OWN.stop)
    fails(rf"rank {LAST} of ", lambda: ranks.local_jacobian(refuses, u, reads=reads, owned=OWNED))
    fails("rank 0 of .*no such system", lambda: ranks.jacobian(broken, u0))
    fails(
        rf"rank {LAST} of .*returned {OWNED_BY_LAST - 1} values, but {OWNED_BY_LAST} rows",
        lambda: ranks.local_jacobian(lambda b: b[1:] if IS_LAST else b, u, reads=reads, owned=OWNED),
    )
    fails(
        rf"rank {LAST} of .*names unknown {N + 6}, but there are {N}",
        lambda: ranks.local_jacobian(lambda b: b, u, reads=reads + 7 if IS_LAST else reads, owned=OWNED),
    )
    fails(
        rf"rank {LAST} of .*shape \({OWNED_BY_LAST + 1},\), but reads has shape \({OWNED_BY_LAST},\)",
        lambda: ranks.local_jacobian(lambda b: b, np.ones(OWNED + IS_LAST), reads=reads, owned=OWNED),
    )


def sums():
    reads = np.arange(OWN.start, OWN.stop)
    fails("rank 0 of .*system returned one number", lambda: ranks.gradient(lambda_named_system, u0))
    fails(
        rf"rank {LAST} of .*returned one number",
        lambda: ranks.local_gradient(lambda b: np.sum(b) if IS_LAST else b, u, reads=reads, owned=OWNED),
    )
    if COMM.size == 1:
        return
    # without ghosts, bonds across borders are missing in the blocks of one side or both
    around = np.arange(OWN.start, min(OWN.stop + 1, N))
    fails(
        "derivative by unknown .* has to be in the blocks of all of these",
        lambda: ranks.local_gradient(lambda b: np.diff(b) ** 2, u0[around], reads=around, owned=OWNED),
    )


def colors():
    one = even(N, COMM.size)
    beyond = np.array([N + 3 if IS_LAST else 0])
    fails(
        rf"rank {LAST} of .*column {N + 3}, but there are {N}", lambda: ranks.color_columns([0, 1], beyond, columns=one)
    )
    fails(
        rf"rank {LAST} of .*indptr says 2 entries, indices has 1",
        lambda: ranks.color_columns([0, 2 if IS_LAST else 1], [0], columns=one),
    )
    fails(
        f"is for {COMM.size + 1} ranks, the communicator has {COMM.size}",
        lambda: ranks.color_columns([0, 1], [0], columns=even(N, COMM.size + 1)),
    )
    if COMM.size > 1:
        order = "random" if IS_LAST else "natural"
        fails(rf"rank {LAST} of .*order is random", lambda: ranks.color_columns([0, 1], [0], columns=one, order=order))


def arguments_of_one_rank():
    """What one rank alone gives wrongly is looked at before anything is sent."""
    reads = np.arange(OWN.start, OWN.stop)
    for prepare in (ranks.local_jacobian, ranks.local_hessian, ranks.local_gradient):
        for owned, words in ((None, "TypeError"), (-1, "cannot own -1")):
            mine = owned if IS_LAST else OWNED
            fails(rf"rank {LAST} of .*{words}", lambda: prepare(lambda b: b**2, u, reads=reads, owned=mine))  # noqa: B023
    fails(rf"rank {LAST} of .*inhomogeneous", lambda: prepared([[1.0], [1.0, 2.0]] if IS_LAST else u0, 3.0))
    fails(rf"rank {LAST} of .*one array of real numbers, got dict", lambda: prepared({} if IS_LAST else u0, 3.0))
    fails(
        rf"rank {LAST} of .*a Partition .*, got list",
        lambda: prepared(u0, 3.0, [0, N] if IS_LAST else even(N, COMM.size)),
    )
    fails(
        rf"rank {LAST} of .*got NoneType",
        lambda: ranks.color_columns([0], [], columns=None if IS_LAST else even(N, COMM.size)),
    )
    for spread in ((2,), (0,), (1, 1)):
        given = spread if IS_LAST else (1,)
        fails(
            rf"rank {LAST} of .*from 1 to 1, once",
            lambda: ranks.jacobian(system, u0, u0, spread=given),  # noqa: B023
        )
    fails(
        f"root is {COMM.size}, but there are {COMM.size} ranks", lambda: ranks.jacobian(system, u0, 3.0, root=COMM.size)
    )


class WordlessError(Exception):
    def __str__(self):
        raise ValueError("no words")


def whatever_is_raised():
    """Errors without words, and the end of one rank's program, which goes on to end there."""
    reads = np.arange(OWN.start, OWN.stop)

    def raises(error):
        def f(block):
            if IS_LAST:
                raise error
            return block**2

        return ranks.local_jacobian(f, u, reads=reads, owned=OWNED)

    fails(rf"rank {LAST} of \d: WordlessError", lambda: raises(WordlessError()))
    with pytest.raises(SystemExit if IS_LAST else ranks.RankError):
        raises(SystemExit(3))


def other_calls_on_other_ranks():
    if COMM.size == 1:
        return
    first, second = prepared(u0, 3.0), prepared(u0, 2.0)
    fails("called value of .*called jvp of", lambda: first.jvp(u, u, 3.0) if IS_LAST else first.value(u, 3.0))
    fails("called value of .*called value of", lambda: (second if IS_LAST else first).value(u, 3.0))
    fails("called values of .*called jacobian", lambda: prepared(u0, 3.0) if IS_LAST else first.values(u, 3.0))
    np.testing.assert_allclose(first.value(u, 3.0)[1:], (u**3)[1:] - u[:-1])


def outside_of_the_domain():
    """The example is not one at which the function has a value: there is nothing to compare, and later there is."""
    for prepare in (ranks.jacobian, ranks.gradient):
        found = prepare(lambda u: np.sqrt(u - 2.0), u0)
        assert np.isfinite(found.value(u + 3.0)).all()


def lambda_named_system(u):
    return np.sum(u)


lambda_named_system.__name__ = "system"


def partitions():
    fails(f"of {N + 1}, but there are {N}", lambda: ranks.jacobian(system, u0, 3.0, columns=even(N + 1, COMM.size)))
    fails(
        f"is for {COMM.size + 1} ranks, the communicator has {COMM.size}",
        lambda: ranks.jacobian(system, u0, 3.0, columns=even(N, COMM.size + 1)),
    )
    if COMM.size == 1:
        return
    others = ranks.Partition.of_sizes([N, *[0] * LAST])
    mixed = others if IS_LAST else even(N, COMM.size)
    fails(
        r"partitions of the unknowns differ: rank \d has \d+ to \d+, but \d+ to \d+", lambda: prepared(u0, 3.0, mixed)
    )
    fails(rf"shape of x0 is \({N + 1},\) here, \({N},\)", lambda: prepared(np.ones(N + IS_LAST), 3.0))
    fails("argument 1 is 2 here, 3 on rank 0", lambda: prepared(u0, 2 if IS_LAST else 3))


def prepared(x0, power, columns=None):
    return ranks.jacobian(system, x0, power, columns=columns)


def run():
    evaluations()
    preparations()
    sums()
    colors()
    arguments_of_one_rank()
    whatever_is_raised()
    other_calls_on_other_ranks()
    outside_of_the_domain()
    partitions()
