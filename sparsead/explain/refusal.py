"""A matrix that is refused for its size: the refusal names the line that made it dense."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sparsead.memory import NoRoomError
from sparsead.program.nodes import Program, Scan

LONG = 1000  # rows of a recurrence: to explain the next takes as long again


@contextmanager
def naming_lines(program: Program, symmetric: bool = False) -> Iterator[None]:
    """Add to a MemoryError raised inside the block which line of the user's code brings the most entries into a row."""
    try:
        yield
    except MemoryError as error:
        raise NoRoomError(f"{error}\n{_widest_line(program, symmetric)}".rstrip()) from error


def _widest_line(program: Program, symmetric: bool) -> str:
    """Describe the widest line of three rows: the first, the one in the middle, the last."""
    from sparsead.explain.blame import coupling_lines, row_lines  # not needed where all goes well

    size = program.wrt.size if symmetric else program.output.index.size
    explain = coupling_lines if symmetric else row_lines
    if any(isinstance(node, Scan) for node in program.nodes):
        size = min(size, LONG)
    found = {k: explain(program, k)[:1] for k in {0, size // 2, size - 1}}
    number, line = max(((k, lines[0]) for k, lines in found.items() if lines), key=lambda row: row[1].entries.size)
    return f"  {line.where}{line.text}\n  brings {line.entries.size:,} entries into row {number}: {line.way}"
