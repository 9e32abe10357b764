"""Matrices in every format, written by the sweeps in their own order: the entries of the csr matrix, to the bit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import scipy.sparse as sp

import sparsead as sad

FORMATS = ("csr", "csc", "coo", "bsr", "dense")
KINDS = {"csr": sp.csr_array, "csc": sp.csc_array, "coo": sp.coo_array, "bsr": sp.bsr_array, "dense": np.ndarray}
X = np.linspace(0.3, 1.2, 12)


def stencil(x, p):
    return p * x**2 * np.roll(x, 1) + np.sin(np.roll(x, -1))


def layered(x, p):
    y = np.exp(-x) * np.roll(x, 2)
    return np.concatenate([np.cumsum(np.sin(y)) * p, (y * y[::-1])[3:5]])


def systems(x, p):
    """Three unknowns at each of four points, all coupled: blocks."""
    u = x.reshape(4, 3)
    s = np.sum(u, axis=1, keepdims=True)
    return (p * u * s + np.roll(u, 1, axis=0) * np.prod(u, axis=1, keepdims=True)).ravel()


def nothing(x, p):
    return np.zeros(3) + 0.0 * p


def lines(x, p):
    return np.concatenate([[np.sum(x**2)], p * x[0] * x[1:]])


JACOBIANS = [
    (f, mode) for f in (stencil, layered, systems, lines) for mode in ("direct", "forward", "reverse", "bidirectional")
] + [(nothing, "direct"), (nothing, "forward")]


def jacobian(f, mode, **options):
    """Without a compiler: what the generated code does is the same, and it is tested often here."""
    return sad.jacobian(f, X, 0.7, mode=mode, backend="python", check=False, **options)


def hessian(f, mode, **options):
    return sad.hessian(f, X, 0.7, mode=mode, backend="python", check=False, **options)


def plain(matrix):
    return matrix if isinstance(matrix, np.ndarray) else matrix.toarray()


@pytest.mark.parametrize(("f", "mode"), JACOBIANS)
def test_jacobians_in_every_format(f, mode):
    by_rows = jacobian(f, mode)
    wanted = by_rows(X, 0.7).toarray()
    for format in FORMATS[1:]:
        jac = jacobian(f, mode, format=format)
        J = jac(X + 1.0, 0.3)
        assert type(J) is KINDS[format] and J.shape == wanted.shape
        np.ravel(J if format == "dense" else J.data)[:] = np.nan
        assert jac(X, 0.7, out=J) is J
        np.testing.assert_array_equal(plain(J), wanted)
        np.testing.assert_array_equal(np.ravel(J if format == "dense" else J.data), jac.values(X, 0.7))
        for order in ("csr", "csc", "coo"):
            np.testing.assert_array_equal(jac.values(X, 0.7, order=order), by_rows.values(X, 0.7, order=order))
        y, J = jac.value_and_jacobian(X, 0.7)
        np.testing.assert_array_equal(plain(J), wanted)
        np.testing.assert_allclose(y, f(X, 0.7), rtol=1e-14)


def energy(f):
    return lambda x, p: np.sum(f(x, p) ** 2) + np.sum(x[1:] * x[:-1])


def crossing(x, p):
    """A plain sum of products: no layers, and terms on both sides of the diagonal in one loop."""
    return p * np.sum(x * np.roll(x, 1) ** 2) + np.sum(x[[0, 3, 3]] * x[[3, 0, 3]] ** 2) + np.sum(np.sin(x))


HESSIANS = [(crossing, mode) for mode in ("direct", "star", "acyclic", "column")]
HESSIANS += [(energy(stencil), "direct"), (energy(layered), "direct"), (energy(layered), "acyclic")]
HESSIANS += [(energy(systems), "direct"), (energy(nothing), "star")]


@pytest.mark.parametrize(("f", "mode"), HESSIANS)
def test_hessians_in_every_format_and_triangle(f, mode):
    by_rows = hessian(f, mode)
    wanted = by_rows(X, 0.7).toarray()
    for format in FORMATS:
        for triangle, part in (("full", np.asarray), ("lower", np.tril), ("upper", np.triu)):
            hess = hessian(f, mode, format=format, triangle=triangle)
            H = hess(X, 0.7)
            assert type(H) is KINDS[format]
            np.testing.assert_array_equal(plain(H), part(wanted))
            if format in ("csr", "csc", "coo"):
                np.testing.assert_array_equal(plain(hess(X, 0.7, triangle="full")), wanted)
                np.testing.assert_array_equal(plain(hess(X, 0.7, triangle="upper")), np.triu(wanted))
                lower = by_rows.values(X, 0.7, order="lower")
                np.testing.assert_array_equal(hess.values(X, 0.7, order="lower"), lower)
            _, _, again = hess.value_gradient_and_hessian(X, 0.7)
            np.testing.assert_array_equal(plain(again), plain(H))


def assembled(x, p):
    """Products of a matrix of unknowns, left out one by one: loops whose terms are stored at some points only."""
    A = sp.diags_array([x[1:], p + x**2, x[1:]], offsets=[-1, 0, 1]).tocsr()
    return np.sum((A @ x) ** 2)


@pytest.mark.parametrize("format", FORMATS)
def test_triangles_of_terms_that_are_stored_at_some_points(format):
    wanted = hessian(assembled, "direct")(X, 0.7).toarray()
    for triangle, part in (("lower", np.tril), ("upper", np.triu)):
        H = hessian(assembled, "direct", format=format, triangle=triangle)(X, 0.7)
        np.testing.assert_allclose(plain(H), part(wanted), rtol=1e-14)  # the terms of an entry in another order


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("triangle", ["full", "lower"])
def test_checks_pickles_batches_and_constants(format, triangle, tmp_path):
    hess = sad.hessian(crossing, X, 0.7, format=format, triangle=triangle)
    assert sad.check(hess, X, 0.7).passed
    hess(X, 0.7, verify=True)
    wanted = plain(hess(X, 0.7))
    np.testing.assert_array_equal(plain(pickle.loads(pickle.dumps(hess))(X, 0.7)), wanted)
    np.testing.assert_array_equal(hess.batch(np.stack([X, X + 1]), 0.7)[0], hess.values(X, 0.7))
    blocks = hess.batch(np.stack([X, X + 1]), 0.7, format="csr").toarray()
    np.testing.assert_array_equal(blocks[:12, :12], sad.hessian(crossing, X, 0.7)(X, 0.7).toarray())
    out = hess(X + 1, 0.7, keep_constants=True)
    np.testing.assert_array_equal(plain(hess(X, 0.7, out=out, keep_constants=True)), wanted)
    values = np.empty(hess.values(X, 0.7).size)
    hess.prepared_call(X, 0.7, out=values)()
    np.testing.assert_array_equal(values, hess.values(X, 0.7))
    hess.save(tmp_path / "hess.npz")
    loaded = sad.load(tmp_path / "hess.npz", crossing, X, 0.7, format=format, triangle=triangle)
    np.testing.assert_array_equal(plain(loaded(X, 0.7)), wanted)


def test_diagonals_are_those_of_the_matrix():
    for f in (stencil, layered, systems, lines, nothing):
        for mode in ("direct", "forward"):
            jac = jacobian(f, mode)
            np.testing.assert_allclose(jac.diagonal(X, 0.7), jac(X, 0.7).diagonal(), rtol=1e-14, atol=1e-15)
    for f in (crossing, energy(stencil), energy(layered), energy(systems)):
        for mode in ("direct", "star"):
            hess = hessian(f, mode)
            np.testing.assert_allclose(hess.diagonal(X, 0.7), hess(X, 0.7).diagonal(), rtol=1e-13, atol=1e-15)
    out = np.full(12, np.nan)
    assert hess.diagonal(X, 0.7, out=out) is out and np.isfinite(out).all()


@pytest.mark.parametrize("triangle", ["full", "lower", "upper"])
def test_nothing_is_written_beside_the_values(triangle):
    """Terms of few points whose entries are stored at some of them only: the others have no place to go."""
    M = sp.csr_array(np.array([[0.0, 2.0, 0.0, 3.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 4.0], [0.5, 0.0, 2.0, 0.0]]))

    def f(x):
        return np.sum((M @ (x * x) - M.T @ x)[1:] * x[:-1] * x[[3, 0, 2]])

    x = np.array([0.5, -1.0, 2.0, 0.7])
    hess = sad.hessian(f, x, mode="direct", triangle=triangle)
    for fill, size in ((hess.diagonal, 4), (hess.values, hess(x).data.size)):
        room = np.full(size + 16, np.nan)
        fill(x, out=room[8:-8])
        assert np.isnan(room[:8]).all() and np.isnan(room[-8:]).all()
        np.testing.assert_array_equal(room[8:-8], fill(x))


def test_what_is_not_known_is_refused():
    with pytest.raises(sad.InputError, match="unknown format 'lil'; expected one of csr, csc, coo, bsr, dense"):
        sad.jacobian(stencil, X, 0.7, format="lil")
    with pytest.raises(sad.InputError, match="unknown triangle 'left'"):
        sad.hessian(crossing, X, 0.7, triangle="left")
    jac = sad.jacobian(stencil, X, 0.7, format="csc")
    with pytest.raises(sad.InputError, match="out must be a float64 csc_array"):
        jac(X, 0.7, out=sad.jacobian(stencil, X, 0.7)(X, 0.7))
    lower = sad.hessian(crossing, X, 0.7, triangle="lower")
    with pytest.raises(sad.InputError, match="out= goes with triangle='lower'"):
        lower(X, 0.7, out=lower(X, 0.7), triangle="full")


def test_a_pattern_that_is_not_symmetric_has_no_triangle_that_stands_for_it():
    wider = sad.hessian_pattern(crossing, X, 0.7).to_scipy().tolil()
    wider[0, 6] = 1.0
    with pytest.raises(sad.InputError, match="a triangle stands for a whole Hessian"):
        sad.hessian(crossing, X, 0.7, pattern=wider.tocsr(), triangle="lower")
