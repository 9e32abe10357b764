"""Equal loops once: loops that differ only in the arrays and tables they use become one procedure.

The steps of a time integration, the layers of a network are the same code on other buffers. Each is written where it
runs; before anything is compiled, loops whose text is the same after names have been numbered in order of appearance
are replaced by calls of one procedure with the arrays that each of them uses. Compiling then takes as long as for one.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

WORTH = 40  # lines saved from which on a procedure is made: short code stays where it is read
NAME = re.compile(r"\b[A-Za-z_]\w*\b(?!\()")  # a name that is not called
TARGET = re.compile(r"\s*(?:for )?(\w+) (?:=|in) ")  # what a line of generated code sets
WORDS = {"for", "in", "if", "else", "and", "or", "not", "inf", "nan"}

Span = tuple[int, int]  # first line of a loop, and one past its last


@dataclass(frozen=True)
class Procedure:
    """Code that several loops share: a function of the arrays and of the whole numbers that it uses.

    Attributes
    ----------
    name : str
        Equal for equal code, in all sources.
    arrays : dict
        Parameter name to element type.
    numbers : tuple of str
        The parameters that are whole numbers; they follow the arrays.
    lines : list of str
        The body.
    """

    name: str
    arrays: dict[str, str]
    numbers: tuple[str, ...]
    lines: list[str]

    @property
    def text(self) -> str:
        """The text of the procedure."""
        return "\n".join([f"def {self.name}({', '.join((*self.arrays, *self.numbers))}):", *self.lines]) + "\n"


@dataclass(frozen=True)
class _Loop:
    """A loop with its names numbered: loops of equal `key` are the same code."""

    key: str
    arrays: tuple[str, ...]
    numbers: tuple[str, ...]


def shared(
    sections: Sequence[tuple[list[str], list[Span]]], arrays: Mapping[str, str]
) -> tuple[list[Procedure], list[list[str]]]:
    """Replace equal loops by calls.

    Parameters
    ----------
    sections : list of (lines, spans)
        The code of each function, and where in it a loop begins and ends.
    arrays : dict
        Array name to element type.

    Returns
    -------
    procedures : list of Procedure
    lines : list of list of str
        The code of each function, with calls.
    """
    found = [{span: _numbered(lines[slice(*span)], arrays) for span in spans} for lines, spans in sections]
    times = Counter(loop.key for loops in found for loop in loops.values())
    procedures: dict[str, Procedure] = {}
    results = []
    for (lines, _), loops in zip(sections, found, strict=True):
        result, done = [], 0
        for (first, last), loop in loops.items():
            if (times[loop.key] - 1) * (last - first) < WORTH:
                continue
            if loop.key not in procedures:
                types = {a: arrays[a] for a in loop.arrays}
                body = _at_depth_one(lines[first:last])
                name = f"loop_{hashlib.blake2b(loop.key.encode(), digest_size=6).hexdigest()}"
                procedures[loop.key] = Procedure(name, types, loop.numbers, body)
            margin = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
            call = f"{margin}{procedures[loop.key].name}({', '.join((*loop.arrays, *loop.numbers))})"
            result += [*lines[done:first], call]
            done = last
        results.append(result + lines[done:])
    return list(procedures.values()), results


def _at_depth_one(lines: list[str]) -> list[str]:
    excess = len(lines[0]) - len(lines[0].lstrip()) - 4
    return [line[excess:] for line in lines]


def _numbered(lines: list[str], arrays: Mapping[str, str]) -> _Loop:
    """Number the names of a loop in order of appearance: its arrays, what it sets, and what it is given."""
    known: dict[str, str] = {}
    kinds: dict[str, list[str]] = {"f8": [], "i4": [], "local": [], "number": []}

    def number(match: re.Match[str]) -> str:
        word = match.group()
        if word in known:
            return known[word]
        if word in WORDS:
            return word
        kind = arrays.get(word) or ("local" if word in own else "number")
        kinds[kind].append(word)
        known[word] = f"{kind}_{len(kinds[kind])}"
        return known[word]

    own = {found.group(1) for line in lines if (found := TARGET.match(line))}
    key = "\n".join(NAME.sub(number, line) for line in _at_depth_one(lines))
    used = tuple(word for word in known if word in arrays)
    return _Loop(key, used, tuple(kinds["number"]))
