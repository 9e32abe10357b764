"""x as several arrays: compiled code reads each where it is, and finds what it finds in the vector of all."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import sparsead as sad
from sparsead.derivatives.fast_calls import never

X, Q, R = np.array([1.0, 0.5, 2.0, 0.25]), np.array([2.0, 0.5, 1.0]), np.array([0.1, 0.2, 0.3])


def f(x, q, r):
    return x[:3] * q**2 + np.roll(r, 1) * x[1:] ** 3 + np.exp(q[::-1] * r[0])


def by_hand(x, q, r):
    """The derivatives with respect to each argument."""
    e = np.exp(q[::-1] * r[0])
    of_x = np.c_[np.diag(q**2), np.zeros(3)] + np.c_[np.zeros(3), np.diag(3.0 * np.roll(r, 1) * x[1:] ** 2)]
    of_r = np.roll(np.diag(x[1:] ** 3), -1, axis=1)
    of_r[:, 0] += q[::-1] * e
    return of_x, np.diag(2.0 * x[:3] * q) + np.fliplr(np.diag(r[0] * e)), of_r


def energy(state):
    return np.sum(state["u"] ** 2 * np.roll(state["v"], 1)) * state["k"] + state["k"] ** 3


STATE = {"u": np.array([0.4, 0.9, 1.3]), "k": 0.3, "v": np.array([0.7, 0.2, 0.5])}
OTHER = {"u": np.array([0.1, -0.9, 3.0]), "k": 1.5, "v": np.array([-0.7, 2.0, 0.25])}


@pytest.mark.parametrize("argnum", [(0, 1), (1, 0), (0, "r"), ("r", 1, 0)])
@pytest.mark.parametrize("mode", ["direct", "forward", "reverse"])
def test_several_arguments_are_read_by_machine_code(argnum, mode):
    jac, point = sad.jacobian(f, X, Q, R, argnum=argnum, mode=mode), (2.0 * X, Q + 0.1, -R)
    data = np.empty(jac.nnz)
    assert jac._fast(*point, data) is True
    general = np.empty(jac.nnz)
    jac._assembly.fill(general, jac._inputs(point))
    np.testing.assert_array_equal(data, general)
    places = [("x", "q", "r").index(k) if isinstance(k, str) else k for k in argnum]
    wanted = np.hstack([by_hand(*point)[k] for k in places])
    np.testing.assert_allclose(jac(*point).toarray(), wanted, rtol=1e-13, atol=1e-15)
    y, J = jac.value_and_jacobian(*point)
    np.testing.assert_allclose(y, f(*point), rtol=1e-14)
    np.testing.assert_array_equal(J.data, data)
    np.testing.assert_array_equal(jac.value(*point), y)


def test_trees_give_what_the_vector_gives():
    packed, unpack = sad.pack(OTHER), lambda z: {"u": z[:3], "k": z[3], "v": z[4:]}
    made, of_vector = sad.hessian(energy, STATE), sad.hessian(lambda z: energy(unpack(z)), packed)
    assert made._fast(OTHER, np.empty(made.nnz)) is True
    np.testing.assert_array_equal(made(OTHER).toarray(), of_vector(packed).toarray())
    value, gradient, H = made.value_gradient_and_hessian(OTHER)
    for found in (gradient, made.gradient(OTHER), sad.gradient(energy, STATE)(OTHER)):
        assert list(found) == ["u", "k", "v"] and found["u"].shape == (3,) and isinstance(found["k"], float)
        np.testing.assert_array_equal(sad.pack(found), of_vector.gradient(packed))
    assert value == made.value(OTHER) == of_vector.value(packed)
    np.testing.assert_array_equal(H.data, made.values(OTHER))
    np.testing.assert_array_equal(made.hvp(OTHER, packed), of_vector.hvp(packed, packed))


def rates(state):
    return {"du": state["v"] * state["u"], "total": np.sum(state["u"]) * state["k"]}


def test_results_that_are_containers_are_written_by_machine_code_and_built_again():
    jac = sad.jacobian(rates, STATE)
    assert jac._fast_value is not never and jac._fast_both is not never
    for found in (jac.value(OTHER), jac.value_and_jacobian(OTHER)[0]):
        np.testing.assert_array_equal(found["du"], rates(OTHER)["du"])
        np.testing.assert_allclose(found["total"], rates(OTHER)["total"], rtol=1e-15)
    room = np.empty(4)
    np.testing.assert_array_equal(jac.value(OTHER, out=room)["du"], room[:3])


def test_what_is_read_across_arrays_is_read_from_the_vector_of_all():
    chosen = np.array([[5, 0, 3], [2, 4, 1]])

    def mixed(u, v):
        return np.concatenate([u, v])[chosen] ** 2 * u[0]

    jac, (u, v) = sad.jacobian(mixed, X[:3], Q, argnum=(0, 1)), (R, X[1:])
    both = np.concatenate([u, v])
    wanted = np.zeros((6, 6))
    wanted[np.arange(6), chosen.ravel()] = 2.0 * both[chosen.ravel()] * u[0]
    wanted[:, 0] += both[chosen.ravel()] ** 2
    np.testing.assert_allclose(jac(u, v).toarray(), wanted, rtol=1e-14)


@pytest.mark.parametrize("options", [{}, {"backend": "python"}, {"backend": "numba"}, {"threads": 2}])
def test_prepared_calls_read_every_array_again(options):
    x, q, r = X.copy(), Q.copy(), R.copy()
    jac = sad.jacobian(f, x, q, r, argnum=(0, "r"), **options)
    data = np.empty(jac.nnz)
    call = jac.prepared_call(x, q, r, out=data)
    for factor in (1.0, -2.0):
        x *= factor
        q += factor
        r *= factor
        call()
        of_x, _, of_r = by_hand(x, q, r)
        np.testing.assert_allclose(jac.structure.matrix(data).toarray(), np.hstack([of_x, of_r]), rtol=1e-13)


def test_prepared_calls_of_containers_read_their_arrays_again():
    state = {"u": X[:3].copy(), "v": Q.copy()}
    jac = sad.jacobian(lambda s: s["u"] * s["v"] ** 2, state)
    data = np.empty(jac.nnz)
    call = jac.prepared_call(state, out=data)
    state["u"][:], state["v"][:] = 3.0, 2.0
    call()
    np.testing.assert_array_equal(jac.structure.matrix(data).toarray(), np.c_[4.0 * np.eye(3), 12.0 * np.eye(3)])
    with pytest.raises(sad.InputError, match=r"contiguous float64"):
        sad.hessian(energy, STATE).prepared_call(STATE, out=np.empty(9))  # a number cannot be read again


def test_a_call_whose_arrays_are_not_plain_goes_the_general_way():
    jac, wide = sad.jacobian(f, X, Q, R, argnum=(0, 1)), np.zeros((3, 2))
    wide[:, 1] = Q
    for q in (wide[:, 1], Q.astype(np.float32), list(Q)):
        np.testing.assert_array_equal(jac(X, q, R).toarray(), jac(X, Q, R).toarray())
    with pytest.raises(sad.InputError, match="argument 1 has shape"):
        jac(X, X, R)
    wanted, both = jac.values(X, Q, R), np.concatenate([Q, np.empty(jac.nnz)])
    out = both[1 : 1 + jac.nnz]  # where q is
    np.testing.assert_array_equal(jac.values(X, both[:3], R, out=out), wanted)


def test_functions_of_c_take_the_vector():
    jac, z = sad.jacobian(f, X, Q, R, argnum=(0, "r")), np.concatenate([X, R])
    values, y = np.empty(jac.nnz), np.empty(3)
    function = jac.c_function()
    assert function.signature.startswith("void values(const double *x, const double *arg1, double *values); /* x[7]")
    function.ctypes(z.ctypes, Q.ctypes, values.ctypes)
    np.testing.assert_array_equal(values, jac.values(X, Q, R))
    jac.c_function("value").ctypes(z.ctypes, Q.ctypes, y.ctypes)
    np.testing.assert_array_equal(y, jac.value(X, Q, R))


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_exported_code_takes_the_vector(tmp_path):
    from tests.derivatives.test_export import Compiled

    jac, z = sad.jacobian(f, X, Q, R, argnum=(0, "r")), np.concatenate([X, R])
    values = np.empty(jac.nnz)
    Compiled(jac, tmp_path)("jacobian", z, Q, values)
    np.testing.assert_allclose(values, jac.values(X, Q, R), rtol=1e-13)


def test_of_very_many_leaves_the_vector_is_read():
    leaves = [np.full(2, float(k)) for k in range(100)]
    jac = sad.jacobian(lambda s: sum(leaf * leaf for leaf in s), leaves)
    found = jac(leaves).toarray()
    np.testing.assert_array_equal(found, np.hstack([2.0 * k * np.eye(2) for k in range(100)]))
