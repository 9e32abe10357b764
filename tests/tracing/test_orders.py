"""Results of NumPy's functions lie in memory as NumPy's own, by which their views and copies are told apart."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.fft
import scipy.linalg
import scipy.signal

from sparsead.tracing.trace import trace
from tests.tracing.compared import value

X = np.array([0.31, 0.74, 0.52, 0.93, 0.28, 0.67, 0.45, 0.81, 0.12])
A = np.arange(9.0).reshape(3, 3)
MAKES = {
    "constant @ x": lambda x: A @ x,
    "x @ constant": lambda x: x @ A.T,
    "matmul": lambda x: x @ x,
    "complex": lambda x: (A @ (x * 1j)).imag,
    "dot": lambda x: np.dot(x, A),
    "inner": lambda x: np.inner(x, x),
    "tensordot": lambda x: np.tensordot(x, A, 1),
    "kron": lambda x: np.kron(x, x),
    "outer": lambda x: np.outer(x[0], x[1]),
    "einsum": lambda x: np.einsum("ij,jk->ik", A, x),
    "einsum turned": lambda x: np.einsum("ij,jk->ki", A, x),
    "einsum of three": lambda x: np.einsum("ij,jk,kl->li", A, x, x, optimize=True),
    "einsum elementwise": lambda x: np.einsum("ij,ij->ji", x, x),
    "einsum of complex": lambda x: np.einsum("ij,jk->ki", A, 1j * x).imag,
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "cumprod": lambda x: np.cumprod(x, axis=1),
    "sort": lambda x: np.sort(x, axis=0),
    "gradient": lambda x: np.gradient(x)[1],
    "meshgrid": lambda x: np.meshgrid(x[0], x[:, 0])[0],
    "svd": lambda x: np.linalg.svd(x)[0] ** 2,
    "inv": lambda x: np.linalg.inv(x + 3.0 * np.eye(3)),
    "cholesky": lambda x: np.linalg.cholesky(x @ x.T + A @ A.T + np.eye(3), upper=True),
    "no power": lambda x: np.linalg.matrix_power(x, 0) * x,
    "sum": lambda x: np.sum(np.multiply.outer(x, x[0]), axis=1),
    "diff": lambda x: np.diff(x, axis=0),
    "where": lambda x: np.where(x > 0.5, x, 1.0),
    "scipy's pinv": lambda x: scipy.linalg.pinv(x + 3.0 * np.eye(3)),
    "scipy's qr": lambda x: scipy.linalg.qr(x + 3.0 * np.eye(3))[0],
    "scipy's cholesky": lambda x: scipy.linalg.cholesky(x @ x.T + np.eye(3)),
    "dct": lambda x: scipy.fft.dct(x, axis=0),
    "lfilter": lambda x: scipy.signal.lfilter([1.0, 0.5], [1.0], x, axis=0),
    "stack": lambda x: np.stack([x, x], axis=2),
    "fht, which runs backwards": lambda x: scipy.fft.fht(x[:, 0], 0.1, 0.0)[:, None],
}
ORDERS = {
    "C": lambda x: x.reshape(3, 3) * 1.0,
    "turned": lambda x: x.reshape(3, 3).T * 1.0,
    "F": lambda x: x.reshape(3, 3, order="F"),
    "steps": lambda x: np.multiply.outer(x, x[:5])[::3, ::2],
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("order", ORDERS)
def test_results_have_the_order_that_numpy_gives_them(make, order):
    def f(x):
        result = MAKES[make](ORDERS[order](x))
        looks = [look(result) for look in (np.ravel, lambda r: np.reshape(r, -1, order="F"), lambda r: r.T.reshape(-1))]
        for number, look in enumerate(looks):
            look[::2] *= number + 2.0
        return np.concatenate([result.ravel(), result.ravel("K"), *looks])

    np.testing.assert_allclose(value(f, trace(f, (X,))[0], X), f(X), rtol=1e-9, atol=1e-12)


def test_arrays_without_elements_have_numpys_strides():
    def f(x):
        empty = np.zeros((2, 0), complex)
        made = [
            empty,
            empty.T,
            np.swapaxes(empty, 0, 1)[::-1],
            np.zeros((3, 0, 2))[:, :, 0],
            np.einsum("ij,kj->ki", empty, empty),
        ]
        found.append([a.strides for a in made])
        return x

    found = []
    f(X)
    trace(f, (X,))
    assert found[1] == found[0]
