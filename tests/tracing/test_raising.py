"""Exceptions of arithmetic that a function catches are decisions by values: refused, in every spelling."""

from __future__ import annotations

import contextlib
import math
import warnings

import numpy as np
import pytest

import sparsead as sad

X = np.array([0.7, 0.4, 1.3])


def inside(x):
    with np.errstate(all="raise"):
        try:
            return 1.0 / x
        except FloatingPointError:
            return x


def outside(x):
    try:
        with np.errstate(divide="raise", invalid="ignore"):
            return np.log(x)
    except (KeyError, ArithmeticError):
        return x


def set_before(x):
    old = np.seterr(all="raise")
    try:
        return np.sqrt(x)
    except Exception:
        return x
    finally:
        np.seterr(**old)


def _raising(x):
    with np.errstate(over="raise"):
        return np.exp(x)


def by_the_caller(x):
    try:
        return _raising(x)
    except:  # noqa: E722
        return x


def suppressed(x):
    with contextlib.suppress(FloatingPointError), np.errstate(all="raise"):
        return np.log(x)
    return x


def warned(x):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            return np.log(x)
        except RuntimeWarning:
            return x


def filtered(x):
    with warnings.catch_warnings(action="error"):
        try:
            return np.log(x)
        except Warning:
            return x


def of_math(x):
    try:
        return x * math.log(x[1])
    except ValueError:
        return x


def of_math_in_a_helper(x):
    with contextlib.suppress(ValueError):
        return x * (lambda v: math.sqrt(v))(x[1])
    return x


def told(x):
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        return np.log(x) * math.exp(x[0])


def told_to_say_more(x):
    try:
        with np.errstate(divide="raise"):
            return np.log(x)
    except FloatingPointError as error:
        raise ValueError("densities must be positive") from error


def unrelated(x):
    scale = {"a": 2.0}
    try:
        factor = scale["b"]
    except KeyError:
        factor = 3.0
    with np.errstate(all="raise"):
        return factor * np.log(x) * math.log(x[0])


def ignored(x):
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.log(x) + math.sin(x[1])
    except FloatingPointError:
        return x


CAUGHT = [inside, outside, set_before, by_the_caller, suppressed, warned, filtered, of_math, of_math_in_a_helper]


@pytest.mark.parametrize("f", CAUGHT)
def test_catching_what_arithmetic_raises_is_refused(f):
    with pytest.raises(
        sad.UnsupportedOperationError, match=r"catching an exception of arithmetic(.|\n)*test_raising"
    ) as e:
        sad.jacobian(f, X, check=False)
    assert "np.where" in str(e.value)


@pytest.mark.parametrize("f", [told, told_to_say_more, unrelated, ignored])
def test_raising_alone_is_not_refused(f):
    try:
        jac = sad.jacobian(f, X)
    except ArithmeticError as error:
        raise AssertionError(f.__name__) from error
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14)
    assert np.geterr()["divide"] == "warn"
