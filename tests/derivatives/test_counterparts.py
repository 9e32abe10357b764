"""What asdex documents of several arguments, trees and auxiliary results, and what stands for it here.

Where asdex returns a tree of blocks, a call returns one matrix, and ``blocks`` names its parts. References are the
formulas.
"""

from __future__ import annotations

import numpy as np

import sparsead as sad

X, Y = np.arange(1.0, 4.0), np.arange(4.0, 7.0)


def assert_blocks(blocks, expected):
    for names, block in expected.items():
        np.testing.assert_allclose(blocks[names].toarray(), block, rtol=1e-14)


# -- Jacobians ------------------------------------------------------------------------------------------------------
def test_one_block_for_each_argument_that_is_chosen():
    jac = sad.jacobian(lambda x, y: x * y, X, Y, argnum=(0, 1))
    assert_blocks(jac.blocks(jac(X, Y)), {("f", "x"): np.diag(Y), ("f", "y"): np.diag(X)})


def test_an_argument_that_is_not_chosen_is_given_at_each_call():
    jac = sad.jacobian(lambda x, scale: scale * x**2, X, 1.0)
    for scale in (1.0, 5.0):
        np.testing.assert_allclose(jac(X, scale).toarray(), np.diag(2.0 * scale * X))


def test_one_row_of_blocks_for_each_result():
    """Results of one shape have names; a tuple of them is one array, as NumPy makes of it."""
    jac = sad.jacobian(lambda x, y: {"product": x * y, "sum": x + y}, X, Y, argnum=(0, 1))
    one = np.eye(3)
    rows = {("product", "x"): np.diag(Y), ("product", "y"): np.diag(X), ("sum", "x"): one, ("sum", "y"): one}
    assert_blocks(jac.blocks(jac(X, Y)), rows)
    stacked = sad.jacobian(lambda x, y: (x * y, x + y), X, Y, argnum=(0, 1))
    assert stacked.value(X, Y).shape == (2, 3)
    np.testing.assert_array_equal(stacked(X, Y).toarray(), jac(X, Y).toarray())


def test_a_tree_as_an_argument():
    parameters = {"weight": X, "bias": np.linspace(0.0, 1.0, 3)}
    jac = sad.jacobian(lambda p: p["weight"] * np.sin(p["bias"]), parameters)
    sin, cos = np.sin(parameters["bias"]), np.cos(parameters["bias"])
    assert_blocks(jac.blocks(jac(parameters)), {("f", "weight"): np.diag(sin), ("f", "bias"): np.diag(X * cos)})


def test_a_tree_as_a_result():
    jac = sad.jacobian(lambda x: {"squared": x**2, "total": np.sum(x)}, X)
    assert_blocks(jac.blocks(jac(X)), {("squared", "x"): np.diag(2.0 * X), ("total", "x"): np.ones((1, 3))})


def test_what_a_jacobian_returns_beside():
    def f(x):
        y = x**2
        return y, {"mean": np.mean(y)}

    jac = sad.jacobian(f, X, has_aux=True)
    J, aux = jac(X)
    np.testing.assert_allclose(J.toarray(), np.diag(2.0 * X))
    assert aux == {"mean": np.mean(X**2)}
    (value, aux), J = jac.value_and_jacobian(X)
    np.testing.assert_allclose(value, X**2)
    assert aux == {"mean": np.mean(X**2)}


# -- Hessians -------------------------------------------------------------------------------------------------------
MIXED = np.diag(2.0 * X)
GRID = {("x", "x"): np.diag(2.0 * Y), ("x", "y"): MIXED, ("y", "x"): MIXED, ("y", "y"): np.zeros((3, 3))}


def test_a_grid_of_blocks_for_the_arguments_that_are_chosen():
    hess = sad.hessian(lambda x, y: np.sum(x**2 * y), X, Y, argnum=(0, 1))
    assert_blocks(hess.blocks(hess(X, Y)), GRID)


def test_a_grid_of_blocks_for_the_parts_of_a_tree():
    point = {"x": X, "y": Y}
    hess = sad.hessian(lambda p: np.sum(p["x"] ** 2 * p["y"]), point)
    assert_blocks(hess.blocks(hess(point)), GRID)


def test_what_a_hessian_returns_beside():
    hess = sad.hessian(lambda x: (np.sum(x**3), {"norm": np.linalg.norm(x)}), X, has_aux=True)
    H, aux = hess(X)
    np.testing.assert_allclose(H.toarray(), np.diag(6.0 * X))
    assert aux == {"norm": np.linalg.norm(X)}
    (value, aux), slope, H = hess.value_gradient_and_hessian(X)
    np.testing.assert_allclose((value, *slope), (np.sum(X**3), *(3.0 * X**2)))
    assert aux == {"norm": np.linalg.norm(X)}
