"""What brings the entries of one row or column in, as an object that prints itself."""

from __future__ import annotations

import linecache
import os
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import numpy as np

from coloring.pictures.html import Html, table
from sparsead.errors import Origin

MOST_LINES = 12  # that are printed
MOST_STEPS = 8  # of a chain that are printed


@dataclass(frozen=True)
class Step:
    """An operation on the way from the function's value to x; ``times`` of them in a row, alike.

    ``fan`` is how many values one of its own leads to: the terms of a sum.
    """

    operation: str
    origin: Origin | None
    fan: int
    times: int = 1

    def __str__(self) -> str:
        of = f" of {self.fan:,}" if self.fan > 1 and self.operation == "sum" else ""
        times = f" x {self.times}" if self.times > 1 else ""
        at = f" (line {self.origin.line})" if self.origin else ""
        return f"{self.operation}{of}{times}{at}"


@dataclass(frozen=True, eq=False)
class Line:
    """A line of the user's code, and the entries that it brings in.

    Attributes
    ----------
    origin : Origin or None
        File and line; None for entries that no operation brings in; `text` then says why they are there.
    text : str
        The code at that line; empty where its source cannot be read.
    entries : ndarray of int
        The other index of each entry: columns, for a row.
    only : int
        How many of them no other line brings in: what the row would lose without this line.
    operations : tuple of str
        What the line does with them.
    chain : tuple of Step
        The operations from the function's value to x, on the widest way through this line.
    """

    origin: Origin | None
    text: str
    entries: np.ndarray
    only: int
    operations: tuple[str, ...]
    chain: tuple[Step, ...]

    @property
    def where(self) -> str:
        """File and line in front of the text, as errors have them; nothing where there is no line."""
        return "" if self.origin is None else f"{self.origin}: "

    @property
    def place(self) -> str:
        """File and line, the file as seen from the current folder."""
        if self.origin is None:
            return "(no line)"
        path = os.path.relpath(self.origin.file) if os.path.exists(self.origin.file) else self.origin.file
        return f"{self.origin.file if path.startswith('..') else path}:{self.origin.line}"

    @property
    def way(self) -> str:
        """The chain in one line, from the function's value to x."""
        if self.origin is None and not self.chain:
            return ""
        steps = [str(step) for step in self.chain]
        if len(steps) > MOST_STEPS:
            half = MOST_STEPS // 2
            steps = [*steps[:half], f"... {len(steps) - MOST_STEPS} more ...", *steps[-half:]]
        return " <- ".join([*steps, "x"])


@dataclass(frozen=True, eq=False)
class Explanation:
    """The lines that bring the entries of a row or column in. Made by `PreparedMatrix.explain`.

    Attributes
    ----------
    matrix : str
        What it is a row or column of.
    side : {"row", "column"}
        Which of the two.
    number : int
        Its number; ``place`` is the same in the shape of ``f(x)``, or of x.
    size : int
        How many entries it has; ``typical`` is the median of all rows (columns), ``length`` the most there could be.
    lines : tuple of Line
        The lines, those that bring most entries in first.
    advice : tuple of str
        What would help.
    """

    matrix: str
    side: str
    number: int
    place: tuple[int, ...]
    size: int
    length: int
    typical: int
    lines: tuple[Line, ...]
    advice: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The facts in one line."""
        at = f" {list(self.place)}" if len(self.place) > 1 else ""
        found = f"{self.size:,} of {self.length:,} entries are nonzero (a typical {self.side} has {self.typical:,})"
        return f"{self.side} {self.number}{at} of the {self.matrix}: {found}"

    def __str__(self) -> str:
        blocks = [self.heading]
        if self.lines:
            blocks.append("\n".join([f"  {'entries':>9} {'only here':>10}  line", *self._rows()]))
        blocks += [f"  {line}" for line in self.advice]
        return "\n".join(blocks)

    def _rows(self) -> Iterator[str]:
        width = max(len(line.place) for line in self.lines[:MOST_LINES])
        for line in self.lines[:MOST_LINES]:
            yield f"  {line.entries.size:>9,} {line.only:>10,}  {line.place:<{width}}  {line.text}".rstrip()
            yield from [f"  {'':>20}  {line.way}"] * bool(line.way)
        if len(self.lines) > MOST_LINES:
            yield f"  {'':>20}  ... and {len(self.lines) - MOST_LINES} more lines"

    def __repr__(self) -> str:
        return f"<Explanation of {self.side} {self.number}: {self.size} entries, {len(self.lines)} lines>"

    def _repr_html_(self) -> str:
        rows = [
            (f"{line.entries.size:,}", f"{line.only:,}", Html(f"<code>{escape(line.place)}</code>"), _code(line))
            for line in self.lines[:MOST_LINES]
        ]
        parts = [f"<p>{escape(self.heading)}</p>", table(("entries", "only here", "line", "what it does"), rows)]
        return "".join([*parts, *(f"<p>{escape(line)}</p>" for line in self.advice)])


def _code(line: Line) -> Html:
    return Html(f"<code>{escape(line.text)}</code><br/><small>{escape(line.way)}</small>")


@dataclass(frozen=True, eq=False)
class Overview:
    """The longest row and the longest column of a matrix, explained. Made by `PreparedMatrix.explain`.

    Attributes
    ----------
    matrix : str
        What matrix it is.
    shape : str
        Its size and how long its rows and columns are, in words.
    parts : tuple of Explanation
        The longest row, and the longest column unless the matrix is symmetric; empty where nothing stands out.
    advice : tuple of str
        What would help.
    """

    matrix: str
    shape: str
    parts: tuple[Explanation, ...]
    advice: tuple[str, ...]

    def __str__(self) -> str:
        head = f"{self.matrix}: {self.shape}"
        return "\n".join([head, *(f"\n{part}" for part in self.parts), *(["", *self.advice] if self.advice else [])])

    def __repr__(self) -> str:
        return f"<Overview of the {self.matrix}: {', '.join(f'{p.side} {p.number}' for p in self.parts)}>"

    def _repr_html_(self) -> str:
        head = f"<p><b>{escape(self.matrix)}</b>: {escape(self.shape)}</p>"
        return "".join([head, *(p._repr_html_() for p in self.parts), *(f"<p>{escape(a)}</p>" for a in self.advice)])


def source_line(origin: Origin) -> str:
    """Return the code at a place, if it can be read."""
    return linecache.getline(origin.file, origin.line).strip()
