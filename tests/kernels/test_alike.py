"""Parts of a program that are alike: found only where they are, and with the results of lowering each."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops  # fills the tables that tracing reads
from sparsead.kernels.alike import Alike
from sparsead.kernels.kernel import Kernel
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.tracing.trace import trace
from tests.reference import complex_step

X = np.linspace(0.2, 1.0, 50)


def repeated(step, times=6):
    def f(u):
        for k in range(times):
            u = step(u, k)
        return u

    return f


def smooth(u, k):
    """A step that gets a buffer by its cost, as exponentials are not computed twice."""
    v = np.exp(-u) * np.sin(u) / (1.0 + u**2)
    return u + 0.1 * (np.roll(v, 1) - 2.0 * v + np.roll(v, -1))


def alike(f, *args):
    return [k for k in lower(trace(f, args)[0]).kernels if isinstance(k, Kernel) and k.like is not None]


def test_equal_steps_are_lowered_once():
    assert len(alike(repeated(smooth, 12), X)) >= 9


@pytest.mark.parametrize(
    "step",
    [
        lambda u, k: smooth(u, 0) + 0.01 * k,  # another constant
        lambda u, k: smooth(np.roll(u, k), 0),  # other places
        lambda u, k: smooth(u, 0) * np.linspace(0.5, 1.0 + k, u.size),  # another array
    ],
)
def test_steps_that_differ(step):
    J = sad.jacobian(repeated(step), X)(X).toarray()
    np.testing.assert_allclose(J, complex_step(repeated(step), X), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_the_results_are_those_of_lowering_each(mode, monkeypatch):
    f = repeated(smooth)
    J = sad.jacobian(f, X, mode=mode)(X)
    monkeypatch.setattr(Alike, "key", lambda self, node, buffers: (node.serial, []))
    each = sad.jacobian(f, X, mode=mode)
    assert not any(k.like for k in each.kernels.kernels)
    assert (J.data == each(X).data).all()


def test_linear_kernels_share_the_expressions_of_their_kernels():
    kernels = lower(trace(repeated(smooth), (X,))[0])
    linear = linearize(kernels)
    pools = {id(s.value.pool) for k in kernels.kernels for s in k.stores}
    assert all(id(t.coefficient.pool) in pools for k in linear.kernels for t in k.terms)


def test_a_factor_is_not_a_value():
    """A runtime argument is pulled out of sums, a value is not: arrays that read them are not alike."""

    def f(u, a):
        v = np.exp(-u) * np.sin(u) / (1.0 + u**2)
        w = np.exp(-a) * np.sin(a) / (1.0 + a**2)
        return (np.roll(v, 1) - v) * (np.roll(w, 1) - w) * u

    a = X[::-1].copy()
    J = sad.jacobian(f, X, a)(X, a).toarray()
    np.testing.assert_allclose(J, complex_step(lambda u: f(u, a), X), rtol=1e-12, atol=1e-14)
