"""Arguments lie in memory while they are traced as they do in the example."""

from __future__ import annotations

import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import sparsead as sad
from tests.reference import complex_step

RNG = np.random.default_rng(0)
EXAMPLES = {
    "Fortran order": np.asfortranarray(RNG.uniform(0.5, 1.5, (3, 4))),
    "a transposed view": RNG.uniform(0.5, 1.5, (4, 3)).T,
    "part of a larger array": RNG.uniform(0.5, 1.5, (8, 6)).T[::2, 1:7:2],
    "axes in another order": RNG.uniform(0.5, 1.5, (2, 3, 2)).transpose(1, 2, 0),
}


def weights(x):
    return np.arange(1.0, x.size + 1.0)


def written_through_a_view(x):
    y = x.copy(order="K")
    y.ravel("K")[0] = y.ravel("K")[1] ** 2
    return y.ravel() * weights(x)


FUNCTIONS = {
    "ravel": lambda x: x.ravel("K") ** 2 * weights(x),
    "reshape": lambda x: x.reshape(-1, order="A") ** 2 * weights(x),
    "flags and strides": lambda x: x.ravel() * (2.0 if x.flags.f_contiguous else 3.0) * x.strides[0],
    "results": lambda x: (np.sin(x) + np.ones(x.shape)).ravel("K") * weights(x),
    "running sums": lambda x: np.cumsum(x.T.reshape(-1)) * x.T.ravel("K"),
    "writing": written_through_a_view,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("example", EXAMPLES)
def test_what_depends_on_the_order(example, name):
    f, x = FUNCTIONS[name], EXAMPLES[example].copy(order="K")
    jac = sad.jacobian(f, x, backend="python", check=False)
    other = np.empty_like(x)
    other[...] = x**2
    np.testing.assert_allclose(jac.value(other), f(other), rtol=1e-14)

    def flat(v):
        point = np.empty_like(other, dtype=v.dtype)
        point[...] = v.reshape(x.shape)
        return f(point)

    if name != "flags and strides":  # numbers of other sizes have other strides
        np.testing.assert_allclose(jac(other).toarray(), complex_step(flat, other.ravel()), rtol=1e-13)
    assert sad.jacobian(f, x, backend="python").checked.passed


@dataclass
class State:
    u: np.ndarray
    v: np.ndarray


def test_leaves_and_other_arguments():
    u = EXAMPLES["Fortran order"]
    state = State(u, u.copy(order="C"))

    def f(s, p):
        return s.u.ravel("K") * p.ravel("K") + s.v.ravel("K")

    jac = sad.jacobian(f, state, u, backend="python")
    assert jac.checked.passed
    np.testing.assert_array_equal(jac.value(state, u), f(state, u))
    assert sad.check(pickle.loads(pickle.dumps(sad.jacobian(np.ravel, u, backend="python"))), u).passed


def test_gradients_on_the_spot():
    def energy(x):
        return np.sum(x.ravel("K") ** 2 * weights(x))

    slope = sad.grad(energy)
    for x in (EXAMPLES["Fortran order"], EXAMPLES["Fortran order"].copy(order="C")):
        wanted = 2.0 * x * weights(x).reshape(x.shape, order="F" if x.flags.f_contiguous else "C")
        np.testing.assert_allclose(slope(x), wanted, rtol=1e-15)
        np.testing.assert_allclose(sad.jacobian(slope, x)(x).diagonal(), (wanted / x).ravel(), rtol=1e-15)


def test_branches_and_differences():
    x = EXAMPLES["Fortran order"]
    guarded = sad.jacobian(lambda x: x.ravel("K") * weights(x) if x[0, 0] > 0 else x.ravel(), x, guard="record")
    stepped = sad.jacobian(FUNCTIONS["ravel"], x, method="finite-difference")
    np.testing.assert_array_equal(guarded.value(x), x.ravel("K") * weights(x))
    np.testing.assert_allclose(stepped(x).toarray(), sad.jacobian(FUNCTIONS["ravel"], x)(x).toarray(), rtol=1e-6)
