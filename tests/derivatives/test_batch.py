"""Many points in one call: to the bit what single calls give, point by point, however they lie in memory."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

import sparsead as sad
from sparsead import extend
from sparsead.emit import lanes, turning
from sparsead.emit.layout import Layout
from sparsead.emit.source import PAST, POINT, Source
from sparsead.emit.sweep import DEFAULT_ENGINE, Sweep
from sparsead.problems import PROBLEMS

RNG = np.random.default_rng(5)


def light(x, p, q):
    return np.stack([p * x[0] * x[3], x[1] * q[0] - x[2] ** 2, x[0] * q[1]])


def heavy(x, p, q):
    """Several layers, sums, tables, conditions and functions."""
    rates = np.exp(-q[0] / x[:3]) * x[[3, 1, 0]] * p
    total = np.cumsum(np.sin(rates)) / (1.0 + np.sum(x**2))
    return np.where(total > 0.2, total**3, np.tanh(total * q[1])) + x[[2, 0, 1]] @ np.arange(9.0).reshape(3, 3)


def scalar(x, p, q):
    return np.sum(np.cumsum(np.exp(p * x)) ** 2) * q[0] + np.where(x[0] > 0.6, x[1] ** 3, np.sin(x[2])) * q[1]


def layout(array, last):
    return np.ascontiguousarray(np.moveaxis(array, 0, -1)) if last else array


def checked(batch, single, x, p, q, last):
    """Compare a batch with single calls, whichever of the arguments has points."""
    several = [a for a in (p, q) if np.ndim(a) > (0 if a is p else 1)]
    given = [layout(a, last) if any(a is s for s in several) else a for a in (x, p, q)]
    given[0] = layout(x, last)
    axis = -1 if last else 0
    first, _, third = (batch(*given, axis=axis) for _ in range(3))  # machine code takes the third call
    np.testing.assert_array_equal(first, third)
    found = np.moveaxis(third, axis, 0)
    assert len(found) == len(x)
    for k in range(len(x)):
        at = [x[k], *(a[k] if any(a is s for s in several) else a for a in (p, q))]
        np.testing.assert_array_equal(found[k], single(*at))


COUNTS = (1, 7, 64, 65, 530)  # ragged blocks among them


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
@pytest.mark.parametrize("f", [light, heavy])
def test_jacobians_equal_single_calls_to_the_bit(f, mode, last):
    jac = sad.jacobian(f, np.ones(4), 1.0, np.ones(2), mode=mode)
    for count in COUNTS:
        x, p, q = RNG.random((count, 4)) + 0.1, RNG.random(count), RNG.random((count, 2))
        for given in ((p, q), (0.5, q), (p, q[0]), (0.5, q[0])):
            checked(jac.batch, jac.values, x, *given, last)
    checked(jac.value_batch, jac.value, x, p, q, last)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_hessians_and_gradients_equal_single_calls_to_the_bit(mode, last):
    hess, grad = (
        sad.hessian(scalar, np.ones(5), 1.0, np.ones(2), mode=mode),
        sad.gradient(scalar, np.ones(5), 1.0, np.ones(2)),
    )
    for count in COUNTS:
        x, p, q = RNG.random((count, 5)) + 0.1, RNG.random(count), RNG.random((count, 2))
        checked(hess.batch, hess.values, x, p, q, last)
    checked(hess.gradient_batch, hess.gradient, x, p, q, last)
    checked(grad.batch, grad, x, p, q, last)
    checked(hess.value_batch, lambda *at: scalar_value(hess, *at), x, p, q, last)


def scalar_value(hess, *at):
    return hess.value_gradient_and_hessian(*at)[0]


@pytest.mark.parametrize("outermost", [False, True])
def test_both_orders_of_loops_give_the_same(outermost, monkeypatch):
    monkeypatch.setattr(lanes, "WORTH", np.inf if outermost else 0.0)
    for f in (light, heavy):
        jac = sad.jacobian(f, np.ones(4), 1.0, np.ones(2))
        source, width = lanes.in_lanes(
            "f",
            [(s.source, s.sizes) for s in jac._assembly.sweeps_of_points()],
            Layout({"x": 4, "data": jac.pattern.nnz}, False),
        )
        assert (width == 1) == outermost == (f"for {POINT} in" in source.text)
        checked(jac.batch, jac.values, RNG.random((77, 4)) + 0.1, 0.7, np.ones(2), False)


SIZES = {
    "bratu": 6,
    "broyden": 40,
    "brusselator": 6,
    "burgers": 40,
    "cavity": 5,
    "rosenbrock": 60,
    "minimal-surface": 9,
    "power-flow": 14,
}


@pytest.mark.parametrize("name", SIZES)
def test_benchmark_problems_in_batches(name):
    problem = PROBLEMS[name](SIZES[name])
    prepared = getattr(sad, problem.derivative)(problem.f, problem.x0, *problem.args)
    x = problem.x0 + 0.01 * RNG.random((19, *problem.x0.shape))
    for last in (False, True):
        found = prepared.batch(layout(x, last), *problem.args, axis=-1 if last else 0)
        for k in (0, 8, 18):
            np.testing.assert_array_equal(found[:, k] if last else found[k], prepared.values(x[k], *problem.args))


def test_points_of_several_axes():
    jac = sad.jacobian(lambda x: np.cumsum(x, axis=1) * x**2, np.ones((2, 3)))
    x = RNG.random((9, 2, 3))
    for axis, given in ((0, x), (-1, np.moveaxis(x, 0, -1)), (2, np.moveaxis(x, 0, -1))):
        found = np.moveaxis(jac.batch(given, axis=axis), 0 if axis == 0 else -1, 0)
        np.testing.assert_array_equal(found, [jac.values(point) for point in x])
        assert jac.value_batch(given, axis=axis).shape == given.shape


def test_an_argument_behind_a_container_is_its_own():
    """Leaves of containers are arguments of the code, too: what follows them keeps its name."""

    def f(x, p, s):
        return p["a"] * x * s + p["c"]

    p, x, s = {"a": 2.0, "c": 1.0}, np.ones((4, 3)), np.arange(1.0, 5.0)
    jac = sad.jacobian(f, x[0], p, 1.0)
    np.testing.assert_array_equal(jac.batch(x, p, s), np.outer(2.0 * s, np.ones(3)))
    np.testing.assert_array_equal(jac.value_batch(x, p, s), np.outer(2.0 * s, np.ones(3)) + 1.0)


def test_threads_do_not_change_a_bit():
    """Nor does a last block that shares points with the one before, which one thread runs after the other."""
    q = np.ones(2)
    for f, count in itertools.product((light, heavy), (1003, 67, 16)):
        one, three = (sad.jacobian(f, np.ones(4), 1.0, q, threads=k) for k in (1, 3))
        x = RNG.random((count, 4)) + 0.1
        for axis, given in ((0, x), (-1, np.ascontiguousarray(x.T))):
            np.testing.assert_array_equal(three.batch(given, 0.7, q, axis=axis), one.batch(given, 0.7, q, axis=axis))


@pytest.mark.parametrize(("backend", "f"), [("python", heavy), ("numba", light)])
def test_other_back_ends(backend, f):
    jac = sad.jacobian(f, np.ones(4), 1.0, np.ones(2), backend=backend)
    x = RNG.random((9, 4)) + 0.1
    for last in (False, True) if backend == "python" else (False,):
        found = jac.batch(layout(x, last), 0.7, np.ones(2), axis=-1 if last else 0)
        np.testing.assert_allclose(found.T if last else found, [jac.values(p, 0.7, np.ones(2)) for p in x], rtol=1e-14)


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_names_that_written_out_code_sets_again_and_again(backend):
    """Short loops are written out; a loop over points may be cut within a turn of one."""
    order, targets = np.array([6, 4, 1, 3, 5, 0, 2]), np.array([4, 6, 3, 1, 2, 0, 5])
    weights = np.array([-0.7, -1.2, 0.3, -0.3, 0.8, -0.9, 0.2])

    def f(x):
        r = np.zeros_like(x)
        np.add.at(r, targets, x[order] * np.cos(x))
        y = r[targets] * weights
        return y[order] / (2.0 + np.cos(y))

    X = np.random.default_rng(6).normal(size=(3, 7))
    jac = sad.jacobian(f, X[0], mode="direct", backend=backend)
    np.testing.assert_array_equal(jac.batch(X), [jac.values(x) for x in X])


def test_one_matrix_of_all():
    jac = sad.jacobian(heavy, np.ones(4), 1.0, np.ones(2))
    x = RNG.random((5, 4)) + 0.1
    for axis, given in ((0, x), (-1, x.T)):
        J = jac.batch(given, 0.7, np.ones(2), axis=axis, format="csr")
        assert J.has_sorted_indices
        for k, point in enumerate(x):
            block = J[3 * k : 3 * k + 3, 4 * k : 4 * k + 4].toarray()
            np.testing.assert_array_equal(block, jac(point, 0.7, np.ones(2)).toarray())
        assert J.nnz == 5 * jac.pattern.nnz


def test_operations_that_are_not_traced_are_called_point_by_point():
    cube = extend.operation(lambda x: np.asarray(x) ** 3, jvp=lambda x, v: 3.0 * x[0] ** 2 * v[0])
    x, p = RNG.random((4, 3)), RNG.random(4)
    jac = sad.jacobian(lambda x, p: cube(x) * p + x, np.ones(3), 1.0)
    for last in (False, True):
        found = jac.batch(layout(x, last), p, axis=-1 if last else 0)
        wanted = p[:, None] * 3.0 * x**2 + 1.0
        np.testing.assert_allclose(found.T if last else found, wanted, rtol=1e-14)
        value = jac.value_batch(layout(x, last), p, axis=-1 if last else 0)
        np.testing.assert_allclose(value.T if last else value, p[:, None] * x**3 + x, rtol=1e-14)
    assert list(jac._matrix_batch._compiled.values()) == [None, None]
    with pytest.raises(sad.InputError, match="calls Python at run time"):
        jac.export("never_written")


def test_outputs_are_written_and_checked():
    jac = sad.jacobian(light, np.ones(4), 1.0, np.ones(2))
    x, q = RNG.random((6, 4)), np.ones(2)
    out = np.full((6, jac.pattern.nnz), np.nan)
    for _ in range(3):
        assert jac.batch(x, 0.7, q, out=out) is out
    assert jac._matrix_batch._fast.entry(x, 0.7, q, jac._matrix_batch._fast.count, out)
    np.testing.assert_array_equal(out, [jac.values(point, 0.7, q) for point in x])
    for wrong in (out[:5], out.astype(np.float32), out.T, np.asfortranarray(out), out.tolist()):
        with pytest.raises(sad.InputError, match="out must be"):
            jac.batch(x, 0.7, q, out=wrong)
    both = np.ones((6, 4 + jac.pattern.nnz)).reshape(-1)
    with pytest.raises(sad.InputError, match="shares memory"):
        jac.batch(both[:24].reshape(6, 4), 0.7, q, out=both[20:][: out.size].reshape(out.shape))


def test_what_does_not_fit_is_refused():
    jac, q = sad.jacobian(light, np.ones(4), 1.0, np.ones(2)), np.ones(2)
    for _ in range(3):
        jac.batch(np.ones((3, 4)), 0.7, q)
    for x in (np.ones(4), np.ones((3, 5)), np.ones((2, 3, 4)), np.ones((4, 3))):
        with pytest.raises(sad.InputError, match=r"x has shape .*; for a batch it must be"):
            jac.batch(x, 0.7, q)
    with pytest.raises(sad.InputError, match="different numbers of points"):
        jac.batch(np.ones((3, 4)), np.ones(2), q)
    with pytest.raises(sad.InputError, match=r"argument 2 has shape .*, with axis=-?\d"):
        jac.batch(np.ones((3, 4)), 0.7, np.ones(3))
    with pytest.raises(sad.InputError, match="arguments"):
        jac.batch(np.ones((3, 4)), 0.7)
    with pytest.raises(sad.InputError, match="axis is where"):
        jac.batch(np.ones((3, 4)), 0.7, q, axis=3)
    with pytest.raises(sad.InputError, match="unknown format"):
        jac.batch(np.ones((3, 4)), 0.7, q, format="bsr")
    held = sad.jacobian(lambda x, p: p["k"] * x, np.ones(2), {"k": 1.0})
    with pytest.raises(
        sad.InputError, match=r"argument 1\.k has shape \(3, 2\); for a batch it must be \(\) or \(points,\)"
    ):
        held.batch(np.ones((3, 2)), {"k": np.ones((3, 2))})
    with pytest.raises(sad.InputError, match=r"different numbers of points \(x: 3, argument 1\.k: 2\)"):
        held.batch(np.ones((3, 2)), {"k": np.ones(2)})
    fixed = sad.jacobian(lambda x, k: x**k, np.ones(2), 3)
    for _ in range(3):
        fixed.batch(np.ones((3, 2)), 3)
    with pytest.raises(sad.InputError, match="fixed"):
        fixed.batch(np.ones((3, 2)), 4)


@dataclass
class Rates:
    slow: float
    fast: np.ndarray
    name: str = "two"


def kinetics(y, p, c):
    return p.slow * np.roll(y, 1) - p.fast * y ** c["order"] * c["k"]


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("traced", [True, False])
def test_what_containers_hold_may_differ_from_point_to_point(axis, traced):
    sine = np.sin if traced else extend.operation(lambda y: np.sin(y), jvp=lambda y, v: np.cos(y[0]) * v[0])

    def f(y, p, c):
        return kinetics(sine(y), p, c)

    points, random = 37, np.random.default_rng(3)
    y, slow, fast = random.random((points, 3)) + 0.5, random.random(points), random.random((points, 3))
    jac = sad.jacobian(f, y[0], Rates(1.0, np.ones(3)), {"k": 2.0, "order": 2})
    single = [jac.values(y[k], Rates(slow[k], fast[k]), {"k": 3.0, "order": 2}) for k in range(points)]
    X, given = np.moveaxis(y, 0, axis), Rates(slow, np.moveaxis(fast, 0, axis))
    for _ in range(4):  # general calls, and those that machine code takes
        found = jac.batch(X, given, {"k": 3.0, "order": 2}, axis=axis)
        np.testing.assert_array_equal(np.moveaxis(found, axis, 0), single)
    with pytest.raises(sad.InputError, match="was fixed"):
        jac.batch(X, given, {"k": 3.0, "order": 3}, axis=axis)


def test_no_points_give_nothing():
    jac = sad.jacobian(light, np.ones(4), 1.0, np.ones(2))
    assert jac.batch(np.empty((0, 4)), 0.7, np.ones(2)).shape == (0, jac.pattern.nnz)
    assert jac.batch(np.empty((4, 0)), 0.7, np.ones(2), axis=-1).shape == (jac.pattern.nnz, 0)
    assert jac.batch(np.empty((0, 4)), 0.7, np.ones(2), format="csr").shape == (0, 0)


def test_matrices_without_entries():
    jac = sad.jacobian(lambda x: np.ones(2) + 0.0 * x[:2], np.ones(3))
    assert jac.batch(np.ones((4, 3))).shape == (4, 0)
    assert jac.batch(np.ones((4, 3)), format="csr").shape == (8, 12)


def test_one_preparation_serves_any_number_of_points():
    jac = sad.jacobian(light, np.ones(4), 1.0, np.ones(2))
    for count in (3, 1000, 17, 17, 17, 3, 17, 17):
        x = RNG.random((count, 4))
        for given in (x, x.tolist(), np.asfortranarray(x)):
            found = jac.batch(given, 0.7, np.ones(2))
            np.testing.assert_array_equal(found[::2], [jac.values(point, 0.7, np.ones(2)) for point in x[::2]])
    assert len(jac._matrix_batch._compiled) == 1


@pytest.mark.parametrize("last", [False, True])
def test_what_is_the_same_at_all_points_is_kept_once(last):
    source, numbers = Source("f", of_points=True), np.array([2.0, -3.0, 0.5])
    for name in ("x", "w", "v", "y"):
        source.array(name)
    source.array("c", value=numbers)
    with source.block("for i in range(3):"):
        source.write("s = c[i]")
        source.write("w[i] = s")
        source.write("t = exp(x[i])")  # code for each point stands between
        source.write("v[i] = t * w[i]")
        source.write("w[i] += 2.0 * s")
    with source.block("for i in range(3):"):
        source.write("y[i] = v[i] + w[2 - i]")
    found, width = lanes.in_lanes("f_of_points", [(source, {"w": 3, "v": 3})], Layout({"x": 3, "y": 3}, last))
    assert found.sizes["w0_w"] == 3
    assert found.sizes["w0_v"] == 3 * width
    X = RNG.random((2 * width, 3))
    Y = np.empty(X.size)
    Sweep(found, {}, DEFAULT_ENGINE)(x=layout(X, last).reshape(-1), y=Y, batch=np.array([len(X)]))
    Y = Y.reshape(3, -1).T if last else Y.reshape(-1, 3)
    np.testing.assert_allclose(Y, np.exp(X) * numbers + 3.0 * numbers[::-1], rtol=1e-14)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 100])
def test_points_that_fill_no_block(count):
    """They run with the last point in the places that are left; what lies beside the results stays as it is."""
    jac = sad.jacobian(heavy, np.ones(4), 1.0, np.ones(2))
    x, p = RNG.random((count, 4)) + 0.1, RNG.random(count)
    expected = [jac.values(*at, np.ones(2)) for at in zip(x, p, strict=True)]
    room = np.full((count + 2, jac.pattern.nnz), 7.0)
    assert jac.batch(x, p, np.ones(2), out=room[1:-1]).base is room
    np.testing.assert_array_equal(room[1:-1], expected)
    assert (room[[0, -1]] == 7.0).all()
    np.testing.assert_array_equal(jac.batch(x.T, p, np.ones(2), axis=-1).T, expected)


def test_long_sums_differ_by_rounding_alone():
    """A single call adds up a loop in several partial sums."""
    n = 60
    jac = sad.jacobian(lambda x: x[:3] * np.sum(np.exp(x) * np.cos(x)), np.ones(n))
    X = RNG.random((20, n))
    np.testing.assert_allclose(jac.batch(X), [jac.values(x) for x in X], rtol=1e-14)


def test_a_failing_point_is_alone():
    """Poles and NaN of one point stay in its own lane, also in a block that repeats the last point."""
    jac = sad.jacobian(lambda x: np.sqrt(x) / x[::-1], np.ones(4))
    X = RNG.random((21, 4)) + 0.5
    good = jac.batch(X)
    X[20], X[3, 1] = np.nan, 0.0
    with np.errstate(all="ignore"):
        found = jac.batch(X)
    others = np.setdiff1d(np.arange(21), [3, 20])
    np.testing.assert_array_equal(found[others], good[others])
    assert np.isnan(found[20]).all()
    assert not np.isfinite(found[3]).all()


def test_arguments_after_a_container_have_points_of_their_own():
    def f(x, rates, p, n, q):
        return rates["a"] * p * x**n + rates["b"] * q

    rates, x, p, q = {"a": 2.0, "b": 1.0}, RNG.random((4, 3)), RNG.random(4), RNG.random((4, 3))
    jac = sad.jacobian(f, np.ones(3), rates, 1.0, 2, np.ones(3))
    found = jac.batch(x, rates, p, 2, q)
    np.testing.assert_allclose(found, 4.0 * p[:, None] * x, rtol=1e-15)
    np.testing.assert_allclose(jac.value_batch(x, rates, p, 2, q), 2.0 * p[:, None] * x**2 + q, rtol=1e-15)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_equal_long_loops_are_all_run(mode, last):
    def f(x):
        y = x
        for _ in range(4):  # each step is some fifty lines of code, which single calls share
            a, b, c = y + 0.1, np.roll(y, 1), np.roll(y, 2)
            for _ in range(4):
                a, b, c = a * b + np.sin(c), b * c + np.cos(a) * a, c * a / (1.0 + b * b)
            y = a + np.roll(b * c, 1)
        return y

    jac, x = sad.jacobian(f, np.ones(6), mode=mode), RNG.random((5, 6)) / 4.0
    assert any(sweep.source.functions[0].procedures for sweep in jac._matrix_batch.sweeps())
    found = jac.batch(layout(x, last), axis=-1 if last else 0)
    expected = np.stack([jac.values(one) for one in x])
    np.testing.assert_array_equal(np.moveaxis(found, -1 if last else 0, 0), expected)


def test_numbers_point_by_point_where_python_takes_part():
    twice = extend.operation(lambda x: 2.0 * x, jvp=lambda operands, tangents: 2.0 * tangents[0], name="twice")
    jac, x = sad.jacobian(lambda x: np.sum(twice(x) ** 3), np.ones(3)), RNG.random((4, 3))
    np.testing.assert_allclose(jac.value_batch(x), 8.0 * np.sum(x**3, axis=1), rtol=1e-14)
    np.testing.assert_allclose(jac.batch(x), 24.0 * x**2, rtol=1e-14)
    np.testing.assert_allclose(jac.value_batch(np.ascontiguousarray(x.T), axis=-1), jac.value_batch(x), rtol=0)


@pytest.mark.parametrize("backend", ["llvm", "python"])
def test_what_is_stored_past_the_caches_is_the_same(backend, monkeypatch):
    """Results of more bytes than the caches take: long tiles, and what is left of them."""
    n = turning.LONG_TILE // 2 + 8
    jac = sad.jacobian(lambda x: np.exp(np.sin(x) * x) + np.exp(np.cos(np.roll(x, 1))), np.ones(n), backend=backend)
    x = RNG.random((17, n))
    expected = jac.batch(x)
    monkeypatch.setattr(turning, "MUCH", 0)
    monkeypatch.setattr(lanes, "WORTH", 0)
    past = sad.jacobian(jac.recipe.function, np.ones(n), backend=backend)
    np.testing.assert_array_equal(past.batch(x), expected)
    assert PAST in past._matrix_batch._sweep(frozenset(["x"]), False)[0].source.text
    np.testing.assert_array_equal(expected, [jac.values(point) for point in x])


def test_arrays_are_turned_in_their_order():
    """Equal code is kept once, on disk too, whatever the order of Python's sets in a process."""
    source, names = Source("f", of_points=True), [f"x{k}" for k in range(10)]
    for name in ("y", *names):
        source.array(name)
    with source.block("for i in range(90):"):
        source.write(f"y[i] = {' + '.join(f'exp(exp({name}[i]))' for name in names)}")
    found, _ = lanes.in_lanes("f_of_points", [(source, {})], Layout(dict.fromkeys(["y", *names], 90), last=False))
    turned = [array for array in found.arrays if array.startswith("block_")]
    assert turned == [f"block_{name}" for name in (*names, "y")]
