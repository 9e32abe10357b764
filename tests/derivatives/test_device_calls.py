"""How calls on a device get at their arguments: put there once, captured, on several streams; against the CPU."""

from __future__ import annotations

import gc
import threading
import weakref
from dataclasses import dataclass

import numpy as np
import pytest

import sparsead as sad
from sparsead.errors import InputError
from sparsead.problems import PROBLEMS
from tests.derivatives import fake_cupy
from tests.derivatives.test_device import X, coupled, energy
from tests.emit.grid_on_cpu import COMPILER

pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C++ compiler")


@pytest.fixture
def cupy(monkeypatch):
    return fake_cupy.installed(monkeypatch)


@dataclass
class Mesh:
    ends: np.ndarray
    weights: np.ndarray
    load: float


def forces(u, mesh):
    first, second = mesh.ends
    stretch = mesh.weights * (u[second] - u[first]) ** 3
    total = np.zeros_like(u)
    np.add.at(total, second, stretch)
    np.add.at(total, first, -stretch)
    return total - mesh.load * u**2


def mesh_of(load):
    ends = np.stack([np.arange(30), np.random.default_rng(0).permutation(30)])
    return Mesh(ends, np.linspace(1.0, 2.0, 30), load)


U = np.sin(np.arange(30.0))


def test_what_is_of_the_host_is_copied_when_it_has_changed(cupy):
    mesh = mesh_of(0.5)
    host, jac = sad.jacobian(forces, U, mesh), sad.jacobian(forces, U, mesh, device="cuda")
    u = cupy.asarray(U)
    data = jac.values(u, mesh)
    before = fake_cupy.calls["copied"]
    for _ in range(3):
        jac.values(u, mesh, out=data)
    assert fake_cupy.calls["copied"] == before
    mesh.weights *= 2.0  # in place: the object is the same
    jac.values(u, mesh, out=data)
    assert fake_cupy.calls["copied"] == before + 1
    np.testing.assert_array_equal(data, host.values(U, mesh))
    mesh.load = -0.0
    np.testing.assert_array_equal(jac.values(u, mesh), host.values(U, mesh))


def test_zeros_of_another_sign_and_nan_are_other_numbers(cupy):
    jac = sad.jacobian(lambda x, p: x * np.copysign(x, p), np.ones(3), 1.0, device="cuda")
    x = cupy.asarray(np.ones(3))
    for p, slope in ((0.0, 2.0), (-0.0, -2.0), (0.0, 2.0)):
        np.testing.assert_array_equal(jac.values(x, p), np.full(3, slope))


def test_what_was_put_there_is_not_looked_at_again(cupy):
    mesh = mesh_of(0.5)
    host, jac = sad.jacobian(forces, U, mesh), sad.jacobian(forces, U, mesh, device="cuda")
    expected = host.values(U, mesh)
    u, there = jac.put(U, mesh)
    mesh.weights *= 2.0
    before = dict(fake_cupy.calls)
    data = jac.values(u, there)
    assert fake_cupy.calls["copied"] == before["copied"]
    np.testing.assert_array_equal(data, expected)
    assert jac.put(u, there) == (u, there) or jac.put(u, there)[1] is there
    other = sad.jacobian(forces, U, mesh, device="cuda")
    with pytest.raises(InputError, match="for another derivative"):
        other.values(u, there)
    assert "Mesh" in repr(there)


def test_fixed_parts_are_compared_when_they_are_put(cupy):
    jac = sad.jacobian(forces, U, mesh_of(0.5), device="cuda")
    with pytest.raises(InputError, match="was fixed when"):
        jac.put(U, Mesh(mesh_of(0.5).ends[::-1].copy(), np.ones(30), 1.0))
    with pytest.raises(InputError, match="expected 2 arguments"):
        jac.put(U)


def test_a_graph_reads_what_its_arguments_hold(cupy):
    host, jac = (sad.jacobian(coupled, X, 0.5, **options) for options in ({}, {"device": "cuda"}))
    x, p = cupy.asarray(X), cupy.asarray(0.5)
    graph = jac.graph(x, p)
    assert graph.x is x and graph.args == (p,)
    for shift in (0.0, 0.2):
        x[...] = X + shift
        p[...] = 0.5 + shift
        before = dict(fake_cupy.calls)
        J = graph.launch()
        assert J is graph.out and fake_cupy.calls["allocated"] == before["allocated"]
        np.testing.assert_allclose(J.data, host.values(X + shift, 0.5 + shift), rtol=1e-14)
    v = np.cos(X)
    for of, args, expected in (
        ("value", (X, 0.5), host.value(X, 0.5)),
        ("jvp", (X, v, 0.5), host.jvp(X, v, 0.5)),
        ("vjp", (X, v, 0.5), host.vjp(X, v, 0.5)),
        ("values", (X, 0.5), host.values(X, 0.5)),
    ):
        graph = jac.graph(*args, of=of)
        graph.out[...] = np.nan
        np.testing.assert_allclose(graph(), expected, rtol=1e-13)
        assert "CUDA graph" in repr(graph)
    _, J = jac.graph(X, 0.5, of="value_and_jacobian")()
    np.testing.assert_allclose(J.data, host.values(X, 0.5), rtol=1e-14)


def test_graphs_of_what_belongs_to_the_caller(cupy):
    hess = sad.hessian(energy, X, 1.0, device="cuda")
    host = sad.hessian(energy, X, 1.0)
    x, p = cupy.asarray(X), cupy.asarray(2.0)
    g = cupy.empty(X.shape)
    graph = hess.graph(x, p, of="gradient", out=g)
    g[...] = 0.0
    assert graph.launch() is g
    np.testing.assert_allclose(g, host.gradient(X, 2.0), rtol=1e-13)
    grad = sad.gradient(energy, X, 1.0, device="cuda").graph(x, 2.0)
    np.testing.assert_allclose(grad(), host.gradient(X, 2.0), rtol=1e-13)
    grad.x[...] = X + 0.1
    np.testing.assert_allclose(grad(), host.gradient(X + 0.1, 2.0), rtol=1e-13)


def test_value_gradient_and_hessian_into_what_was_there(cupy):
    hess, host = sad.hessian(energy, X, 1.0, device="cuda"), sad.hessian(energy, X, 1.0)
    x, p = cupy.asarray(X), cupy.asarray(2.0)
    out = hess.value_gradient_and_hessian(x, p)
    graph, before = hess.graph(x, p, of="value_gradient_and_hessian"), dict(fake_cupy.calls)
    for result in (hess.value_gradient_and_hessian(x, p, out=out), graph.launch()):
        value, gradient, H = host.value_gradient_and_hessian(X, 2.0)
        np.testing.assert_allclose(result[0], value, rtol=1e-14)
        np.testing.assert_allclose(result[1], gradient, rtol=1e-13)
        np.testing.assert_allclose(result[2].data, H.data, rtol=1e-13)
    assert fake_cupy.calls == before | {"launches": fake_cupy.calls["launches"]}
    with pytest.raises(InputError, match=r"\(value, gradient, Hessian\)"):
        hess.value_gradient_and_hessian(x, p, out=out[1:])


def test_graphs_that_would_read_a_copy_are_refused(cupy):
    jac = sad.jacobian(coupled, X, 0.5, device="cuda")
    narrow, strided = cupy.asarray(X.astype("f4")), cupy.asarray(np.repeat(X, 2))[::2]
    for x in (narrow, strided):
        jac.values(x, 0.5)
        with pytest.raises(InputError, match="would read a copy"):
            jac.graph(x, 0.5)
    with pytest.raises(InputError, match="no call that a graph can have"):
        jac.graph(X, 0.5, of="prepared")
    with pytest.raises(InputError, match="no call that a graph can have"):
        jac.graph(X, 0.5, of="gradient")


def test_what_a_capture_of_ones_own_cannot_hold_is_said(cupy):
    mesh = mesh_of(0.5)
    jac = sad.jacobian(forces, U, mesh, device="cuda")
    u, there = jac.put(U, mesh)
    data = jac.values(u, there)
    stream = cupy.cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        with pytest.raises(InputError, match=r"argument 1.weights is of the host.*jac.put"):
            jac.values(u, mesh, out=data)
        with pytest.raises(InputError, match="is capturing a graph already"):
            jac.graph(u, there)
        with pytest.raises(InputError, match="has to be converted"):
            jac.values(cupy.asarray(np.repeat(U, 2).view(fake_cupy.Array))[::2], there, out=data)
        jac.values(u, there, out=data)
        graph = stream.end_capture()
    data[...] = np.nan
    graph.launch()
    np.testing.assert_array_equal(data, sad.jacobian(forces, U, mesh).values(U, mesh))


def test_streams_and_threads_have_work_arrays_of_their_own(cupy):
    problem = PROBLEMS["burgers"](24)
    jac = sad.jacobian(problem.f, problem.x0, *problem.args, device="cuda")
    x, *args = jac.put(problem.x0, *problem.args)
    data = jac.values(x, *args)
    sweeps, seen = jac._sweeps("matrix"), []
    ((sizes, _),) = sweeps.plan.sweeps
    assert sizes, "there are work arrays"

    def work():
        """Return where the work arrays of this thread are, stream by stream."""
        names = [launch.arrays for launch in sweeps.plan.launches]
        return [
            {
                v
                for step, of in zip(s._steps, names, strict=True)
                for v, n in zip(step[3], of, strict=True)
                if n in sizes
            }
            for s in sweeps._local.steps.values()
        ]

    def elsewhere():
        np.testing.assert_array_equal(jac.values(x, *args), data)
        seen.extend(work())

    with cupy.cuda.Stream():
        np.testing.assert_array_equal(jac.values(x, *args), data)
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    first, second, third = *work(), *seen
    assert first and len(first) == len(second) == len(third) and not (first & second or first & third or second & third)


def test_another_device_is_refused(cupy):
    jac = sad.jacobian(coupled, X, 0.5, device="cuda")
    jac._sweeps("matrix")._on = lambda: 1
    with pytest.raises(InputError, match="on device 0, and the current device is 1"):
        jac.values(cupy.asarray(X), 0.5)


def test_operators_multiply_as_matrices_do(cupy):
    host, jac = (sad.jacobian(coupled, X, 0.5, **options) for options in ({}, {"device": "cuda"}))
    x, v = cupy.asarray(X), cupy.asarray(np.cos(X))
    operator, J = jac.linear_operator(x, 0.5), host(X, 0.5)
    x += 1.0  # the operator has its own
    np.testing.assert_allclose(operator.matvec(v), J @ v, rtol=1e-13)
    np.testing.assert_allclose(operator.rmatvec(v), J.T @ v, rtol=1e-13)
    assert operator.matvec(v.reshape(-1, 1)).shape == (40, 1)
    hess = sad.hessian(energy, X, 1.0, device="cuda").linear_operator(cupy.asarray(X), 2.0)
    H = sad.hessian(energy, X, 1.0)(X, 2.0)
    np.testing.assert_allclose(hess.matvec(v), H @ v, rtol=1e-13)
    np.testing.assert_allclose(hess.rmatvec(v), H @ v, rtol=1e-13)


def test_calls_on_the_same_arrays_again_and_again(cupy):
    """The third of equal calls is bound: to those arrays, whatever they contain, and nothing else."""
    mesh = mesh_of(0.5)
    host, jac = sad.jacobian(forces, U, mesh), sad.jacobian(forces, U, mesh, device="cuda")
    (u, there), out, other = jac.put(U, mesh), cupy.empty(host.nnz), cupy.empty(host.nnz)
    for k in range(5):
        u[...] = U + k
        out[...] = np.nan
        assert jac.values(u, there, out=out) is out
        np.testing.assert_array_equal(out, host.values(U + k, mesh))
    bound = jac._bound["matrix"]
    assert bound.is_of((u, there, out)) and not bound.is_of((u.copy(), there, out)) and not bound.is_of((u, there))
    np.testing.assert_array_equal(jac.values(cupy.asarray(U.copy()), there, out=out), host.values(U, mesh))
    assert jac.values(u, there, out=other) is other and np.isfinite(other).all()
    with pytest.raises(InputError, match="contiguous float64"):
        jac.values(u, there, out=out[1:])
    for _ in range(4):  # what is of the host may have changed
        mesh.weights *= 1.5
        np.testing.assert_array_equal(jac.values(u, mesh, out=out), host.values(u.get(), mesh))
    value, v = cupy.empty(U.shape), cupy.asarray(np.cos(U))
    product = cupy.empty(U.shape)
    for _ in range(4):
        u += 0.5
        J = host(u.get(), mesh)
        np.testing.assert_allclose(jac.value(u, mesh, out=value), forces(u.get(), mesh), rtol=1e-13)
        np.testing.assert_allclose(jac.jvp(u, v, mesh, out=product), J @ np.cos(U), rtol=1e-12)
        np.testing.assert_allclose(jac.vjp(u, v, mesh, out=product), J.T @ np.cos(U), rtol=1e-12)


def test_numbers_of_the_host_are_part_of_what_a_call_is_bound_to(cupy):
    host, jac = (sad.jacobian(coupled, X, 0.5, **options) for options in ({}, {"device": "cuda"}))
    x, out = cupy.asarray(X), cupy.empty(host.nnz)
    for p in (0.5, 0.5, 0.5, 0.75, 0.75, 0.75, 0.5, -0.0, 0.0, 0.5):
        np.testing.assert_allclose(jac.values(x, p, out=out), host.values(X, p), rtol=1e-14)
    number = np.array(0.5)
    for _ in range(4):
        number += 0.25
        np.testing.assert_allclose(jac.values(x, number, out=out), host.values(X, float(number)), rtol=1e-14)


def test_numbers_of_the_host_are_refused_in_a_capture_whatever_was_called_before(cupy):
    jac = sad.jacobian(coupled, X, 0.5, device="cuda")
    x, out = cupy.asarray(X), cupy.empty(jac.pattern.nnz)
    with cupy.cuda.Stream() as stream:
        for _ in range(4):
            jac.values(x, 0.5, out=out)
        stream.begin_capture()
        with pytest.raises(InputError, match="argument 1 is of the host"):
            jac.values(x, 0.5, out=out)
        stream.end_capture()


def test_what_a_call_is_bound_to_is_not_kept_alive(cupy):
    jac = sad.jacobian(coupled, X, 0.5, device="cuda")
    x, out = cupy.asarray(X), cupy.empty(jac.pattern.nnz)
    for _ in range(3):
        jac.values(x, 0.5, out=out)
    seen = weakref.ref(x), weakref.ref(out)
    assert jac._bound["matrix"] is not None
    del x, out
    gc.collect()
    assert [ref() for ref in seen] == [None, None]
