"""Laws of sums over cells: gradients, Hessians and products of the whole, made of what was prepared for one cell."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import sparsead as sad
from sparsead.sweeps import cells
from tests.derivatives.test_cells import exact, points
from tests.program.test_totals import NO_TOTALS
from tests.program.test_totals import x_first as x_of_program

COUNT = 70


def products(y):
    """Return products of unknowns of one cell."""
    return y * np.roll(y, 1, axis=-1) * np.roll(y, 2, axis=-1) / (1.0 + y * y)


def energy(y, k=1.0):
    """Return a sum over cells."""
    return 0.5 * np.sum(products(y) ** 2) + k * np.sum(np.log(1.0 + y[:, 0] ** 2)) - 3.0 * k


def slopes(y, k=1.0):
    """Return the gradient by complex steps, in the shape of y."""
    return exact(lambda y: energy(y, k), y).reshape(y.shape)


def as_written(f, *args, **options):
    """Prepare without a look for cells."""
    found = sad.hessian(f, *args, pattern=sad.hessian_pattern(f, *args), **options)
    assert found.of_cell is None
    return found


@pytest.fixture(scope="module", autouse=True)
def _few_operations_are_enough():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "WORTH_OF_TOTAL", 0)
        yield


@pytest.fixture(scope="module")
def prepared():
    Y = points(COUNT)
    return sad.hessian(energy, Y, 1.0), as_written(energy, Y, 1.0), Y


NEAR = {"rtol": 1e-12, "atol": 1e-12}


def test_the_hessian_is_that_of_the_whole(prepared):
    hess, other, Y = prepared
    assert "cells     70, prepared as one: 5 x 5, 25 nonzeros" in str(hess)
    assert hess.pattern == other.pattern
    H = hess(Y, 1.5)
    np.testing.assert_array_equal(H.indices, other(Y, 1.5).indices)
    np.testing.assert_allclose(H.data, other.values(Y, 1.5), **NEAR)
    assert (H != H.T).nnz == 0
    assert hess.checked.passed


def test_value_gradient_and_products(prepared):
    hess, _, Y = prepared
    v = np.random.default_rng(5).standard_normal(Y.size)
    np.testing.assert_allclose(hess.gradient(Y, 1.5), slopes(Y, 1.5), **NEAR)
    np.testing.assert_allclose(hess.hvp(Y, v, 1.5), hess(Y, 1.5) @ v, **NEAR)
    np.testing.assert_allclose(hess.value(Y, 1.5), energy(Y, 1.5), rtol=1e-13)
    value, gradient, H = hess.value_gradient_and_hessian(Y, 1.5)
    np.testing.assert_allclose(value, energy(Y, 1.5), rtol=1e-13)
    np.testing.assert_array_equal(gradient, hess.gradient(Y, 1.5))
    np.testing.assert_array_equal(H.data, hess.values(Y, 1.5))
    np.testing.assert_allclose(hess.diagonal(Y, 1.5), H.diagonal(), **NEAR)
    sad.check(hess, Y, 1.5)
    both = np.stack([Y, Y + 0.1])
    np.testing.assert_array_equal(hess.batch(both, 1.5), [hess.values(y, 1.5) for y in both])
    np.testing.assert_array_equal(hess.gradient_batch(both, 1.5), [hess.gradient(y, 1.5) for y in both])
    np.testing.assert_array_equal(hess.value_batch(both, 1.5), [hess.value(y, 1.5) for y in both])
    assert "row 3" in str(hess.explain(row=3))


def test_it_travels(prepared, tmp_path):
    hess, _, Y = prepared
    sent = pickle.loads(pickle.dumps(hess))
    assert sent.of_cell is not None
    np.testing.assert_array_equal(sent.values(Y, 1.5), hess.values(Y, 1.5))
    hess.save(tmp_path / "cells.npz")
    loaded = sad.load(tmp_path / "cells.npz", energy, Y, 1.0)
    np.testing.assert_array_equal(loaded.values(Y, 1.5), hess.values(Y, 1.5))


def test_it_is_code_of_c_too(prepared, tmp_path):
    hess, _, Y = prepared
    assert len(hess.export(tmp_path / "energy")) == 2
    out = np.empty(1)
    hess.c_function("value").ctypes(Y.ctypes, np.array(1.5).ctypes, out.ctypes)
    assert out[0] == hess.value(Y, 1.5)


def test_gradients():
    Y = points(COUNT)
    grad = sad.gradient(energy, Y, 1.0)
    assert "cells     70, prepared as one: 5 elements" in str(grad)
    np.testing.assert_allclose(grad(Y, 1.5), slopes(Y, 1.5), **NEAR)
    value, gradient = grad.value_and_gradient(Y, 1.5)
    np.testing.assert_allclose(value, energy(Y, 1.5), rtol=1e-13)
    np.testing.assert_array_equal(gradient, grad(Y, 1.5))
    again = pickle.loads(pickle.dumps(grad))
    np.testing.assert_array_equal(again.batch(np.stack([Y, 2.0 * Y]), 1.5), [grad(Y, 1.5), grad(2.0 * Y, 1.5)])


@pytest.mark.parametrize(
    ("format", "triangle"), [("csr", "lower"), ("csc", "upper"), ("bsr", "lower"), ("dense", "upper")]
)
def test_triangles(format, triangle):
    def f(y):
        return np.sum(products(y.T))

    Y, options = points(65).T.copy(), {"format": format, "triangle": triangle}
    hess = sad.hessian(f, Y, **options)
    assert hess.of_cell is not None
    found, wanted = hess(Y), as_written(f, Y, **options)(Y)
    if format != "dense":
        np.testing.assert_array_equal(found.indices, wanted.indices)
        found, wanted = found.data, wanted.data
    np.testing.assert_allclose(found, wanted, **NEAR)


def test_threads_have_the_same_bits():
    Y = points(257)
    one, two = (sad.hessian(energy, Y, 1.0, threads=k) for k in (1, 2))
    assert two.of_cell is not None
    np.testing.assert_array_equal(two.values(Y, 1.5), one.values(Y, 1.5))
    np.testing.assert_array_equal(two.gradient(Y, 1.5), one.gradient(Y, 1.5))
    assert two.value(Y, 1.5) == one.value(Y, 1.5)


def test_little_to_compute_is_one_loop(monkeypatch):
    monkeypatch.setattr(cells, "WORTH_OF_TOTAL", 1000)
    assert sad.hessian(energy, points(COUNT), 1.0, check=False).of_cell is None


@pytest.mark.parametrize("name", ["a square of a sum", "one more term", "a mean that is read"])
def test_coupled_functions_are_prepared_as_they_are_written(name):
    f, x = NO_TOTALS[name], x_of_program()
    hess = sad.hessian(f, x)
    assert hess.of_cell is None
    np.testing.assert_allclose(hess.gradient(x), exact(f, x).reshape(x.shape), rtol=1e-12, atol=1e-12)


def test_products_of_jacobians_go_cell_by_cell():
    Y = points(COUNT)
    jac = sad.jacobian(products, Y)
    assert jac._sweep("jvp").source.name.endswith("_of_cells")
    v, J = np.random.default_rng(5).standard_normal((3, Y.size)), jac(Y)
    np.testing.assert_allclose(jac.jvp(Y, v.T), J @ v.T, **NEAR)
    np.testing.assert_allclose(jac.vjp(Y, v[0]), v[0] @ J, **NEAR)
