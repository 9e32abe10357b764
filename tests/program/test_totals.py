"""Laws of sums over cells: the shares of the cells add up to the value, or there are none."""

from __future__ import annotations

import numpy as np
import pytest

from sparsead.program.totals import cells_of_total
from sparsead.tracing.trace import trace
from tests.program.test_cells import COUNT, FIELD, SIZE, at, of_cell, rates, x_first

import sparsead.ops  # noqa: F401  isort: skip

WEIGHTS = np.linspace(0.5, 1.5, SIZE)

TOTALS = {
    "a sum": lambda y: np.sum(rates(y) * y),
    "a mean of sums": lambda y: np.mean(np.sum(rates(y) ** 2, axis=1)),
    "sums along cells first": lambda y: np.sum(np.sum(y**3, axis=0) * WEIGHTS),
    "a product of flat arrays": lambda y: 0.5 * np.vdot(y, y) - y.ravel() @ rates(y).ravel() / 3.0,
    "several sums and a number": lambda y: 2.0 * (3.0 - np.sum(y[:, 0] * y[:, 1])) + np.sum(np.prod(y, axis=1)),
    "a constant of each": lambda y: np.einsum("ij,ij->", FIELD, y * y),
    "a sum without x": lambda y: np.sum(y**2) + np.sum(np.log(FIELD)),
}
NO_TOTALS = {
    "a square of a sum": lambda y: np.sum(y) ** 2,
    "a product of sums": lambda y: np.sum(y) * np.sum(y**2),
    "a norm": lambda y: np.linalg.norm(y),
    "squares of sums along cells": lambda y: np.sum(np.sum(y, axis=0) ** 2),
    "neighbours": lambda y: np.sum(y[1:] * y[:-1]),
    "a mean that is read": lambda y: np.sum((y - y.mean(axis=0)) ** 2),
    "one more term": lambda y: np.sum(y**2) + y[3, 0] ** 2,
    "a part of the cells": lambda y: np.sum(y[:40] ** 2),
    "one for all": lambda y: np.sum(rates(y) * y[5, 2]),
    "a sum that is read once more": lambda y: np.sum(y * np.sum(y)) + np.sum(y),
}


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("name", TOTALS)
def test_shares_add_up_to_the_value(name, last):
    f, x = TOTALS[name], x_first()
    given = x.T.copy() if last else x
    found = cells_of_total(trace(lambda y: f(y.T if last else y), (given,), 0)[0])
    assert found is not None
    assert found.total
    assert found.count == COUNT
    found.program.check()
    total = 0.0
    for k in range(COUNT):
        arrays = [found.constants.get(node.name, given) for node in found.program.inputs]
        inner = [found.inner[node.name] for node in found.program.inputs]
        total += at(found.program, *(of_cell(a, COUNT, i, k) for a, i in zip(arrays, inner, strict=True)))[0]
    np.testing.assert_allclose(total, f(x), rtol=1e-13)


@pytest.mark.parametrize("name", NO_TOTALS)
def test_what_couples_cells_has_no_shares(name):
    assert cells_of_total(trace(NO_TOTALS[name], (x_first(),), 0)[0]) is None


def test_arguments_scale_sums_and_move_them():
    def f(y, T, k):
        return k * np.sum(rates(y) / T[:, None]) - k**2 + np.sum(y) / k

    T = np.linspace(1.0, 2.0, COUNT)
    program, _ = trace(f, (x_first(), T, 2.0), 0)
    found = cells_of_total(program)
    x, t, _ = (node.name for node in program.inputs)
    assert found.inner == {x: SIZE, t: 1}
    shares = [at(found.program, row, T[k : k + 1], np.array(2.0))[0] for k, row in enumerate(x_first())]
    np.testing.assert_allclose(np.sum(shares), f(x_first(), T, 2.0), rtol=1e-13)
