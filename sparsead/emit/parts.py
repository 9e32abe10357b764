"""Parts of a function: LLVM's time grows faster than the length of one."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from sparsead.emit.parsing import walk
from sparsead.emit.sharing import Procedure

LONG = 300  # lines after which a function is cut


def parts(statements: list[ast.stmt], procedures: Mapping[str, Procedure]) -> Iterator[list[ast.stmt]]:
    """Cut statements into parts of some length, where no name that is set before is read after, and around calls."""
    last_read: dict[str, int] = {}
    for number, statement in enumerate(statements):
        for node in walk(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                last_read[node.id] = number
    part: list[ast.stmt] = []
    lines, needed = 0, -1
    for number, statement in enumerate(statements):
        call = called(statement, procedures) is not None
        if part and needed < number and (call or lines > LONG or called(part[-1], procedures)):
            yield part
            part, lines = [], 0
        part.append(statement)
        lines += (statement.end_lineno or 0) - statement.lineno + 1
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            needed = max(needed, last_read.get(statement.targets[0].id, -1))
    yield part


def called(statement: ast.stmt, procedures: Mapping[str, Procedure]) -> tuple[str, list[str]] | None:
    """Return the procedure that a statement calls, and the arrays that it is given; None for other statements."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=args)) if name in procedures:
            return name, [a.id for a in args if isinstance(a, ast.Name)]
    return None


def used(statements: list[ast.stmt], arrays: Mapping[str, str]) -> list[str]:
    """Return the arrays that statements use, in the order of the signature."""
    names = {node.id for s in statements for node in walk(s) if isinstance(node, ast.Name)}
    return [name for name in arrays if name in names]
