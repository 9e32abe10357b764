"""One problem, and every tool that can express it: who fills the same matrix how fast, and how soon the first time."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from types import ModuleType

import numpy as np

import coloring
from benchmarks.cases import Case
from benchmarks.contenders import Contender, compare, no_cache, ours, prepared
from benchmarks.peers import casadi, jax
from benchmarks.peers.built import Built
from benchmarks.report import Race
from sparsead.measuring.reference import finite_differences
from sparsead.measuring.timing import Times
from sparsead.problems import Problem

F, OURS, PASSES, HAND = "f in NumPy", "sparsead", "sparsead, by passes", "by hand in numba"
SX, MX, ASDEX, SPARSEJAC = "CasADi SX", "CasADi MX", "asdex", "sparsejac"
SCIPY = "SciPy, grouped differences"
LARGEST = {SPARSEJAC: 12_000}  # its coloring, by networkx, takes minutes beyond


def race(case: Case, leave_out: tuple[str, ...] = (), seconds: float = 4.0) -> tuple[Race, Times]:
    """Time all tools on a problem; none is told the pattern but sparsejac and SciPy, and none finds a cache.

    Before, every tool is run on a small problem of the same kind, so that imports and what is compiled once for all
    sizes are paid.
    """
    form = case.form()
    with no_cache():
        contenders(case.small.problem(), form, leave_out)
        problem = case.problem()
        found = contenders(problem, form, leave_out)
    matrix = found[0].matrix()
    others: dict[str, Callable[[], object]] = {F: lambda: problem.f(problem.x0, *problem.args)}
    if problem.derivative == "jacobian" and SCIPY not in leave_out:
        pattern = coloring.SparsityPattern.from_scipy(matrix)
        colors = coloring.color(pattern).colors
        others[SCIPY] = finite_differences(problem.f, problem.x0, pattern, colors, *problem.args)
    times = compare(found, others, seconds, tolerance=1e-11)
    return (
        Race(
            f"{case.name}-{case.size}",
            problem.title,
            problem.x0.size,
            int(matrix.nnz),
            first={c.name: c.prepare for c in found},
            ms={name: 1e3 * times.median(name) for name in times},
            of_f={name: times.ratio(name, F) for name in times},
            of_ours={name: times.ratio(name, OURS) for name in times},
        ),
        times,
    )


def contenders(problem: Problem, form: ModuleType, leave_out: tuple[str, ...] = ()) -> list[Contender]:
    """Prepare what is installed and has a form; ours first."""
    found = [ours(problem, "auto", OURS), ours(problem, "compressed", PASSES)]
    pattern = found[0].matrix()
    ways: dict[str, tuple[str, str, Callable[..., Built]]] = {
        HAND: ("numba", "by_hand", lambda write, problem: write(problem, pattern)),
        SX: ("casadi", "casadi", casadi.sx),
        MX: ("casadi", "casadi", casadi.mx),
        ASDEX: ("asdex", "jax", jax.asdex),
        SPARSEJAC: ("sparsejac", "jax", partial(jax.sparsejac, pattern=pattern)),
    }
    for name, (package, written, build) in ways.items():
        fits = problem.x0.size <= LARGEST.get(name, np.inf) and name not in leave_out
        if fits and find_spec(package) and hasattr(form, written):
            found.append(prepared(name, partial(build, getattr(form, written), problem)))
    return found
