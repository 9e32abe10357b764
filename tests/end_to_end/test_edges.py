"""Numbers at the edge: overflow, NaN, denormals, extreme scales, points without a derivative. The same in every mode.

What is expected is written down here, from the formula of the derivative in IEEE arithmetic.
"""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from tests.reference import complex_step

MODES = ["direct", "forward", "reverse", "bidirectional"]
every_mode = pytest.mark.parametrize("mode", MODES)
every_backend = pytest.mark.parametrize("backend", ["llvm", "python"])
INF, NAN = np.inf, np.nan
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


def assert_entries(f, x, expected, mode, backend="llvm"):
    """Compare every way to the derivative with what is expected: the matrix, and products with nonzero vectors."""
    x = np.asarray(x, dtype=float)
    jac = sad.jacobian(f, x, mode=mode, backend=backend)
    matrix = jac(x)
    np.testing.assert_allclose(matrix.toarray(), expected, rtol=1e-14)
    v, w = np.full(x.size, 0.5), np.full(matrix.shape[0], 0.25)
    np.testing.assert_allclose(jac.jvp(x, v), matrix @ v, rtol=1e-14)
    np.testing.assert_allclose(jac.vjp(x, w), matrix.T @ w, rtol=1e-14)


@every_mode
@every_backend
def test_overflow_is_infinite_where_the_derivative_is(mode, backend):
    assert_entries(lambda x: np.exp(x), [1.0, 800.0], [[np.e, 0], [0, INF]], mode, backend)
    assert_entries(lambda x: x**2 * x, [1e200, 1.0], [[INF, 0], [0, 3]], mode, backend)


@every_mode
@every_backend
def test_nan_reaches_what_depends_on_it_and_nothing_else(mode, backend):
    x = [1.0, NAN, 3.0, 4.0]
    e3, e4 = np.exp(3.0), np.exp(4.0)
    expected = [[NAN, NAN, 0, 0], [0, e3, NAN, 0], [0, 0, e4, 3 * e4]]
    assert_entries(lambda x: np.exp(x[1:]) * x[:-1], x, expected, mode, backend)


@every_mode
@every_backend
def test_denormals_are_not_flushed(mode, backend):
    tiny = 5e-324
    assert_entries(lambda x: x * x[::-1], [tiny, 3.0], [[3, tiny], [3, tiny]], mode, backend)
    assert_entries(lambda x: x * x * x, [1e-160, 1.0], [[3 * 1e-160**2, 0], [0, 3]], mode, backend)


@every_mode
@every_backend
def test_overwritten_and_unchosen_values_leave_nothing_behind(mode, backend):
    """`0 * inf` would be NaN: the derivative of log at 0 is infinite, but nobody asks for it."""

    def overwritten(x):
        y = np.log(x) * 1.0
        y[0] = 2.0
        return y * x

    x = [0.0, 1.0, 2.0]
    expected = np.diag([2.0, 1.0, 1.0 + np.log(2.0)])
    assert_entries(overwritten, x, expected, mode, backend)
    assert_entries(lambda x: np.where(x > 0, np.log(x), 3 * x), x, np.diag([3.0, 1.0, 0.5]), mode, backend)
    assert_entries(lambda x: np.where(x > 1, np.sqrt(x - 1.0), 0.0), x, np.diag([0, 0, 0.5]), mode, backend)


# name: function, x, the derivative that is documented
CHOICES = {
    "abs": (np.abs, [0.0, -0.0], np.zeros((2, 2))),
    "maximum": (lambda x: np.maximum(x, 0.0), [0.0, 1.0], np.eye(2)),
    "maximum, the other way round": (lambda x: np.maximum(0.0, x), [0.0, 1.0], np.diag([0.0, 1.0])),
    "minimum": (lambda x: np.minimum(x, 0.0), [0.0, -1.0], np.eye(2)),
    "maximum of two": (lambda x: np.maximum(x, x[::-1]), [1.0, 1.0], np.eye(2)),
    "max": (lambda x: np.max(x).reshape(1), [1.0, 1.0, 0.0], [[1, 0, 0]]),
    "min": (lambda x: np.min(x).reshape(1), [1.0, 0.0, 0.0], [[0, 1, 0]]),
    "clip": (lambda x: np.clip(x, 0.0, 1.0), [0.0, 1.0], np.eye(2)),
    "sign": (lambda x: np.sign(x) * 1.0, [0.0, 1.0], np.zeros((2, 2))),
    "floor": (lambda x: np.floor(x) + x, [1.0, 0.5], np.eye(2)),
    "where": (lambda x: np.where(x >= 0, 2 * x, 3 * x), [0.0, -1.0], np.diag([2.0, 3.0])),
    "hypot": (lambda x: np.hypot(x[:1], x[1:]), [0.0, 0.0], [[NAN, NAN]]),
    "norm": (lambda x: np.sqrt(np.sum(x**2)).reshape(1), [0.0, 0.0], [[NAN, NAN]]),
    "sqrt": (np.sqrt, [0.0, 4.0], np.diag([INF, 0.25])),
    "power": (lambda x: x**1.5, [0.0, 4.0], np.diag([0.0, 3.0])),
}


@every_mode
@every_backend
@pytest.mark.parametrize("name", CHOICES)
def test_choice_where_there_is_no_derivative(name, mode, backend):
    f, x, expected = CHOICES[name]
    assert_entries(f, x, expected, mode, backend)


HESSIAN_MODES = ["direct", "star", "acyclic", "column"]


@pytest.mark.parametrize("mode", HESSIAN_MODES)
@every_backend
def test_hessian_where_there_is_no_derivative(mode, backend):
    def f(x):
        return np.sum(np.maximum(x, 0.0) ** 2 + np.abs(x) * x) + np.sum(np.abs(x[1:] - x[:-1]) ** 3)

    x = np.array([0.0, 0.0, 1.0])
    expected = np.array([[2.0, 0, 0], [0, 8.0, -6], [0, -6, 10]])
    np.testing.assert_allclose(sad.hessian(f, x, mode=mode, backend=backend)(x).toarray(), expected, rtol=1e-14)


@every_mode
@pytest.mark.parametrize("scale", [1e-200, 1e-100, 1e-20, 1e20, 1e100, 1e150])
def test_extreme_scales(mode, scale):
    """A derivative of degree 0 does not know its scale; one of degree 1 follows it."""

    def ratio(x):
        return x[1:] / x[:-1] * np.arctan2(x[1:], x[:-1])

    x = np.linspace(1.0, 2.0, 6)
    expected = complex_step(lambda x: x[1:] / x[:-1] * np.arctan(x[1:] / x[:-1]), x) / scale
    np.testing.assert_allclose(sad.jacobian(ratio, x, mode=mode)(x * scale).toarray(), expected, rtol=1e-13)


@every_mode
def test_rows_of_different_scales_keep_their_accuracy(mode):
    """Forty orders of magnitude side by side: every entry is right to rounding, not just the large ones."""
    scales = 10.0 ** np.arange(-20, 20, 5)

    def f(x):
        return scales * np.sin(x) * np.roll(x, 1)

    x = np.linspace(0.5, 1.5, 8)
    matrix, expected = sad.jacobian(f, x, mode=mode)(x).toarray(), complex_step(f, x)
    stored = expected != 0
    np.testing.assert_allclose(matrix[stored], expected[stored], rtol=1e-13)


# name: function, x, its derivative there (to 16 digits, by hand)
RANGE = {
    "arctan2": (lambda x: np.arctan2(x[:1], x[1:]), [3e-200, 4e-200], [[4 / 25 * 1e200, -3 / 25 * 1e200]]),
    "arctan2 of large values": (
        lambda x: np.arctan2(x[:1], x[1:]),
        [3e200, 4e200],
        [[4 / 25 / 1e200, -3 / 25 / 1e200]],
    ),
    "arcsinh": (np.arcsinh, [1e200, 0.0], np.diag([1e-200, 1.0])),
    "arccosh": (np.arccosh, [1e200, 2.0], np.diag([1e-200, 3**-0.5])),
    "arcsin": (np.arcsin, [1 - 2.0**-40, 0.0], np.diag([2**19.5 / (1 - 2.0**-41) ** 0.5, 1.0])),
    "arctanh": (np.arctanh, [1 - 2.0**-40, 0.0], np.diag([2.0**39 / (1 - 2.0**-41), 1.0])),
    "hypot": (lambda x: np.hypot(x[:1], x[1:]), [3e-200, 4e-200], [[0.6, 0.8]]),
}


@every_mode
@every_backend
@pytest.mark.parametrize("name", RANGE)
def test_range_and_accuracy_of_partials(name, mode, backend):
    assert_entries(*RANGE[name], mode, backend)
