"""Loops that store elements side by side: the first few points go alone, until stores begin with a line of the cache.

A vector of eight numbers that begins elsewhere lies in two lines, and storing it takes the time of two. What NumPy
allocates begins anywhere, and so do the entries of the first point of a loop.
"""

from __future__ import annotations

import ast
import math
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from sparsead.emit.parsing import parse
from sparsead.emit.source import STAGE
from sparsead.emit.staged_stores import Translator, terms

LINE = 8  # numbers of a line of the cache
STEPS = range(1, LINE)  # elements of a point that LLVM stores in vectors with those of the next
LONG = 256  # points from which on a loop of known length is worth it
HEAVY = 32  # statements for an element: beyond, storing is the smaller part

Varying = tuple[str, tuple[str, ...]]  # an array, and the summands of an index, as code


class Stream(NamedTuple):
    """What a loop fills without a gap: from which element on, as code, and by how many it goes on at each point."""

    array: str
    place: str
    step: int


def to_line_start(translator: Translator, loop: ast.For, start: str, stop: str) -> str:
    """Write what a loop does at the points before its stores begin with a line; return where that ends."""
    assert isinstance(loop.target, ast.Name)
    counter, found = loop.target.id, stream(loop, translator.indices)
    if found is None:
        return start
    before = translator.env
    translator.env = before | {counter: (start, "i64")}
    place, _ = translator.expression(parse(found.place, "eval").body)
    translator.env = before
    address, _ = translator.emit(f"getelementptr double, ptr %array.{found.array}, i64 {place}", "ptr")
    element, _ = translator.emit(f"ptrtoint ptr {address} to i64", "i64")
    common = math.gcd(found.step, LINE)  # in every so many points one begins with a line, if any does
    turns = LINE // common
    number, _ = translator.emit(f"lshr i64 {element}, {int(math.log2(8 * common))}", "i64")
    product, _ = translator.emit(f"mul i64 {number}, {-pow(found.step // common, -1, turns) % turns}", "i64")
    points, _ = translator.emit(f"and i64 {product}, {turns - 1}", "i64")
    end, _ = translator.emit(f"add nsw i64 {start}, {points}", "i64")
    end, _ = translator.extreme("min", end, stop)
    translator.counted(counter, start, end, 1, lambda: translator.statements(loop.body), "points")
    return end


def stream(loop: ast.For, known: Mapping[str, ast.expr]) -> Stream | None:
    """Return what a loop fills without a gap, the widest if there are several; None where it fills nothing so.

    Loops that add are left alone: in how many parts a sum is added up must not depend on where arrays lie. So are
    those that LLVM does not write in vectors, those that are short or compute much, and those that store constants.

    Parameters
    ----------
    loop : ast.For
    known : mapping
        What the names of indices that are set outside of it stand for.
    """
    assert isinstance(loop.target, ast.Name)
    stores = _stores(loop, known)
    if not stores or not _may_be_long(loop) or len(loop.body) > HEAVY * sum(map(len, stores.values())):
        return None
    best: Stream | None = None
    for (array, summands), constants in stores.items():
        step = _step(summands, loop.target.id)
        if array != STAGE and step in STEPS and step > (best.step if best else 0):
            first = next((k for k in sorted(constants) if constants.issuperset(range(k, k + step))), None)
            best = best if first is None else Stream(array, " + ".join([*summands, str(first)]), step)
    return best


def _may_be_long(loop: ast.For) -> bool:
    match loop.iter:
        case ast.Call(args=[ast.Constant(value=int(times))]):
            return times >= LONG
    return True


def _stores(loop: ast.For, known: Mapping[str, ast.expr]) -> dict[Varying, set[int]]:
    """Return where a loop stores what it computes: the constants in indices, by array and what varies of the index.

    Nothing where it does something else, too.
    """
    indices = dict(known)
    found: dict[Varying, set[int]] = defaultdict(set)
    for node in loop.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                indices[name] = value
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=array), slice=place)], value=value):
                if isinstance(value, ast.Constant):
                    return {}
                summands, constant = terms(place, indices)
                found[array, summands].add(constant)
            case _:
                return {}
    return found


def _step(summands: tuple[str, ...], counter: str) -> int:
    """Return by how much an index grows with a counter; 0 where that is not known."""
    growing = [s for s in summands if re.search(rf"\b{counter}\b", s)]
    match = re.fullmatch(rf"(?:(\d+) \* )?{counter}", growing[0]) if len(growing) == 1 else None
    return int(match[1] or 1) if match else 0
