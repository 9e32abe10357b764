"""About how many operations generated code takes, one point after the other."""

from __future__ import annotations

import ast

from sparsead.emit.parsing import walk
from sparsead.emit.source import Source

UNKNOWN, VECTOR = 8, 4  # times that a loop is assumed to run; gain of a loop that vectorises
COSTS: dict[type[ast.AST], int] = {
    ast.BinOp: 1,
    ast.Call: 20,
    ast.Pow: 20,
    ast.Div: 4,
    ast.AugAssign: 2,
    ast.Compare: 1,
}


def work_of(source: Source) -> float:
    """Return about how many operations one point takes, one at a time: what vectorises within a point counts less."""
    return sum(_work(statement) for tree in source.trees for statement in tree.body)


def calls_functions(source: Source) -> bool:
    """Tell whether functions such as exp are evaluated."""
    calls = (n for tree in source.trees for n in walk(tree) if isinstance(n, ast.Call))
    return any(isinstance(call.func, ast.Name) and call.func.id != "range" for call in calls)


def _work(node: ast.stmt) -> float:
    match node:
        case ast.For(iter=ast.Call(args=bounds), body=body):
            last = bounds[-1]
            known = len(bounds) == 1 and isinstance(last, ast.Constant) and isinstance(last.value, int)
            times = last.value if known else UNKNOWN  # type: ignore[attr-defined]
            plain = times >= UNKNOWN and all(isinstance(s, ast.Assign) for s in body)
            return times * sum(map(_work, body)) / (VECTOR if plain else 1)
        case ast.If(body=body):
            return sum(map(_work, body))
    return sum(COSTS.get(type(n), 0) for n in walk(node))
