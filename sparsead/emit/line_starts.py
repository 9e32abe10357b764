"""Loops that store elements side by side: the first few points go alone, until stores begin with a line of the cache.

A vector of eight numbers that begins elsewhere lies in two lines, and each of its stores takes the time of two. What
NumPy allocates begins anywhere, and the first places of a loop are those of its first point.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from sparsead.emit.source import STAGE
from sparsead.emit.staged_stores import terms

LINE = 8  # numbers of a line of the cache
LONG = 8 * LINE  # points from which on a loop of known length is worth it

Value = tuple[str, str]  # an LLVM operand and its type


class Translator(Protocol):
    """What translates the statements of a loop."""

    env: dict[str, Value]
    indices: dict[str, ast.expr]  # what names stand for

    def statement(self, node: ast.stmt) -> None:
        """Translate a statement."""

    def statements(self, nodes: Sequence[ast.stmt]) -> None:
        """Translate statements."""

    def address(self, node: ast.Subscript) -> str:
        """Return where an element is."""

    def emit(self, code: str, kind: str) -> Value:
        """Write what has a value."""

    def extreme(self, name: str, first: str, second: str) -> Value:
        """Return the smaller or the larger of two whole numbers."""

    def counted(self, name: str, start: str, stop: str, step: int, body: Callable[[], None], advice: str) -> None:
        """Write a loop."""


def to_line_start(translator: Translator, loop: ast.For, start: str, stop: str) -> str:
    """Write what a loop does at the points before its stores begin with a line; return where that ends."""
    assert isinstance(loop.target, ast.Name)
    counter = loop.target.id
    found = stream(loop, translator.indices)
    if found is None:
        return start
    target, step = found
    shared = math.gcd(step, LINE)
    turns = LINE // shared  # lines begin at every so many points, if at all
    before = translator.env
    translator.env = before | {counter: (start, "i64")}
    for node in loop.body:
        if _is_index(node):
            translator.statement(node)
    at, _ = translator.emit(f"ptrtoint ptr {translator.address(target)} to i64", "i64")
    translator.env = before
    lines, _ = translator.emit(f"lshr i64 {at}, {int(math.log2(8 * shared))}", "i64")
    steps, _ = translator.emit(f"mul i64 {lines}, {-pow(step // shared, -1, turns) % turns}", "i64")
    points, _ = translator.emit(f"and i64 {steps}, {turns - 1}", "i64")
    end, _ = translator.emit(f"add nsw i64 {start}, {points}", "i64")
    end, _ = translator.extreme("min", end, stop)
    translator.counted(counter, start, end, 1, lambda: translator.statements(loop.body), "points")
    return end


def stream(loop: ast.For, known: Mapping[str, ast.expr]) -> tuple[ast.Subscript, int] | None:
    """Return the first of the elements that a loop fills without a gap, and by how many it goes on at each point.

    None where it fills none, adds to some, or is short. The longest such stretch counts.
    """
    if not _may_be_long(loop) or not all(isinstance(node, ast.Assign) for node in loop.body):
        return None
    assert isinstance(loop.target, ast.Name)
    best: tuple[ast.Subscript, int] | None = None
    for places in _stretches(loop, known):
        step = _step(places[0][0], loop.target.id)
        size = len({constant for _, constant, _ in places})
        first = min(places, key=lambda place: place[1])
        last = max(constant for _, constant, _ in places)
        if step == size == last - first[1] + 1 and step > (best[1] if best else 0):
            best = first[2], step
    return best if best is None or best[1] % LINE else None


def _may_be_long(loop: ast.For) -> bool:
    bounds = [a.value for a in loop.iter.args if isinstance(a, ast.Constant)]  # type: ignore[attr-defined]
    return len(bounds) < len(loop.iter.args) or bounds[-1] - (bounds[0] if len(bounds) > 1 else 0) >= LONG  # type: ignore[attr-defined]


def _is_index(node: ast.stmt) -> bool:
    """Tell whether a statement computes an index."""
    return isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id[0] == "j"


def _stretches(loop: ast.For, known: Mapping[str, ast.expr]) -> Iterator[list[tuple[tuple[str, ...], int, ast.Subscript]]]:
    """Yield the stores that go to one array at constant distances from each other."""
    indices = dict(known)
    found: dict[tuple[str, tuple[str, ...]], list[tuple[tuple[str, ...], int, ast.Subscript]]] = {}
    for node in loop.body:
        assert isinstance(node, ast.Assign)
        match node.targets[0]:
            case ast.Name(id=name):
                indices[name] = node.value
            case ast.Subscript(value=ast.Name(id=array)) as target:
                if array == STAGE:
                    return
                summands, constant = terms(target.slice, indices)
                found.setdefault((array, summands), []).append((summands, constant, target))
    yield from found.values()


def _step(summands: tuple[str, ...], counter: str) -> int | None:
    """Return by how much an index grows with a counter; None where that is not known."""
    with_it = [s for s in summands if re.search(rf"\b{counter}\b", s)]
    if len(with_it) != 1:
        return None
    match = re.fullmatch(rf"(?:(\d+) \* )?{counter}", with_it[0])
    return None if match is None else int(match[1] or 1)
