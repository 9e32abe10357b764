"""What another form of a matrix takes beside the usual one: ``python -m benchmarks.variants``.

Other formats, triangles, unknowns in a dict, two arguments at once, and the Jacobian of a gradient.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

import sparsead as sad
from benchmarks.cases import COLLECTION, Case
from benchmarks.contenders import EACH, one_core, prepare
from benchmarks.report import Cell, Part, Table, Target, show
from sparsead.measuring.timing import interleaved
from sparsead.problems import PROBLEMS

GRADIENTS = (("rosenbrock", 100_000), ("minimal-surface", 200))
COLUMNS = ("", "entries", "usual, ms", "other form", "times usual", "of entries")
Call = tuple[Any, tuple[Any, ...]]  # a prepared matrix, and what it is called with

FORMATS = 1.05
BOTH = 1.3
OF_GRADIENT = 1.1


def compared(title: str, form: str, usual: Call, other: Call, limit: float) -> tuple[tuple[Cell, ...], Target]:
    """Return the row of two calls, both into the same memory, and the target: where pages lie makes a difference."""
    sizes = {name: prepared.values(*args).size for name, (prepared, args) in (("usual", usual), ("other", other))}
    memory = np.empty(max(sizes.values()))
    calls = {
        "usual": partial(usual[0].values, *usual[1], out=memory[: sizes["usual"]]),
        "other": partial(other[0].values, *other[1], out=memory[: sizes["other"]]),
    }
    times = interleaved(calls, 2.0, at_most=200, clock=time.process_time, each=EACH)
    ratio, entries = times.ratio("other", "usual"), sizes["usual"]
    row = title, entries, 1e3 * times.median("usual"), form, ratio, sizes["other"] / entries
    return row, Target(f"{title}: {form} / the usual matrix", ratio, limit)


def formats() -> Iterator[tuple[tuple[Cell, ...], Target]]:
    """Time csc and coo beside csr, and triangles beside whole Hessians."""
    for case in COLLECTION:
        if not case.installed:
            continue
        problem = case.problem()
        args = (problem.x0, *problem.args)
        usual = prepare(problem), args
        others = [{"format": "csc"}, {"format": "coo"}]
        if problem.derivative == "hessian":
            others += [{"triangle": "lower"}, {"triangle": "upper"}]
        for options in others:
            (form,) = options.values()
            yield compared(problem.name, form, usual, (prepare(problem, **options), args), FORMATS)


def by_hand() -> tuple[Cell, ...]:
    """Return the row of a loop in numba that stores by columns beside the same by rows: bundle adjustment."""
    case = Case("bundle", 5_000)
    problem, form = case.problem(), import_module("benchmarks.forms.bundle")
    pattern = prepare(problem)(problem.x0, *problem.args)
    built = {"usual": form.by_hand(problem, pattern), "other": form.by_columns(problem, pattern)}
    calls = {name: call for name, (call, _) in built.items()}
    for call in calls.values():
        call()
    assert abs(built["usual"][1]() - built["other"][1]()).max() == 0.0
    times = interleaved(calls, 2.0, at_most=200, clock=time.process_time, each=EACH)
    ratio = times.ratio("other", "usual")
    return f"{problem.name}, by hand in numba", pattern.nnz, 1e3 * times.median("usual"), "csc", ratio, 1.0


def rates(u: np.ndarray, speed: np.ndarray) -> np.ndarray:
    """Return reaction and diffusion on a periodic grid; the speed of the reaction is a field."""
    around = np.roll(u, 1, 0) + np.roll(u, -1, 0) + np.roll(u, 1, 1) + np.roll(u, -1, 1)
    return around - 4.0 * u - speed * np.exp(u)


def flow(u: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return the divergence of fluxes; the conductivity is a field, read wherever u is."""
    u, k = np.pad(u, 1), np.pad(k, 1, mode="edge")
    across = (k[1:, 1:-1] + k[:-1, 1:-1]) * np.diff(u, axis=0)[:, 1:-1]
    along = (k[1:-1, 1:] + k[1:-1, :-1]) * np.diff(u, axis=1)[1:-1]
    return np.diff(across, axis=0) + np.diff(along, axis=1)


def arguments() -> Iterator[tuple[tuple[Cell, ...], Target]]:
    """Time dF/dx and dF/dp together beside dF/dx alone."""
    for f in (rates, flow):
        for size in (33, 300):
            args = tuple(np.random.default_rng(0).random((2, size, size)) + 0.5)
            usual, both = (sad.jacobian(f, *args, argnum=wanted) for wanted in (0, (0, 1)))
            yield compared(f"{f.__name__}, {size} x {size}", "dF/du and dF/dp", (usual, args), (both, args), BOTH)


def by_name(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return a result built like its state."""
    u, v = state["u"], state["v"]
    return {"u": np.gradient(u) * v, "v": u**2 * v}


def two_fields(x: np.ndarray) -> np.ndarray:
    """Return the same of one vector."""
    u, v = np.split(x, 2)
    return np.concatenate([np.gradient(u) * v, u**2 * v])


def trees() -> Iterator[tuple[tuple[Cell, ...], Target]]:
    """Time a state of named fields beside one vector."""
    for n in (1_000, 100_000):
        state = {"u": np.linspace(0.5, 1.5, n // 2), "v": np.linspace(1.0, 2.0, n // 2)}
        names = sad.jacobian(by_name, state)
        x = sad.pack(state)
        vector = sad.jacobian(two_fields, x)
        yield compared(f"two fields, n = {n:,}", "a dict", (vector, (x,)), (names, (state,)), FORMATS)


def of_gradients() -> Iterator[tuple[tuple[Cell, ...], Target]]:
    """Time the Jacobian of a gradient beside the Hessian, and compare their bits."""
    for name, size in GRADIENTS:
        problem = PROBLEMS[name](size)
        args = (problem.x0, *problem.args)
        usual, other = prepare(problem), sad.jacobian(sad.grad(problem.f), *args)
        row, target = compared(problem.name, "Jacobian of the gradient", (usual, args), (other, args), OF_GRADIENT)
        yield row, target
        differing = int(np.count_nonzero(usual(*args).data != other(*args).data))
        yield (
            (problem.name, row[1], None, "entries with other bits", differing, 1.0),
            Target(
                f"{problem.name}: entries of the Jacobian of the gradient that differ from the Hessian", differing, 0
            ),
        )


def run() -> list[Part]:
    """Time all."""
    one_core()
    found = [pair for part in (of_gradients, arguments, trees, formats) for pair in part()]
    rows = [*(row for row, _ in found), by_hand()]
    return [Table("Other forms of a matrix", COLUMNS, rows), *(target for _, target in found)]


if __name__ == "__main__":
    show(run())
