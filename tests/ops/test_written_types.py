"""What is known has a type that NumPy casts to, also where what is written into it is not known."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

import sparsead as sad

X = np.array([0.3, 1.7, 2.6])
INTO = {"bool": np.array([True, False, True]), "int": np.arange(1, 4), "float": np.arange(1.0, 4.0), "list": [1, 2, 3]}
VALUES = {"float": lambda x: x, "number": lambda x: x[1], "mask": lambda x: x > 0.5, "count": lambda x: np.sum(x > 0.5)}
CALLS = {
    "insert": lambda k, v: np.insert(k, 1, v),
    "pad": lambda k, v: np.pad(k, 1, constant_values=np.ravel(v)[0]),
    "ediff1d": lambda k, v: np.ediff1d(k, to_end=v),
    "diff": lambda k, v: np.diff(np.asarray(k) * 1, append=v),
    "append": lambda k, v: np.append(k, v),
    "full_like": lambda k, v: np.full_like(k, v),
    "where": lambda k, v: np.where([True, False, True], k, v),
    "select": lambda k, v: np.select([np.array([True, False, True])], [k], v),
    "choose": lambda k, v: np.choose([0, 1, 0], [k, v]),
    "clip": lambda k, v: np.clip(k, None, v),
    "concatenate": lambda k, v: np.concatenate([k, np.ravel(v)]),
    "subtract.reduce": lambda k, v: np.subtract.reduce(np.append(np.asarray(k) * 1, v)),
}


@pytest.mark.parametrize("name", CALLS)
def test_values_are_cast_as_numpy_casts_them(name):
    compared = 0
    for k, of in product(INTO.values(), VALUES.values()):

        def f(x, k=k, of=of):
            return 1.0 * CALLS[name](k, of(x)) + 0.0 * x[0]

        try:
            expected = f(X)
        except (TypeError, ValueError) as error:
            with pytest.raises((type(error), sad.SparseADError)):
                sad.jacobian(f, X, check=False)
            continue
        try:
            value = sad.jacobian(f, X, check=False, backend="python").value(X)
        except sad.UnsupportedOperationError:
            continue
        np.testing.assert_allclose(value, expected, rtol=1e-14)
        compared += 1
    assert compared >= 8


PRODUCTS = {
    "convolve": np.convolve,
    "correlate": lambda a, b: np.correlate(a, b, "full"),
    "kron": np.kron,
    "outer": np.outer,
    "inner": np.inner,
    "dot": np.dot,
    "matmul": np.matmul,
    "vdot": np.vdot,
    "tensordot": lambda a, b: np.tensordot(a, b, 1),
    "einsum": lambda a, b: np.einsum("i,i", a, b),
    "matrix": lambda a, b: np.outer(a, [True, True, True]) @ b,
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_truth_values_are_truth_values(name):
    """They are added up by `or`."""
    known = np.array([True, True, False])

    def f(x):
        pairs = [(x > 0.2, x > 0.5), (known, x > 0.2), (x > 0.2, known), (x > 0.2, 1 * known), (x, x > 0.5)]
        return np.concatenate([1.0 * np.ravel(PRODUCTS[name](a, b)) for a, b in pairs])

    np.testing.assert_allclose(sad.jacobian(f, X, check=False, backend="python").value(X), f(X), rtol=1e-14)
