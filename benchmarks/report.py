"""A report: tables and targets, shown in the terminal and written as Markdown."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table as RichTable

METHOD = """\
Everything runs on one core (the process is pinned to it), in float64. What is compared runs in one process, in turn,
round after round. Times are processor time, so that other work on the machine does not count: medians over the rounds;
ratios are medians of the ratios within a round. Contenders' values are compared with ours before they are timed."""

Cell = str | float | int | None


@dataclass(frozen=True)
class Table:
    """Rows of text and numbers; numbers are shown with three digits, None as a dash."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]] = field(default_factory=list)
    note: str = ""

    def texts(self) -> list[list[str]]:
        return [[shown(cell) for cell in row] for row in self.rows]

    def rich(self) -> RichTable:
        table = RichTable(title=self.title, title_justify="left", title_style="bold", header_style="bold", box=None)
        for k, name in enumerate(self.columns):
            table.add_column(name, justify="right" if k else "left")
        for row in self.texts():
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        lines = [self.columns, ("---", *["---:"] * (len(self.columns) - 1)), *self.texts()]
        parts = [f"## {self.title}", "\n".join(f"| {' | '.join(line)} |" for line in lines)]
        return "\n\n".join(parts + [self.note] * bool(self.note))


@dataclass(frozen=True)
class Target:
    """A claim: `measured` stays below `limit` (or above it)."""

    claim: str
    measured: float
    limit: float
    unit: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def row(self) -> tuple[Cell, ...]:
        bound = f"{'at least' if self.at_least else 'at most'} {shown(self.limit)} {self.unit}".strip()
        return self.claim, f"{shown(self.measured)} {self.unit}".strip(), bound, "yes" if self.met else "**no**"


Part = Table | Target


def shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, str):
        return cell
    return f"{cell:,}" if isinstance(cell, int) else f"{cell:,.3g}" if abs(cell) < 1000 else f"{cell:,.0f}"


def targets_table(parts: list[Part]) -> Table:
    rows = [part.row() for part in parts if isinstance(part, Target)]
    return Table("Targets", ("", "measured", "target", "met"), sorted(rows, key=lambda row: row[-1] == "yes"))


def show(parts: list[Part]) -> None:
    """Print tables, then the targets that they bear on."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    tables = [part for part in parts if isinstance(part, Table)]
    for table in [*tables, targets_table(parts)]:
        if table.rows:
            console.print(table.rich())
            console.print(table.note + "\n" if table.note else "", style="dim")


def write(parts: list[Part], command: str, *paths: Path) -> None:
    """Write a Markdown page: targets first (missed ones on top), then the tables."""
    tables = [targets_table(parts), *(part for part in parts if isinstance(part, Table))]
    head = f"# Benchmarks\n\nWritten by `{command}` on {machine()}.\n\n{METHOD}"
    text = "\n\n".join([head, *(table.markdown() for table in tables if table.rows)]) + "\n"
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def machine() -> str:
    """Name the processor and the versions that matter."""
    import numba
    import numpy
    import scipy

    described = Path("/proc/cpuinfo")
    lines = described.read_text().splitlines() if described.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or platform.machine()
    libraries = f"NumPy {numpy.__version__}, SciPy {scipy.__version__}, numba {numba.__version__}"
    return f"{processor}, {platform.system()}, Python {platform.python_version()}, {libraries}"
