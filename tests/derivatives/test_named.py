"""Arguments by name, vectors built like x or like the result, and blocks of one name or of several."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad

X = {"u": np.array([1.0, 2.0, 3.0]), "q": 0.5}
P = {"a": np.array([2.0, 3.0, 4.0]), "b": 0.25}


def f(x, p, scale):
    return {"r": x["u"] ** 2 * p["a"] * scale, "s": x["q"] * p["b"] * np.sum(x["u"])}


def g(x, p, scale):
    return np.sum(f(x, p, scale)["r"]) * x["q"] ** 2


def test_arguments_by_name():
    jac, hess, grad = (make(h, X, P, 2.0) for make, h in ((sad.jacobian, f), (sad.hessian, g), (sad.gradient, g)))
    np.testing.assert_array_equal(jac(X, p=P, scale=3.0).toarray(), jac(X, P, 3.0).toarray())
    np.testing.assert_array_equal(jac(X, P, scale=3.0).data, jac.values(X, scale=3.0, p=P))
    np.testing.assert_array_equal(hess(X, scale=3.0, p=P).toarray(), hess(X, P, 3.0).toarray())
    assert grad.value(X, P, scale=3.0) == hess.value(X, P, 3.0) == pytest.approx(g(X, P, 3.0))
    np.testing.assert_array_equal(sad.pack(grad(X, P, scale=3.0)), sad.pack(hess.gradient(X, p=P, scale=3.0)))
    v = np.arange(4.0)
    np.testing.assert_array_equal(jac.jvp(X, v, scale=3.0, p=P), jac.jvp(X, v, P, 3.0))
    np.testing.assert_array_equal(jac.linear_operator(X, P, scale=3.0) @ v, jac.jvp(X, v, P, 3.0))
    for named, words in (
        ({"p": P, "weight": 1.0}, "'weight' is no argument; the function was prepared with x, p, scale"),
        ({"p": P}, "expected the arguments x, p, scale, without scale"),
        ({"x": X, "p": P, "scale": 1.0}, "multiple values"),
    ):
        with pytest.raises((sad.InputError, TypeError), match=words):
            jac(X, **named)


def test_vectors_that_are_built_like_x_and_like_the_result():
    jac, hess = sad.jacobian(f, X, P, 2.0), sad.hessian(g, X, P, 2.0)
    v, w = {"u": np.array([1.0, -1.0, 2.0]), "q": 3.0}, {"r": np.array([1.0, 2.0, 3.0]), "s": -1.0}
    J, H = jac(X, P, 2.0), hess(X, P, 2.0)
    pushed, pulled = jac.jvp(X, v, P, 2.0), jac.vjp(X, w, P, 2.0)
    assert pushed.keys() == {"r", "s"} and pulled.keys() == {"u", "q"}
    np.testing.assert_allclose(sad.pack(pushed), J @ sad.pack(v), rtol=1e-14)
    np.testing.assert_allclose(sad.pack(pulled), J.T @ sad.pack(w), rtol=1e-14)
    np.testing.assert_allclose(sad.pack(hess.hvp(X, v, P, 2.0)), H @ sad.pack(v), rtol=1e-14)
    with pytest.raises(sad.InputError, match="was a dict of u, q"):
        jac.jvp(X, {"u": v["u"]}, P, 2.0)
    two = sad.jacobian(f, X, P, 2.0, argnum=("x", "p"))
    np.testing.assert_allclose(
        sad.pack(two.jvp(X, (v, P), P, 2.0)), two(X, P, 2.0) @ np.concatenate([sad.pack(v), sad.pack(P)]), rtol=1e-14
    )


@pytest.mark.parametrize("w", [{"a": np.ones(3), "b": np.ones(2)}, {"a": np.ones((1, 2)), "b": np.ones(3)}])
def test_vectors_whose_parts_have_other_shapes_than_those_of_the_result(w):
    jac = sad.jacobian(lambda x: {"a": x[:2] ** 2, "b": x[1:] ** 2}, np.ones(4))
    with pytest.raises(sad.InputError, match=r"the result has \(2,\) there"):
        jac.vjp(np.ones(4), w)


def test_normal_equations_by_name():
    jac = sad.jacobian(lambda x, p: p * x**2, np.ones(3), 1.0)
    assert jac.normal(np.ones(3), p=2.0).diagonal().tolist() == [16.0, 16.0, 16.0]


def test_blocks_of_one_name_and_of_several():
    for format in ("csr", "coo", "dense", "bsr"):
        jac = sad.jacobian(f, X, P, 2.0, argnum="p", format=format)
        J = jac(X, P, 2.0)
        dense = J if format == "dense" else J.toarray()
        blocks = jac.blocks(J)

        def array(block):
            return block if isinstance(block, np.ndarray) else block.toarray()

        np.testing.assert_array_equal(array(blocks["f", "p"]), dense)
        np.testing.assert_array_equal(array(blocks["s", ["b", "a"]]), dense[3:, [3, 0, 1, 2]])
        np.testing.assert_array_equal(array(blocks[["s", "r"], "a"]), dense[[3, 0, 1, 2], :3])
        with pytest.raises(sad.InputError, match="there is no column block 'c'; the columns are named a, b"):
            blocks["r", ["a", "c"]]


def test_blocks_of_differences():
    jac = sad.jacobian(f, X, P, 2.0, method="central-difference")
    exact = sad.jacobian(f, X, P, 2.0)
    ours, theirs = (j.blocks(j(X, P, 2.0))["r", "u"].toarray() for j in (jac, exact))
    np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8)
