"""What is a number in NumPy is one here, and what is an array of shape () is one here: types, and what changes."""

from __future__ import annotations

import collections.abc
import functools
import io
import numbers

import numpy as np
import pytest

import sparsead as sad
from tests.tracing.compared import agree, outcome

#: Numbers and arrays of shape (): every way to get one.
SINGLE = {
    name: eval("lambda x: " + name)
    for name in """
    x[0]; x[-1]; x.flat[1]; x.reshape(2, 3)[1, 2]; x[0] * 2; -x[0]; x[0] ** 2; np.sum(x); x.sum(); x @ x
    np.dot(x, x); np.inner(x, x); np.vdot(x, x); np.mean(x); x.max(); np.min(x); np.prod(x[:2]); np.linalg.norm(x)
    np.sin(np.sum(x)); np.sqrt(x[0]); np.add.reduce(x); np.trapezoid(x); np.median(x[:3]); np.var(x); np.ptp(x)
    np.interp(x[0], [0.0, 1.0], [0.0, 2.0]); np.einsum("i,i", x, x); np.polyval([1.0, 2.0], x[0]); np.max(x) - x[0]
    np.cumsum(x)[0]; x[1:][0]; np.take(x, 2); np.squeeze(x[0]); x[0].reshape(()); np.real(x[0]); x[0].real; x[0].copy()
    x[0, ...]; x[:1].reshape(()); np.squeeze(x[:1]); np.array(x[0]); np.asarray(x[0]); np.copy(x[0]); np.array(1.0)
    np.zeros(()); np.full((), x[0]); np.zeros_like(x[0]); np.where(True, x[0], 1.0); np.tensordot(x, x, 1)
    np.broadcast_to(x[0], ()); np.real(np.array(x[0])); np.array(x[0]).T; np.sum(x) > 0.5; np.any(x > 0.5); x[0] > 0.4
    np.sum(x > 0.4); (x > 0.4).sum() + 1; np.clip(x[0], 0.2, 0.7); np.round(x[0], 1); np.where(x[0] > 0.4, x[0], x[1])
    x.mean(keepdims=True)[0]; np.linalg.det(x[:4].reshape(2, 2)); x[:4].reshape(2, 2).trace(); np.average(x); abs(x[0])
    np.hypot(x[0], x[1]); np.maximum(x[0], x[1]); np.array([x[0], x[1]])[1]; np.float64(2.0) * x[0]
    x[0] + np.array(1.0)
    """.replace("\n", ";").split(";")
    for name in [name.strip()]
    if name
}


@functools.singledispatch
def dispatched(value):
    return "object"


dispatched.register(float, lambda value: "float")
dispatched.register(np.ndarray, lambda value: "array")


def matched(value):
    match value:
        case float():
            return "float"
        case np.ndarray():
            return "array"
        case np.integer() | np.bool_():
            return "count"
    return "object"


QUESTIONS = [
    lambda v: isinstance(v, float), lambda v: isinstance(v, np.floating), lambda v: isinstance(v, np.ndarray),
    lambda v: isinstance(v, np.generic), lambda v: isinstance(v, numbers.Number), lambda v: isinstance(v, numbers.Real),
    lambda v: isinstance(v, (int, np.integer)), lambda v: isinstance(v, collections.abc.Iterable),
    lambda v: isinstance(v, (list, tuple, dict)), np.isscalar, np.iterable, np.ndim, np.shape, np.size, np.iscomplexobj,
    dispatched, matched, lambda v: v.dtype, lambda v: v.shape, lambda v: v.ndim, lambda v: v.size, lambda v: v.itemsize,
    lambda v: [hasattr(v, name) for name in ("__len__", "shape", "values", "iloc", "to_numpy", "T", "units", "imag")],
    np.result_type, lambda v: np.can_cast(v.dtype, float), lambda v: callable(v),
]  # fmt: skip


@pytest.mark.parametrize("question", range(len(QUESTIONS)))
def test_questions_about_type(question):
    """Code that asks what it was given takes the same branch."""
    answers = []

    def f(x):
        answers.append({name: QUESTIONS[question](single(x)) for name, single in SINGLE.items()})
        return x

    f(np.linspace(0.1, 0.9, 6))
    outcome(f)
    assert answers[1] == answers[0]


@pytest.mark.parametrize("sign", ["+=", "-=", "*=", "/=", "**="])
def test_a_number_never_changes_and_an_array_does(sign):
    for name in SINGLE:
        text = f"def f(x):\n    s = {name}\n    t = s\n    t {sign} 2.0\n    return np.stack([s * 1.0, t * 1.0])"
        names = {"np": np}
        exec(text, names)
        try:
            agree(names["f"])
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.mark.parametrize("write", ["s[...] = x[1]", "s[()] = 2.0", "s.fill(x[2])", "np.add(s, x[1], out=s)"])
def test_writing_into_an_array_of_no_axes(write):
    for name in SINGLE:
        text = (
            f"def f(x):\n    x = x * 1.0\n    s = {name}\n    t = s\n    {write}\n    return np.append(x, [s * 1.0, t])"
        )
        if "fill" in write and not isinstance(SINGLE[name](np.linspace(0.1, 0.9, 6)), np.ndarray):
            continue  # NumPy's numbers have the method, which does nothing
        names = {"np": np}
        exec(text, names)
        try:
            agree(names["f"])
        except Exception as error:
            raise AssertionError(f"{name}: {error}") from error


@pytest.mark.parametrize(
    ("f", "words"),
    [
        (lambda x: x * {x[0]: 1.0}[x[0]], "hash"),
        (lambda x: x * len({x[0], x[1]}), "hash"),
        (lambda x: x * functools.lru_cache(lambda v: v)(x[0]), "__wrapped__"),
        (lambda x: x * float(f"{x[0]:.2f}"), "parsing a text"),
        (lambda x: x * float(f"{np.sum(x):e}"), "parsing a text"),
        (lambda x: x * x[0].is_integer(), "is_integer"),
        (lambda x: x * x[0].hex(), "hex"),
    ],
)
def test_what_needs_the_value_of_a_number_is_refused(f, words):
    with pytest.raises(sad.SparseADError, match=words):
        outcome(f)


def test_a_number_can_be_printed():
    outcome(lambda x: x * (print(f"{x[0]} {x}", file=io.StringIO()) is None))


def complex_numbers(x):
    z = x[0] * 1j
    moved = [z.transpose(), np.squeeze(z), z.copy(), z.T, z.reshape(()), z.astype(complex)]
    row = np.atleast_2d(z)
    row[:] = 2.0
    total = 0.0
    for k, w in enumerate(moved):
        w += k
        total = total + w * w
    return np.array([z.imag, total.real, total.imag, row.real.sum()])


def counts(x):
    none, some = np.sum(x[:0] > 0.4), np.sum(x > 0.0, where=[True, False] * 3)
    half = np.full_like(none, 0.75)
    return x * half + none // 2 + x * (some // 2) + some**2 + np.full_like(some, 0.5)


@pytest.mark.parametrize("f", [complex_numbers, counts])
def test_numbers_of_other_kinds(f):
    x = np.array([0.7, -0.4, 1.3, -0.9, 0.25, 1.1])
    jac = sad.jacobian(f, x, check=False)
    for point in (x, x[::-1].copy()):
        np.testing.assert_allclose(jac.value(point), f(point), rtol=1e-14, atol=1e-15)
