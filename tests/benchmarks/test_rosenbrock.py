"""The contenders compute the same Hessian."""

import numpy as np
import pytest

import sparsead as sad
from benchmarks import rosenbrock_peers as peers
from sparsead.problems import Problem, rosenbrock


def somewhere(n):
    p = rosenbrock(n)
    x = p.x0 + np.random.default_rng(0).random(n)
    return Problem(p.name, p.title, p.reference, p.derivative, p.f, x), sad.hessian(p.f, x)(x)


def assert_agrees(built, H):
    call, matrix = built
    call()
    np.testing.assert_allclose(matrix().toarray(), H.toarray(), rtol=1e-13, atol=1e-11)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_the_loop_by_hand(n):
    problem, H = somewhere(n)
    assert_agrees(peers.by_hand(problem, H), H)


@pytest.mark.parametrize("name", ["casadi", "asdex"])
def test_the_peers(name):
    pytest.importorskip(name)
    problem, H = somewhere(12)
    assert_agrees(getattr(peers, name)(problem), H)
