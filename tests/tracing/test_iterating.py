"""np.nditer, np.ndenumerate and np.broadcast of traced arrays walk as NumPy does, and write where it writes."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import differences

X = np.array([0.4, -1.3, 2.2, -0.9, 1.7, 0.6])


def pairs_in_other_orders(x):
    y = np.zeros((2, 3))
    operands = [x.reshape(2, 3).T, y.T, np.arange(6.0).reshape(3, 2)]
    kinds = [["readonly"], ["readwrite"], ["readonly"]]
    with np.nditer(operands, op_flags=kinds, flags=["multi_index"]) as it:
        for a, b, c in it:
            b[...] = a * a * c + b + it.multi_index[0] * a
    return y


def allocated(x):
    it = np.nditer([x.reshape(2, 3).T, 2.0, None])
    for a, b, c in it:
        c[...] = a**b
    assert it.operands[2].flags.f_contiguous
    return it.operands[2]


def outer(x):
    it = np.nditer([x[:2], x[2:], None], op_axes=[[0, -1], [-1, 0], None])
    with it:
        for a, b, c in it:
            c[...] = a * b
        return it.operands[2]


def reduced(x):
    y = np.zeros(2)
    flags = [["readonly"], ["readwrite"]]
    for a, b in np.nditer([x.reshape(2, 3), y], flags=["reduce_ok"], op_flags=flags, op_axes=[None, [0, -1]]):
        b += a * a
    return y


def by_hand(x):
    y = x.reshape(2, 3).copy(order="F")
    it = np.nditer(y, op_flags=["readwrite"], flags=["c_index"])
    while not it.finished:
        it[0] = it[0] ** 2 * it.index * it.value
        it.iternext()
    return y


def in_pieces(x):
    return np.concatenate([piece**2 for piece in np.nditer(x.reshape(2, 3), flags=["external_loop"], order="F")])


def broadcast_together(x):
    b = np.broadcast(x.reshape(2, 3), x[:3])
    out = np.empty(b.shape)
    out.flat = [u + v * u for u, v in b]
    return out * b.ndim


def enumerated(x):
    y = np.zeros((2, 3))
    for place, value in np.ndenumerate(x.reshape(2, 3)):
        y[place] = value**2 + sum(place) * value
    return y


def against_all_others(x):
    """The iterator is closed, and its views are kept: what they looked at is freed."""
    kept = []
    with np.nditer([x[::-1], x.reshape(6, 1), None], flags=["external_loop"]) as it:
        for a, b, c in it:
            np.multiply(a, b, out=c)
            kept.append(a - c)
        made = it.operands[2]
    return np.concatenate([made.ravel(), *kept])


def copied(x):
    it = np.nditer([x, x + 1.0])
    next(it)
    other = it.copy()
    (a, b), (c, d) = next(other), next(it)
    return np.array([a * b, c + d])


def moved_by_hand(x):
    it = np.nditer(x.reshape(2, 3), flags=["multi_index"], op_flags=["readwrite"])
    assert it.dtypes == (np.dtype(float),)
    it.multi_index = 1, 1
    it[0:1] = (it[0] ** 2,)
    it.iterindex = 2
    return it.itviews[0] * it.value


def places_of_a_flat_iterator(x):
    it = x.reshape(2, 3).flat
    return np.array([sum(it.coords) * value for value in it])


LOOPS = [pairs_in_other_orders, allocated, outer, reduced, by_hand, in_pieces, broadcast_together, enumerated]
LOOPS += [against_all_others, copied, moved_by_hand, places_of_a_flat_iterator]


@pytest.mark.parametrize("f", LOOPS)
def test_loops_over_several_arrays(f):
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-14)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-8, atol=1e-8)


def test_what_an_iterator_hands_out_is_read_only_unless_asked():
    def f(x):
        for v in np.nditer(x.copy()):
            v[...] = 1.0
        return x

    with pytest.raises(ValueError, match="read-only"):
        sad.jacobian(f, X)


@pytest.mark.parametrize(
    "options", [{"flags": ["buffered"]}, {"op_flags": [["readonly", "copy"]], "op_dtypes": ["f4"]}]
)
def test_an_iterator_that_converts_is_refused(options):
    with pytest.raises(sad.UnsupportedOperationError, match=r"np\.ndenumerate"):
        sad.jacobian(lambda x: np.array([v * 2.0 for v in np.nditer(x, **options)]), X)
