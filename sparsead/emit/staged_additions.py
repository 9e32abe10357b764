"""Loops that add what was computed before to neighbouring elements: one addition after the other, as vectors.

A point of a gradient adds to several elements, and its neighbour to some of the same. Point by point every addition
waits for one before it. Where all go in step, each runs for many points at a time: first the one that is furthest
ahead. An element then gets the numbers of the points in their order, as before: its value is the same to the bit.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from itertools import groupby

from sparsead.emit.parsing import walk
from sparsead.emit.staged_stores import Terms, Translator, goes_along, is_staged, names_set_in, terms

WIDTH = 8  # points at a time
VECTOR = f"<{WIDTH} x double>"

Addition = tuple[ast.Subscript, ast.Subscript]  # to where, and which of the numbers that were computed


def in_turns(translator: Translator, loop: ast.For, start: str, stop: str) -> str:
    """Write the additions of a loop one after the other, for groups of eight points; return where these end."""
    assert isinstance(loop.target, ast.Name)
    counter, found = loop.target.id, additions(loop, translator.indices)
    if not found:
        return start
    length, _ = translator.emit(f"sub nsw i64 {stop}, {start}", "i64")
    whole, _ = translator.emit(f"and i64 {length}, -{WIDTH}", "i64")
    last, _ = translator.emit(f"add nsw i64 {start}, {whole}", "i64")
    end, _ = translator.extreme("max", start, last)  # of no points as well
    places = [node for node in loop.body if isinstance(node, ast.Assign) and not is_staged(node.value)]
    for target, number in found:

        def body(target: ast.Subscript = target, number: ast.Subscript = number) -> None:
            translator.statements(places)
            place = translator.address(target)
            added, _ = translator.emit(f"load {VECTOR}, ptr {translator.address(number)}, align 8", VECTOR)
            before, _ = translator.emit(f"load {VECTOR}, ptr {place}, align 8", VECTOR)
            total, _ = translator.emit(f"fadd {VECTOR} {before}, {added}", VECTOR)
            translator.write(f"store {VECTOR} {total}, ptr {place}, align 8")

        translator.counted(counter, start, end, WIDTH, body, "points")
    return end


def additions(loop: ast.For, known: Mapping[str, ast.expr]) -> list[Addition]:
    """Return two additions or more that are all that a loop does, in the order in which they may run one by one.

    No additions where elements of one array do not go in step: at how many points' distance two of them meet is then
    unknown.

    Parameters
    ----------
    loop : ast.For
    known : mapping
        What the names of indices that are set outside of it stand for.
    """
    assert isinstance(loop.target, ast.Name)
    changing = names_set_in(loop)
    staged: dict[str, ast.Subscript] = {}
    indices = dict(known)
    found: list[tuple[str, Terms, Addition]] = []
    for node in loop.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() as value) if is_staged(value):
                if not goes_along(terms(value.slice, {}), loop.target.id, changing):
                    return []
                staged[name] = value
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                indices[name] = value
            case ast.AugAssign(target=target, op=ast.Add(), value=ast.Name(id=name)) if name in staged:
                assert isinstance(target, ast.Subscript)
                place = terms(target.slice, indices)
                if not goes_along(place, loop.target.id, changing):
                    return []
                found.append((ast.unparse(target.value), place, (target, staged[name])))
            case _:
                return []
    if len(found) < 2 or any(isinstance(n, ast.Name) and n.id in staged for e in indices.values() for n in walk(e)):
        return []
    found.sort(key=lambda addition: (addition[0], -addition[1][1]))
    by_array = (list(group) for _, group in groupby(found, key=lambda addition: addition[0]))
    in_step = all(place[0] == group[0][1][0] for group in by_array for _, place, _ in group)
    return [addition for _, _, addition in found] if in_step else []
