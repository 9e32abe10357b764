"""The operation for PyTensor, in compiled graphs of the real package."""

import numpy as np
import pytest

from sparsead import solvers

pytensor = pytest.importorskip("pytensor")
pt = pytest.importorskip("pytensor.tensor")
pytestmark = pytest.mark.filterwarnings("ignore:Numba will use object mode")

X = np.linspace(1.0, 2.0, 5)
X_OTHER = np.array([0.3, -1.0, 2.0, 0.0, 5.0])


def f(x, p):
    return p * x[1:] * x[:-1] ** 2


def jacobian(x, p):  # by hand
    J = np.zeros((4, 5))
    J[range(4), range(1, 5)], J[range(4), range(4)] = p * x[:-1] ** 2, 2.0 * p * x[1:] * x[:-1]
    return J


@pytest.fixture(scope="module")
def graph():
    op, x, v = solvers.pytensor_op(f, X, 2.0), pt.vector("x"), pt.vector("v")
    y = op(x)
    cost = pt.sum(y**2)
    made = {
        "value": y,
        "gradient": pytensor.grad(cost, x),
        "jacobian": op.jacobian(x),
        "product": pytensor.gradient.pushforward(y, x, v, use_op_pushforward=True),
        "second": pytensor.grad(pt.sum(pytensor.grad(cost, x) * v), x),
    }
    call = pytensor.function([x, v], list(made.values()), on_unused_input="ignore")
    return lambda x, v: dict(zip(made, call(x, v), strict=True))


def test_value_and_derivatives(graph):
    v = np.arange(5.0)
    found, J, y = graph(X_OTHER, v), jacobian(X_OTHER, 2.0), f(X_OTHER, 2.0)
    np.testing.assert_allclose(found["value"], y, rtol=1e-15)
    np.testing.assert_allclose(found["gradient"], 2.0 * J.T @ y, rtol=1e-14)
    np.testing.assert_allclose(found["product"], J @ v, rtol=1e-14)
    assert found["jacobian"].format == "csr" and found["jacobian"].nnz == 8
    np.testing.assert_allclose(found["jacobian"].toarray(), J, rtol=1e-15)


def test_second_derivatives(graph):
    v, h = np.arange(5.0), 1e-6
    ahead, behind = (graph(X_OTHER + s * h * v, v)["gradient"] for s in (1.0, -1.0))
    np.testing.assert_allclose(graph(X_OTHER, v)["second"], (ahead - behind) / (2.0 * h), rtol=1e-6, atol=1e-6)


def test_shapes_are_those_of_the_function():
    op, x = solvers.pytensor_op(lambda x: np.sum(x**2), np.ones((2, 2))), pt.matrix("x")
    value, gradient = pytensor.function([x], [op(x), pytensor.grad(op(x), x)])(np.arange(4.0).reshape(2, 2))
    assert value.shape == () and float(value) == 14.0
    np.testing.assert_array_equal(gradient, [[0.0, 2.0], [4.0, 6.0]])
