"""The battery: PyBaMM translates its model to CasADi itself."""

from __future__ import annotations

from typing import Any

from sparsead.problems import Problem


def casadi(problem: Problem, x: Any) -> Any:
    import casadi as ca

    (symbol,) = problem.args
    if isinstance(x, ca.MX):
        return symbol.to_casadi(ca.MX(0.0), x, inputs={})
    y = ca.MX.sym("y", x.numel())  # PyBaMM writes matrices; CasADi expands them to scalars
    return ca.Function("f", [y], [symbol.to_casadi(ca.MX(0.0), y, inputs={})]).expand()(x)
