"""The size of things: what a stranger reads at one go, and how many rooms a floor has."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sparsead.contract import OF_ALL, OF_KIND

ROOT = Path(__file__).parent.parent
FILES = [file for package in ("coloring", "sparsead") for file in sorted((ROOT / package).rglob("*.py"))]
ASKING = {("hasattr", 2), ("getattr", 3)}
MOST_LINES, MOST_CODE, MOST_MODULES = 400, 50, 8


def named(file):
    return str(file.relative_to(ROOT))


def code_of(function, lines):
    """Return the lines of a function that are code: no docstring, no comments, nothing blank."""
    first = function.body[0]
    told = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    text = set(range(first.lineno, first.end_lineno + 1)) if told else set()
    numbers = (n for n in range(function.lineno, function.end_lineno + 1) if n not in text)
    return [n for n in numbers if (line := lines[n - 1].strip()) and not line.startswith("#")]


def test_files_are_short():
    lengths = {named(file): len(file.read_text().splitlines()) for file in FILES}
    assert not {name: length for name, length in lengths.items() if length >= MOST_LINES}


def test_functions_are_short():
    long = {}
    for file in FILES:
        text = file.read_text()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = len(code_of(node, text.splitlines()))
                if length > MOST_CODE:
                    long[f"{named(file)}: {node.name}"] = length
    assert not long


def test_a_long_function_is_noticed():
    text = "def f(x):\n    'What it does.'\n    # why\n" + MOST_CODE * "    x += 1\n\n" + "    return x\n"
    (function,) = ast.parse(text).body
    assert len(code_of(function, text.splitlines())) == MOST_CODE + 2


def test_the_top_floor_has_few_modules():
    modules = {file.name for file in (ROOT / "sparsead").glob("*.py")} - {"__init__.py", "__main__.py"}
    assert len(modules) <= MOST_MODULES, modules


@pytest.mark.parametrize("folder", ["checking", "cli", "explain", "keeping", "measuring", "ranks", "solvers"])
def test_nobody_asks_a_derivative_what_it_has(folder):
    """What every kind of a derivative offers says the contract; `hasattr` would make one that nobody reads."""
    offered = {*OF_ALL, *(name for names in OF_KIND.values() for name in names)} - {"shape"}  # which arrays have
    for file in sorted((ROOT / "sparsead" / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and (getattr(node.func, "id", ""), len(node.args)) in ASKING:
                asked = node.args[1]
                assert not isinstance(asked, ast.Constant) or asked.value not in offered, f"{file}:{node.lineno}"
