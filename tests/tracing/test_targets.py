"""What functions write into: complex arrays through masks, read-only arrays, those without elements, or of objects."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.3, 0.4, 0.5])
ONE = np.float64(1.0)
MASK = np.array([True, False, True])


@pytest.mark.parametrize("ufunc", [np.add, np.subtract, np.multiply, np.divide, np.exp, np.conjugate, np.negative])
@pytest.mark.parametrize("traced", ["operand", "target", "both", "mask", "none"])
def test_complex_results_go_where_the_mask_says(ufunc, traced):
    def f(x):
        z = np.full(3, 0.5 + 1.5j) + (x * 1j if traced in ("operand", "both") else 0.0)
        out = np.full(3, 9.0 + 9.0j)
        if traced in ("target", "both"):
            out += x
        mask = x > 0.35 if traced == "mask" else MASK
        ufunc(*[z, 2.0 * z][: ufunc.nin], out=out, where=mask)
        return np.concatenate([out.real, out.imag, x])

    jac = sad.jacobian(f, X, check=False)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7)


READ_ONLY = {
    "complex": lambda x: (np.zeros(2, complex), lambda a: a.T[::-1].__setitem__(0, 1j)),
    "complex, traced": lambda x: (x * 1j, lambda a: a[:1].__setitem__(0, 1j)),
    "nothing, broadcast": lambda x: (np.broadcast_to(np.repeat(0.5, 0), (2, 0)), lambda a: a.__itruediv__(2.0)),
    "nothing, reshaped": lambda x: (np.imag(x[:0].reshape(2, 0)), lambda a: np.copyto(a.reshape(-1), x[0])),
}


@pytest.mark.parametrize("kind", READ_ONLY)
def test_read_only_arrays_stay_so(kind):
    def f(x):
        array, write = READ_ONLY[kind](x)
        array.setflags(write=False)
        write(array)
        return x

    for run in (f, lambda x: sad.jacobian(f, x)):
        with pytest.raises((ValueError, sad.UnsupportedOperationError), match="read-only"):
            run(X)


PARTS = {"all": np.s_[:], "row": np.s_[1], "turned": np.s_[0, ::-1], "late": np.s_[:, 1:], "early": np.s_[:, :2]}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "write",
    [
        lambda a, v: np.fill_diagonal(a, v),
        lambda a, v: np.place(a, np.eye(3)[::-1] + np.eye(3) > 0, v),
        lambda a, v: np.put(a, np.arange(v.size) + 1, v),
        lambda a, v: np.putmask(a, np.eye(3) > 0, v),
        lambda a, v: np.copyto(a[: len(v)], v),
        lambda a, v: np.concatenate([a.reshape(-1)[v.size :], v.reshape(-1)], out=a.reshape(-1)),
        lambda a, v: np.stack([a[1], a[0]], out=a[:2]),
    ],
)
def test_writes_from_their_own_memory_are_numpys_or_refused(write, part):
    def f(x):
        a = np.outer(x, [1.0, 2.0, 3.5])
        try:
            write(a, a[PARTS[part]])
        except (ValueError, IndexError, TypeError):
            a *= 0.5
        return a

    with contextlib.suppress(sad.UnsupportedOperationError):
        jac = sad.jacobian(f, X, check=False)
        np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-7)


def test_a_diagonal_from_its_own_elements_is_refused():
    def f(x):
        a = np.outer(x, x)
        np.fill_diagonal(a, a[0, ::-1])
        return a

    with pytest.raises(sad.UnsupportedOperationError, match="copy first"):
        sad.jacobian(f, X, check=False)


WRITES = {
    "place": lambda a, x: np.place(a, [True, True], [x[1], 0.5]),
    "put": lambda a, x: np.put(a, [0], [x[1]]),
    "putmask": lambda a, x: np.putmask(a, [True, False], [x[1], 0.5]),
    "copyto": lambda a, x: np.copyto(a, x[:2]),
    "put_along_axis": lambda a, x: np.put_along_axis(a, np.array([0]), x[1:2], 0),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("array", [lambda x: ONE + [x[0], x[2]], lambda x: [1.0, 2.0] + ONE])  # noqa: RUF005
def test_plain_arrays_of_objects_are_not_written_to(name, array):
    def f(x):
        a = array(x)
        WRITES[name](a, x)
        return np.sum(a) * x

    with pytest.raises(sad.UnsupportedOperationError):
        sad.jacobian(f, X, check=False)


MORE_WRITES = {
    "at": lambda a, x: np.add.at(a, [0], x[1:2]),
    "third": lambda a, x: np.multiply(a, x[:2], a),
    "out": lambda a, x: np.multiply(a, 2.0, out=a),
    "clip": lambda a, x: np.clip(a, 0.0, 0.5, a),
    "view": lambda a, x: np.ravel(a).__setitem__(0, x[1]),
    "method": lambda a, x: np.transpose(a).fill(x[1]),
}


@pytest.mark.parametrize("name", MORE_WRITES)
def test_arrays_of_objects_are_written_to_by_no_way(name):
    def f(x):
        a = ONE + [x[0], x[2]]  # noqa: RUF005
        MORE_WRITES[name](a, x)
        return np.sum(a) * x

    with pytest.raises((sad.UnsupportedOperationError, ValueError), match=r"writing|plain ndarray|read-only"):
        sad.jacobian(f, X, check=False)


def test_what_numpy_cannot_do_with_arrays_of_objects_is_explained():
    def f(x):
        a = ONE + [1.0, 2.0]  # noqa: RUF005
        a *= [x[0], x[1]]
        return a

    with pytest.raises(sad.UnsupportedOperationError, match=r"np\.array\(\[x\[0\], x\[1\]\]\)") as met:
        sad.jacobian(f, X)
    assert "test_targets.py" in str(met.value)


def test_selections_are_copied_in_any_order():
    jac = sad.jacobian(lambda x: np.sum(np.copy(x[x > 0.35], order="K")) * x, X)
    np.testing.assert_allclose(jac.value(X), 0.9 * X)


TARGETS = {
    "floats": lambda x: x * 1.0,
    "truth values": lambda x: x > 0.35,
    "complex numbers": lambda x: x * 1j,
    "nothing": lambda x: x[:0] * 1.0,
    "read-only": lambda x: np.broadcast_to(x, (1, 3))[0],
}
VALUES = [lambda x: x, lambda x: x > 0.45, lambda x: 1j * x, lambda x: x[:0], lambda x: x[0], lambda x: [x[0], 2.0]]
WRITES_OF_VALUES = {
    "place": lambda a, v: np.place(a, np.ones(a.shape, bool), v),
    "put": lambda a, v: np.put(a, [0], v),
    "put nowhere": lambda a, v: np.put(a, [9], v),
    "putmask": lambda a, v: np.putmask(a, np.ones(a.shape, bool), v),
    "putmask of another length": lambda a, v: np.putmask(a, [True], v),
    "copyto": lambda a, v: np.copyto(a, v),
    "copyto, safely": lambda a, v: np.copyto(a, v, casting="safe"),
    "put_along_axis": lambda a, v: np.put_along_axis(a, np.array([0]), v, 0),
    "flat": lambda a, v: a.flat.__setitem__(0, v),
}


@pytest.mark.parametrize("name", WRITES_OF_VALUES)
@pytest.mark.parametrize("target", TARGETS)
def test_writes_are_accepted_where_numpy_accepts_them(name, target):
    for values in VALUES:

        def f(x, values=values):
            array = TARGETS[target](x)
            WRITES_OF_VALUES[name](array, values(x))
            return np.concatenate([np.ravel(array).real * 1.0, x])

        try:
            expected = f(X)
        except (TypeError, ValueError, IndexError):
            expected = None
        try:
            found = sad.jacobian(f, X, backend="python", check=False).value(X)
        except sad.UnsupportedOperationError:
            continue
        except (TypeError, ValueError, IndexError):
            found = None
        assert (found is None) == (expected is None)
        if expected is not None:
            np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("make", [np.zeros_like, np.empty_like, np.ones_like, np.diag, np.roll, np.repeat])
def test_arrays_like_arrays_of_objects_are_of_floats(make):
    def f(x):
        objects = np.float64(2.0) - [x[0], x[1], x[2]]
        like = make(objects, *([2] if make in (np.roll, np.repeat) else []))
        return np.ravel(like * 0.0 + 1.0) * x[0]

    np.testing.assert_allclose(sad.jacobian(f, X, backend="python").value(X), X[0])


@pytest.mark.parametrize("dtype", [float, complex])
def test_reductions_want_a_target_of_their_shape(dtype):
    def f(x):
        a = np.zeros((1, 3), dtype) + x
        np.sum(a, axis=0, out=np.zeros((1, 3), dtype))
        return x

    for run in (f, lambda x: sad.jacobian(f, x)):
        with pytest.raises(ValueError, match="output"):
            run(X)


@pytest.mark.parametrize("shape", [(1,), (1, 1), (2,), ()])
@pytest.mark.parametrize("write", ["=", "*="])
def test_one_element_takes_an_array_only_where_numpy_does(shape, write):
    def f(x):
        a, values = np.zeros(3), np.resize(x, shape)
        a[1] = values if write == "=" else a[1] * values
        return a * x

    try:
        expected = f(X)
    except (TypeError, ValueError) as error:
        with pytest.raises(type(error)):
            sad.jacobian(f, X)
    else:
        np.testing.assert_array_equal(sad.jacobian(f, X).value(X), expected)


def test_views_of_arrays_of_objects_take_nothing():
    def f(x):
        objects = np.bool_(False).__add__([x[0], x[1]])
        part = np.array_split(objects, 2)[1]
        np.put(part, [0], 1.0)
        return np.stack(list(objects))

    with pytest.raises(sad.UnsupportedOperationError, match="array of objects that holds unknowns"):
        sad.jacobian(f, X)


@pytest.mark.parametrize("value", [lambda x: x[0] > 0.1, lambda x: np.sum(x > 0.35), lambda x: x, lambda x: 1j * x[0]])
@pytest.mark.parametrize("dtype", [None, float, complex])
def test_filled_arrays_have_the_type_of_what_fills_them(value, dtype):
    def f(x):
        a = np.full((2, 3), value(x), dtype, order="F")
        seen.append((a.dtype, a.flags.f_contiguous))
        a[0] = value(x) * 2
        return np.concatenate([np.ravel(a).real * 1.0, np.ravel(a).imag * 1.0])

    seen = []
    if dtype is float and np.iscomplexobj(value(X)):
        return
    expected = f(X)
    np.testing.assert_allclose(sad.jacobian(f, X, check=False).value(X), expected)
    assert len(set(seen)) == 1


@pytest.mark.parametrize("sequence", [lambda x: [x[0], x[1]], lambda x: (1.0, 2.0)])
@pytest.mark.parametrize("number", [lambda x: x[0], lambda x: x[0] > 0.1, lambda x: 1j * x[0]])
def test_numbers_times_lists_are_no_products(number, sequence):
    def times(a, b):
        a *= b
        return a

    for product in (lambda a, b: a * b, lambda a, b: b * a, times):
        for call in (lambda f: f(X), lambda f: sad.jacobian(f, X, check=False)):
            with pytest.raises(TypeError, match="can't multiply sequence"):
                call(lambda x, product=product: product(number(x), sequence(x)))
