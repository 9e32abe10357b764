"""Calls that machine code takes: the same numbers as the general way, and nothing taken that is not plain."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp

import sparsead as sad
from sparsead.derivatives.fast_calls import never

X = np.array([1.0, 0.5, 2.0, 0.25])


def f(x, p, q):
    return np.stack([np.exp(p * x[0]) * x[3], x[1] * q[0] - x[2] ** 2, x[0] / x[1] + q[1] * x[3]])


def by_hand(x, p, q):
    e = np.exp(p * x[0])
    return np.array([[p * e * x[3], 0, 0, e], [0, q[0], -2 * x[2], 0], [1 / x[1], -x[0] / x[1] ** 2, 0, q[1]]])


def energy(x, p):
    return np.sum(x[1:] * x[:-1] ** 2) * p + x[0] ** 3


Q = np.array([3.0, -1.0])


@pytest.fixture(scope="module")
def jac():
    return sad.jacobian(f, X, 0.3, Q)


@pytest.fixture(scope="module")
def hess():
    return sad.hessian(energy, X, 2.0)


def general(matrix, *args):
    data = np.empty(matrix.pattern.nnz)
    matrix._assembly.fill(data, matrix._inputs(args))
    return data


@pytest.mark.parametrize("p", [0.7, np.float64(0.7), np.array(0.7)])
def test_plain_calls_are_taken_and_equal_the_general_way_to_the_bit(jac, p):
    data = np.empty(jac.pattern.nnz)
    assert jac._fast(X, p, Q, data) is True
    np.testing.assert_array_equal(data, general(jac, X, p, Q))
    np.testing.assert_allclose(jac.structure.matrix(data).toarray(), by_hand(X, 0.7, Q), rtol=1e-14)


def test_all_calls_that_may_be_plain_equal_the_general_way(jac, hess):
    J, H = jac(X, 0.1, Q), hess(X, 0.1)
    y, v, grad = np.empty(3), np.empty(jac.pattern.nnz), np.empty(4)
    for x in (X, X + 1.0, -X):
        wanted = general(jac, x, 0.7, Q)
        assert jac(x, 0.7, Q, out=J) is J
        for found in (J.data, jac(x, 0.7, Q).data, jac.values(x, 0.7, Q), jac.values(x, 0.7, Q, out=v)):
            np.testing.assert_array_equal(found, wanted)
        z, K = jac.value_and_jacobian(x, 0.7, Q, out=(y, J))
        assert z is y and K is J
        np.testing.assert_array_equal(J.data, wanted)
        np.testing.assert_allclose(y, f(x, 0.7, Q), rtol=1e-14)
        np.testing.assert_array_equal(jac.value(x, 0.7, Q), y)
        assert hess(x, 0.7, out=H) is H
        np.testing.assert_array_equal(H.data, general(hess, x, 0.7))
        assert hess.gradient(x, 0.7, out=grad) is grad
        np.testing.assert_array_equal(grad, sad.gradient(energy, x, 0.7)(x, 0.7))


ODD = {
    "integers": lambda x: np.arange(4),
    "list": lambda x: x.tolist(),
    "other byte order": lambda x: x.astype(">f8"),
    "single precision": lambda x: x.astype(np.float32),
    "subclass": lambda x: x.view(np.recarray),
    "not aligned": lambda x: np.frombuffer(b" " + x.tobytes(), np.uint8)[1:].view(np.float64),
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_not_plain_goes_the_general_way(jac, kind):
    x = ODD[kind](X)
    before = np.full(jac.pattern.nnz, 7.0)
    assert jac._fast(x, 0.7, Q, before) is False
    assert (before == 7.0).all()
    np.testing.assert_allclose(
        jac(x, 0.7, Q, out=jac(X, 0.1, Q)).toarray(), by_hand(np.array(x, dtype=float), 0.7, Q), rtol=1e-14
    )


@pytest.mark.parametrize("apart", [lambda x: np.repeat(x, 2)[::2], lambda x: np.outer(x[::-1], [1.0, 2.0])[::-1, 0]])
def test_columns_of_tables_are_read_from_copies(jac, apart):
    x, q = apart(X), apart(Q)
    assert not x.flags.c_contiguous
    data = np.empty(jac.pattern.nnz)
    assert jac._fast(x, 0.7, q, data) is True
    np.testing.assert_array_equal(data, general(jac, X, 0.7, Q))
    room = np.zeros(2 * data.size)[::2]
    assert jac._fast(X, 0.7, Q, room) is False
    assert not room.any()


@pytest.mark.parametrize("x", [np.ones((2, 2)).T, np.ones((2, 4))[:, ::2]])
def test_tables_that_are_not_in_order_go_the_general_way(x):
    x = x * np.arange(1.0, 5.0).reshape(2, 2).T
    x = x if not x.flags.c_contiguous else np.asfortranarray(x)
    jac = sad.jacobian(lambda x: x**2, np.ones((2, 2)))
    assert jac._fast(x, np.empty(4)) is False
    np.testing.assert_array_equal(jac(x).diagonal(), 2.0 * np.ravel(x))


@dataclass
class Model:
    matrix: sp.csr_array
    rows: np.ndarray
    weights: np.ndarray
    factor: float
    power: int
    name: str


def model_of(**changes):
    data = np.array([2.0, -1.0, 0.5, 4.0]) + 1j  # .real is not contiguous
    matrix = sp.csr_array((data, ([0, 1, 2, 3], [1, 0, 3, 2]))).real
    return Model(**{
        "matrix": matrix, "rows": np.arange(8)[::-2], "weights": np.ones((4, 2))[:, 1], "factor": 0.5, "power": 3,
        "name": "cubes", **changes,
    })  # fmt: skip


def of_model(x, model, options):
    y = np.repeat(model.matrix @ x**model.power, 2)[model.rows] * model.weights * model.factor
    return y * options["scale"][0]


def test_every_real_part_is_compared():
    """One after the other: eight are compared at a time, and the last may have no imaginary part behind it."""
    for count in (0, 1, 8, 9, 26):
        data = np.arange(1.0, count + 1) * (1 + 2j)
        own = np.arange(count)
        for part in (data.real, data.imag):
            matrix = sp.csr_array((part, own, np.arange(count + 1)), shape=(count, count))
            matrix.data = part
            room = np.empty(count + 1)
            x = np.ones(count + 1)
            jac = sad.jacobian(lambda x, A: np.append(A @ x[:-1], x[-1]) ** 2, x, matrix)
            jac(x, matrix)
            assert jac._fast(x, matrix, room) is True
            for k in range(count):
                part[k] += 1.0
                assert jac._fast(x, matrix, room) is False
                part[k] -= 1.0
            assert jac._fast(x, matrix, room) is True


def test_models_of_arrays_matrices_and_numbers_are_taken():
    model, options = model_of(), {"scale": [2.0, 3], "kind": "a"}
    assert not model.matrix.data.flags.c_contiguous
    jac = sad.jacobian(of_model, X, model, options)
    data = np.empty(jac.pattern.nnz)
    for other in (model, model_of(weights=np.arange(4.0), factor=2.0)):
        scale = {"scale": [7.0, 3], "kind": "a"}
        assert jac._fast(X, other, scale, data) is True
        np.testing.assert_array_equal(data, general(jac, X, other, scale))
        np.testing.assert_array_equal(jac(X, other, scale).data, data)
        rows = (np.arange(8) // 2)[other.rows]
        wanted = 3 * 7.0 * other.factor * other.weights[:, None] * (other.matrix.toarray() * X**2)[rows]
        np.testing.assert_allclose(jac(X, other, scale).toarray(), wanted, rtol=1e-15)


CHANGES = {
    "data": lambda m: m.matrix.data.__setitem__(3, 5.0),
    "indices": lambda m: m.matrix.indices.__setitem__(slice(2), [0, 1]),
    "rows": lambda m: m.rows.__setitem__(2, 0),
    "other rows": lambda m: setattr(m, "rows", m.rows[::-1].copy()),
    "other type of rows": lambda m: setattr(m, "rows", m.rows.astype(np.int32)),
    "power": lambda m: setattr(m, "power", 2),
    "name": lambda m: setattr(m, "name", "squares"),
    "matrix": lambda m: setattr(m, "matrix", m.matrix.T.tocsr()),
    "another kind of matrix": lambda m: setattr(m, "matrix", m.matrix.tocsc()),
}


@pytest.mark.parametrize("name", CHANGES)
def test_models_with_something_changed_are_not_taken(name):
    model, options = model_of(), {"scale": [2.0, 3], "kind": "a"}
    jac = sad.jacobian(of_model, X, model, options)
    v = np.full(jac.pattern.nnz, 7.0)
    assert jac._fast(X, model, options, v.copy()) is True
    CHANGES[name](model)
    assert jac._fast(X, model, options, v) is False
    assert (v == 7.0).all()
    for call in (jac, jac.values, jac.value):
        with pytest.raises(sad.InputError, match="fixed"):
            call(X, model, options)


def test_prepared_calls_read_the_leaves_of_containers_again():
    model, options = model_of(weights=np.ones(4)), {"scale": [np.array(2.0), 3], "kind": "a"}
    jac = sad.jacobian(of_model, X, model, {"scale": [2.0, 3], "kind": "a"})
    v = np.empty(jac.pattern.nnz)
    call = jac.prepared_call(X, model, options, out=v)
    model.weights[:] = [1.0, 2.0, 3.0, 4.0]
    options["scale"][0][...] = 5.0
    call()
    np.testing.assert_array_equal(v, general(jac, X, model, {"scale": [5.0, 3], "kind": "a"}))
    with pytest.raises(sad.InputError, match=r"argument 1\.weights is read again"):
        jac.prepared_call(X, model_of(), options, out=v)


@pytest.mark.parametrize("x", [np.ones(3), np.ones(5), np.ones((4, 1)), np.ones((2, 2)), np.array(1.0), 1.0])
def test_other_shapes_are_refused_with_the_general_message(jac, x):
    with pytest.raises(sad.InputError, match="shape"):
        jac(x, 0.7, Q, out=jac(X, 0.1, Q))
    with pytest.raises(sad.InputError, match="shape"):
        jac.values(x, 0.7, Q)


def test_other_numbers_of_arguments_are_refused(jac):
    for args in [(X,), (X, 0.7), (X, 0.7, Q, 1.0)]:
        with pytest.raises(sad.InputError, match="arguments"):
            jac(*args)


def test_arrays_changed_in_place_are_looked_at_again(jac):
    x, v = X.copy(), np.empty(jac.pattern.nnz)
    jac.values(x, 0.7, Q, out=v)
    x.shape = (2, 2)
    with pytest.raises(sad.InputError, match="shape"):
        jac.values(x, 0.7, Q, out=v)
    v.setflags(write=False)
    assert jac._fast(X, 0.7, Q, v) is False


def test_outputs_that_share_memory_are_not_taken(jac):
    both = np.concatenate([X, np.empty(jac.pattern.nnz)])
    x = both[:4]
    assert jac._fast(x, 0.7, Q, both[3:-1]) is False
    assert jac._fast(x, 0.7, Q, both[4:]) is True
    assert jac._fast_both(x, 0.7, Q, both[4:7], both[4:]) is False


def test_a_matrix_of_another_structure_is_refused(jac, hess):
    J = jac(X, 0.1, Q)
    J.data = np.empty(3)
    with pytest.raises(sad.InputError, match="out must be"):
        jac(X, 0.7, Q, out=J)
    with pytest.raises(sad.InputError, match="out must be"):
        jac(X, 0.7, Q, out=hess(X, 1.0))


def test_references_do_not_leak(jac):
    import sys

    data = np.empty(jac.pattern.nnz)
    before = [sys.getrefcount(o) for o in (X, Q, data)]
    for _ in range(100):
        jac._fast(X, 0.7, Q, data)
        jac._fast(X, 0.7, Q, X)
    assert [sys.getrefcount(o) for o in (X, Q, data)] == before


def test_fixed_arguments_must_be_the_same():
    jac = sad.jacobian(lambda x, k, name: x**k, X, 3, "cube")
    data = np.empty(4)
    assert jac._fast(X, 3, "cube", data) is True
    np.testing.assert_array_equal(data, 3 * X**2)
    with pytest.raises(sad.InputError, match="fixed"):
        jac(X, 4, "cube")
    k = np.array([1, 2])
    jac = sad.jacobian(lambda x, k: x[k] ** 2, X, k)
    assert jac._fast(X, k.copy(), data[:2]) is True
    k[0] = 0
    assert jac._fast(X, k, data[:2]) is False


def test_containers_as_x_are_put_together_in_the_order_asked_for():
    p, u, rows = {"k": 2.0, "c": np.array([1.0, 3.0])}, np.array([0.5, 4.0]), np.array([1, 0])
    jac = sad.jacobian(lambda u, p, rows: p["k"] * u[rows] ** 2 + p["c"], u, p, rows, argnum=("p", "u"))
    assert jac._unchanged_inputs((u, p, rows)) is not None
    for _ in range(2):
        found = jac(u, {"k": 3.0, "c": np.zeros(2)}, rows.copy()).toarray()
        np.testing.assert_array_equal(found, [[16.0, 1.0, 0.0, 0.0, 24.0], [0.25, 0.0, 1.0, 3.0, 0.0]])


def test_other_back_ends_and_several_threads_are_not_taken():
    assert sad.jacobian(lambda x: x**2, X, backend="python")._fast is never
    assert sad.jacobian(lambda x: np.exp(np.sin(x)), np.ones(1_000_000), threads=2)._fast is never
    assert sad.jacobian(np.exp, X, threads=2)._fast is not never  # too small to be divided


def layered(x, rows):
    y = np.sin(np.cumsum(x.reshape(-1, 10), axis=1))[rows]
    return np.sum(y[1:] * y[:-1], axis=1) * y[1:, 0]


def test_large_systems_are_computed_without_the_lock_by_one_thread_at_a_time():
    """Work arrays are one for all calls of machine code: who comes meanwhile goes the general way."""
    rows = np.random.default_rng(0).permutation(3000)
    points = np.random.default_rng(1).random((24, 30_000))
    jac = sad.jacobian(layered, points[0], rows)
    wanted = [general(jac, x, rows) for x in points]
    taken, going = [], threading.Barrier(4)

    def work(k):
        going.wait()
        for _ in range(4):
            for number in range(k, 24, 4):
                data = np.empty(jac.pattern.nnz)
                taken.append(jac._fast(points[number][::1], rows, data))
                if taken[-1]:
                    np.testing.assert_array_equal(data, wanted[number])
                y, J = jac.value_and_jacobian(points[number], rows)
                np.testing.assert_array_equal(J.data, wanted[number])
                np.testing.assert_array_equal(y, jac.value(points[number], rows))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert any(taken)
    data = np.empty(jac.pattern.nnz)
    assert jac._fast(points[0], rows, data) is True  # nobody is at it any more
    np.testing.assert_array_equal(data, wanted[0])


def test_other_threads_go_on_while_a_large_system_is_computed():
    x = np.random.default_rng(0).random(2_000_000)
    jac = sad.jacobian(lambda x: np.sin(np.exp(np.sin(x))), x)
    data, counted, stop = np.empty(x.size), [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1

    other = threading.Thread(target=count)
    other.start()
    try:
        interval = sys.getswitchinterval()
        sys.setswitchinterval(1e-6)
        seen = []
        for _ in range(10):
            before = counted[0]
            assert jac._fast(x, data) is True
            seen.append(counted[0] - before)
    finally:
        sys.setswitchinterval(interval)
        stop.set()
        other.join()
    assert max(seen) > 100  # a call that held the lock would let at most a handful pass, before it and after it


ENDING = """
import threading, time
import numpy as np, sparsead as sad
x = np.random.default_rng(0).random(20_000)
jac = sad.jacobian(lambda x: np.sin(np.exp(np.sin(x))), x)
data = np.empty(x.size)
assert jac._fast(x, data)
def work():
    while True:
        jac._fast(x, data)
threading.Thread(target=work, daemon=True).start()
time.sleep(0.05)
class Slow:
    def __del__(self, sleep=time.sleep):
        sleep(0.2)  # others ask for the lock of an interpreter that is ending
keep = Slow()
keep.itself = keep
print("ending")
"""


def test_a_process_ends_while_another_thread_computes():
    done = subprocess.run([sys.executable, "-c", ENDING], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ending\n", "")


def test_functions_that_are_computed_together_are_taken(hess):
    value, g, H = hess.value_gradient_and_hessian(X, 0.7)
    assert hess._fast_both(X, 0.7, np.empty(1), np.empty(4), np.empty(H.nnz)) is True
    assert hess._fast_value_and_gradient(X, 0.7, np.empty(1), np.empty(4)) is True
    np.testing.assert_array_equal(H.data, general(hess, X, 0.7))
    again, slope = hess.value_and_gradient(X, 0.7)
    assert value == again == hess.value(X, 0.7)
    np.testing.assert_allclose(value, energy(X, 0.7), rtol=1e-14)
    np.testing.assert_array_equal(g, slope)
    np.testing.assert_array_equal(g, hess.gradient(X, 0.7))
    room = np.empty(4), hess(X, 0.1)
    _, slope, K = hess.value_gradient_and_hessian(X, 0.7, out=room)
    assert K is room[1]
    assert np.shares_memory(slope, room[0])
    np.testing.assert_array_equal(K.data, H.data)
    with pytest.raises(sad.InputError, match="share memory"):
        hess.value_gradient_and_hessian(X, 0.7, out=(K.data[:4], K))


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_hessians_of_all_modes_are_taken(mode):
    hess = sad.hessian(lambda x, p: np.sum(np.cumsum(np.sin(x)) ** 3) * p, X, 2.0, mode=mode)
    data = np.empty(hess.pattern.nnz)
    assert hess._fast(X, 2.0, data) is True
    np.testing.assert_array_equal(data, general(hess, X, 2.0))
    H = hess.structure.matrix(data).toarray()
    np.testing.assert_array_equal(H, H.T)


def test_a_prepared_call_reads_what_the_arrays_hold(jac):
    x, q, p = X.copy(), Q.copy(), np.array(0.3)
    v, J = np.empty(jac.pattern.nnz), jac(X, 0.1, Q)
    calls = jac.prepared_call(x, p, q, out=v), jac.prepared_call(x, p, q, out=J)
    for _ in range(3):
        x *= 1.1
        q -= 0.5
        p += 0.25
        for call in calls:
            assert call() is None
        np.testing.assert_array_equal(v, general(jac, x, p, q))
        np.testing.assert_array_equal(J.data, v)
    del x, q, v
    calls[0]()  # they are kept


@pytest.mark.parametrize("options", [{"backend": "python"}, {"mode": "reverse"}, {"threads": 2}])
def test_prepared_calls_of_all_kinds_agree(options):
    x, data = X.copy(), np.empty(7)
    jac = sad.jacobian(f, X, 0.3, Q, **options)
    call = jac.prepared_call(x, 0.7, Q, out=data)
    x += 1.0
    call()
    np.testing.assert_allclose(jac.structure.matrix(data).toarray(), by_hand(x, 0.7, Q), rtol=1e-14)


def test_prepared_calls_refuse_what_they_could_not_read_again(jac):
    v = np.empty(jac.pattern.nnz)
    for x in (X.tolist(), np.arange(4), np.repeat(X, 2)[::2]):
        with pytest.raises(sad.InputError, match="read again"):
            jac.prepared_call(x, 0.7, Q, out=v)
    with pytest.raises(sad.InputError, match="share memory"):
        jac.prepared_call(v[:4], 0.7, Q, out=v)
    with pytest.raises(sad.InputError, match="out"):
        jac.prepared_call(X, 0.7, Q, out=None)
    with pytest.raises(sad.InputError, match="shape"):
        jac.prepared_call(X[:3], 0.7, Q, out=v)


def test_what_a_prepared_call_wrote_is_not_taken_for_constants():
    jac = sad.jacobian(lambda x, p: p * x + x**2 * np.array([0.0, 1.0, 1.0, 1.0]), X, 1.0, mode="direct")
    J, p = jac(X, 1.0, keep_constants=True), np.array(5.0)
    call = jac.prepared_call(X, p, out=J)
    jac(X, 1.0, out=J, keep_constants=True)
    call()
    jac(X, 1.0, out=J, keep_constants=True)
    np.testing.assert_array_equal(J.toarray(), jac(X, 1.0).toarray())
