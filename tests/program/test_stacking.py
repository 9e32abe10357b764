"""Laws of stacking: alike operations on small arrays become one, with the same values, and nothing else does."""

from __future__ import annotations

import warnings
from random import Random

import numpy as np
import pytest

import sparsead as sad
from sparsead.program import stacking
from sparsead.program.evaluate import can_run, run
from sparsead.program.stacking import stacked
from sparsead.tracing.trace import trace
from tests.laws.program import point
from tests.laws.programs import random_program
from tests.reference import assert_close, complex_step, differences

RNG = np.random.default_rng(4)
ELEMENTS = np.array([RNG.choice(20, 3, replace=False) for _ in range(40)])
WEIGHTS = RNG.uniform(0.5, 1.5, 40)


def terms(u, elements=ELEMENTS):
    found = np.zeros(len(elements), u.dtype)
    for e, corners in enumerate(elements):
        v = u[corners] - np.roll(u[corners], 1)
        found[e] = WEIGHTS[e] * np.sqrt(1.0 + v @ v)
    return found


def results(u):
    return np.array([np.sin(u[corners]) * WEIGHTS[e] for e, corners in enumerate(ELEMENTS)][::-1]).T


def pairs(u):
    total = 0.0
    for i, j, k in ELEMENTS:
        total = total + 1.0 / ((u[i] - u[j]) ** 2 + np.exp(u[i : i + 1] * u[k])[0])
    return total


def powers(u):
    return np.concatenate([u[[i, j]] ** (2 + e % 2) for e, (i, j, _) in enumerate(ELEMENTS)])


def choices(u):
    return np.array([np.where(u[corners] > 0.5, u[corners], WEIGHTS[e]).max() for e, corners in enumerate(ELEMENTS)])


def shared(u):
    centre = np.tanh(u[:2])
    return np.concatenate([u[[i, j]] * centre / (1.0 + np.sum(u[:4])) for i, j, _ in ELEMENTS])


FUNCTIONS = [terms, results, pairs, powers, choices, shared]


def values(program, *arrays):
    return run(program, {n.serial: np.reshape(a, -1) for n, a in zip(program.inputs, arrays, strict=True)})


@pytest.mark.parametrize("f", FUNCTIONS)
def test_values_are_those_of_the_program_that_is_written(f):
    u = RNG.uniform(0.1, 0.9, 22)
    program = sad.jacobian(f, u, check=False, backend="python").program
    short = stacked(program)
    short.check()
    assert len(short.nodes) < len(program.nodes) / 4
    np.testing.assert_array_equal(values(short, u), values(program, u))


@pytest.mark.parametrize("f", [terms, results, pairs, powers, shared])
def test_derivatives(f):
    u = RNG.uniform(0.1, 0.9, 22)
    jac = sad.jacobian(f, u)
    assert_close(jac(u).toarray(), complex_step(f, u), 1e-13)
    hess = sad.hessian(lambda u: np.sum(f(u) ** 2), u)
    assert_close(hess(u).toarray(), differences(hess.gradient, u), 1e-8)


def test_code_does_not_grow_with_the_elements():
    lengths = []
    for count in (20, 40):
        jac = sad.jacobian(lambda u, many=ELEMENTS[:count]: terms(u, many), np.linspace(0.1, 0.9, 22))
        assert jac(np.linspace(0.1, 0.9, 22)).nnz == 3 * count
        lengths.append(len(str(jac.source)))
    assert lengths[1] < 1.1 * lengths[0]


def test_what_is_done_a_few_times_or_to_many_elements_stays():
    few = stacking.LEAST - 1
    for f in (
        lambda u: np.concatenate([np.sin(u[k : k + 3]) for k in range(few)]),
        lambda u: np.concatenate([np.sin(np.resize(u[k:], stacking.MOST + 1)) for k in range(2 * few)]),
    ):
        program = sad.jacobian(f, np.linspace(0.1, 0.9, 40), check=False, backend="python").program
        assert stacked(program) is program


def test_readers_of_nodes_that_are_too_few_read_each_of_them():
    def f(u):
        parts = [np.sin(u[k : k + 3]) for k in range(3)]
        return np.concatenate([parts[k % 3] * u[k : k + 3] for k in range(3 * stacking.LEAST)])

    u = np.linspace(0.1, 0.9, 3 * stacking.LEAST + 3)
    program = sad.jacobian(f, u, check=False, backend="python").program
    short = stacked(program)
    assert len(short.nodes) < len(program.nodes) / 4
    np.testing.assert_array_equal(values(short, u), f(u))


@pytest.mark.parametrize("seed", range(40))
def test_random_programs(seed, monkeypatch):
    """With few nodes a group, whatever their size."""
    monkeypatch.setattr(stacking, "LEAST", 2 + seed % 4)
    monkeypatch.setattr(stacking, "MOST", 10**6)
    program = random_program(Random(seed), smooth=False)
    x, p = point(program.shape), point(program.shape, 6)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        traced, _ = trace(program, (x, p))
        if not can_run(traced):
            pytest.skip("elements follow from one another")
        np.testing.assert_array_equal(values(stacked(traced), x, p), values(traced, x, p))
