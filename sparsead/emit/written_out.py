"""Short generated code without its loops: every index a number, every constant in its place.

The loops of a small program save text, not time. Written out, its stores lie side by side for the compiler to combine,
and no table is read.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from sparsead.emit.parsing import Rewriter

MOST = 400  # statements of what is written out
INTEGERS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.FloorDiv: operator.floordiv}
COMPARE = {ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge, ast.Eq: operator.eq}

Number = int | float


class _TooLongError(Exception):
    pass


def written_out(statements: Iterable[ast.stmt], tables: Mapping[str, np.ndarray]) -> list[ast.stmt] | None:
    """Return statements without loops and guards that compute the same, bit by bit; None where these are many.

    Parameters
    ----------
    statements : iterable of ast.stmt
        Of the generated language. They are not changed.
    tables : mapping
        Arrays whose values are known.
    """
    found: list[ast.stmt] = []
    try:
        for statement in _expanded(statements, _Known(tables)):
            found.append(statement)
            if len(found) > MOST:
                return None
    except _TooLongError:
        return None
    return found


def _expanded(statements: Iterable[ast.stmt], known: _Known) -> Iterator[ast.stmt]:
    for node in statements:
        match node:
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=bounds), body=body):
                ends = [_integer(known.visited(bound)) for bound in bounds]
                if ends[-1] - (ends[0] if len(ends) > 1 else 0) > MOST:
                    raise _TooLongError
                for value in range(*ends):
                    known.values[name] = value
                    yield from _expanded(body, known)
            case ast.If(test=test, body=body):
                if known.holds(test):
                    yield from _expanded(body, known)
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                new = known.visited(value)
                number = _number(new)
                if number is None:
                    known.values.pop(name, None)
                    yield ast.Assign(targets=[ast.Name(name, ast.Store())], value=new, lineno=0)
                else:
                    known.values[name] = number
            case ast.Assign(targets=[target], value=value):
                yield ast.Assign(targets=[known.visited(target)], value=known.visited(value), lineno=0)
            case ast.AugAssign(target=target, op=op, value=value):
                place = known.visited(target)
                assert isinstance(place, ast.Subscript)
                yield ast.AugAssign(target=place, op=op, value=known.visited(value))
            case _ if not isinstance(node, ast.Pass):
                raise AssertionError(f"not in code without loops: {ast.unparse(node)}")


def _integer(node: ast.expr) -> int:
    number = _number(node)
    assert isinstance(number, int), "loops and guards depend on indices alone"
    return number


def _number(node: ast.expr) -> Number | None:
    match node:
        case ast.Constant(value=int(value) | float(value)):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(value) | float(value))):
            return -value
    return None


def _literal(number: Number) -> ast.expr:
    """Return a number as the generated language writes it: nonnegative, negated if need be."""
    if number != number or number in (np.inf, -np.inf):
        name = ast.Name("nan" if number != number else "inf", ast.Load())
        return ast.UnaryOp(ast.USub(), name) if number == -np.inf else name
    negative = np.signbit(float(number))
    return ast.UnaryOp(ast.USub(), ast.Constant(-number)) if negative else ast.Constant(number)


class _Known(Rewriter):
    """Puts in what is known: names and elements of tables; computes with integers."""

    def __init__(self, tables: Mapping[str, np.ndarray]) -> None:
        self.tables = tables
        self.values: dict[str, Number] = {}

    def visited(self, node: ast.expr) -> ast.expr:
        new = self.visit(node)
        assert isinstance(new, ast.expr)
        return new

    def holds(self, test: ast.expr) -> bool:
        match self.visited(test):
            case ast.Compare(left=left, ops=ops, comparators=others):
                numbers = [_integer(e) for e in (left, *others)]
                return all(COMPARE[type(op)](a, b) for op, a, b in zip(ops, numbers[:-1], numbers[1:], strict=True))
        raise AssertionError(f"not a guard of the generated language: {ast.dump(test)}")

    def visit_Name(self, node: ast.Name) -> ast.expr:
        known = self.values.get(node.id)
        return node if known is None else _literal(known)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        assert isinstance(node.value, ast.Name)
        index = self.visit(node.slice)
        if node.value.id not in self.tables:
            return node if index is node.slice else ast.Subscript(node.value, index, node.ctx)
        value: Any = self.tables[node.value.id][_integer(index)]
        return _literal(value.item())

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        new = self.generic_visit(node)
        left, right = _number(new.left), _number(new.right)
        if isinstance(left, int) and isinstance(right, int):
            return _literal(INTEGERS[type(node.op)](left, right))
        return new

    def visit_Call(self, node: ast.Call) -> ast.expr:
        new = self.generic_visit(node)
        match node.func, [_number(argument) for argument in new.args]:
            case ast.Name(id="min" | "max" as name), [int(a), int(b)]:
                return _literal(min(a, b) if name == "min" else max(a, b))
        return new
