"""The laws that every registered operation obeys, driven by the registry: an op added is an op tested.

The reference is the plain NumPy function: its values, and central differences of order 8 for its derivatives.
"""

from __future__ import annotations

import functools

import numpy as np
import pytest

import sparsead as sad
from sparsead.kernels.fingerprint import fingerprint
from sparsead.ops.registry import REGISTRY, spelling_of
from sparsead.tracing.complex import COMPLEX_HANDLERS
from tests.laws.explained import assert_all_explained
from tests.laws.samples import CALLS
from tests.reference import assert_close, differences, generic_points

SAMPLES = [pytest.param(call.call, id=name) for name, call in CALLS.items()]
#: Calls of functions that act on both parts of complex values, without samples of their own.
PARTWISE = {
    name: call.call
    for name, call in CALLS.items()
    if call.spelling in {spelling_of(f) for f in COMPLEX_HANDLERS if callable(f)}
    and f"{call.spelling} of complex values" not in {c.spelling for c in CALLS.values()}
}
POINTS = generic_points(3)
X = POINTS[0]


@functools.lru_cache(maxsize=8)  # the laws of one sample follow one another
def prepared(sample, **options):
    return sad.jacobian(sample, X, backend="python", **options)


def weights_of(sample):
    """Return factors of the results, which couple nothing by themselves."""
    return np.linspace(1.0, 2.0, np.size(sample(X))).reshape(np.shape(sample(X)))


@functools.lru_cache(maxsize=8)
def prepared_twice(sample):
    weights = weights_of(sample)
    return sad.hessian(lambda x: np.sum(weights * sample(x)), X, backend="python")


def test_every_entry_has_a_sample():
    assert not [e.spelling for e in REGISTRY if not e.samples]


def test_no_spelling_is_registered_twice():
    spellings = [e.spelling for e in REGISTRY]
    assert len(spellings) == len(set(spellings))


@pytest.mark.parametrize("sample", SAMPLES, scope="module")
def test_value_and_jacobian_are_those_of_numpy(sample):
    jac = prepared(sample)
    for x in POINTS[:2]:
        y, matrix = jac.value_and_jacobian(x)
        expected = np.asarray(sample(x), dtype=np.float64)
        assert y.shape == expected.shape
        np.testing.assert_allclose(y, expected, rtol=2e-14, atol=1e-15)
        assert_close(matrix.toarray(), differences(sample, x))


@pytest.mark.parametrize("sample", SAMPLES, scope="module")
def test_pattern_is_exact_over_generic_points(sample):
    """No entry is missed (that would show above), and none is kept that is zero at all of many points."""
    jac = prepared(sample)
    pattern = jac.pattern.to_scipy().toarray() != 0
    seen = np.zeros_like(pattern)
    for x in generic_points(150, seed=1):
        seen |= jac(x).toarray() != 0
        if (seen == pattern).all():
            return
    np.testing.assert_array_equal(pattern, seen)


@pytest.mark.parametrize("sample", SAMPLES, scope="module")
def test_products_agree_with_the_matrix(sample):
    """J v and w J without a matrix are those of the matrix, and adjoint to each other: w.(J v) = (w J).v."""
    jac = prepared(sample)
    rng = np.random.default_rng(2)
    v, w = rng.normal(size=jac.shape[1]), rng.normal(size=jac.shape[0])
    matrix, forward, backward = jac(X), jac.jvp(X, v), jac.vjp(X, w)
    assert_close(forward, matrix @ v, 1e-13)
    assert_close(backward, w @ matrix, 1e-13)
    assert_close(w @ forward, backward @ v, 1e-13)


@pytest.mark.parametrize("sample", SAMPLES, scope="module")
def test_another_mode_gives_the_same_matrix(sample):
    """One that is drawn by what the program computes; products go both ways through each of them anyway."""
    jac = prepared(sample)
    modes = sorted({"forward", "reverse", "bidirectional", "direct"} - {jac.mode})
    other = prepared(sample, mode=modes[int(fingerprint(jac.kernels), 16) % len(modes)])
    assert other.pattern == jac.pattern
    assert_close(other(X).data, jac(X).data, 1e-13)


@pytest.mark.parametrize("sample", SAMPLES, scope="module")
def test_second_derivatives(sample):
    """The Hessian of a weighted sum is the derivative of its gradient; the gradient is held to the laws above."""
    jac, hess, weights = prepared(sample), prepared_twice(sample), weights_of(sample)
    value, gradient, matrix = hess.value_gradient_and_hessian(X)
    assert_close(value, np.sum(weights * sample(X)), 1e-13)
    assert_close(gradient.ravel(), jac.vjp(X, weights.ravel()), 1e-13)
    assert_close(matrix.toarray(), differences(lambda x: jac.vjp(x, weights.ravel()), X))
    np.testing.assert_array_equal(matrix.toarray(), matrix.toarray().T)
    v, H = np.arange(12.0), matrix.toarray()
    np.testing.assert_allclose(hess.hvp(X, v), H @ v, rtol=0, atol=1e-13 * max(1.0, (abs(H) @ v).max()))  # of its terms


@pytest.mark.parametrize("sample", SAMPLES, scope="module")
def test_every_entry_is_explained(sample):
    assert_all_explained(prepared(sample), X)
    assert_all_explained(prepared_twice(sample), X)


@pytest.mark.parametrize("sample", SAMPLES, scope="module")
def test_llvm_agrees_with_python(sample):
    """Machine code and the interpreted text of one sweep agree to rounding of the library functions."""
    jac, compiled = prepared(sample), sad.jacobian(sample, X, backend="llvm")
    y, matrix = jac.value_and_jacobian(X)
    fast_y, fast_matrix = compiled.value_and_jacobian(X)
    np.testing.assert_allclose(fast_y, y, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(fast_matrix.data, matrix.data, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("sample", PARTWISE.values(), ids=PARTWISE)
def test_complex_arguments(sample):
    def parts(x):
        y = sample(x * np.exp(1j * x[:, ::-1]))
        return np.stack([np.real(y), np.imag(y)])

    test_value_and_jacobian_are_those_of_numpy(parts)
