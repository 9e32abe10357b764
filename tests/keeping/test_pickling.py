"""Prepared objects in other processes: the same values there, or a refusal that says what to do."""

from __future__ import annotations

import copy
import multiprocessing
import pickle
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import scipy.interpolate

import sparsead as sad
from sparsead.kernels.fingerprint import fingerprint

X = np.linspace(0.3, 1.4, 20)
POINTS = [X * factor for factor in (0.5, 1.0, 1.5)]


def chain(x):
    return x[1:] ** 2 * x[:-1] + np.sin(x[:-1])


def scaled(x, factor, power):
    return factor * x[1:] ** power * x[:-1]


def energy(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def branching(x):
    return x**2 if x[0] > 0.0 else -x


def closure(factor):
    return lambda x: factor * chain(x)


def again(prepared):
    return pickle.loads(pickle.dumps(prepared))


def same(a, b):
    np.testing.assert_array_equal(a.data, b.data)
    np.testing.assert_array_equal(a.indices, b.indices)
    np.testing.assert_array_equal(a.indptr, b.indptr)


@pytest.mark.parametrize("f", [chain, closure(2.0)], ids=["importable", "closure"])
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_a_jacobian_is_the_same_in_another_process(f, mode):
    jac = sad.jacobian(f, X, mode=mode)
    other = again(jac)
    same(other(X), jac(X))
    assert (other.mode, other.passes, repr(other)) == (jac.mode, jac.passes, repr(jac))
    np.testing.assert_array_equal(other.vjp(X, np.ones(19)), jac.vjp(X, np.ones(19)))
    same(again(other)(X), jac(X))


@pytest.mark.parametrize("f", [energy, lambda x: energy(x) ** 2], ids=["importable", "closure"])
@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_a_hessian_is_the_same_in_another_process(f, mode):
    hess = sad.hessian(f, X, mode=mode)
    other = again(hess)
    same(other(X), hess(X))
    assert (other.mode, other.passes) == (hess.mode, hess.passes)


def test_arguments_options_and_given_patterns():
    pattern = np.ones((19, 20))
    jac = sad.jacobian(scaled, X, 2.0, 3, pattern=pattern, mode="forward", order=lambda graph: np.arange(20))
    other = again(jac)
    assert other.passes == jac.passes == {"jvp": 20, "vjp": 0}
    same(other(X, 5.0, 3), jac(X, 5.0, 3))
    with pytest.raises(sad.InputError, match="was fixed"):
        other(X, 5.0, 4)
    by_second = sad.jacobian(lambda a, x: a * chain(x), 2.0, X, argnum=1)
    same(again(by_second)(3.0, X), by_second(3.0, X))


def test_the_other_prepared_objects():
    grad = sad.gradient(energy, X)
    np.testing.assert_array_equal(again(grad)(X), grad(X))
    lag = sad.lagrangian_hessian(energy, chain, X)
    same(again(lag)(X, np.ones(19), sigma=0.5), lag(X, np.ones(19), sigma=0.5))
    differences = sad.jacobian(closure(3.0), X, method="complex-step")
    same(again(differences)(X), differences(X))
    assert str(again(differences)) == str(differences)
    with pytest.raises(ValueError, match="read-only"):
        again(differences)(X).indices[0] = 3


def test_guarded_keeps_its_branch_and_finds_others():
    guarded = sad.jacobian(branching, X, guard="record")
    guarded(-X)
    other = again(guarded)
    same(other(-X), guarded(-X))
    assert other.preparations == 1
    same(other(X), guarded(X))
    assert other.preparations == 2


def test_a_copy_is_the_object_itself():
    jac = sad.jacobian(chain, X)
    assert copy.deepcopy({"of a model": jac})["of a model"] is jac


class Model:
    """Holds a derivative of a method of its own."""

    def __init__(self, rate):
        self.rate = rate
        self.jac = sad.jacobian(self.f, X)

    def f(self, x):
        return self.rate * x**2


def test_derivative_of_a_method_that_its_object_holds():
    """The object is not whole yet when its derivative is unpickled."""
    model = Model(2.0)
    same(again(model).jac(X), model.jac(X))
    same(again(model.jac)(X), model.jac(X))


def test_first_use_from_several_threads():
    other = again(sad.jacobian(chain, X))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda x: other(x).data, POINTS * 4))
    for x, data in zip(POINTS * 4, found, strict=True):
        np.testing.assert_array_equal(data, other(x).data)


def test_a_global_next_to_its_function(monkeypatch):
    """Tracing looks at what is around the function, the unpickled derivative among it."""
    jac = sad.jacobian(chain, X)
    monkeypatch.setitem(globals(), "restored", again(jac))
    same(globals()["restored"](X), jac(X))
    monkeypatch.setitem(globals(), "untouched", again(jac))
    sad.jacobian(energy, X)
    assert "_sent" in globals()["untouched"].__dict__  # it still waits for its first use


def test_attributes_that_do_not_exist_are_still_errors():
    for prepared in (sad.jacobian(chain, X), again(sad.jacobian(chain, X)), sad.gradient(energy, X)):
        assert not hasattr(prepared, "no_such_attribute")
        assert not hasattr(prepared, "__array__")


# -- refusals -----------------------------------------------------------------------------------------------------


def test_closures_without_cloudpickle_are_refused(monkeypatch):
    jac = sad.jacobian(closure(2.0), X)
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    with pytest.raises(pickle.PicklingError, match="install cloudpickle, or define the function at the top level"):
        pickle.dumps(jac)
    same(again(sad.jacobian(chain, X))(X), sad.jacobian(chain, X)(X))  # not needed here


def test_functions_that_hold_what_cannot_travel_are_refused():
    lock = threading.Lock()

    def locked(x):
        with lock:
            return x**2

    with pytest.raises(pickle.PicklingError, match="cloudpickle cannot send it either"):
        pickle.dumps(sad.jacobian(locked, X))


RATE = [1.0]


def with_global(x):
    return RATE[0] * x**2


def test_function_that_changed_in_between_is_refused(monkeypatch):
    sent = pickle.dumps(sad.jacobian(with_global, X))
    monkeypatch.setattr(sys.modules[__name__], "RATE", [2.0])
    with pytest.raises(sad.InputError, match="with_global computes something else in this process"):
        pickle.loads(sent)(X)
    monkeypatch.undo()
    same(pickle.loads(sent)(X), sad.jacobian(with_global, X)(X))


# -- workers ------------------------------------------------------------------------------------------------------


def evaluated_at(job):
    prepared, x = job
    return prepared(x).data


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_multiprocessing(method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"this system has no {method}")
    objects = [sad.jacobian(chain, X), sad.jacobian(closure(2.0), X, mode="forward"), sad.hessian(energy, X)]
    jobs = [(prepared, x) for prepared in objects for x in POINTS]
    with multiprocessing.get_context(method).Pool(2) as pool:
        for job, data in zip(jobs, pool.map(evaluated_at, jobs), strict=True):
            np.testing.assert_array_equal(data, evaluated_at(job))


def test_a_forked_child_uses_what_its_parent_prepared():
    """Compiled code and work arrays are inherited, nothing is pickled; the parent goes on meanwhile."""
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this system has no fork")
    context = multiprocessing.get_context("fork")
    jac, hess = sad.jacobian(closure(2.0), X, mode="forward"), sad.hessian(energy, X, mode="acyclic")
    expected = [(jac(x).data, hess(x).data) for x in POINTS]
    queue = context.SimpleQueue()
    child = context.Process(target=lambda: queue.put([(jac(x).data, hess(x).data) for x in POINTS]))
    child.start()
    mine, theirs = [(jac(x).data, hess(x).data) for x in POINTS], queue.get()
    child.join(60)
    np.testing.assert_equal(mine, expected)
    np.testing.assert_equal(theirs, expected)


def test_workers_of_joblib():
    joblib = pytest.importorskip("joblib", reason="joblib is not installed")
    jac = sad.jacobian(closure(2.0), X)
    found = joblib.Parallel(n_jobs=2)(joblib.delayed(evaluated_at)((jac, x)) for x in POINTS)
    for x, data in zip(POINTS, found, strict=True):
        np.testing.assert_array_equal(data, jac(x).data)


def test_workers_of_dask():
    dask = pytest.importorskip("dask", reason="dask is not installed")
    jac = sad.jacobian(closure(2.0), X)
    jobs = [dask.delayed(evaluated_at)((jac, x)) for x in POINTS]
    found = dask.compute(*jobs, scheduler="processes", num_workers=2)
    for x, data in zip(POINTS, found, strict=True):
        np.testing.assert_array_equal(data, jac(x).data)


def test_a_table_that_has_changed_is_noticed():
    """Only the numbers of an interpolator differ: the hash of what was traced differs too."""
    places = np.linspace(0.0, 1.0, 5)
    marks = {
        fingerprint(sad.jacobian(lambda x, table=table: table(x) * x, np.ones(2)).kernels)
        for table in (
            scipy.interpolate.CubicSpline(places, places**2),
            scipy.interpolate.CubicSpline(places, places**3),
            scipy.interpolate.interp1d(places, places**2, kind="nearest"),
            scipy.interpolate.interp1d(places, places**3, kind="nearest"),
            scipy.interpolate.interp1d(places, places**3, kind="nearest", fill_value="extrapolate"),
        )
    }
    assert len(marks) == 5
