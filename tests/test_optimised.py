"""What guards input and memory also does so under ``python -O``: no ``assert`` does."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]


def narrows_a_type(test: ast.expr) -> bool:
    """Tell whether an assertion only tells the type checker what cannot be otherwise."""
    match test:
        case ast.Compare(ops=[ast.IsNot()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Call(func=ast.Name(id="isinstance")) | ast.UnaryOp(op=ast.Not(), operand=ast.Call()):
            return True
        case ast.BoolOp(op=ast.And(), values=values):
            return all(map(narrows_a_type, values))
    return False


def test_assertions_only_narrow_types():
    for package in ("sparsead", "coloring"):
        for file in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Assert):
                    assert narrows_a_type(node.test), f"{file}:{node.lineno} is not there under -O"
