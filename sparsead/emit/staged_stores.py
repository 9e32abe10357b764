"""Loops that store what was computed before: four points at a time, turned round in registers.

What has been computed lies with the points side by side; what a point stores often lies side by side as well: a row of
the matrix, the entries of two rows in a column. Number by number that takes a load and a store each. Of four points at
once, a group of numbers is loaded and stored as vectors, and exchanged between registers.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sparsead.emit.parsing import walk
from sparsead.emit.source import STAGE

WIDTH = 4  # points, and numbers of a group, that are turned round at a time
VECTOR = f"<{WIDTH} x double>"
GROUPED = 0.5  # share of the stores that must have neighbours

Terms = tuple[tuple[str, ...], int]  # the summands of an index, as code, and the constant among them
Store = tuple[ast.Subscript, str]  # where to, and the number, as code
Value = tuple[str, str]  # an LLVM operand and its type


@dataclass(frozen=True, eq=False)
class Plan:
    """What a loop does: `staged` numbers are read, `others` run for each point, then `groups` are stored.

    The numbers of a group go to neighbouring elements, in their order: four or two of them, or one. Some are `same` at
    all points.
    """

    staged: dict[str, ast.Subscript]
    same: dict[str, ast.expr]
    others: list[ast.stmt]
    groups: list[list[Store]]


class Translator(Protocol):
    """What translates loops, as those see it that write some of their points otherwise."""

    env: dict[str, Value]
    indices: dict[str, ast.expr]  # what names stand for

    def statement(self, node: ast.stmt) -> None:
        """Translate a statement."""

    def statements(self, nodes: Sequence[ast.stmt]) -> None:
        """Translate statements."""

    def expression(self, node: ast.expr) -> Value:
        """Translate an expression."""

    def as_double(self, value: Value) -> str:
        """Return a number as a floating-point one."""

    def address(self, node: ast.Subscript) -> str:
        """Return where an element is."""

    def emit(self, code: str, kind: str) -> Value:
        """Write what has a value."""

    def write(self, code: str) -> None:
        """Write what has none."""

    def extreme(self, name: str, first: str, second: str) -> Value:
        """Return the smaller or the larger of two whole numbers."""

    def counted(self, name: str, start: str, stop: str, step: int, body: Callable[[], None], advice: str) -> None:
        """Write a loop."""


def by_fours(translator: Translator, loop: ast.For, start: str, stop: str) -> str:
    """Write what a loop does in groups of four points, if that gains much; return where it ends.

    The last group of four ends with the loop: the points that it has in common with the one before are stored twice.
    """
    assert isinstance(loop.target, ast.Name)
    counter, found = loop.target.id, plan(loop, translator.indices)
    if found is None:
        return start
    length, _ = translator.emit(f"sub nsw i64 {stop}, {start}", "i64")
    last, _ = translator.emit(f"sub nsw i64 {stop}, {WIDTH}", "i64")
    enough, _ = translator.emit(f"icmp sge i64 {length}, {WIDTH}", "i1")
    end, _ = translator.emit(f"select i1 {enough}, i64 {stop}, i64 {start}", "i64")

    def body() -> None:
        translator.env[counter] = translator.extreme("min", translator.env[counter][0], last)
        _four_points(translator, found, counter)

    translator.counted(counter, start, end, WIDTH, body, "points")
    return end


def plan(loop: ast.For, known: Mapping[str, ast.expr]) -> Plan | None:
    """Return how a loop goes four points at a time; None where it does something else, or would gain little.

    Its points are taken to store to different elements, as those do that are computed beforehand.

    Parameters
    ----------
    loop : ast.For
    known : mapping
        What the names of indices that are set outside of it stand for.
    """
    assert isinstance(loop.target, ast.Name)
    if not any(isinstance(node, ast.Assign) and is_staged(node.value) for node in loop.body):
        return None
    staged: dict[str, ast.Subscript] = {}
    same: dict[str, ast.expr] = {}
    others: list[ast.stmt] = []
    stores: list[Store] = []
    indices = dict(known)
    changing = names_set_in(loop)
    for node in loop.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() as value) if is_staged(value):
                if not goes_along(terms(value.slice, {}), loop.target.id, changing):
                    return None
                staged[name] = value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                indices[name] = value
                others.append(node)
            case ast.Assign(targets=[ast.Subscript() as target], value=ast.Name(id=name)) if name in staged:
                stores.append((target, name))
            case ast.Assign(targets=[ast.Subscript() as target], value=value) if _is_same(value, changing):
                stores.append((target, ast.unparse(value)))
                same[ast.unparse(value)] = value
            case ast.Expr():
                others.append(node)
            case _:
                return None
    read = {n.id for node in others for n in walk(node) if isinstance(n, ast.Name)}
    groups = list(_groups(stores, indices)) if not read & staged.keys() else []
    grouped = sum(len(group) for group in groups if len(group) > 1)
    return Plan(staged, same, others, groups) if grouped and grouped >= GROUPED * len(stores) else None


def is_staged(value: ast.expr) -> bool:
    """Tell whether a value is read from the scratch array."""
    return isinstance(value, ast.Subscript) and isinstance(value.value, ast.Name) and value.value.id == STAGE


def _is_same(value: ast.expr, changing: set[str]) -> bool:
    """Tell whether a number is the same at all points of a loop, given the names that are set in it."""
    nodes = list(walk(value))
    read = any(isinstance(node, (ast.Subscript, ast.Call)) for node in nodes)
    return not read and not any(isinstance(node, ast.Name) and node.id in changing for node in nodes)


def names_set_in(loop: ast.For) -> set[str]:
    """Return the names that are set in a loop, its counter among them."""
    return {node.id for node in walk(loop) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}


def goes_along(place: Terms, counter: str, changing: set[str]) -> bool:
    """Tell whether neighbouring points of a loop have neighbouring elements, given the names that are set in it."""
    found = [changing.intersection(re.findall(r"\w+", code)) for code in place[0]]
    return [code for code, names in zip(place[0], found, strict=True) if names] == [counter]


def _groups(stores: Sequence[Store], indices: Mapping[str, ast.expr]) -> Iterator[list[Store]]:
    """Yield stores that go to neighbouring elements at each point, four or two of them, and then the others."""
    found: dict[tuple[str, tuple[str, ...]], dict[int, Store]] = defaultdict(dict)
    for target, name in stores:
        summands, constant = terms(target.slice, indices)
        places = found[ast.unparse(target.value), summands]
        if constant in places:
            return  # the last of them counts
        places[constant] = target, name
    for places in found.values():
        left = sorted(places)
        while left:
            size = next(n for n in (WIDTH, 2, 1) if left[:n] == [*range(left[0], left[0] + n)])
            yield [places[k] for k in left[:size]]
            left = left[size:]


def terms(place: ast.expr, known: Mapping[str, ast.expr]) -> Terms:
    """Return an index as a sum, with what is known of the names in it put in their place."""
    constant, summands = 0, []
    left: list[tuple[ast.expr, str]] = [(place, "")]
    while left:
        match left.pop():
            case ast.BinOp(left=a, op=ast.Add(), right=b), sign:
                left += [(a, sign), (b, sign)]
            case ast.BinOp(left=a, op=ast.Sub(), right=b), sign:
                left += [(a, sign), (b, "" if sign else "-")]
            case ast.Constant(value=int(number)), sign:
                constant += -number if sign else number
            case ast.Name(id=name), sign if name in known:
                left.append((known[name], sign))
            case term, sign:
                summands.append(sign + ast.unparse(term))
    return tuple(sorted(summands)), constant


def _four_points(translator: Translator, plan: Plan, counter: str) -> None:
    """Translate the body of a loop for four points, of which the first is at the counter."""
    points = []
    before = translator.env
    for k in range(WIDTH):
        translator.env = before | {counter: translator.emit(f"add nsw i64 {before[counter][0]}, {k}", "i64")}
        for node in plan.others:
            translator.statement(node)
        points.append(translator.env)
    translator.env = points[0]
    rows = {
        name: translator.emit(f"load {VECTOR}, ptr {translator.address(place)}, align 8", VECTOR)[0]
        for name, place in plan.staged.items()
    }
    rows |= {code: _everywhere(translator, value) for code, value in plan.same.items()}
    for group in plan.groups:
        kind = f"<{len(group)} x double>" if len(group) > 1 else "double"
        columns = _columns(translator, [rows[name] for _, name in group], kind)
        for env, column in zip(points, columns, strict=True):
            translator.env = env
            translator.write(f"store {kind} {column}, ptr {translator.address(group[0][0])}, align 8")
    translator.env = before


def _everywhere(translator: Translator, value: ast.expr) -> str:
    """Return a vector of one number."""
    number = translator.as_double(translator.expression(value))
    first, _ = translator.emit(f"insertelement {VECTOR} poison, double {number}, i32 0", VECTOR)
    return _mixed(translator, first, first, WIDTH * (0,))


def _columns(translator: Translator, rows: list[str], kind: str) -> list[str]:
    """Return the numbers of each point, from those of each store."""
    if len(rows) == 1:
        return [translator.emit(f"extractelement {VECTOR} {rows[0]}, i32 {k}", kind)[0] for k in range(WIDTH)]
    if len(rows) == 2:
        return [_mixed(translator, rows[0], rows[1], (k, WIDTH + k)) for k in range(WIDTH)]
    low, high = (0, 4, 2, 6), (1, 5, 3, 7)
    a, c = (_mixed(translator, rows[0], rows[1], mask) for mask in (low, high))
    b, d = (_mixed(translator, rows[2], rows[3], mask) for mask in (low, high))
    first, second = (0, 1, 4, 5), (2, 3, 6, 7)
    return [_mixed(translator, x, y, mask) for mask in (first, second) for x, y in ((a, b), (c, d))]


def _mixed(translator: Translator, first: str, second: str, mask: Iterable[int]) -> str:
    picked = [f"i32 {k}" for k in mask]
    code = f"shufflevector {VECTOR} {first}, {VECTOR} {second}, <{len(picked)} x i32> <{', '.join(picked)}>"
    return translator.emit(code, f"<{len(picked)} x double>")[0]


def scatters(loop: ast.For) -> bool:
    """Tell whether a loop stores staged values to places that are not next to each other."""
    known = {
        n.targets[0].id: n.value for n in loop.body if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
    }
    if not any(is_staged(value) for value in known.values()):
        return False
    targets = [n.targets[0] if isinstance(n, ast.Assign) else getattr(n, "target", None) for n in loop.body]
    places = [t.slice for t in targets if isinstance(t, ast.Subscript)]
    written = [known.get(p.id, p) if isinstance(p, ast.Name) else p for p in places]
    return any(isinstance(n, (ast.Mult, ast.Subscript)) for place in written for n in walk(place))
