"""Constants stored at other points than their own: the same matrix, in every format, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.sweeps.direct import shifting
from sparsead.sweeps.direct.shifting import _outside, shifted


def laplacian(u):
    new = -4.0 * u
    new[1:] += u[:-1]
    new[:-1] += 2.0 * u[1:]
    new[:, 1:] += 3.0 * u[:, :-1]
    new[:, :-1] += 5.0 * u[:, 1:]
    return new + np.exp(u)


def periodic(u):
    return 2.0 * np.roll(u, 1, 0) - 3.0 * np.roll(u, -2, 0) + 4.0 * np.roll(u, 3, 1) + u**3


def only_constants(u):
    return u[2:, 1:] - 2.0 * u[:-2, :-1] + 7.0 * u[1:-1, 1:]


@pytest.mark.parametrize("format", ["csc", "bsr", "dense"])
@pytest.mark.parametrize("f", [laplacian, periodic, only_constants])
def test_the_matrix_stays_the_same(f, format, monkeypatch):
    monkeypatch.setattr(shifting, "MANY_POINTS", 64)
    x = np.linspace(0.1, 1.3, 22 * 17).reshape(22, 17)
    plain, jac = sad.jacobian(f, x, mode="direct"), sad.jacobian(f, x, mode="direct", format=format)
    J = jac(x)
    dense = J if format == "dense" else J.toarray()
    np.testing.assert_array_equal(dense, plain(x).toarray())
    (J if format == "dense" else J.data)[...] = np.nan  # every entry must be written
    again = jac(x, out=J)
    np.testing.assert_array_equal(again if format == "dense" else again.toarray(), plain(x).toarray())


@pytest.mark.parametrize("triangle", ["lower", "upper"])
def test_triangles_stay_the_same(triangle, monkeypatch):
    monkeypatch.setattr(shifting, "MANY_POINTS", 64)
    x = np.linspace(0.1, 1.3, 22 * 17).reshape(22, 17)

    def energy(u):
        return np.sum((u[1:] - u[:-1]) ** 2) + 3.0 * np.sum(u[:, 2:] * u[:, :-2]) + np.sum(np.exp(u))

    whole = sad.hessian(energy, x, mode="direct")(x).toarray()
    part = sad.hessian(energy, x, mode="direct", triangle=triangle)(x).toarray()
    np.testing.assert_array_equal(part, np.tril(whole) if triangle == "lower" else np.triu(whole))


def test_constants_are_moved_where_points_are_many(monkeypatch):
    calls = []

    def spied(loop):
        found = list(shifted(loop))
        calls.append(len(found))
        return found

    monkeypatch.setattr("sparsead.sweeps.direct.sweep.shifted", spied)
    x = np.ones((40, 40))
    for least, moved in ((1 << 15, False), (64, True)):
        monkeypatch.setattr(shifting, "MANY_POINTS", least)
        calls.clear()
        sad.jacobian(laplacian, x, mode="direct", format="csc", check=False)
        assert (max(calls) > 1) == moved
    calls.clear()
    sad.jacobian(laplacian, x, mode="direct", check=False)
    assert not calls  # by rows they are next to each other already


@pytest.mark.parametrize(("domain", "box"), [((5,), ((1, 3),)), ((4, 6), ((1, 4), (0, 5))), ((3, 4, 5), ((1, 2),) * 3)])
def test_boxes_make_up_what_is_outside_once(domain, box):
    count = np.zeros(domain, dtype=int)
    for part in _outside(domain, box):
        count[tuple(slice(*ends) for ends in part)] += 1
    count[tuple(slice(*ends) for ends in box)] += 1
    assert (count == 1).all()
