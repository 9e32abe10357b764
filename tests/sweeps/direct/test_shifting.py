"""Entries stored at other points than their own: the same matrix, in every format, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.sweeps.direct import shifting
from sparsead.sweeps.direct.shifting import cut_and_shifted


def laplacian(u):
    new = -4.0 * u
    new[1:] += u[:-1]
    new[:-1] += 2.0 * u[1:]
    new[:, 1:] += 3.0 * u[:, :-1]
    new[:, :-1] += 5.0 * u[:, 1:]
    return new + np.exp(u)


def two_fields(w):
    """Two equations for two fields, with coefficients that vary and take little work."""
    u, v = w
    across = u[1:-1, 1:-1] * (u[1:-1, 2:] - u[1:-1, :-2])
    down = v[1:-1, 1:-1] * (v[2:, 1:-1] - v[:-2, 1:-1])
    return np.stack([across * v[1:-1, 1:-1] - 3.0 * u[2:, 1:-1], down + u[:-2, 1:-1] ** 2])


def periodic(u):
    return 2.0 * np.roll(u, 1, 0) - 3.0 * np.roll(u, -2, 0) + 4.0 * np.roll(u, 3, 1) + u**3


def only_constants(u):
    return u[2:, 1:] - 2.0 * u[:-2, :-1] + 7.0 * u[1:-1, 1:]


@pytest.mark.parametrize("format", ["csc", "bsr", "dense"])
@pytest.mark.parametrize("f", [laplacian, periodic, only_constants, two_fields])
def test_the_matrix_stays_the_same(f, format, monkeypatch):
    monkeypatch.setattr(shifting, "MANY_POINTS", 64)
    x = np.linspace(0.1, 1.3, 22 * 17).reshape(22, 17)
    x = np.stack([x, 1.0 / x]) if f is two_fields else x
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


def loops(f, x, monkeypatch, least, **options):
    """Return the loops that write a matrix, and how often entries were moved."""
    found = []

    def spied(loop):
        parts = list(cut_and_shifted(loop))
        found.extend(parts)
        return parts

    monkeypatch.setattr("sparsead.sweeps.direct.sweep.cut_and_shifted", spied)
    monkeypatch.setattr(shifting, "MANY_POINTS", least)
    sad.jacobian(f, x, mode="direct", check=False, **options)
    return found


@pytest.mark.parametrize("f", [laplacian, two_fields])
def test_entries_of_a_point_lie_together_where_points_are_many(f, monkeypatch):
    x = np.ones((40, 40)) if f is laplacian else np.ones((2, 40, 40))
    apart, together = (
        max(loops(f, x, monkeypatch, least, format="csc"), key=lambda loop: loop.points) for least in (1 << 15, 64)
    )
    reach = [{e.slot.offset // (8 * x[0].size) for e in loop.entries} for loop in (apart, together)]
    assert len(reach[1]) <= len(reach[0])
    spread = [len({e.slot.offset // 32 for e in loop.entries}) for loop in (apart, together)]
    assert spread[1] < spread[0]
    assert not loops(f, x, monkeypatch, 64)  # by rows they are next to each other already


@pytest.mark.parametrize("f", [laplacian, periodic, only_constants, two_fields])
def test_thin_slabs_of_one_shape_are_one_loop(f, monkeypatch):
    x = np.random.default_rng(0).random((2, 40, 40) if f is two_fields else (40, 40))
    found = loops(f, x, monkeypatch, 64, format="csc")
    thin = [loop.domain for loop in found if 1 in loop.domain and not any(e.adds for e in loop.entries)]
    assert thin and len(set(thin)) == len(thin)
    jac, plain = sad.jacobian(f, x, mode="direct", format="csc"), sad.jacobian(f, x, mode="forward")
    y, J = jac.value_and_jacobian(x)
    np.testing.assert_allclose(y, f(x), rtol=1e-13)
    np.testing.assert_allclose(J.toarray(), plain(x).toarray(), rtol=1e-13, atol=1e-13)


def test_what_takes_many_operations_is_computed_where_it_was(monkeypatch):
    def f(u):
        flux = np.exp(np.sin(u[1:] - u[:-1]) ** 3)
        return flux[1:] * u[1:-1] - flux[:-1]

    largest = max(loops(f, np.ones((40, 40)), monkeypatch, 64, format="csc"), key=lambda loop: loop.points)
    assert len({e.slot.offset // 32 for e in largest.entries}) > 1
