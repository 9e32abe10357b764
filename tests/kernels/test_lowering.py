"""Lowering: how many kernels a program becomes, and that what is fused is what NumPy computes."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
import sparsead.ops
from sparsead.kernels import lower as lowering
from sparsead.kernels.asking import built
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import MOST_PARTS, lower
from sparsead.tracing.trace import trace


def lowered(f, *args):
    program, _ = trace(f, args)
    program.check()
    return lower(program)


def laplacian(u):
    return np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1) - 4.0 * u


def test_a_stencil_is_one_kernel_without_full_tables():
    kernels = lowered(laplacian, np.ones((30, 40)))
    assert len(kernels.kernels) == 1
    assert not kernels.work
    assert all(load.index.form in ("affine", "separable") for load in kernels.kernels[0].loads)


def test_a_stencil_on_padded_values_needs_no_intermediate_array():
    def f(u):
        v = np.pad(u, 1)
        return v[2:, 1:-1] + v[:-2, 1:-1] - 2.0 * u

    assert not lowered(f, np.ones((5, 6))).work


def test_scatter_adds_go_straight_to_the_output():
    def f(u):
        out = np.zeros(6)
        np.add.at(out, [[0, 1], [1, 2], [2, 3], [3, 5]], np.stack([u[:-1] * u[1:], u[1:]], axis=1))
        return out - u.sum()

    kernels = lowered(f, np.ones(5))
    assert not [b for b in kernels.work if b.size > 1]


def test_equal_subexpressions_are_computed_once():
    kernels = lowered(lambda x: np.stack([np.exp(x) * 2.0, np.exp(x) + 1.0]), np.ones(5))
    text = sad.jacobian(lambda x: np.stack([np.exp(x) * 2.0, np.exp(x) + 1.0]), np.ones(5), backend="python").source
    assert len(kernels.kernels) == 1
    assert text.count("exp(") == 1


def test_an_array_read_in_many_places_at_a_cost_is_kept():
    def f(x):
        e = np.exp(np.sin(x))
        return sum(np.roll(e, k) for k in range(8))

    assert [b.size for b in lowered(f, np.ones(40)).work] == [40]
    assert not lowered(lambda x: np.exp(np.sin(x)) * x, np.ones(40)).work


def test_linear_program_transposes_twice_to_itself():
    linear = linearize(lowered(lambda x: np.cumsum(np.sin(x)) * x, np.ones(5)))
    assert str(linear.transposed().transposed()) == str(linear)


def test_stages_print():
    kernels = lowered(laplacian, np.ones((3, 3)))
    assert str(kernels).startswith("for i in 3 x 3:")
    assert "dy[" in str(linearize(kernels)) and "dx[" in str(linearize(kernels))


@pytest.mark.parametrize("n", [1, 2, 17, 100])
def test_sums_of_every_length(n):
    x = np.linspace(0.1, 1.0, n)
    jac = sad.jacobian(lambda x: np.sin(np.sum(x * x)) + np.sum(x[None, :] * x[:, None], axis=0), x, backend="python")
    expected = 2 * np.cos(x @ x) * x[None, :] + np.sum(x) * np.eye(n) + x[:, None]
    np.testing.assert_allclose(jac(x).toarray(), expected, rtol=1e-13)


def test_costly_values_are_not_computed_again_in_an_inner_loop():
    kernels = lowered(lambda x: np.sum(np.exp(x)[:, None] * np.exp(x)[None, :], axis=1), np.ones(100))
    assert [buffer.size for buffer in kernels.work] == [100]


def test_joins_of_joins_are_not_read_through_to_the_last_piece():
    def refined(u):  # as many pieces as points, where all levels are read in place
        for _ in range(7):
            finer = np.zeros(2 * u.size - 1, u.dtype)
            finer[::2] = u
            finer[1::2] = 0.5 * (u[:-1] + u[1:])
            u = finer + 0.1 * np.tanh(finer)
        return u

    x = np.linspace(0.1, 0.7, 3)
    stores = [len(kernel.stores) for kernel in lowered(refined, x).kernels]
    assert max(stores) <= 2 * MOST_PARTS  # of two pieces
    expected = np.stack([refined(x + 1e-30j * e).imag / 1e-30 for e in np.eye(3)], axis=1)
    np.testing.assert_allclose(sad.jacobian(refined, x)(x).toarray(), expected, rtol=1e-12, atol=1e-14)


def test_what_needs_a_buffer_does_not_lower_all_again(monkeypatch):
    """Each sum of these transforms turns out to need a buffer while what reads it is lowered."""

    def f(u):
        for _ in range(2):
            u = u + 0.1 * np.real(np.fft.ifftn(np.exp(-np.arange(8.0)) * np.fft.fftn(u * u)))
        return u

    made: list[object] = []
    monkeypatch.setattr(lowering, "built", lambda *args: made.append(args) or built(*args))
    kernels = lowered(f, np.ones((8, 8)))
    assert len(made) < 2 * len(kernels.kernels)
