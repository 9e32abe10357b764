"""Reading generated code, in any number of threads."""

from __future__ import annotations

import ast
import copy
import gc
import operator
from collections.abc import Iterator
from typing import Any, Literal

from sparsead.forks import ProcessLock

TRIES = 100  # while other threads parse something of their own

_lock = ProcessLock()


def parse(text: str, mode: Literal["exec", "eval"] = "exec") -> Any:
    """Return the syntax tree of a text.

    Before Python 3.13, how deep a tree is gets counted in one place for all threads; where two of them build trees at
    once, one gets a SystemError ("AST constructor recursion depth mismatch"), though nothing is wrong with the text.
    """
    with _lock.held():
        try:
            return ast.parse(text, mode=mode)
        except SystemError:
            return _parsed_undisturbed(text, mode)


def _parsed_undisturbed(text: str, mode: Literal["exec", "eval"]) -> Any:
    """Try again without the garbage collector, whose finalizers are what lets other threads in within a short text."""
    collects = gc.isenabled()
    gc.disable()
    try:
        for _ in range(TRIES):
            try:
                return ast.parse(text, mode=mode)
            except SystemError:
                continue
        return ast.parse(text, mode=mode)
    finally:
        if collects:
            gc.enable()


_LEAVES = {"id", "ctx", "kind", "type_comment"}  # whether a name is read or set is said by the node itself
_fields: dict[type, tuple[str, ...]] = {}  # those that may hold nodes


def _fields_of(kind: type[ast.AST]) -> tuple[str, ...]:
    if kind not in _fields:
        _fields[kind] = tuple(name for name in kind._fields if name not in _LEAVES)
    return _fields[kind]


def walk(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree as `ast.walk` does, but for those that say whether a name is read or set.

    In a third of the time: long code is walked over again and again.
    """
    found = [tree]
    for node in found:
        yield node
        for name in _fields_of(type(node)):
            value = getattr(node, name, None)
            if isinstance(value, ast.AST):
                found.append(value)
            elif type(value) is list:
                found += [each for each in value if isinstance(each, ast.AST)]


def statements(tree: ast.AST) -> Iterator[ast.stmt]:
    """Yield the statements of a tree, those inside others too, without a look at the expressions in them."""
    for statement in getattr(tree, "body", ()):
        yield statement
        yield from statements(statement)


class Rewriter(ast.NodeVisitor):
    """Makes new trees: as ``ast.NodeTransformer``, but what is given does not change; parts that stay are shared."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Return the node itself: Python's own way asks for methods of old names first."""
        return node

    def generic_visit(self, node: ast.AST) -> Any:
        """Return a node of the same kind with all inside it visited."""
        new = None
        for name in _fields_of(type(node)):
            value = getattr(node, name, None)
            if isinstance(value, (ast.expr, ast.stmt)):
                made: Any = self.visit(value)
                same = made is value
            elif type(value) is list:
                made = [self.visit(each) if isinstance(each, (ast.expr, ast.stmt)) else each for each in value]
                same = all(map(operator.is_, made, value))
            else:
                continue
            if not same:
                new = copy.copy(node) if new is None else new
                setattr(new, name, made)
        return node if new is None else new
