"""What the cost model chooses, the reasons it gives, and the lanes of compressed sweeps."""

from __future__ import annotations

import numpy as np
import pytest

import sparsead as sad
from sparsead.derivatives import modes
from sparsead.sweeps import compressed
from sparsead.sweeps.compressed import plan_lanes
from tests.sizes import size

RNG = np.random.default_rng(0)


def arrow(x):
    return np.concatenate([[np.sum(x**2)], x[1:] * x[0] + np.sin(x[1:])])


def tall(x):
    return np.tile(x, 50) * np.repeat(x[::-1], 50)


def wide(x):
    return x.reshape(50, -1).sum(axis=0) ** 2


def layered(x):
    y = np.tanh(x)
    for _ in range(3):
        y = np.exp(np.sin(y) + np.roll(y, 1) * np.sqrt(2.0 + np.roll(y, -1))) * 0.1
    return y


def by_complex_step(f, x):
    return np.stack([f(x + 1e-30j * e).imag / 1e-30 for e in np.eye(x.size)], axis=1)


def test_arrow_is_bidirectional_with_three_passes():
    jac = sad.jacobian(arrow, np.ones(size(100_000, plain=500)), mode="compressed")
    assert jac.mode == "bidirectional"
    assert sum(jac.passes.values()) <= 3
    assert "chosen by operations: forward" in str(jac)


def test_tall_goes_by_columns_and_wide_by_rows():
    assert sad.jacobian(tall, np.ones(5), mode="compressed").mode == "forward"
    assert sad.jacobian(wide, np.ones(250), mode="compressed").mode == "reverse"


def test_one_layer_goes_direct_and_says_why():
    jac = sad.jacobian(arrow, np.ones(50))
    assert jac.mode == "direct"
    assert jac.coloring is None
    assert jac.passes == {"jvp": 0, "vjp": 0}
    assert "no passes" in str(jac)
    assert "compressed needs" in str(jac)


def test_costs_grow_with_passes():
    few, many = (sad.jacobian(f, np.ones(60), mode="forward") for f in (np.sin, layered))
    assert sum(few.passes.values()) < sum(many.passes.values())


@pytest.mark.parametrize("width", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("mode", ["forward", "reverse", "bidirectional"])
def test_blocks_of_colors_give_the_same_matrix(monkeypatch, mode, width):
    x = RNG.uniform(0.1, 0.9, 24)
    whole = sad.jacobian(layered, x, mode=mode)(x).toarray()
    monkeypatch.setattr(compressed, "MAX_LANES", width)
    monkeypatch.setattr(compressed, "MAX_CACHED", width)
    blocked = sad.jacobian(layered, x, mode=mode)
    np.testing.assert_array_equal(blocked(x).toarray(), whole)
    np.testing.assert_allclose(whole, by_complex_step(layered, x), rtol=1e-12, atol=1e-14)


def test_lane_plans():
    assert plan_lanes(12, 0).width == 12
    plan = plan_lanes(100, 1000)
    assert plan.width % 4 == 0
    assert plan.blocks * plan.width >= 100
    assert plan_lanes(0, 10).blocks == 1


def test_scratch_memory_is_bounded():
    n = 20_000
    jac = sad.jacobian(lambda x: np.cumsum(x.reshape(100, -1), axis=0).ravel() ** 2, np.ones(n), mode="forward")
    lanes = sum(size for sweep in jac._assembly.sweeps() for size in sweep.sizes.values())
    assert lanes < 40 * n < n * 100  # not n x colors


def test_a_mode_of_hessians_is_one_row_of_a_table(monkeypatch):
    monkeypatch.setattr(modes, "HESSIAN_COLORINGS", {"rows": {"structure": "nonsymmetric", "partition": "row"}})
    x = np.linspace(0.2, 1.0, 7)

    def f(x):
        return np.sum((x[1:] - x[:-1] ** 2) ** 2) + np.prod(x[:3])

    hess, slope = sad.hessian(f, x, mode="compressed"), sad.gradient(f, x)
    assert hess.mode == "rows" and hess.coloring.partition == "row"
    H = hess(x).toarray()
    assert np.array_equal(H, H.T)
    differences = [(slope(x + 1e-6 * e) - slope(x - 1e-6 * e)) / 2e-6 for e in np.eye(7)]
    np.testing.assert_allclose(H, differences, rtol=1e-7, atol=1e-8)
