"""Jacobians of chemical kinetics in many cells: ``python -m benchmarks.kinetics`` (the mechanism needs Cantera).

GRI-Mech 3.0 is prepared for one cell and evaluated by `batch`, and prepared for all cells as one function; beside it
run the loop over single calls, code by hand in numba, JAX where it is installed, and finite differences. The rates are
compared with those of Cantera, the matrices with the complex step. HIRES and Robertson run against loops by hand. One
core, processor time, calls in turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
from numba import njit

import sparsead as sad
from benchmarks.contenders import EACH, no_cache, one_core
from benchmarks.kinetics_by_hand import arrays, fill
from benchmarks.mechanism import gri30, reactor, reference, states
from benchmarks.report import Part, Table, Target, show
from sparsead.measuring.timing import Times, interleaved

SMALL = 100_000
SECONDS = 6.0
COLUMNS = ("", "microseconds a cell", "preparation, s", "largest difference")
Row = tuple[str, float | None, float | None, float | None]


def seconds_of(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call takes, and its result."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def timed(calls: Mapping[str, Callable[[], object]]) -> Times:
    """Time calls in turn."""
    return interleaved(calls, SECONDS, at_least=5, clock=time.process_time, each=EACH)


def complex_step(f: Callable[..., Any], y: np.ndarray) -> np.ndarray:
    """Return the Jacobian of a function of one cell."""
    steps = 1e-20 * np.maximum(np.abs(y), 1e-6)
    return np.stack([np.imag(f(y + 1j * h * e)) / h for h, e in zip(steps, np.eye(y.size), strict=True)], axis=1)


def differences(f: Callable[..., Any], Y: np.ndarray) -> np.ndarray:
    """Return one-sided differences of a function over all cells, column by column."""
    f0, J = f(Y), np.empty((len(Y), Y.shape[1], Y.shape[1]))
    for j in range(Y.shape[1]):
        moved, h = Y.copy(), 1e-7 * np.maximum(np.abs(Y[:, j]), 1e-10)
        moved[:, j] += h
        J[:, :, j] = (f(moved) - f0) / h[:, None]
    return J


def gri(cells: int) -> list[Part]:
    """Time the mechanism."""
    m, gas = gri30()
    f, Y = reactor(m), states(m, cells)
    n, last = Y.shape[1], np.ascontiguousarray(Y.T)
    with no_cache():
        prepared, jac = seconds_of(lambda: sad.jacobian(f, Y[0]))
        first, values = seconds_of(lambda: jac.batch(Y))
        first_last, by_entry = seconds_of(lambda: jac.batch(last, axis=-1))
        whole_prepared, (whole, matrix) = seconds_of(lambda: (w := sad.jacobian(f, Y), w(Y)))
    exact = np.array([complex_step(f, y) for y in Y[:10]])
    scale = np.abs(exact).max(axis=1, keepdims=True)  # columns have different units

    def off(blocks: np.ndarray) -> float:
        return float(np.max(np.abs(blocks[:10] - exact) / scale))

    def dense(found: np.ndarray) -> np.ndarray:
        J = np.zeros((10, n, n))
        J[:, jac.pattern.rows, jac.pattern.indices] = found[:10]
        return J

    blocks = np.stack([matrix[k * n : k * n + n, k * n : k * n + n].toarray() for k in range(10)])
    hand, given, one = np.empty((cells, n, n)), arrays(m), np.empty(jac.pattern.nnz)
    data = np.empty(matrix.nnz)
    calls: dict[str, Callable[[], object]] = {
        "f in NumPy": lambda: f(Y),
        "batch, cells first": lambda: jac.batch(Y, out=values),
        "batch, cells last": lambda: jac.batch(last, axis=-1, out=by_entry),
        "one function of all cells": lambda: whole.values(Y, out=data),
        "loop over single calls": lambda: [jac.values(y, out=one) for y in Y],
        "by hand in numba, dense": lambda: fill(Y, hand, *given),
        "differences, all cells": lambda: differences(f, Y),
    }
    calls["by hand in numba, dense"]()
    notes: dict[str, tuple[float | None, float | None]] = {
        "batch, cells first": (prepared + first, off(dense(values))),
        "batch, cells last": (prepared + first_last, off(dense(by_entry.T))),
        "one function of all cells": (whole_prepared, off(blocks)),
        "loop over single calls": (prepared, off(dense(np.array([jac.values(y) for y in Y[:10]])))),
        "by hand in numba, dense": (None, off(hand)),
        "differences, all cells": (None, off(differences(f, Y[:10]))),
    }
    if find_spec("jax"):
        compiled, call, found = _by_jax(m, Y)
        calls["jax.jit(vmap(jacfwd))"], notes["jax.jit(vmap(jacfwd))"] = call, (compiled, off(found))
    times = timed(calls)
    us = {name: 1e6 * times.median(name) / cells for name in times}
    rows = [(name, us[name], *notes.get(name, (None, None))) for name in us]
    rows.append(("Cantera, net_production_rates_ddCi", _by_cantera(gas, Y[0]), None, None))
    rates = max(_rates_off(gas, y, f(y)) for y in Y[:30])
    note = f"{jac.pattern.nnz} entries a cell; rates differ from Cantera's by at most {rates:.1e} of those each way."
    best = min(us["batch, cells first"], us["batch, cells last"])
    return [
        Table(f"GRI-Mech 3.0 at constant volume, {cells} cells", COLUMNS, rows, note),
        Target(f"GRI-Mech 3.0, {cells} cells: a cell by batch", best, 8.0, "us"),
        Target(f"GRI-Mech 3.0, {cells} cells: a cell by a function of all", us["one function of all cells"], 8.0, "us"),
        Target(f"GRI-Mech 3.0, {cells} cells: preparation of one function of all", whole_prepared, 0.5, "s"),
    ]


def _rates_off(gas: Any, y: np.ndarray, found: np.ndarray) -> float:
    """Return the largest difference to Cantera's rates, as a part of the rates in each direction."""
    expected = reference(gas, y)
    each_way = np.concatenate([[abs(expected[0])], gas.creation_rates + gas.destruction_rates])
    return float(np.max(np.abs(found - expected) / each_way))


def _by_cantera(gas: Any, y: np.ndarray) -> float:
    """Return the microseconds of Cantera's own derivatives of the rates, which have no column for T."""
    gas.TDX = y[0], y[1:] @ gas.molecular_weights, y[1:] / y[1:].sum()
    gas.derivative_settings = {"skip-third-bodies": False, "skip-falloff": False}
    return 1e6 * timed({"cantera": lambda: gas.net_production_rates_ddCi}).median("cantera")


def _by_jax(m: Any, Y: np.ndarray) -> tuple[float, Callable[[], object], np.ndarray]:
    """Return the seconds to compile, the call, and what it finds."""
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(jax.vmap(jax.jacfwd(reactor(m, jax.numpy))))
    seconds, found = seconds_of(lambda: np.asarray(compiled(Y)))
    return seconds, lambda: compiled(Y).block_until_ready(), found


# -- small systems --------------------------------------------------------------------------------------------------
def hires(y: np.ndarray) -> np.ndarray:
    """Return the rates of HIRES, (cells, 8)."""
    a, b, c, d, e, f, g, h = (y[..., k] for k in range(8))
    r = 280.0 * f * h
    return np.stack(
        [
            -1.71 * a + 0.43 * b + 8.32 * c + 0.0007, 1.71 * a - 8.75 * b, -10.03 * c + 0.43 * d + 0.035 * e,
            8.32 * b + 1.71 * c - 1.12 * d, -1.745 * e + 0.43 * f + 0.43 * g,
            -r + 0.69 * d + 1.71 * e - 0.43 * f + 0.69 * g, r - 1.81 * g, -r + 1.81 * g,
        ],
        axis=-1,
    )  # fmt: skip


def robertson(y: np.ndarray) -> np.ndarray:
    """Return the rates of Robertson's problem, (cells, 3)."""
    a, b, c = (y[..., k] for k in range(3))
    return np.stack([-0.04 * a + 1e4 * b * c, 0.04 * a - 1e4 * b * c - 3e7 * b * b, 3e7 * b * b], axis=-1)


@njit
def _hires(Y, v):  # type: ignore[no-untyped-def]
    for c in range(Y.shape[0]):
        p, f, h = v[c], 280.0 * Y[c, 5], 280.0 * Y[c, 7]
        p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7] = -1.71, 0.43, 8.32, 1.71, -8.75, -10.03, 0.43, 0.035
        p[8], p[9], p[10], p[11], p[12], p[13], p[14], p[15] = 8.32, 1.71, -1.12, -1.745, 0.43, 0.43, 0.69, 1.71
        p[16], p[17], p[18], p[19], p[20], p[21] = -h - 0.43, 0.69, -f, h, -1.81, f
        p[22], p[23], p[24] = -h, 1.81, -f


@njit
def _robertson(Y, v):  # type: ignore[no-untyped-def]
    for c in range(Y.shape[0]):
        p, b, d = v[c], Y[c, 1], Y[c, 2]
        k = 6e7 * b
        p[0], p[1], p[2], p[3], p[4], p[5], p[6] = -0.04, 1e4 * d, 1e4 * b, 0.04, -1e4 * d - k, -1e4 * b, k


def small(f: Callable[..., Any], by_hand: Callable[..., None], n: int, cells: int = SMALL) -> list[Part]:
    """Time a small system."""
    Y = np.random.default_rng(1).uniform(0.1, 1.0, (cells, n))
    with no_cache():
        prepared, jac = seconds_of(lambda: sad.jacobian(f, Y[0]))
        first, values = seconds_of(lambda: jac.batch(Y))
        whole_prepared, (whole, data) = seconds_of(lambda: (w := sad.jacobian(f, Y), w.values(Y)))
    hand = np.empty_like(values)
    by_hand(Y, hand)
    last, entries = np.ascontiguousarray(Y.T), np.empty(values.T.shape)
    found = {"batch, cells first": values, "one function of all cells": data.reshape(values.shape)}
    found["batch, cells last"] = jac.batch(last, axis=-1, out=entries).T
    off = {name: float(np.max(np.abs(v - hand)) / np.abs(hand).max()) for name, v in found.items()}
    batch, one, loop = "batch, cells first", "one function of all cells", "by hand in numba"
    room = np.empty_like(values)  # one for all: where its pages lie counts
    times = timed(
        {
            batch: lambda: jac.batch(Y, out=room),
            "batch, cells last": lambda: jac.batch(last, axis=-1, out=room.reshape(entries.shape)),
            one: lambda: whole.values(Y, out=room.reshape(-1)),
            loop: lambda: by_hand(Y, room),
        }
    )
    seconds = {batch: prepared + first, one: whole_prepared}
    rows: list[Row] = [(k, 1e6 * times.median(k) / cells, seconds.get(k), off.get(k)) for k in times]
    name = f.__name__
    return [
        Table(f"{name}, {cells} cells, {values.shape[1]} entries each", COLUMNS, rows),
        Target(f"{name}: batch / by hand", times.ratio(batch, loop), 1.2),
        Target(f"{name}: one function / by hand", times.ratio(one, loop), 1.2),
        Target(f"{name}: preparation of one function of all cells", whole_prepared, 0.5, "s"),
    ]


def run() -> list[Part]:
    """Time all."""
    one_core()
    sad.jacobian(hires, np.ones(8)).batch(np.ones((20, 8)))  # imports, and what is compiled once
    return [*gri(100), *gri(1000), *small(hires, _hires, 8), *small(robertson, _robertson, 3)]


if __name__ == "__main__":
    show(run())
