"""Laws of functions over many cells: the matrix of the whole, made of what was prepared for one cell."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.kernels import rolling
from sparsead.program import cells
from sparsead.sweeps import cells as sweeps_of_cells
from tests.program.test_cells import FOUND, NOT_FOUND, SIZE, rates, x_first

COUNTS = (64, 65, 130, 257)  # one block, ragged ones
# little to compute, and cells that do not lie one after the other
LIGHT = {"an axis between", "flat, parts one after the other"}


def heavy(y, T=1.0):
    """Return what has enough to compute for vectors over cells."""
    for _ in range(2):
        y = np.exp(-y) * rates(y) / (1.0 + np.sum(y * y, axis=-1, keepdims=True)) + np.sqrt(y * y + 1.0)
    return y * T


def exact(f, x, *args):
    flat = np.ravel(x)
    columns = [np.imag(f((flat + 1e-30j * e).reshape(x.shape), *args)).ravel() / 1e-30 for e in np.eye(x.size)]
    return np.stack(columns, axis=1)


def as_written(f, *args, **options):
    """Prepare without a look for cells."""
    found = sad.jacobian(f, *args, **options)
    found = sad.jacobian(f, *args, pattern=found.pattern, **options)
    assert found.of_cell is None
    return found


def points(count, seed=0):
    return np.random.default_rng(seed).uniform(0.3, 0.9, (count, SIZE))


@pytest.mark.parametrize("name", FOUND)
def test_the_matrix_is_that_of_the_whole(name):
    f, x = FOUND[name]
    jac, other = sad.jacobian(f, x), as_written(f, x)
    assert jac.pattern == other.pattern
    np.testing.assert_array_equal(jac(x).indices, other(x).indices)
    np.testing.assert_allclose(jac(x).data, other(x).data, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(jac(x).toarray(), exact(f, x), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-14)
    assert (jac.of_cell is None) == (name in LIGHT)


@pytest.mark.parametrize("name", NOT_FOUND)
def test_coupled_functions_are_prepared_as_they_are_written(name):
    x = x_first()
    jac = sad.jacobian(NOT_FOUND[name], x)
    assert jac.of_cell is None
    np.testing.assert_allclose(jac(x).toarray(), exact(NOT_FOUND[name], x), rtol=1e-12, atol=1e-13)


def test_places_are_looked_up_where_there_is_enough_to_compute():
    assert sad.jacobian(lambda y: heavy(y.T).T, points(65).T.copy()).of_cell is not None
    assert sad.jacobian(lambda y: y * y[::-1], points(65).T.copy()).of_cell is None


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("last", [False, True])
def test_every_cell_has_the_bits_of_a_cell_alone(count, last):
    Y, T = points(count), np.random.default_rng(2).random((count, 1))
    one = sad.jacobian(heavy, Y[0], T[0])
    if last:
        jac = sad.jacobian(lambda y, t: heavy(y.T, t.T).T, Y.T.copy(), T.T.copy())
        order = np.arange(count * SIZE).reshape(SIZE, count).T.ravel()
        found = jac(Y.T.copy(), T.T.copy())[order][:, order]
    else:
        jac = sad.jacobian(heavy, Y, T)
        found = jac(Y, T)
    assert jac.of_cell is not None
    np.testing.assert_array_equal(found.toarray(), one.batch(Y, T, format="csr").toarray())


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("format", ["csr", "csc", "coo", "bsr", "dense"])
def test_every_format_is_as_written_out(format, last):
    Y = points(65).T.copy() if last else points(65)
    f = (lambda y: heavy(y.T).T) if last else heavy
    jac = sad.jacobian(f, Y, format=format)
    wanted = as_written(f, Y, format=format)
    found, expected = jac(Y), wanted(Y)
    assert type(found) is type(expected)
    if format == "dense":
        np.testing.assert_allclose(found, expected, rtol=1e-13, atol=1e-15)
    else:
        np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-13, atol=1e-15)
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-13, atol=1e-15)
    again = jac(Y + 0.01, out=found)
    assert again is found
    assert jac.of_cell is not None


@pytest.mark.parametrize("count", [65, 257, 1000])
@pytest.mark.parametrize("last", [False, True])
def test_threads_have_the_same_bits(count, last):
    Y = points(count).T.copy() if last else points(count)
    f = (lambda y: heavy(y.T).T) if last else heavy
    values = [sad.jacobian(f, Y, threads=k) for k in (1, 2, 3)]
    assert all(jac.of_cell is not None for jac in values)
    for jac in values[1:]:
        np.testing.assert_array_equal(jac.values(Y), values[0].values(Y))
        np.testing.assert_array_equal(jac.value(Y), values[0].value(Y))


@pytest.mark.parametrize("backend", ["numba", "python"])
def test_back_ends(backend):
    Y = points(65)
    jac = sad.jacobian(lambda y: rates(y) * y, Y, backend=backend)
    assert jac.of_cell is not None
    np.testing.assert_allclose(jac(Y).toarray(), exact(lambda y: rates(y) * y, Y), rtol=1e-13, atol=1e-14)


def test_arguments_of_each_cell_and_of_all():
    def f(y, T, k):
        return heavy(y) * np.exp(-k / T[:, None])

    Y, T, k = points(70), np.linspace(1.0, 2.0, 70), np.linspace(0.1, 1.0, SIZE)
    jac = sad.jacobian(f, Y, np.ones(70), np.ones(SIZE))
    assert jac.of_cell is not None
    np.testing.assert_allclose(jac(Y, T, k).toarray(), exact(f, Y, T, k), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(jac.value(Y, T=T, k=k), f(Y, T, k), rtol=1e-13)
    y, J = jac.value_and_jacobian(Y, T, k)
    np.testing.assert_array_equal(y, jac.value(Y, T, k))
    np.testing.assert_array_equal(J.data, jac.values(Y, T, k))


@pytest.fixture(scope="module")
def prepared():
    Y = points(70)
    return sad.jacobian(heavy, Y, 1.0), Y, exact(heavy, Y, 1.5)


def test_it_says_so(prepared):
    jac, _, _ = prepared
    assert "cells     70, prepared as one: 5 x 5" in str(jac)
    assert jac.shape == (350, 350)
    assert jac.checked.passed


def test_whatever_else_is_asked_of_it(prepared, tmp_path):
    jac, Y, J = prepared
    v = np.random.default_rng(5).standard_normal(350)
    near = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(jac.jvp(Y, v, 1.5), J @ v, **near)
    np.testing.assert_allclose(jac.vjp(Y, v, 1.5), v @ J, **near)
    np.testing.assert_allclose(jac.diagonal(Y, 1.5), J.diagonal(), **near)
    np.testing.assert_allclose(jac.linear_operator(Y, 1.5) @ v, J @ v, **near)
    np.testing.assert_allclose(jac(Y, 1.5, verify=True).toarray(), J, **near)
    np.testing.assert_allclose(jac.values(Y, 1.5, order="csc"), scipy.sparse.csc_array(jac(Y, 1.5)).data, rtol=0)
    out = jac(Y, 1.5)
    np.testing.assert_allclose(jac(Y, 1.5, out=out, keep_constants=True).toarray(), J, **near)
    assert "row 3" in str(jac.explain(row=3))
    sad.check(jac, Y, 1.5)
    both = np.stack([Y, Y + 0.1])
    np.testing.assert_array_equal(jac.batch(both, 1.5), [jac.values(y, 1.5) for y in both])
    np.testing.assert_allclose(jac.value_batch(both, 1.5), [heavy(y, 1.5) for y in both], rtol=1e-13)
    assert len(jac.export(tmp_path / "cells")) == 2


def test_plain_calls_of_machine_code(prepared):
    jac, Y, J = prepared
    x, out = Y.copy(), np.empty(jac.nnz)
    evaluate = jac.prepared_call(x, 1.5, out=out)
    evaluate()
    np.testing.assert_allclose(jac.pattern.to_scipy(out).toarray(), J, rtol=1e-12, atol=1e-12)
    x += 0.1
    evaluate()
    np.testing.assert_array_equal(out, jac.values(x, 1.5))
    values = np.empty(jac.nnz)
    jac.c_function().ctypes(x.ctypes, np.array(1.5).ctypes, values.ctypes)
    np.testing.assert_array_equal(values, out)


def test_inside_a_function_that_is_differentiated(prepared):
    jac, Y, _ = prepared
    outer = sad.jacobian(lambda y: jac.value(y, 1.5) * 2.0, Y)
    np.testing.assert_allclose(outer(Y).toarray(), 2.0 * jac(Y, 1.5).toarray(), rtol=1e-12, atol=1e-14)


def test_it_travels(prepared, tmp_path):
    jac, Y, _ = prepared
    sent = pickle.loads(pickle.dumps(jac))
    assert sent.of_cell is not None
    np.testing.assert_array_equal(sent.values(Y, 1.5), jac.values(Y, 1.5))
    assert copy.deepcopy(jac) is jac
    jac.save(tmp_path / "cells.npz")
    loaded = sad.load(tmp_path / "cells.npz", heavy, Y, 1.0)
    np.testing.assert_array_equal(loaded.values(Y, 1.5), jac.values(Y, 1.5))


def test_whoever_names_a_mode_gets_it():
    Y = points(70)
    jac = sad.jacobian(heavy, Y, mode="forward")
    assert jac.of_cell is None
    assert jac.passes["jvp"] > 0
    assert sad.jacobian(heavy, Y, mode="direct").of_cell is not None


def test_few_operations_with_functions_stay_one_loop():
    def products(y, last):
        a, b, c, d, _ = y.T
        return np.stack([a * (1.0 - b), b * (a - c), c * (b - d), last(-a) * d], axis=1)

    Y = points(70)
    assert sad.jacobian(products, Y, np.negative).of_cell is not None
    assert sad.jacobian(products, Y, np.exp).of_cell is None


def test_loops_stay_loops(monkeypatch):
    monkeypatch.setattr(rolling, "LONG", 20)
    monkeypatch.setattr(rolling, "WORK", 1)

    def steps(y):
        for _ in range(12):
            y = y + 0.01 * np.sin(y) * np.roll(y, 1, axis=1)
        return y

    Y = points(70)
    jac = sad.jacobian(steps, Y)
    assert jac.of_cell is None
    np.testing.assert_allclose(jac(Y).toarray(), exact(steps, Y), rtol=1e-12, atol=1e-14)


def test_places_are_steps_or_there_are_none():
    moves = sweeps_of_cells.Moves.of(4, 2, 70)
    assert moves.through(np.arange(280), 70) is not None
    place = np.arange(280)
    place[[200, 201]] = [201, 200]
    assert moves.through(place, 70) is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_random_functions(seed):
    rng = np.random.default_rng(seed)
    count, size = int(rng.integers(cells.LEAST, 140)), int(rng.integers(2, 6))
    table, own = rng.standard_normal((size, size)), rng.uniform(0.5, 1.5, (count, size))
    steps = rng.integers(0, 7, 4)
    order = rng.permutation(size)

    def f(y):
        for step in steps:
            y = [
                lambda y: y @ table,
                lambda y: y[:, order] * y,
                lambda y: np.sin(y) * own,
                lambda y: np.concatenate([y[:, 1:], np.sum(y, axis=1, keepdims=True)], axis=1),
                lambda y: np.where(y > 0.0, y, np.exp(y)),
                lambda y: (table @ y.T).T + y[:, :1],
                lambda y: np.cumsum(y, axis=1) / size,
            ][step](y)
        return y

    Y = rng.uniform(-0.9, 0.9, (count, size))
    jac = sad.jacobian(f, Y)
    np.testing.assert_allclose(jac(Y).toarray(), as_written(f, Y)(Y).toarray(), rtol=1e-12, atol=1e-13)
