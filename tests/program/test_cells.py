"""Laws of cells: found where the function does the same in each, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from sparsead.program import cells
from sparsead.program.cells import cells_of
from sparsead.program.evaluate import run
from sparsead.tracing.trace import trace

import sparsead.ops  # noqa: F401  isort: skip

COUNT, SIZE = 96, 5
rng = np.random.default_rng(0)
MATRIX = scipy.sparse.csr_array(np.round(rng.standard_normal((SIZE, SIZE))))
FIELD = rng.uniform(0.5, 1.5, (COUNT, SIZE))
SIGNS = np.where(np.arange(COUNT) == 7, -0.0, 0.0)


def x_first():
    return np.random.default_rng(1).uniform(0.3, 0.9, (COUNT, SIZE))


def rates(y):
    return (MATRIX @ (y * np.roll(y, 1, axis=-1)).T).T + np.sum(y, axis=-1, keepdims=True)


def at(program, *arrays):
    return run(program, {n.serial: np.reshape(a, -1) for n, a in zip(program.inputs, arrays, strict=True)}).reshape(-1)


def of_cell(flat, count, inner, k):
    return np.ravel(np.reshape(flat, (-1, count, inner))[:, k])


FOUND = {
    "first axis": (rates, x_first()),
    "last axis": (lambda y: rates(y.T).T, x_first().T.copy()),
    "an axis between": (
        lambda y: np.stack([y[0] * y[1], y[1] ** 2 + np.sum(y[0], axis=1, keepdims=True)]),
        rng.uniform(0.3, 0.9, (2, COUNT, 3)),
    ),
    "flat": (lambda y: rates(y.reshape(COUNT, SIZE)).ravel(), x_first().ravel()),
    "flat, parts one after the other": (
        lambda y: np.concatenate([y[:COUNT] * y[COUNT:], y[:COUNT] - y[COUNT:] ** 2]),
        rng.uniform(0.3, 0.9, 2 * COUNT),
    ),
    "another order in the value": (lambda y: rates(y).T.copy(), x_first()),
    "fewer results": (lambda y: np.prod(y, axis=1), x_first()),
    "in place": (lambda y: _in_place(y), x_first()),
    "scattered": (lambda y: _scattered(y), x_first()),
    "a constant of each": (lambda y: FIELD * rates(y), x_first()),
    "a constant that is the same": (lambda y: np.tile(FIELD[:1], (COUNT, 1)) * rates(y), x_first()),
}


def _in_place(y):
    z = np.zeros((COUNT, SIZE + 1), dtype=y.dtype)
    z[:, 1:] = y
    z[:, 0] = y[:, 2] * y[:, 3]
    z[:, 2:] += z[:, :-2] ** 2
    return z


def _scattered(y):
    z = np.zeros((COUNT, SIZE), dtype=y.dtype)
    np.add.at(z, (slice(None), [0, 2, 2, 4]), y[:, :4] * y[:, 1:])
    return z


@pytest.mark.parametrize("name", FOUND)
def test_the_program_of_a_cell_is_that_of_each(name):
    f, x = FOUND[name]
    program, _ = trace(f, (x,), 0)
    found = cells_of(program)
    assert found is not None
    assert found.count == COUNT
    found.program.check()
    whole = at(program, x)
    for k in (0, 1, 7, COUNT - 1):
        given = [
            of_cell(found.constants.get(node.name, x), COUNT, found.inner[node.name], k)
            for node in found.program.inputs
        ]
        np.testing.assert_array_equal(at(found.program, *given), of_cell(whole, COUNT, found.value, k))


def _one_differs(y):
    z = rates(y)
    z[COUNT - 5, 2] = y[COUNT - 5, 1]
    return z


def _one_reads_elsewhere(y):
    index = np.tile(np.arange(SIZE), (COUNT, 1))
    index[40] = index[40, ::-1]
    return np.take_along_axis(y, index, axis=1) * y


NOT_FOUND = {
    "neighbours": lambda y: y * np.roll(y, 1, axis=0),
    "differences": lambda y: np.diff(y, axis=0, append=y[:1]) * y,
    "a mean over cells": lambda y: y - y.mean(axis=0),
    "all read the first": lambda y: y * y[0],
    "turned round": lambda y: y * y[::-1],
    "one differs": _one_differs,
    "one reads elsewhere": _one_reads_elsewhere,
    "one more result": lambda y: np.concatenate([rates(y).ravel(), y[3, :1]]),
    "a sum over cells": lambda y: rates(y) * np.sum(y),
    "conditions of each": lambda y: np.where(FIELD > 1.0, rates(y), y),
    "a running sum": lambda y: np.cumsum(y, axis=0) * y,
}


@pytest.mark.parametrize("name", NOT_FOUND)
def test_what_couples_cells_has_none(name):
    program, _ = trace(NOT_FOUND[name], (x_first(),), 0)
    assert cells_of(program) is None


def test_arguments_are_of_each_cell_or_of_all():
    def f(y, T, k, w):
        return rates(y) * T[:, None] + w.T * k

    args = x_first(), rng.random(COUNT), rng.random(SIZE), rng.random((SIZE, COUNT))
    program, _ = trace(f, args, 0)
    found = cells_of(program)
    names = [node.name for node in program.inputs]
    assert found.inner == {names[0]: SIZE, names[1]: 1, names[3]: 1}
    whole = at(program, *args)
    for k in (0, 50, COUNT - 1):
        inputs = (np.ravel(args[0][k]), args[1][k : k + 1], args[2], np.ravel(args[3][:, k]))
        np.testing.assert_array_equal(at(found.program, *inputs), whole.reshape(COUNT, SIZE)[k])


def test_an_argument_that_is_read_in_both_ways_has_no_cells():
    program, _ = trace(lambda y, T: rates(y) * T[:, None] + T[0], (x_first(), rng.random(COUNT)), 0)
    assert cells_of(program) is None


def test_zeros_of_another_sign_are_other_constants():
    program, _ = trace(lambda y: np.copysign(1.0, SIGNS)[:, None] * rates(y) + SIGNS[:, None], (x_first(),), 0)
    assert len(cells_of(program).constants) == 2


def test_what_all_cells_share_is_not_computed_for_every_few():
    table = rng.random((400, 400))

    def f(y, p):
        return rates(y) * np.sum(np.sin(table * p))

    program, _ = trace(f, (x_first(), np.ones(400)), 0)
    assert cells_of(program) is None


def test_few_cells_are_left_as_they_are():
    program, _ = trace(lambda y: y * np.roll(y, 1, axis=1), (np.ones((cells.LEAST - 1, 7)),), 0)
    assert cells_of(program) is None
