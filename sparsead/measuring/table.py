"""A table of text and numbers, for the terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table as RichTable

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers; numbers are shown with three digits, None as a dash.

    A cell that starts with ``*`` is the best of its row: bold in both forms. In a terminal that is too narrow, it
    comes in parts, each of which begins with the columns `keys`.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]] = field(default_factory=list)
    note: str = ""
    keys: Sequence[int] = field(default_factory=lambda: [0])  # a list, as it comes back from JSON

    def rich(self, width: int) -> list[RichTable]:
        """Return the table for a terminal of so many columns, without the note: in several parts if it is wide."""
        widths = [
            2 + max(len(text.lstrip("*")) for text in (*name.split("\n"), *(shown(row[k]) for row in self.rows)))
            for k, name in enumerate(self.columns)
        ]
        parts: list[list[int]] = [[]]
        for k in range(len(self.columns)):
            if parts[-1] and sum(widths[j] for j in parts[-1]) + widths[k] + 1 > width:
                parts.append([*self.keys])
            if k not in parts[-1]:
                parts[-1].append(k)
        return [self._part(columns, self.title if columns is parts[0] else "") for columns in parts]

    def _part(self, columns: list[int], title: str) -> RichTable:
        style: dict[str, Any] = {
            "title_justify": "left",
            "title_style": "bold",
            "box": SIMPLE_HEAD,
            "padding": (0, 1, 0, 0),
        }
        grid = RichTable(title=title or None, **style)
        for k in columns:
            name = self.columns[k]
            grid.add_column(name, justify="right" if self._is_numeric(k) else "left", vertical="bottom", no_wrap=True)
        for row in self.rows:
            texts = [shown(row[k]) for k in columns]
            grid.add_row(*(f"[bold green]{text[1:]}[/]" if text.startswith("*") else text for text in texts))
        return grid

    def markdown(self) -> str:
        """Return the table as a section of a page."""
        texts = [[shown(cell) for cell in row] for row in self.rows]
        texts = [[f"**{text[1:]}**" if text.startswith("*") else text for text in row] for row in texts]
        rule = ["---:" if self._is_numeric(k) else "---" for k in range(len(self.columns))]
        lines = [self.columns, rule, *texts]
        parts = [f"## {self.title}", "\n".join(f"| {' | '.join(line)} |" for line in lines), self.note]
        return "\n\n".join(part for part in parts if part)

    def _is_numeric(self, k: int) -> bool:
        cells = [row[k] for row in self.rows if row[k] not in (None, "")]
        return all(not isinstance(cell, str) or "".join(c for c in cell if c not in "*,. ").isdigit() for cell in cells)


def shown(cell: Cell) -> str:
    """Return the text of a cell."""
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.3g}" if abs(cell) < 1000 else f"{cell:,.0f}"
