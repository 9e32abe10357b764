"""Functions of complex arrays: every rule that real arrays have is tried, and is right or refused."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.ops.registry import REGISTRY
from tests.reference import differences

X = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4))


def point(x):
    return x * np.exp(1j * x[:, ::-1])


def flat(result):
    if isinstance(result, (tuple, list)):
        return np.concatenate([flat(part) for part in result])
    return np.concatenate([np.ravel(np.real(result)), np.ravel(np.imag(result))])


def cases():
    """Yield the samples of NumPy's functions that NumPy itself does with complex arrays."""
    for entry in REGISTRY:
        if entry.family in ("complex", "query") or not entry.spelling.startswith("np."):
            continue
        for number, sample in enumerate(entry.samples):
            yield pytest.param(sample, id=f"{entry.spelling} {number}")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("sample", list(cases()))
def test_right_or_refused(sample):
    f = lambda x: flat(sample(point(x)))  # noqa: E731
    try:
        expected = f(X)
    except (TypeError, ValueError, AttributeError, np.exceptions.AxisError):
        pytest.skip("NumPy does not do this with complex arrays")
    try:
        jac = sad.jacobian(f, X, check=False, backend="python")
    except (sad.UnsupportedOperationError, sad.TracedBranchError):
        return
    np.testing.assert_allclose(jac.value(X), expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("spelling", ["np.diag", "np.pad", "np.prod", "np.einsum", "np.arcsin", "np.linalg.solve"])
def test_not_refused(spelling):
    samples = next(entry.samples for entry in REGISTRY if entry.spelling == spelling)
    sad.jacobian(lambda x: flat(samples[0](point(x))), X)


@pytest.mark.parametrize(
    "f",
    [
        lambda z: np.einsum("ij,kj,lj->il", z, 1j * z, z + 2.0),
        lambda z: np.einsum("ij,ij,ij,ij->i", z, z, np.conj(z), 1j + z),
        lambda z: np.linalg.solve(z[:, :3] + np.eye(3), z[:, 3]),
        lambda z: np.linalg.inv(z[:, :3] + np.eye(3)),
        lambda z: np.linalg.matrix_power(z[:, :3], 3),
        lambda z: np.pad(z, 1, constant_values=2.0),
        lambda z: np.prod(z, axis=0),
        lambda z: np.vecdot(z, 1j + z),
        lambda z: np.arccosh(z + 2.0),
        lambda z: np.log1p(1e-9 * z),
        lambda z: np.arctanh(1e-9 * z),
        lambda z: np.expm1(1e-9 * z),
    ],
)
def test_values_and_slopes_agree_with_numpy(f):
    g = lambda x: flat(f(point(x)))  # noqa: E731
    jac = sad.jacobian(g, X)
    np.testing.assert_allclose(jac.value(X), g(X), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(jac(X).toarray(), differences(g, X), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_quotients_of_any_size(size):
    """The square of a modulus may be no number where the quotient is one."""
    f = lambda x: flat([(size / (size * point(x))), (size * x) / (size * point(x)), 1.0 / (point(x) / size) / size])  # noqa: E731
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac.value(X), f(X), rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-7, atol=1e-8)
