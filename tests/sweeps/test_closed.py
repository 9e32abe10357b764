"""Every sweep reads what the caller gives, what it was bound to, or what it has written: nothing that nobody fills."""

from __future__ import annotations

import itertools
from random import Random

import numpy as np
import pytest

import sparsead as sad
from sparsead.extend import repeat
from sparsead.kernels.kernel import Buffer
from sparsead.kernels.linear import LinearKernel, Term, reached
from sparsead.kernels.moving import in_order
from sparsead.kernels.pattern import detect
from sparsead.program.scalar import Pool
from sparsead.sweeps.storage import Storage
from tests.laws.programs import random_program

X = np.array([0.5, 1.25, 2.0])
WEIGHTS = np.array([1.0, 2.0, 3.0])


def identity(state, *args):
    return state


def forgets(state, *args):
    return np.zeros_like(state) + 0.5


def picks(state, first, waves):
    return state * first + waves[::-1]


def through_a_loop(step):
    """Return a function of a loop whose step may read less than it is given."""
    return lambda x: np.sin(repeat(step, x * 1.0, 3, x[0] * 1.5, np.sin(x)))


def weighted(f):
    return lambda x: np.sum(WEIGHTS * f(x))


def assert_closed(prepared):
    """Look at all sweeps of a prepared matrix: of the values, of parts of them, and of products."""
    inputs = {node.name for node in prepared.program.inputs}
    linear, patterns = prepared.linear, detect(prepared.linear)
    diagonal = Storage.of_diagonal(patterns[linear.target])
    assemblies = [prepared._assembly, prepared._assemble(None), prepared._assemble(diagonal)]
    for assembly, varying in itertools.product(assemblies, (False, True)):
        for sweep in assembly.sweeps(varying=varying):
            assert set(sweep.given) <= {*inputs, "data"}
    for product in prepared._products:
        assert set(prepared._sweep(product.name).given) <= {*inputs, product.source, product.target}
    for name, function in prepared._functions.items():
        assert set(prepared._sweep(name).given) <= {*inputs, function.array}


@pytest.mark.parametrize("step", [identity, forgets, picks])
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_a_derivative_of_a_gradient_through_a_loop(step, mode):
    f = through_a_loop(step)
    jac = sad.jacobian(lambda x: sad.grad(weighted(f))(x) * x, X, mode=mode, backend="python")
    assert_closed(jac)
    gradient = sad.gradient(weighted(f), X)
    expected = [
        (gradient(X + h * e) * (X + h * e) - gradient(X - h * e) * (X - h * e)) / (2.0 * h)
        for h, e in ((1e-5, e) for e in np.eye(3))
    ]
    np.testing.assert_allclose(jac(X).toarray(), np.stack(expected, axis=1), rtol=1e-8, atol=1e-8)


def test_the_identity_in_a_loop_by_hand():
    f = through_a_loop(identity)
    jac = sad.jacobian(lambda x: sad.grad(weighted(f))(x) * x, X)
    np.testing.assert_allclose(jac(X).toarray(), np.diag(WEIGHTS * (np.cos(X) - X * np.sin(X))), rtol=1e-13)


@pytest.mark.parametrize("seed", range(12))
def test_random_programs(seed):
    random = Random(seed)
    program = random_program(random, smooth=True)
    x = np.full(program.shape, 0.4)
    with np.errstate(all="ignore"):
        assert_closed(sad.jacobian(program, x, x, mode="direct", backend="python", check=False))
        assert_closed(
            sad.hessian(lambda x, p: np.sum(program(x, p)), x, x, mode="direct", backend="python", check=False)
        )


def test_terms_that_read_what_no_term_writes_are_left_out():
    x, a, b, y = (Buffer(name, 4, "work") for name in "xaby")
    pool, everywhere = Pool(), in_order((4,))

    def kernel(*pairs, ordered=False):
        terms = (Term(target, everywhere, pool.constant(2.0), source, everywhere) for target, source in pairs)
        return LinearKernel((4,), tuple(terms), ordered)

    found = reached([kernel((b, a)), kernel((y, b), (y, x)), kernel((a, a), ordered=True)], x)
    assert [k.pairs for k in found] == [[(y, x)]]
    through = [kernel((a, x), (a, a), ordered=True), kernel((b, a)), kernel((y, b))]
    assert [k.pairs for k in reached(through, x)] == [k.pairs for k in through]
