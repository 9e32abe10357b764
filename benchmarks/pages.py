"""The pages of the report: one that begins with what comes out, one for each problem, one for each other question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeGuard

from benchmarks.report import METHOD, Dots, Lines, Part, Race, Target, faster_table, targets_table
from sparsead.measuring.table import Cell, Table

FOLDER = "benchmarks"  # of the pages below the first one, and of the pictures
CHART = "brusselator"  # the picture that the first page opens with
PROBLEMS = {
    "brusselator": "Brusselator", "rosenbrock": "chained Rosenbrock function", "burgers": "Burgers' equation",
    "burgers-2d": "Burgers' equation in two dimensions", "bratu": "Bratu problem", "cavity": "lid-driven cavity",
    "hyperelastic": "neo-Hookean block", "minimal-surface": "minimal surface", "broyden": "Broyden's banded function",
    "power-flow": "power flow, copies of 14 buses", "network": "power flow, European networks",
    "dispatch": "optimal power flow", "battery": "battery", "bundle": "bundle adjustment",
}  # fmt: skip
QUESTIONS = {  # page: its title, and the parts that answer it
    "evaluations": ("One matrix against one evaluation of f", ("collection", "growth")),
    "preparations": ("Preparing: time and memory", ("start", "stages", "scale", "loops")),
    "passes": ("Passes and operations", ("passes", "counts")),
    "solvers": ("Inside solvers, and many steps", ("solvers", "steps")),
}
TOOLS = ("by hand in numba", "asdex", "CasADi SX", "CasADi MX", "SciPy, grouped differences", "f in NumPy")
HEAD = """\
# Benchmarks

Milliseconds for one full Jacobian or Hessian, and how many times as long other tools take; on one core, at the largest
size of each problem. Numbers below 1 are losses. The pages of the problems have the other sizes, and the time from the
function to the first matrix."""


@dataclass(frozen=True)
class Measured:
    """What a part found, on which day, and on which machine with which versions."""

    parts: list[Part]
    day: str
    where: str


def pages(measured: Mapping[str, Measured]) -> dict[str, str]:
    """Return the text of each page, by its file below the documentation."""
    parts = [part for found in measured.values() for part in found.parts]
    texts: dict[str, str] = {}
    for problem, title in PROBLEMS.items():
        tables = [table for found in measured.values() for table in races(found, problem)]
        if tables:
            own = [part for part in parts if drawn(part) and part.file.startswith(problem)]
            texts[problem] = page(f"Benchmark: {title}", tables, own)
    for name, (title, modules) in QUESTIONS.items():
        answers = [measured[module] for module in modules if module in measured]
        tables = [dated(part, found.day) for found in answers for part in found.parts if isinstance(part, Table)]
        if tables:
            texts[name] = page(title, tables, [part for found in answers for part in found.parts if drawn(part)])
    if any(isinstance(part, Target) for part in parts):
        texts["targets"] = page("Targets of the benchmarks", [targets_table(parts)], [])
    where = "; ".join(sorted({found.where for found in measured.values()}))
    if len(days := sorted({found.day for found in measured.values()})) > 1:
        where += f", between {days[0]} and {days[-1]}, each part with the code of its day, which its tables name"
    return {"benchmarks.md": first(parts, where, list(texts))} | {
        f"{FOLDER}/{name}.md": text for name, text in texts.items()
    }


def first(parts: list[Part], where: str, below: list[str]) -> str:
    """Return the first page: what comes out, where something else is faster, what was missed, how it is measured."""
    compared = [part for part in parts if isinstance(part, Race)]
    lost, missed = faster_table(parts), targets_table(parts, missed=True)
    sections = [HEAD]
    if any(drawn(part) and part.file == CHART for part in parts):
        sections.append(f"![Time of one Jacobian of the Brusselator, by tool]({FOLDER}/{CHART}.svg)")
    if compared:
        nowhere = f"## {lost.title}\n\nNowhere in the {len(compared)} comparisons."
        sections += [summary(compared).markdown(), lost.markdown() if lost.rows else nowhere]
    sections += [missed.markdown()] * bool(missed.rows)
    sections += [f"## How it is measured\n\nMeasured by `make bench` on {where}.\n\n{METHOD}"]
    titles = PROBLEMS | {name: title for name, (title, _) in QUESTIONS.items()}
    lists = [f"- [{titles.get(name, 'All targets')}]({FOLDER}/{name}.md)" for name in below]
    sections += ["## All figures\n\n" + "\n".join(lists)] * bool(lists)
    tree = "\n".join(f"{FOLDER}/{name}" for name in below)
    return "\n\n".join([*sections, f"```{{toctree}}\n:hidden:\n\n{tree}\n```"]) + "\n"


def summary(compared: list[Race]) -> Table:
    """Return a row for the largest size of each problem: our milliseconds, and how many times as long others take."""
    largest = {race.problem: race for race in sorted(compared, key=lambda race: race.n)}
    rows: list[list[Cell]] = []
    for problem in (name for name in PROBLEMS if name in largest):
        race = largest[problem]
        ours = next(iter(race.first))
        name = f"[{PROBLEMS[problem]}]({FOLDER}/{problem}.md)"
        rows.append([name, race.n, race.ms[ours], *(race.of_ours.get(tool) for tool in TOOLS)])
    return Table("Times as long as sparsead", ("", "n", "sparsead, ms", *TOOLS), rows)


def page(title: str, tables: list[Table], pictures: list[Lines | Dots]) -> str:
    """Return a page: pictures, then tables."""
    shown = [f"![{part.title}]({part.file}.svg)" for part in pictures]
    return "\n\n".join([f"# {title}", *shown, *(table.markdown() for table in tables)]) + "\n"


def races(found: Measured, problem: str) -> Iterator[Table]:
    """Yield the tables of one problem."""
    for part in found.parts:
        if isinstance(part, Race) and part.problem == problem:
            yield dated(part.table(), found.day)


def dated(table: Table, day: str) -> Table:
    """Return a table whose note says when it was measured."""
    return replace(table, note=f"{table.note}\n\nMeasured on {day}.".strip())


def drawn(part: Part) -> TypeGuard[Lines | Dots]:
    """Tell whether a part is a picture."""
    return isinstance(part, Lines | Dots)
