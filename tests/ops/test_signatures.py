"""A rule's signature is NumPy's own, positions and all: nothing is forwarded by name, and no keyword is dropped."""

from __future__ import annotations

import inspect
import re

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops
from sparsead.ops.binding import Bound
from sparsead.ops.signatures import FUNCTIONS, signature_of, unlike
from sparsead.tracing.late import HANDLERS, UFUNC_METHODS

RULES = [rule for rule in (*HANDLERS.values(), *UFUNC_METHODS.values()) if isinstance(rule, Bound)]
EARLIER = tuple(map(int, np.__version__.split(".")[:2])) < (2, 4)  # some parameters came later
X = np.array([0.3, 0.7, 0.2, 0.9])


def jacobian(f, x=X):
    return sad.jacobian(f, x, backend="python")(x).toarray()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.spelling)
def test_parameters_of_a_rule_are_those_of_the_function(rule):
    if rule.states_itself:
        faults = unlike(rule.rule, rule.signature)
        assert [f for f in faults if not (EARLIER and "no parameter" in f)] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_stated_signatures_are_those_that_numpy_tells(name):
    try:
        told = inspect.signature(getattr(np, name))
    except ValueError:
        pytest.skip("this NumPy does not tell signatures of functions written in C")
    assert str(told) == str(inspect.signature(FUNCTIONS[name]))


@pytest.mark.parametrize("ufunc", [np.add, np.sin, np.divmod, np.matmul])
def test_signatures_of_ufuncs_are_those_that_numpy_tells(ufunc):
    try:
        told = inspect.signature(ufunc)
    except ValueError:
        pytest.skip("this NumPy does not tell signatures of ufuncs")
    ours, theirs = list(signature_of(ufunc).parameters), list(told.parameters)
    assert {*theirs[ufunc.nin :]} <= {*ours[ufunc.nin :]}


POSITIONAL = {
    "sum": lambda x: x.reshape(2, 2).sum(0, None, None, True),
    "max": lambda x: np.max(x.reshape(2, 2), 1, None, True),
    "var": lambda x: np.var(x, None, None, None, 1),
    "median": lambda x: np.median(x.reshape(2, 2), 1, None, False, True),
    "quantile": lambda x: np.quantile(x, 0.3, None, None, False, "linear", True),
    "trace": lambda x: np.trace(x.reshape(2, 2), 1, 0, 1),
    "ptp": lambda x: np.ptp(x.reshape(2, 2), 1, None, True),
    "clip": lambda x: np.clip(x, 0.25, 0.8),
    "names": lambda x: np.append(values=x, arr=x * x),
    "stack": lambda x: np.stack(arrays=[x, x * x], axis=1),
    "roll": lambda x: np.roll(shift=1, a=x),
    "average": lambda x: np.average(x, None, [1.0, 2.0, 3.0, 4.0], True)[0],
    "correction": lambda x: np.std(x, correction=1),
    "mean": lambda x: np.var(x, mean=np.mean(x, keepdims=True)),
    "where": lambda x: np.mean(x, where=np.array([True, False, True, True])),
    "nanvar": lambda x: np.nanvar(x, where=np.array([True, False, True, True])),
}


@pytest.mark.parametrize("call", POSITIONAL.values(), ids=POSITIONAL)
def test_arguments_by_position_and_by_name_mean_what_they_mean_to_numpy(call):
    jac = sad.jacobian(call, X, backend="python")
    value, matrix = jac.value_and_jacobian(X)
    expected = np.asarray(call(X))
    assert value.shape == expected.shape
    np.testing.assert_allclose(value, expected, rtol=1e-14)
    step = 1e-6
    columns = [(np.ravel(call(X + step * e)) - np.ravel(call(X - step * e))) / (2 * step) for e in np.eye(4)]
    np.testing.assert_allclose(matrix.toarray(), np.column_stack(columns), atol=1e-8)


def test_out_by_position_and_by_name():
    def f(x):
        totals, products, means = np.zeros(2), np.zeros((2, 2)), np.zeros((2, 1))
        a = x.reshape(2, 2)
        returned = np.sum(a, 0, None, totals)
        np.dot(a, a, products)
        np.mean(a, 1, out=means, keepdims=True)
        return np.concatenate([returned * totals, products.ravel(), means.ravel()])

    jac = sad.jacobian(f, X, backend="python")
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14)


REFUSED = {
    "dtype=": lambda x: np.sum(x, dtype=int),
    "where=": lambda x: np.add(x, x, where=X > 0.5),
    "weights=": lambda x: np.quantile(x, 0.5, method="inverted_cdf", weights=X),
    "order=": lambda x: np.add(x, x, order="F"),
    "fweights=": lambda x: np.cov(x.reshape(2, 2), fweights=[1, 2]),
    "casting=": lambda x: np.concatenate([x, x], casting="no"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_rule_does_not_state_is_refused_by_name(name):
    with pytest.raises(sad.UnsupportedOperationError, match=f"(?s){name}.*test_signatures.py.*Leave {name} out"):
        jacobian(REFUSED[name])


WRONG = {
    "an unknown keyword": (lambda x: np.sum(x, axes=0), TypeError),
    "too many arguments": (lambda x: np.flip(x, 0, 1), TypeError),
    "too few arguments": (lambda x: np.roll(x), TypeError),
    "no dtype": (lambda x: np.sum(x, dtype="nonsense"), TypeError),
    "no order": (lambda x: np.add(x, x, order="Z"), ValueError),
    "no casting": (lambda x: np.add(x, x, casting="nonsense"), ValueError),
    "out of another shape": (lambda x: np.sum(x.reshape(2, 2), 0, None, np.zeros((1, 2))), ValueError),
    "out is no array": (lambda x: np.sum(x, 0, None, [0.0]), TypeError),
    "two of ddof": (lambda x: np.var(x, ddof=1, correction=1), ValueError),
    "weights of another length": (lambda x: np.average(x.reshape(2, 2), 0, [1.0, 2.0, 3.0]), ValueError),
    "ends twice": (lambda x: np.clip(x, 0.0, 1.0, min=0.5), ValueError),
    "one end": (lambda x: np.clip(x, 0.0), TypeError),
}


@pytest.mark.parametrize("call", WRONG.values(), ids=WRONG)
def test_where_numpy_raises_the_trace_raises_the_same(call):
    function, error = call
    with pytest.raises(error):
        function(X)
    with pytest.raises(error):
        jacobian(lambda x: np.sum(function(x)))


def test_the_message_names_the_parameter_and_the_value():
    with pytest.raises(sad.UnsupportedOperationError, match=re.escape("np.sum with dtype=<class 'int'>")):
        jacobian(lambda x: np.sum(x, dtype=int))
