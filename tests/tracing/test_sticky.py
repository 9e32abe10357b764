"""What was refused is raised when the trace ends, whoever catches it on the way."""

from __future__ import annotations

import math

import numpy as np
import pytest

import sparsead as sad

X = np.array([0.5, 1.5, 2.5])


def conversion(x):
    try:
        k = int(x[0] * 10)
    except (TypeError, ValueError):
        k = 0
    return x * k


def bare(x):
    try:
        return np.argsort(x) * x
    except:  # noqa: E722
        return x


def branch(x):
    try:
        if x[0] > 1.0:
            return x
    except Exception:
        pass
    return 2.0 * x


def written(x):
    integers = np.arange(3)
    try:
        integers[0] = x[0]
    except sad.SparseADError:
        integers[0] = 7
    return x * integers


def rounded(x):
    try:
        k = math.floor(x[0])
    except TypeError:
        k = 1
    return x * k


def attribute(x):
    try:
        address = x.ctypes.data
    except Exception:
        address = 0
    return x if address else 2.0 * x


def raised_again(x):
    try:
        return x * math.frexp(x[0])[0]
    except TypeError as error:
        raise ValueError("bad input") from error


def raised_something_else(x):
    try:
        k = math.frexp(x[0])[0]
    except TypeError:
        k = [1.0]
    return x + k[3]


def default(x):
    return x * getattr(x, "ctypes", 3.0)


CAUGHT = [conversion, bare, branch, written, rounded, attribute, raised_again, raised_something_else, default]


@pytest.mark.parametrize("f", CAUGHT, ids=lambda f: f.__name__)
@pytest.mark.parametrize("prepare", [sad.jacobian, sad.jacobian_pattern])
def test_refusals_are_raised_whoever_catches_them(f, prepare):
    with pytest.raises((sad.UnsupportedOperationError, sad.TracedBranchError)) as caught:
        prepare(f, X)
    first = f.__code__.co_firstlineno
    assert any(f'test_sticky.py", line {line}' in str(caught.value) for line in range(first, first + 8))


def test_the_function_that_went_on_is_named():
    with pytest.raises(sad.TracedBranchError) as caught:
        sad.jacobian(conversion, X)
    assert any(
        "conversion (File " in note and "caught this error and went on" in note for note in caught.value.__notes__
    )


def test_a_refusal_of_one_trace_is_forgotten_by_the_next():
    for _ in range(2):
        with pytest.raises(sad.TracedBranchError):
            sad.jacobian(conversion, X)
        assert sad.jacobian(lambda x: 2.0 * x, X)(X).nnz == 3


def test_wrong_arguments_that_the_function_catches_are_its_own_affair():
    def f(x):
        try:
            sad.unpack([1.0], like=np.zeros(2))
        except sad.InputError:
            return 2.0 * x
        return x

    assert sad.jacobian(f, X)(X).diagonal().tolist() == [2.0, 2.0, 2.0]


def test_errors_that_numpy_raises_and_the_function_catches_are_no_refusals():
    def f(x):
        try:
            return x.reshape(2, 2)
        except ValueError:
            return 2.0 * x

    assert sad.jacobian(f, X)(X).diagonal().tolist() == [2.0, 2.0, 2.0]
