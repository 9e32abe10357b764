"""Programs that others wrote: examples in docstrings, in pages of documentation, in notebooks and scripts.

A program is a list of statements, as somebody would type them one after another.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
import json
import pkgutil
import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

KINDS = (".py", ".rst", ".md", ".ipynb")  # files that may hold programs
FENCE = re.compile(r"^```\s*(?:\{code-cell\}.*|python|py|ipython3?)\s*\n(.*?)^```", re.M | re.S)
OPTION = re.compile(r"^(?:---\n.*?\n---\n|(?::\w.*\n)+)", re.S)
PRIVATE = re.compile(r"(^|\.)(_|tests|conftest|distutils|f2py|testing|typing|random|ma|ctypeslib)")
SIZE = re.compile(r"^(\s*\w+\s*=\s*)(\d+)\s*(#.*)?$", re.M)
SMALL, MANY = 13, 60  # numbers that are left alone; blocks of a page that stand for themselves


@dataclass(frozen=True)
class Program:
    """Statements, in order."""

    name: str
    statements: tuple[str, ...]


def of_text(name: str, text: str) -> Iterator[Program]:
    """Yield the program of the examples in a text, if it has any; those that show an error are left out."""
    try:
        examples = doctest.DocTestParser().get_examples(text)
    except ValueError:
        return
    statements = [s for e in examples if e.exc_msg is None for s in _split(e.source)]
    if statements:
        yield Program(name, ("import numpy as np", *statements))


def of_package(package: types.ModuleType) -> Iterator[Program]:
    """Yield the programs in the docstrings of the public functions, classes and methods of a package."""
    seen: set[str] = set()
    for module in _modules(package):
        for name in sorted(n for n in dir(module) if not n.startswith("_")):
            value = getattr(module, name, None)
            if isinstance(value, types.ModuleType):
                continue
            methods = vars(value) if inspect.isclass(value) else {}
            named = {"": value} | {f".{n}": m for n, m in methods.items() if not n.startswith("_")}
            for suffix, held in named.items():
                text = getattr(held, "__doc__", None)
                if isinstance(text, str) and ">>>" in text and text not in seen:
                    seen.add(text)
                    yield from of_text(f"{module.__name__}.{name}{suffix}", inspect.cleandoc(text))


def of_file(path: Path) -> Iterator[Program]:
    """Yield the programs of a file; of a page with many blocks, each."""
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".ipynb":
        book = json.loads(text)
        cells = book.get("cells") or [c for sheet in book.get("worksheets", []) for c in sheet["cells"]]
        code = ["".join(c.get("source", c.get("input", ""))) for c in cells if c["cell_type"] == "code"]
        yield Program(path.name, tuple(s for c in code for s in _split(_smaller(c))))
    elif path.suffix == ".py":
        yield Program(path.name, tuple(_split(_smaller(text))))
    else:
        yield from of_text(path.name, text)
        blocks = [OPTION.sub("", m[1]) for m in FENCE.finditer(text)]
        pieces = [_split(_smaller(b)) for b in blocks if ">>>" not in b]
        for k, statements in enumerate(pieces if len(pieces) > MANY else [list(chain.from_iterable(pieces))]):
            if statements:
                yield Program(f"{path.name} (block {k})", ("import numpy as np", *statements))


def _modules(package: types.ModuleType) -> Iterator[types.ModuleType]:
    """Yield a package and its public modules."""
    yield package
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + ".", onerror=lambda _: None):
        if not PRIVATE.search(found.name):
            try:
                yield importlib.import_module(found.name)
            except ImportError:  # parts that need something else
                continue


def _smaller(source: str) -> str:
    """Return code with large counts that are given names made small, so that it takes seconds."""
    return SIZE.sub(lambda m: m[1] + str(int(m[2]) if int(m[2]) < SMALL else 9 + int(m[2]) % 4), source)


def _split(source: str) -> list[str]:
    """Return the statements of a piece of code; none where it is not Python."""
    source = "\n".join(line for line in source.splitlines() if not line.lstrip().startswith(("%", "!")))
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return []
    return [ast.get_source_segment(source, node) or "" for node in tree.body]
