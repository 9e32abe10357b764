"""A part of NumPy's own tests and of SciPy's, run through the trace; the whole by ``make numpy-tests scipy-tests``."""

from __future__ import annotations

import numpy as np
import pytest
import scipy

from tests.numpy import rewriting
from tests.numpy.__main__ import outcomes, unexplained
from tests.numpy.comparing import compare, event_of, true_type

PART = ["numpy.lib.tests.test_shape_base", "numpy.lib.tests.test_twodim_base", "numpy._core.tests.test_shape_base"]
KNOWN = (2, 4)  # the version of NumPy whose tests are known


@pytest.mark.skipif(tuple(map(int, np.__version__.split(".")[:2])) != KNOWN, reason="tests of another NumPy")
@pytest.mark.parametrize("module", PART)
def test_what_numpys_tests_do_is_the_same_when_traced(module):
    found = outcomes(module, 300.0, most=25)
    same = [o for o in found if o["result"] == "same"]
    assert len(same) > 100
    assert [f"{o['result']}: {o['event']} [{o['variant']}]: {o['message']}" for o in unexplained(found)] == []


@pytest.mark.skipif(tuple(map(int, scipy.__version__.split(".")[:2])) < (1, 15), reason="older tests")
@pytest.mark.parametrize("module", ["scipy.signal.tests.test_savitzky_golay", "scipy.integrate.tests.test_quadrature"])
def test_what_scipys_tests_do_is_the_same_when_traced(module):
    found = outcomes(module, 300.0, most=3)
    assert sum(o["result"] == "same" for o in found) > 50
    assert [f"{o['result']}: {o['event']} [{o['variant']}]: {o['message']}" for o in unexplained(found)] == []


def compared(kind, name, *args, act=rewriting.perform, aliasing=False, variant="all", **kwargs):
    return compare(event_of(kind, name, args, kwargs), variant, act, aliasing)


X = np.array([[0.3, 0.7], [0.2, 0.9]])


def test_what_agrees_is_the_same():
    for variant in ("all", "known"):
        assert compared("func", "numpy.sum", X, axis=0, variant=variant).result == "same"
        assert compared("method", "ravel", X, variant=variant, aliasing=True).result == "same"
    assert compared("func", "numpy.sum", X, axis=5).message == "both raise"
    assert compared("func", "numpy.argsort", X).result == "refused"


@pytest.mark.parametrize(
    "wrong",
    [
        lambda result: result + 1.0,
        lambda result: result[:1],
        lambda result: result > 0.0,
        lambda result: [result],
        lambda result: None,
    ],
)
def test_what_differs_is_different(wrong):
    def act(kind, name, args, kwargs):
        result = rewriting.perform(kind, name, args, kwargs)
        return result if true_type(args[0]) is np.ndarray else wrong(result)

    assert compared("func", "numpy.cumsum", X, axis=0, act=act).result == "different"


def test_a_copy_for_a_view_and_a_changed_argument_are_different():
    def copying(kind, name, args, kwargs):
        result = rewriting.perform(kind, name, args, kwargs)
        return result if true_type(args[0]) is np.ndarray else result.copy("K")

    def changing(kind, name, args, kwargs):
        if true_type(args[0]) is not np.ndarray:
            args[0][0] = 1.0

    assert compared("attr", "T", X, act=copying).result == "same"
    assert "after writing" in compared("attr", "T", X, act=copying, aliasing=True).message
    assert "arguments" in compared("attr", "T", X, act=changing).message


def test_errors_are_told_apart():
    def failing(kind, name, args, kwargs):
        if true_type(args[0]) is not np.ndarray:
            raise KeyError(name)

    def accepting(kind, name, args, kwargs):
        if true_type(args[0]) is np.ndarray:
            raise ValueError(name)

    assert compared("attr", "T", X, act=failing).result == "crash"
    assert compared("attr", "T", X, act=accepting).result == "accepted"
