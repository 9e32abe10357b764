"""What is stored in place of added to: only what nothing has been added to before, anywhere in its loop."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.kernels.indexmap import recognise
from sparsead.program.scalar import Pool
from sparsead.sweeps.direct.first_writes import store_first_rows
from sparsead.sweeps.direct.loops import Loop
from sparsead.sweeps.direct.placement import Placed, Placement

SIZE = 12


def stored(*loops, base=0.0, ordered=False, by_entries=False):
    """Return which statements are stored, given where each goes: rows, and single entries as tuples."""
    rows, made = {}, []
    for places in loops:
        terms = [SimpleNamespace(at=np.array(at)) for at in places if isinstance(at, list)]
        slots = [recognise(np.array(at)) for at in places if isinstance(at, tuple)]
        entries = [Placed("d", Pool().constant(2.0), slot, True) for slot in slots]
        made.append(Loop((2,), entries, terms, ordered))
        rows |= {id(term): term.at.tolist() for term in terms}
    placement = Placement("d", {}, np.full(SIZE, base), np.ones(SIZE, np.bool_), True)

    needed, found = store_first_rows(made, placement, lambda _, term: term.at, lambda _: by_entries)
    entries = [tuple(e.slot.array().tolist()) for loop in made for e in loop.entries if not e.adds]
    return entries + [rows[term] for term in found], np.flatnonzero(~needed).tolist()


@pytest.mark.parametrize(
    ("loops", "expected"),
    [
        ([[[0, 1, 2]], [[3, 4]]], [[0, 1, 2], [3, 4]]),
        ([[[0, 1, 2]], [[2, 3]]], [[0, 1, 2]]),  # one was added to before
        ([[[5, 5, 6]], [[7]]], [[7]]),  # two points add to one
        ([[[0, 1], [1, 2], [4]]], [[4]]),  # two statements of a loop do
        ([[(3, 4), [5, 6]], [(0, 5)]], [(3, 4), [5, 6]]),
        ([[(3, 4), [4, 6]]], []),
    ],
)
def test_what_comes_first_is_stored(loops, expected):
    found, without_initial_value = stored(*loops)
    assert sorted(map(str, found)) == sorted(map(str, expected))
    assert without_initial_value == sorted(k for at in expected for k in at)


def test_what_goes_entry_by_entry_is_stored_first():
    assert stored([[5, 5, 6]], [[6, 7]], by_entries=True) == ([[5, 5, 6]], [5, 6])


@pytest.mark.parametrize("options", [{"base": 1.0}, {"ordered": True}])
def test_constants_and_loops_in_order_are_added_to(options):
    assert stored([[0, 1]], **options) == ([], [])


@pytest.mark.parametrize("seed", range(3))
def test_rows_of_layers_that_stay(seed, monkeypatch):
    import sparsead.sweeps.direct.sweep as written

    rng = np.random.default_rng(seed)
    A, B = (scipy.sparse.random_array((20, 20), density=0.2, random_state=rng, format="csr") for _ in range(2))
    monkeypatch.setattr(written, "eliminated", lambda linear, _: SimpleNamespace(linear=linear))

    def f(x):
        y = np.sin(A @ x) * x
        return np.concatenate([B @ np.exp(y), y[::2] * x[1::2], (B @ y)[:5]])

    jac = sad.jacobian(f, rng.random(20), mode="direct", check=False)
    x = rng.random(20)
    expected = np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(20)], axis=1)
    J = jac(x)
    J.data[:] = np.nan
    np.testing.assert_allclose(jac(x, out=J).toarray(), expected, rtol=1e-12, atol=1e-13)
    assert "+ k]] = " in jac.source  # a multiple of a row is stored
    written_sums = []
    monkeypatch.setattr(written.EntrySums, "write", _noted(written_sums, written.EntrySums.write))
    X = rng.random((20, 20))
    np.testing.assert_array_equal(jac.batch(X), [jac.values(x) for x in X])
    assert written_sums  # multiples of rows by constants, in code for many points


def _noted(calls, function):
    def noted(*args):
        calls.append(args)
        return function(*args)

    return noted
