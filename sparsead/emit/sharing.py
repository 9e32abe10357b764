"""Equal loops once: loops that differ only in the arrays and tables they use become one procedure.

The steps of a time integration, the layers of a network are the same code on other buffers. Each is written where it
runs; before anything is compiled, loops whose text is the same after names have been numbered in order of appearance
are replaced by calls of one procedure with the arrays that each of them uses. Compiling then takes as long as for one.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
class Loop:
    """A loop between two lines, with its names numbered: loops of equal `key` are the same code."""

    first: int
    last: int
    key: str
    arrays: tuple[str, ...]
    numbers: tuple[str, ...]


def loops(lines: list[str], spans: Iterable[Span], arrays: Mapping[str, str]) -> list[Loop]:
    """Return the loops in the lines of a function, given the array names with their element types."""
    return [_numbered(lines, span, arrays) for span in spans]


def with_calls(
    lines: list[str], found: Sequence[Loop], times: Mapping[str, int], arrays: Mapping[str, str], every: bool = False
) -> tuple[list[str], dict[str, Procedure]]:
    """Replace the loops that are worth it by calls.

    Parameters
    ----------
    lines : list of str
        The lines of a function.
    found : sequence of Loop
        The loops in it, in order.
    times : mapping
        How often each loop occurs, by key.
    arrays : mapping
        Array name to element type.
    every : bool
        Replace all of them.

    Returns
    -------
    lines : list of str
        With calls.
    procedures : dict
        What is called, by key.
    """
    procedures: dict[str, Procedure] = {}
    result, done = [], 0
    for loop in found:
        if not every and (times[loop.key] - 1) * (loop.last - loop.first) < WORTH:
            continue
        name = f"loop_{hashlib.blake2b(loop.key.encode(), digest_size=6).hexdigest()}"
        if loop.key not in procedures:
            types = {a: arrays[a] for a in loop.arrays}
            procedures[loop.key] = Procedure(name, types, loop.numbers, _at_depth_one(lines[loop.first : loop.last]))
        margin = lines[loop.first][: -len(lines[loop.first].lstrip())]
        result += [*lines[done : loop.first], f"{margin}{name}({', '.join((*loop.arrays, *loop.numbers))})"]
        done = loop.last
    return result + lines[done:], procedures


def _at_depth_one(lines: list[str]) -> list[str]:
    excess = len(lines[0]) - len(lines[0].lstrip()) - 4
    return [line[excess:] for line in lines]


def _numbered(all_lines: list[str], span: Span, arrays: Mapping[str, str]) -> Loop:
    """Number the names of a loop in order of appearance: its arrays, what it sets, and what it is given."""
    lines = all_lines[slice(*span)]
    known: dict[str, str] = {}
    kinds: dict[str, list[str]] = defaultdict(list)

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
    key = NAME.sub(number, "\n".join(_at_depth_one(lines)))
    used = tuple(word for word in known if word in arrays)
    return Loop(*span, key, used, tuple(kinds["number"]))
