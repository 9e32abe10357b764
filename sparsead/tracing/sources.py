"""What the source of a function says of a place in it: Python gives a frame's line and column."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Callable
from types import CodeType
from typing import Any, NamedTuple


class Source(NamedTuple):
    """A module's source, and what stands around each part of it."""

    tree: ast.AST
    around: dict[ast.AST, ast.AST]


@functools.lru_cache(maxsize=16)
def _source(lines: tuple[str, ...]) -> Source | None:
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return None
    return Source(tree, {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)})


def at(file: str, code: CodeType, step: int, kinds: Callable[[Any], bool]) -> tuple[Source, ast.AST] | None:
    """Return the innermost part of some kinds at a step of code; None without source."""
    source = _source(tuple(linecache.getlines(file)))
    first, last, start, end = list(code.co_positions())[step // 2]
    if source is None or first is None or last is None or start is None or end is None:
        return None
    here = [n for n in source.around if kinds(n) and _begin(n) <= (first, start) and (last, end) <= _end(n)]
    return (source, max(here, key=_begin)) if here else None


def _begin(node: Any) -> tuple[int, int]:
    return node.lineno, node.col_offset


def _end(node: Any) -> tuple[int, int]:
    return node.end_lineno, node.end_col_offset


def called(node: ast.Call) -> str:
    """Return the name of what an expression calls."""
    return str(getattr(node.func, "attr", getattr(node.func, "id", "")))
