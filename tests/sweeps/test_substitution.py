"""Recovery by substitution: errors add up along the trees of an acyclic coloring, and no further.

The matrices are given, so that what comes out can be compared with what went in, entry by entry.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import coloring
import sparsead as sad

EPS = np.finfo(float).eps


def path(n, values):
    """A symmetric tridiagonal matrix: the tree of its off-diagonal entries is as deep as it can be."""
    return scipy.sparse.csr_array(scipy.sparse.diags_array([values, values], offsets=[-1, 1], shape=(n, n)))


def recovered(A, decompression):
    colored = coloring.color(A, structure="symmetric", decompression=decompression)
    return colored, colored.decompress(colored.compress(A))


def error(A, B):
    return float(np.abs((A - B).toarray()).max())


@pytest.mark.parametrize("n", [10, 100, 1000])
def test_errors_grow_no_faster_than_the_depth(n):
    """|error| <= eps * depth * largest entry of the tree; seen is far less, since roundings cancel."""
    A = path(n, np.random.default_rng(n).uniform(0.5, 1.5, n - 1))
    colored, B = recovered(A, "substitution")
    assert colored.num_colors == 2
    assert error(A, B) <= EPS * n * 1.5
    assert error(A, recovered(A, "direct")[1]) == 0.0


@pytest.mark.parametrize("decades", [4, 8, 12])
def test_small_entries_inherit_the_errors_of_large_ones(decades):
    """The bound is absolute: an entry that is smaller by 10^d than another of its tree has d digits less."""
    values = np.geomspace(1.0, 10.0**-decades, 63)
    A = path(64, values)
    _, B = recovered(A, "substitution")
    assert error(A, B) <= EPS * 64
    _, direct = recovered(A, "direct")
    assert error(A, direct) == 0.0


def test_digits_that_are_lost_are_measured():
    """Next to entries of size 1, an entry of 1e-16 drowns; direct recovery has all of it."""
    lost = {}
    for decades in (4, 8, 12, 16):
        values = np.where(np.arange(63) % 2, 1.0 / 3.0, 10.0**-decades / 7.0)
        A = path(64, values)
        B = recovered(A, "substitution")[1].toarray()[np.arange(63), np.arange(1, 64)]
        lost[decades] = float(np.abs(B / values - 1.0).max())
        assert lost[decades] <= EPS * 64 * 10.0**decades * 7.0 / 3.0
        assert error(A, recovered(A, "direct")[1]) == 0.0
    assert lost[16] > 0.01 > lost[8]


def badly_scaled(x):
    """Terms whose second derivatives span thirty orders of magnitude along a chain."""
    return np.sum(10.0 ** np.linspace(0.0, -30.0, x.size - 1) * np.sin(x[1:] * x[:-1]))


def test_only_those_who_ask_for_it_get_substitution():
    """No mode that sparsead chooses by itself loses digits to the range of the entries."""
    x = np.linspace(0.5, 1.5, 32)
    direct = sad.hessian(badly_scaled, x, mode="direct")(x)
    for mode in ("auto", "star", "column"):
        hess = sad.hessian(badly_scaled, x, mode=mode)
        assert hess.mode != "acyclic"
        np.testing.assert_allclose(hess(x).data, direct.data, rtol=1e-12)
    lossy = sad.hessian(badly_scaled, x, mode="acyclic")(x)
    scale = np.abs(direct.data).max()
    np.testing.assert_allclose(lossy.data, direct.data, rtol=0, atol=EPS * x.size * 2 * scale)


def test_auto_never_substitutes_even_where_it_is_cheapest(monkeypatch):
    from sparsead.derivatives import modes

    monkeypatch.setattr(modes, "direct_cost", lambda *_: float("inf"))
    x = np.linspace(0.5, 1.5, 32)
    hess = sad.hessian(lambda x: np.sum(np.sin(x[1:] * x[:-1])), x)
    assert hess.mode == "star"
    assert sad.hessian(lambda x: np.sum(np.sin(x[1:] * x[:-1])), x, mode="compressed").mode == "acyclic"
