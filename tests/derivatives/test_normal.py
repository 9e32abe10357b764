"""Normal equations from a prepared Jacobian, against SciPy's products."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
import sparsead.ops  # fills the table of scalar operations
from coloring import SparsityPattern
from sparsead.derivatives.normal import NormalEquations
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine

RNG = np.random.default_rng(6)
CAMERA, POINT = RNG.integers(6, size=90), RNG.integers(25, size=90)


def misfit(x, seen):
    """Two residuals an observation, of a camera (three numbers) and a point (two): blocks."""
    cameras, points = x[:18].reshape(6, 3)[CAMERA], x[18:].reshape(25, 2)[POINT]
    return (np.sin(points * cameras[:, 2:]) * cameras[:, :2] - seen).ravel()


X, SEEN = RNG.uniform(0.5, 1.5, 68), RNG.standard_normal((90, 2))


def patterns():
    blocks = scipy.sparse.kron(scipy.sparse.random_array((50, 12), density=0.2, random_state=RNG), np.ones((3, 2)))
    few = scipy.sparse.random_array((60, 25), density=0.2, random_state=RNG)
    long = scipy.sparse.random_array((40, 60), density=0.6, random_state=RNG)
    return [blocks, few, long, scipy.sparse.coo_array((5, 4)), scipy.sparse.coo_array(np.ones((30, 20)))]


def expected(J, weights, triangle):
    J = J.toarray()
    return {"full": lambda N: N, "lower": np.tril, "upper": np.triu}[triangle](J.T @ (weights[:, None] * J))


@pytest.mark.parametrize("J", patterns(), ids=["blocks", "few", "long", "empty", "dense"])
@pytest.mark.parametrize("triangle", ["full", "lower", "upper"])
def test_products_are_those_of_scipy(J, triangle):
    J = scipy.sparse.csr_array(J)
    J.sort_indices()
    normal = NormalEquations(SparsityPattern.from_scipy(J), DEFAULT_ENGINE)
    r, weights = RNG.standard_normal(J.shape[0]), RNG.uniform(0.1, 2.0, J.shape[0])
    N, g = normal(J.data, r, weights, triangle, None)
    np.testing.assert_allclose(N.toarray(), expected(J, weights, triangle), rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(g, J.T @ (weights * r), rtol=1e-12, atol=1e-12)
    N = normal(J.data, None, None, triangle, None)
    np.testing.assert_allclose(N.toarray(), expected(J, np.ones(len(r)), triangle), rtol=1e-13, atol=1e-13)


def test_back_ends_agree():
    J = scipy.sparse.csr_array(patterns()[0])
    J.sort_indices()
    pattern = SparsityPattern.from_scipy(J)
    first, second = (
        NormalEquations(pattern, Engine(name))(J.data, None, None, "full", None) for name in ("llvm", "python")
    )
    np.testing.assert_allclose(first.toarray(), second.toarray(), rtol=1e-14)


def test_a_jacobian_has_them():
    jac = sad.jacobian(misfit, X, SEEN)
    J, r = jac(X, SEEN), misfit(X, SEEN)
    N, g = jac.normal(X, SEEN, r=r)
    np.testing.assert_allclose(N.toarray(), (J.T @ J).toarray(), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(g, J.T @ r, rtol=1e-12, atol=1e-13)
    np.testing.assert_array_equal(N.toarray(), N.toarray().T)
    N.data[:], g[:] = np.nan, np.nan  # all of it is rewritten
    again = jac.normal(X, SEEN, r=r.reshape(90, 2), out=(N, g))
    assert again[0] is N and again[1] is g
    np.testing.assert_allclose(N.toarray(), (J.T @ J).toarray(), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(g, J.T @ r, rtol=1e-12, atol=1e-13)


def test_a_step_of_gauss_and_newton():
    weights = RNG.uniform(0.5, 2.0, 180)
    jac = sad.jacobian(misfit, X, SEEN)
    r = misfit(X, SEEN)
    N, g = jac.normal(X, SEEN, r=r, weights=weights)
    J = jac(X, SEEN).toarray() * np.sqrt(weights)[:, None]
    step = np.linalg.lstsq(J, np.sqrt(weights) * r, rcond=None)[0]
    np.testing.assert_allclose(N @ step, g, rtol=1e-9, atol=1e-11)


def test_the_residual_may_be_written_over():
    jac = sad.jacobian(lambda x: x**2, np.ones(4))
    x = np.arange(1.0, 5.0)
    N, g = jac.normal(x, r=x, out=(None, x))
    assert g is x
    np.testing.assert_array_equal(g, 2 * np.arange(1.0, 5.0) ** 2)
    np.testing.assert_array_equal(N.toarray(), np.diag(4 * np.arange(1.0, 5.0) ** 2))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"r": np.ones(3)}, "for each of the 4 rows"),
        ({"weights": np.ones(4, complex)}, "real number"),
        ({"triangle": "left"}, "unknown triangle"),
        ({"r": np.ones(4), "out": np.ones(4)}, "must be a pair"),
        ({"out": scipy.sparse.csr_array(np.ones((4, 4)))}, "out must be"),
    ],
)
def test_what_does_not_fit_is_refused(options, message):
    jac = sad.jacobian(lambda x: x**2, np.ones(4))
    with pytest.raises(sad.InputError, match=message):
        jac.normal(np.ones(4), **options)


def test_residuals_and_weights_of_a_function_that_returns_a_container():
    def parts(p, scale):
        return {"data": p["slope"] * np.arange(4.0) + scale * p["level"], "prior": p["slope"] ** 2}

    p = {"slope": 1.5, "level": np.array([0.5, 1.0, 1.5, 2.0])}
    jac = sad.jacobian(parts, p, 2.0)
    r, J = parts(p, 2.0), jac(p, 2.0).toarray()
    weights = {"data": np.arange(1.0, 5.0), "prior": 0.5}
    N, g = jac.normal(p, r=r, weights=weights, scale=2.0)
    np.testing.assert_allclose(N.toarray(), expected(jac(p, 2.0), sad.pack(weights), "full"), rtol=1e-14)
    np.testing.assert_allclose(g, J.T @ (sad.pack(weights) * sad.pack(r)), rtol=1e-14)
    with pytest.raises(sad.InputError, match="each of the 5 rows"):
        jac.normal(p, 2.0, r={"data": r["data"][:3], "prior": r["prior"]})


def test_entries_of_one_observation_are_stored_in_both_triangles():
    camera, point = np.divmod(np.unique(CAMERA * 25 + POINT), 25)
    jac = sad.jacobian(lambda x: (x[:18].reshape(6, 3)[camera, :2] * x[18:].reshape(25, 2)[point] ** 2).ravel(), X)
    N, J = jac.normal(X), jac(X).toarray()
    (first,) = jac._normal.sweeps("full", False, False)
    assert first.source.text.count("] += s") == first.source.text.count("] = s") == 2
    np.testing.assert_allclose(N.toarray(), J.T @ J, rtol=1e-13, atol=1e-13)
    assert (N != N.T).nnz == 0
