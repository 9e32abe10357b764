"""A report: tables, targets, races and pictures, and how they are shown in the terminal."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from benchmarks.reasons import REASONS
from sparsead.measuring.table import Cell, Table, shown

METHOD = """\
Everything runs on one core (the process is pinned to it), in float64. What is compared runs in one process, in turn,
round after round; calls shorter than two milliseconds are repeated within a round. Times are processor time, so that
other work on the machine does not count: medians over the rounds; ratios are medians of the ratios within a round.

Tools get the function in their own words, and their values are compared with ours before they are timed. Each has been
run on a small problem before, so that imports and what is compiled once for all sizes do not count in 'to the first
matrix'; all caches are empty. CasADi is called through buffers; asdex and sparsejac are jitted and return values alone;
sparsejac is given the pattern, SciPy the pattern and its coloring; loops by hand are numba code for the one problem,
structure known beforehand. `python -m benchmarks` runs everything and goes on where it was cut off;
`python -m benchmarks PART` runs a part, and `python -m benchmarks --page` writes these pages from what is there."""


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
        return self.claim, f"{shown(self.measured)} {self.unit}".strip(), bound, "yes" if self.met else "no"


@dataclass(frozen=True)
class Race:
    """What every tool takes to fill the same matrix.

    Attributes
    ----------
    case, title : str
        Problem and size as `benchmarks.comparisons` takes them, and one line on it.
    n, nnz : int
        Unknowns and entries.
    first : dict of str to float
        Seconds from the function to the first matrix, by tool.
    ms : dict of str to float
        Milliseconds of one evaluation.
    of_f, of_ours : dict of str to float
        Times as long as the function in NumPy, and as the first tool.
    """

    case: str
    title: str
    n: int
    nnz: int
    first: dict[str, float]
    ms: dict[str, float]
    of_f: dict[str, float]
    of_ours: dict[str, float]

    def table(self) -> Table:
        ours = next(iter(self.first))
        rows = [(tool, self.first.get(tool), self.ms[tool], self.of_f[tool], self.of_ours[tool]) for tool in self.ms]
        columns = ("", "to the first matrix, s", "one matrix, ms", "times f", f"times {ours}")
        note = f"Run by `python -m benchmarks.comparisons {self.case}`."
        return Table(f"{self.title}: n = {self.n:,}, {self.nnz:,} entries", columns, rows, note)

    @property
    def problem(self) -> str:
        """The short name of the problem."""
        return self.case.rpartition("-")[0]

    def faster(self) -> list[str]:
        """The tools that fill the matrix in less time than ours, by more than the timings vary."""
        ours, *others = self.first
        return [tool for tool in others if not tool.startswith(ours) and self.of_ours[tool] < 0.95]


@dataclass(frozen=True)
class Lines:
    """A picture: lines over a logarithmic axis, a panel for each quantity.

    `panels` maps the label of a vertical axis to lines, name to ``[[x, y], ...]``.
    """

    file: str
    title: str
    x: str
    panels: dict[str, dict[str, list[list[float]]]]


@dataclass(frozen=True)
class Dots:
    """A picture: for each row a dot of every kind; the first kind is a bound, and drawn as one."""

    file: str
    title: str
    x: str
    rows: list[str]
    kinds: dict[str, list[float]]


Part = Table | Target | Race | Lines | Dots


def tables(parts: list[Part]) -> list[Table]:
    """Return the tables, races among them, in order."""
    found = (part.table() if isinstance(part, Race) else part for part in parts)
    return [part for part in found if isinstance(part, Table) and part.rows]


def targets_table(parts: list[Part], missed: bool = False) -> Table:
    """Return all targets, missed ones first, with the reason; or only those that were missed."""
    targets = sorted((part for part in parts if isinstance(part, Target)), key=lambda target: target.met)
    targets = [target for target in targets if not (missed and target.met)]
    rows = [target.row() for target in targets]
    why = reasons(t.claim for t in targets if not t.met)
    title = "Targets that were missed" if missed else "Targets"
    return Table(title, ("", "measured", "target", "met"), rows, why)


def reasons(names: Iterable[str]) -> str:
    """Return why something is so for each of these names; a reason that several share is said once."""
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(names):
        if name in REASONS:
            found.setdefault(REASONS[name], []).append(name)
    return "\n".join(f"- {'; '.join(names)}: {why}" for why, names in found.items())


def faster_table(parts: list[Part]) -> Table:
    """Return where something else fills the same matrix faster, loops written by hand included."""
    races = [part for part in parts if isinstance(part, Race)]
    rows: list[Sequence[Cell]] = [
        (race.title, race.n, tool, race.ms[tool], race.ms[next(iter(race.first))], 1.0 / race.of_ours[tool])
        for race in races
        for tool in race.faster()
    ]
    rows.sort(key=lambda row: str(row[2]).startswith("by hand"))
    columns = ("", "n", "faster", "its ms", "our ms", "ours / it")
    return Table(
        "Where something else is faster in evaluation",
        columns,
        rows,
        reasons(race.problem for race in races if race.faster()),
    )


def show(parts: list[Part]) -> None:
    """Print tables, then the targets that they bear on."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    for table in [*tables(parts), targets_table(parts), faster_table(parts)]:
        if table.rows:
            console.print(*table.rich(console.width), sep="\n")
            console.print(table.note + "\n" if table.note else "", style="dim")


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
