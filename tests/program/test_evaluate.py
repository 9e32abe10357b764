"""The slow twin of the kernels: a rule for every kind of node, recurrences included."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.program.evaluate import RULES, evaluate
from sparsead.program.nodes import Earlier, Node, Scan
from sparsead.tracing.trace import trace

N = 60
X = np.linspace(-0.5, 1.0, N)


def kinds(base=Node):
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_every_kind_of_node_has_a_rule():
    """But `Earlier`, which is no value of its own: the rule of its `Scan` computes it."""
    assert set(RULES) == set(kinds()) - {Earlier}


def smoothed(x):
    y, s = np.zeros(N, dtype=x.dtype), 0.1
    for i in range(N):
        s = np.sin(s) + x[i] * 0.9
        y[i] = s
    return y


def two_states(x):
    y, a, b = np.zeros((2, N), dtype=x.dtype), 0.3, 0.2
    for i in range(N):
        a, b = a + 0.1 * b, b - 0.1 * np.sin(a) * x[i]
        y[0, i], y[1, i] = a, b
    return y


@pytest.mark.parametrize("f", [smoothed, two_states])
def test_recurrences_are_evaluated_in_order(f):
    program, _ = trace(f, (X,))
    assert any(isinstance(node, Scan) for node in program.nodes)
    found = evaluate(program.output, {program.wrt.serial: X})
    np.testing.assert_allclose(found, f(X), rtol=1e-14)


def running(x):
    y = smoothed(x)
    if y[N // 2] > 0.5:
        y = 2.0 * y
    return y * x if y.sum() > 1.0 else y


def test_a_branch_on_a_running_sum():
    jac = sad.jacobian(running, X, guard="record")
    for x in (X, -X, X[::-1].copy()):
        exact = np.stack([running(x + 1e-30j * e).imag / 1e-30 for e in np.eye(N)], axis=1)
        np.testing.assert_allclose(jac(x).toarray(), exact, rtol=1e-12, atol=1e-14)
    assert jac.preparations > 1
