"""The contenders compute the same matrix, so the benchmark compares like with like."""

import numpy as np
import pytest

import sparsead as sad
from benchmarks import brusselator_peers as peers
from benchmarks.brusselator import exactness
from benchmarks.contenders import Contender, compare
from sparsead.problems import Problem, brusselator


def somewhere(N):
    p = brusselator(N)
    x = p.x0 + np.random.default_rng(0).random(p.x0.size)
    problem = Problem(p.name, p.title, p.reference, p.derivative, p.f, x, p.args)
    return problem, sad.jacobian(p.f, x, *p.args)(x, *p.args)


def assert_agrees(built, J):
    call, matrix = built
    call()
    np.testing.assert_allclose(matrix().toarray(), J.toarray(), rtol=1e-14, atol=1e-12)


@pytest.mark.parametrize("N", [3, 4, 7])
def test_the_loop_by_hand(N):
    problem, J = somewhere(N)
    assert_agrees(peers.by_hand(problem, N, J), J)


@pytest.mark.parametrize("name", ["casadi", "asdex"])
def test_the_peers(name):
    pytest.importorskip(name)
    problem, J = somewhere(4)
    assert_agrees(getattr(peers, name)(problem, 4), J)


def test_a_contender_that_computes_something_else_is_not_timed():
    _, J = somewhere(3)
    right, wrong = (Contender(name, 0.0, lambda: None, lambda M=M: M) for name, M in (("a", J), ("b", 1.001 * J)))
    with pytest.raises(AssertionError, match=r"b differs from a by 1\.0e-03"):
        compare([right, wrong], {})


def test_exactness_is_measured():
    assert all(target.met for target in exactness(8))
