"""Many points on a device, against single calls and batches on the CPU."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.emit import device, points
from sparsead.errors import InputError
from sparsead.problems import PROBLEMS
from tests.derivatives import fake_cupy
from tests.derivatives.test_batch import layout
from tests.emit.grid_on_cpu import COMPILER
from tests.fuzz import points as points_of_programs
from tests.solvers import stiff

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")
RNG = np.random.default_rng(7)


@pytest.fixture
def cupy(monkeypatch):
    return fake_cupy.installed(monkeypatch)


def kinetics(x, p, q):
    """Additions to one element, tables, conditions; smooth operations alone, which have the same bits everywhere."""
    rates = x[[3, 1, 0]] * p / (1.0 + x[:3] ** 2)
    total = (rates + q[0] * np.roll(rates, 1)) * np.sum(x * x)
    return np.where(total > 0.2, total**3, total * q[1]) + x[[2, 0, 1]] @ np.arange(9.0).reshape(3, 3)


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("mode", ["direct", "forward"])
def test_small_points_have_a_thread_each(cupy, mode, axis):
    host = sad.jacobian(kinetics, np.ones(4), 1.0, np.ones(2), mode=mode)
    jac = sad.jacobian(kinetics, np.ones(4), 1.0, np.ones(2), mode=mode, device="cuda")
    for count in (1, 127, 300):
        x, p, q = RNG.random((count, 4)) + 0.1, RNG.random(count), RNG.random((count, 2))
        for given in ((p, q), (0.5, q[0])):
            several = [layout(a, axis) if np.ndim(a) and len(a) == count else a for a in (x, *given)]
            there = [cupy.asarray(a) for a in several]
            np.testing.assert_array_equal(jac.batch(*there, axis=axis), host.batch(*several, axis=axis))
            np.testing.assert_array_equal(jac.value_batch(*there, axis=axis), host.value_batch(*several, axis=axis))


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("name", ["brusselator", "minimal-surface", "burgers"])
def test_large_points_have_a_row_of_blocks_each(cupy, monkeypatch, name, axis):
    monkeypatch.setattr(device, "ROOM", 30_000)  # for a few points at once only, where there are work arrays
    problem = PROBLEMS[name]({"brusselator": 8, "minimal-surface": 9, "burgers": 70}[name])
    make = getattr(sad, problem.derivative)
    host, made = (make(problem.f, problem.x0, *problem.args, **o) for o in ({}, {"device": "cuda"}))
    assert host.nnz > points.SMALL
    x = problem.x0 + 0.1 * RNG.random((5, problem.x0.size)).reshape(5, *problem.x0.shape)
    expected = np.stack([host.values(one, *problem.args) for one in x])
    found = made.batch(cupy.asarray(layout(x, axis)), *problem.args, axis=axis)
    np.testing.assert_array_equal(np.moveaxis(found, axis, 0), expected)
    again = made.batch(cupy.asarray(layout(x, axis)), *problem.args, axis=axis, out=found)
    assert again is found
    np.testing.assert_array_equal(np.moveaxis(found, axis, 0), expected)


def test_gradients_and_hessians(cupy):
    def scalar(x, p):
        return np.sum((x * np.roll(x, 2) + x[0]) ** 2) * p + x[1] ** 3

    host = sad.hessian(scalar, np.ones(5), 1.0)
    hess, grad = (make(scalar, np.ones(5), 1.0, device="cuda") for make in (sad.hessian, sad.gradient))
    x, p = RNG.random((200, 5)), RNG.random(200)
    X, P = cupy.asarray(x), cupy.asarray(p)
    np.testing.assert_array_equal(hess.batch(X, P), host.batch(x, p))
    np.testing.assert_array_equal(hess.value_batch(X, P), host.value_batch(x, p))
    for gradients in (hess.gradient_batch(X, P), grad.batch(X, P)):
        np.testing.assert_array_equal(gradients, host.gradient_batch(x, p))


def test_batches_allocate_and_wait_for_nothing_and_are_captured(cupy):
    jac = sad.jacobian(stiff.hires, np.ones(8), device="cuda")
    X = cupy.asarray(RNG.random((8, 500)))
    out = jac.batch(X, axis=-1)
    expected = out.get()
    before = dict(fake_cupy.calls)
    jac.batch(X, axis=-1, out=out)
    assert fake_cupy.calls == before | {"launches": before["launches"] + 1}
    with cupy.cuda.Stream() as stream:
        stream.begin_capture()
        jac.batch(X, axis=-1, out=out)
        graph = stream.end_capture()
    out[...] = np.nan
    graph.launch()
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("size", [4, 8])
def test_batches_of_the_same_arrays_again_and_again(cupy, size):
    problem = PROBLEMS["brusselator"](size)
    host, jac = (sad.jacobian(problem.f, problem.x0, *problem.args, **o) for o in ({}, {"device": "cuda"}))
    X, alpha = cupy.asarray(np.stack([problem.x0] * 3)), cupy.asarray(np.array(10.0))
    out = jac.batch(X, alpha)
    for k in range(5):
        X += 0.1
        alpha += 1.0
        out[...] = np.nan
        assert jac.batch(X, alpha, out=out) is out
        np.testing.assert_array_equal(out, host.batch(X.get(), float(10 + k + 1)))
    assert any(bound is not None for bound in jac._bound.values())
    for given in (X[:2], X.reshape(-1, 3)):
        with pytest.raises(InputError):
            jac.batch(given, alpha, out=out)
    X.shape = X.shape[::-1]  # the same object
    with pytest.raises(InputError, match="for a batch it must be"):
        jac.batch(X, alpha, out=out)


def test_what_is_turned_round_is_not_captured(cupy):
    problem = PROBLEMS["brusselator"](8)
    jac = sad.jacobian(problem.f, problem.x0, *problem.args, device="cuda")
    X, alpha = cupy.asarray(np.ones((problem.x0.size, 3))), cupy.asarray(np.array(10.0))
    with cupy.cuda.Stream() as stream:
        out = jac.batch(X, alpha, axis=-1)
        stream.begin_capture()
        with pytest.raises(InputError, match=r"turned round in new arrays.*use axis=0"):
            jac.batch(X, alpha, axis=-1, out=out)
        stream.end_capture()


@pytest.mark.parametrize("first", [0, 100, 1087215056682001])  # the last one adds to rows and to single entries
def test_random_programs(first):
    """Seeds from `first` on, until a device takes the program: new operations change what a seed draws."""
    assert not all(points_of_programs.attempt(seed)["refused"] for seed in range(first, first + 10))


def test_misfits_are_refused(cupy):
    jac = sad.jacobian(kinetics, np.ones(4), 1.0, np.ones(2), device="cuda")
    X, q = cupy.asarray(np.ones((6, 4))), np.ones(2)
    for X_, p, q_, axis, match in (
        (X, 1.0, q, -1, r"must be \(4, points\), with axis=-1"),
        (X[0], 1.0, q, 0, r"must be \(points, 4\), with axis=0"),
        (X, np.ones(5), q, 0, r"different numbers of points \(x: 6, argument 1: 5\)"),
        (X, 1.0, np.ones((6, 3)), 0, "argument 2 has shape"),
        (X, 1.0, q, 1, "axis"),
    ):
        with pytest.raises(InputError, match=match):
            jac.batch(X_, p, q_, axis=axis)
    with pytest.raises(InputError, match="contiguous float64"):
        jac.batch(X, 1.0, q, out=cupy.empty((6, 3)))
    with pytest.raises(InputError, match="shares memory"):
        jac.value_batch(X, 1.0, q, out=X.reshape(-1)[:18].reshape(6, 3))
    assert jac.batch(X[:0], 1.0, q).shape == (0, jac.pattern.nnz)
