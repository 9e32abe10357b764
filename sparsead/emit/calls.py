"""What a function that consists of calls runs, in order."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from sparsead.emit.accesses import bounds
from sparsead.emit.parsing import parse
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import Function
from sparsead.emit.threads import loop_of


def calls(function: Function) -> Iterator[tuple[str, ast.For, dict[str, str], dict[str, int]]]:
    """Yield the calls of a function in order: name, loop, arrays and whole numbers; repeated ones again and again."""
    procedures = {p.name: p for p in function.procedures}
    (definition,) = parse(function.text).body
    for procedure, arrays, numbers in _walked(definition.body, procedures, {}):
        actual = dict(zip(procedure.arrays, arrays, strict=True))
        yield procedure.name, loop_of(procedure), actual, dict(zip(procedure.numbers, numbers, strict=True))


def points_of(loop: ast.For, numbers: Mapping[str, int]) -> int:
    """Return how many points a loop has."""
    first, last = bounds(loop)
    return _number(last, numbers) - _number(first, numbers)


def _walked(
    body: Sequence[ast.stmt], procedures: Mapping[str, Procedure], known: dict[str, int]
) -> Iterator[tuple[Procedure, tuple[str, ...], tuple[int, ...]]]:
    for node in body:
        match node:
            case ast.Pass():
                pass
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=args)):
                procedure, names = procedures[name], [ast.unparse(arg) for arg in args]
                count = len(procedure.arrays)
                yield procedure, tuple(names[:count]), tuple(known[n] for n in names[count:])
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = _number(value, known)
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=[stop]), body=inside):
                for turn in range(_number(stop, known)):
                    known[name] = turn
                    yield from _walked(inside, procedures, known)
            case _:
                raise AssertionError(f"not between grids: {ast.unparse(node)}")


def _number(node: ast.expr, known: Mapping[str, int]) -> int:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return known[name]
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _number(left, known) * _number(right, known)
    raise AssertionError(f"not between grids: {ast.unparse(node)}")
