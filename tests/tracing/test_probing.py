"""``out=`` of every type and for every kind of call: values are NumPy's, or refused; NumPy's errors are raised."""

from __future__ import annotations

import warnings
from collections import Counter

import numpy as np
import pytest
import scipy
import scipy.linalg
import scipy.ndimage
import scipy.signal

from sparsead.errors import SparseADError, UnsupportedOperationError
from sparsead.tracing.late import HANDLERS
from sparsead.tracing.trace import trace
from tests.reference import generic_points
from tests.tracing.compared import value

POINTS = generic_points(2, (6,), seed=5)
KINDS = {
    "real": lambda x: x.reshape(2, 3) * 1.0,
    "truth values": lambda x: x.reshape(2, 3) > 0.5,
    "integers": lambda x: (x.reshape(2, 3) > 0.5) + np.array([1, 2, 3]),
    "complex": lambda x: x.reshape(2, 3) * (1.0 + 2.0j),
}
CALLS = {
    "np.sum": lambda a, out: np.sum(a, axis=0, out=out),
    "sum, by position": lambda a, out: np.sum(a, 0, None, out),
    "method": lambda a, out: a.sum(0, out=out),
    "np.add.reduce": lambda a, out: np.add.reduce(a, out=out),
    "np.prod": lambda a, out: np.prod(a, axis=0, out=out),
    "np.mean": lambda a, out: np.mean(a, axis=0, out=out),
    "np.std": lambda a, out: np.std(a, axis=0, out=out),
    "np.var": lambda a, out: np.var(a, axis=0, out=out),
    "np.max": lambda a, out: np.max(a, axis=0, out=out),
    "np.any": lambda a, out: np.any(a, axis=0, out=out),
    "np.cumsum": lambda a, out: np.cumsum(a[:, 0], out=out[:2]),
    "np.trace": lambda a, out: np.trace(a, out=out[0, ...]),
    "np.nansum": lambda a, out: np.nansum(a, axis=0, out=out),
    "np.nanmean": lambda a, out: np.nanmean(a, axis=0, out=out),
    "np.median": lambda a, out: np.median(a, axis=0, out=out),
    "np.ptp": lambda a, out: np.ptp(a, axis=0, out=out),
    "np.clip": lambda a, out: np.clip(a[0], 0, 1, out=out),
    "np.round": lambda a, out: np.round(a[0], out=out),
    "np.dot": lambda a, out: np.dot(a.T, a[:, 0], out=out),
    "np.matmul": lambda a, out: np.matmul(a.T, a[:, 0], out=out),
    "np.take": lambda a, out: np.take(a[0], [0, 1, 0], out=out),
    "np.concatenate": lambda a, out: np.concatenate([a[0, :1], a[1, :2]], out=out),
    "np.add": lambda a, out: np.add(a[0], a[1], out=out),
    "np.add, by position": lambda a, out: np.add(a[0], a[1], out),
    "where=": lambda a, out: np.add(a[0], a[1], out=out, where=[True, False, True]),
    "np.multiply": lambda a, out: np.multiply(a[0], 2, out=out),
    "np.greater": lambda a, out: np.greater(a[0], a[1], out=out),
    "np.einsum": lambda a, out: np.einsum("ij->j", a, out=out),
    "np.isfinite": lambda a, out: np.isfinite(a[0], out=out),
}  # fmt: skip


def compared(f):
    """Return what became of a function: "same", "refused" or "rejected"."""
    try:
        expected = [f(x.copy()) for x in POINTS]
    except (TypeError, ValueError, IndexError):
        expected = None
    try:
        program, _ = trace(f, (POINTS[0],))
    except SparseADError:
        return "refused"
    except (TypeError, ValueError, IndexError):
        assert expected is None
        return "rejected"
    assert expected is not None, "accepted, and NumPy raises"
    for x, right in zip(POINTS, expected, strict=True):
        np.testing.assert_allclose(value(f, program, x), right, rtol=1e-12, atol=1e-13)
    return "same"


@pytest.mark.parametrize("name", CALLS)
def test_out_of_every_type(name):
    counts = Counter()
    for given in KINDS.values():
        for target in KINDS.values():
            for strided in (False, True):

                def f(x, given=given, target=target, strided=strided):
                    out = target(1.0 - x)[0]
                    out = np.repeat(out, 2)[::2] if strided else out
                    CALLS[name](given(x), out)
                    return np.concatenate([out.real * 1.0, out.imag * 1.0])

                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    counts[compared(f)] += 1
    assert counts["same"] >= 2, counts


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(x, axis=7),
        lambda x: np.take(x, [99]),
        lambda x: np.add(x, x[:2]),
        lambda x: np.ptp(x > 0.3) * x,
        lambda x: np.concatenate([x, x.reshape(2, 3)]),
        lambda x: np.linalg.inv(x.reshape(2, 3)),
        lambda x: np.linalg.matrix_power(x.reshape(2, 3), 1),
        lambda x: np.linalg.norm(x.reshape(1, 2, 3), axis=(0, 1, 2)),
        lambda x: np.linalg.outer(x.reshape(2, 3), x),
        lambda x: np.linalg.multi_dot([x]),
        lambda x: np.reshape(x, (4, 4)),
    ],
)
def test_where_a_rule_fails_numpys_error_is_raised(f):
    with pytest.raises((ValueError, TypeError, IndexError)) as right:
        f(POINTS[0])
    with pytest.raises(type(right.value)) as found:
        trace(f, (POINTS[0],))
    assert str(found.value) == str(right.value)


def test_what_numpy_accepts_is_refused_where_a_rule_fails(monkeypatch):
    def failing(*args, **kwargs):
        raise RuntimeError("inside")

    monkeypatch.setitem(HANDLERS, np.flip, failing)
    with pytest.raises(UnsupportedOperationError, match=r"flip with these arguments .RuntimeError: inside"):
        trace(np.flip, (POINTS[0],))


def test_errors_of_the_users_own_functions_are_left_alone():
    def f(x):
        return np.apply_along_axis(lambda row: {}[1], 0, x)

    with pytest.raises(KeyError):
        trace(f, (POINTS[0],))


def test_new_arrays_of_constants_take_traced_values():
    def f(x):
        ones = np.linalg.matrix_power(x[:4].reshape(2, 2), 0)
        ones[0] = x[:2]
        return ones.ravel()

    assert compared(f) == "same"


def test_an_array_of_another_precision_is_a_copy():
    def f(x):
        y = x * 1.0
        np.asarray(y, np.float32)[0] = 7.0
        return y

    assert compared(f) == "same"


@pytest.mark.parametrize("f", [lambda x: x.astype(np.float16), lambda x: np.asarray(x, np.float16)])
def test_half_precision_is_refused(f):
    with pytest.raises(UnsupportedOperationError, match="float16"):
        trace(f, (POINTS[0],))


@pytest.mark.parametrize("kind", [np.uint8, np.uint64, np.int8])
def test_narrow_integers_do_not_wrap_around(kind):
    def f(x):
        y = x * 1.0
        np.subtract.at(y, [0, 1, 1], np.array([1, 2, -128 if kind is np.int8 else 3], kind))
        return y

    assert compared(f) == "same"


@pytest.mark.parametrize("turned", [1.0, 1.0j])
def test_vectors_of_other_lengths_are_rejected_as_numpy_does(turned):
    def f(x):
        return np.vecdot(x.reshape(3, 2) * turned, np.ones((3, 1))).real

    assert compared(f) == "rejected"


def test_lists_of_several_lengths():
    def f(x, dtype=None):
        return np.array([[x, x], x], dtype=dtype)

    with pytest.raises(UnsupportedOperationError, match="array with these arguments"):
        trace(lambda x: f(x, object)[0], (POINTS[0],))
    assert compared(f) == "rejected"


@pytest.mark.parametrize("other", ["a", None, 0.5])
def test_what_is_known_is_compared_with_anything(other):
    def f(x):
        known = np.array([0.5, 1.0])
        return x[:2] * (known == other) + x[2:4] * (known != other) + x[0] * bool(known[0, ...] != other)

    assert compared(f) == "same"


@pytest.mark.parametrize(
    ("f", "said"),
    [
        (lambda x: scipy.ndimage.laplace(np.sum(x)), r"scipy\.ndimage\.laplace with these arguments"),
        (lambda x: np.kron(np.sum(x), 2.0), r"np\.kron with these arguments"),
    ],
)
def test_calls_that_a_rule_cannot_take_are_refused_by_name(f, said):
    f(POINTS[0])
    with pytest.raises(UnsupportedOperationError, match=said):
        trace(f, (POINTS[0],))


def test_errors_of_scipy_are_its_own():
    with pytest.raises(ValueError, match="Acceptable mode flags"):
        trace(lambda x: scipy.signal.convolve(x, x, "nonsense"), (POINTS[0],))


@pytest.mark.skipif(np.lib.NumpyVersion(scipy.__version__) < "1.16.0", reason="eigh takes no stacks")
def test_an_error_about_values_is_no_answer():
    """Whether a matrix has factors depends on its values, which the call on other arrays has made up."""
    stacks = np.ones((1, 3, 4, 4)) + 9.0 * np.eye(4), np.ones((2, 1, 4, 4)) + 9.0 * np.eye(4)
    for a, b in (stacks, stacks[::-1]):
        scipy.linalg.eigh(a, b)
        with pytest.raises(UnsupportedOperationError, match=r"scipy.linalg.eigh with these arguments"):
            trace(scipy.linalg.eigh, (a, b))


def test_known_arrays_from_outside_keep_their_values_where_numpy_is_asked():
    shares, target = np.array([0.85, 0.71]), np.zeros((1, 2))
    with pytest.raises(UnsupportedOperationError, match=r"np\.quantile with these arguments"):
        trace(lambda x: np.quantile(x, shares, (1, 0), out=target.copy()), (np.ones((1, 6)),))
