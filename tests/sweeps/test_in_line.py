"""Values that are stored side by side need no scratch array; those that are scattered do."""

from __future__ import annotations

import numpy as np

import sparsead as sad
from sparsead.sweeps.vector import value_sweep

N = 4000


def heavy(x):
    y = x[1:] * x[:-1]
    for k in range(12):
        y = y * (x[1:] + k) - x[:-1] * y
    return y


def source_of_value(f, x):
    jac = sad.jacobian(f, x, check=False)
    np.testing.assert_allclose(jac.value(x), f(x), rtol=1e-13)
    return value_sweep(jac.kernels).source.text


def stored_to_y(text):
    return [line.split(" = ")[1] for line in text.splitlines() if line.strip().startswith("y[")]


def test_values_in_line_are_stored_at_once():
    x = np.linspace(0.1, 0.2, N)
    text = source_of_value(heavy, x)
    (name,) = stored_to_y(text)
    assert f"{name} = stage[" not in text


def test_scattered_values_are_staged():
    def scattered(x):
        y = np.zeros(2 * (N - 1))
        y[::2] = heavy(x)
        return y

    text = source_of_value(scattered, np.linspace(0.1, 0.2, N))
    assert any(f"{name} = stage[" in text for name in stored_to_y(text))
