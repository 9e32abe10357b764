"""Several threads, inside one evaluation or around it: the same results as with one."""

from __future__ import annotations

import ast
import contextlib
import gc
import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.sparse

import sparsead as sad
from sparsead.emit import nest
from sparsead.emit.parsing import parse
from sparsead.problems import PROBLEMS

A = scipy.sparse.random_array((400, 400), density=0.01, random_state=np.random.default_rng(0), format="csr")
POINTS = np.random.default_rng(1).uniform(0.1, 1.0, (24, 400))


def layered(x):
    return np.exp(A @ np.sin(A @ x)) * x


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_jacobians_from_several_threads(mode):
    jac = sad.jacobian(layered, POINTS[0], mode=mode)
    alone = [jac(x).data for x in POINTS]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: jac(x).data, POINTS))
        products = list(pool.map(lambda x: jac.jvp(x, x), POINTS))
    for one, other, x, product in zip(alone, together, POINTS, products, strict=True):
        np.testing.assert_array_equal(one, other)
        np.testing.assert_array_equal(product, jac.jvp(x, x))


def test_preparations_from_several_threads():
    def prepared(k):
        return sad.jacobian(lambda x: layered(x) * k, POINTS[0])(POINTS[1]).data

    alone = [prepared(k) for k in range(1, 7)]
    with ThreadPoolExecutor(3) as pool:
        together = list(pool.map(prepared, range(1, 7)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_code_is_parsed_in_several_threads():
    """Before Python 3.13 the standard parser counts its depth for all threads together; where one thread hands over
    while it builds a tree, as finalizers do that the garbage collector runs, it fails."""
    text = "def f(x):\n" + "    y[0] = x[1] * (x[2] + x[3]) - x[4]\n" * 20
    threshold, others_end = gc.get_threshold(), threading.Event()

    def hand_over(phase, info):
        time.sleep(1e-5)

    def others():
        while not others_end.is_set():
            with contextlib.suppress(SystemError):  # theirs fails, and that is Python's own
                ast.parse("x = [1 + 2, (3, 4)]")

    gc.callbacks.append(hand_over)
    gc.set_threshold(100)
    try:
        with ThreadPoolExecutor(4) as pool:
            pool.submit(others)
            try:
                trees = list(pool.map(lambda _: ast.dump(parse(text)), range(4)))
            finally:
                others_end.set()
    finally:
        gc.callbacks.remove(hand_over)
        gc.set_threshold(*threshold)
    assert set(trees) == {ast.dump(parse(text))}


@pytest.fixture
def divided(monkeypatch):
    """Divide every loop that threads may share, however small."""
    monkeypatch.setattr(nest, "LARGE", 1)


def everything(prepared, problem):
    """Return all that a prepared object computes."""
    x, args = problem.x0, problem.args
    if problem.derivative == "hessian":
        return [prepared(x, *args).data, prepared.gradient(x, *args), prepared.hvp(x, x.ravel(), *args)]
    n, m = x.size, prepared.shape[0]
    values = prepared.value_and_jacobian(x, *args)
    return [values[0], values[1].data, prepared.jvp(x, np.ones(n), *args), prepared.vjp(x, np.ones(m), *args)]


CASES = [
    *(("brusselator", 6, mode) for mode in ("direct", "forward", "reverse")),
    *(("cavity", 7, mode) for mode in ("direct", "forward", "reverse", "bidirectional")),
    *(("minimal-surface", 6, mode) for mode in ("direct", "star", "acyclic")),
    ("rosenbrock", 40, "direct"),
]


@pytest.mark.parametrize("backend", ["llvm", "python"])
@pytest.mark.parametrize(("name", "size", "mode"), CASES)
def test_values_do_not_depend_on_the_number_of_threads(divided, name, size, mode, backend):
    problem = PROBLEMS[name](size)
    prepare = sad.jacobian if problem.derivative == "jacobian" else sad.hessian
    one, *others = (
        prepare(problem.f, problem.x0, *problem.args, mode=mode, threads=threads, backend=backend) for threads in (1, 3)
    )
    expected = everything(one, problem)
    for other in others:
        for a, b in zip(expected, everything(other, problem), strict=True):
            np.testing.assert_array_equal(a, b)


def test_numba_too(divided):
    problem = PROBLEMS["brusselator"](6)
    one, two = (sad.jacobian(problem.f, problem.x0, 0.02, threads=k, backend="numba") for k in (1, 2))
    assert "part[0]" in two.source
    np.testing.assert_array_equal(one(problem.x0, 0.02).data, two(problem.x0, 0.02).data)


@pytest.mark.parametrize("mode", ["direct", "forward"])
def test_divided_loops_compute_what_undivided_loops_do(mode, monkeypatch):
    problem = PROBLEMS["brusselator"](8)
    plain = everything(sad.jacobian(problem.f, problem.x0, *problem.args, mode=mode), problem)
    monkeypatch.setattr(nest, "LARGE", 1)
    prepared = sad.jacobian(problem.f, problem.x0, *problem.args, mode=mode, threads=3)
    for a, b in zip(plain, everything(prepared, problem), strict=True):
        np.testing.assert_array_equal(a, b)


def test_threads_inside_and_outside(divided):
    jac = sad.jacobian(layered, POINTS[0], mode="forward", threads=3)
    alone = [jac(x).data for x in POINTS]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda x: jac(x).data, POINTS))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)


def test_large_loops_are_divided_and_small_ones_are_not():
    large, small = (sad.jacobian(PROBLEMS["brusselator"](n).f, PROBLEMS["brusselator"](n).x0, 0.02) for n in (256, 16))
    assert "part[0]" in large.source
    assert "part[0]" not in small.source


def _summed(queue):
    """Prepare and evaluate with threads, in a process of its own."""
    queue.put(_sum_with_threads())


def _sum_with_threads():
    problem = PROBLEMS["brusselator"](200)  # large enough to be divided
    prepared = sad.jacobian(problem.f, problem.x0, *problem.args, threads=2)
    assert "part[0]" in prepared.source
    return float(prepared(problem.x0, *problem.args).data.sum())


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_a_child_process(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system cannot start processes by {method}")
    expected = _sum_with_threads()  # the pool of this process is running
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_summed, args=(queue,))
    child.start()
    assert queue.get(timeout=120) == expected
    child.join(timeout=60)
    assert child.exitcode == 0


@pytest.mark.parametrize("threads", [0, -1, 1.5, "2", True, 10**6])
def test_numbers_of_threads_that_make_no_sense(threads):
    with pytest.raises(sad.InputError, match="threads must be a number from 1 to"):
        sad.jacobian(layered, POINTS[0], threads=threads)
