"""What a check says: comparisons, a report of them, and the error that carries one."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any

from coloring.pictures.html import table
from coloring.words import several
from sparsead.errors import SparseADError


class CheckFailed(SparseADError, ArithmeticError):  # noqa: N818  (the name that the API promises)
    """A derivative does not agree with the function; `report` has all comparisons."""

    refuses = False

    def __init__(self, report: Report) -> None:
        super().__init__(str(report))
        self.report = report

    def __reduce__(self) -> Any:
        return type(self), (self.report,)


@dataclass(frozen=True)
class Comparison:
    """One comparison: the largest disagreement, what is allowed there, and words where it is too large."""

    name: str
    error: float
    allowed: float
    detail: str = ""
    undecided: int = 0  # rows in which the function is not differentiable, so that differences say nothing

    @property
    def passed(self) -> bool:
        """True where they agree."""
        return self.error <= self.allowed

    def __str__(self) -> str:
        verdict = "ok" if self.passed else "FAILED"
        lines = [f"{verdict:<7}{self.name}: differs by {self.error:.2e}, allowed {self.allowed:.2e}"]
        if self.detail and not self.passed:
            lines.append(f"       {self.detail}")
        if self.undecided:
            why = "differences do not settle, at a kink or by rounding"
            lines.append(f"       {several(self.undecided, 'row')} not compared: {why}")
        return "\n".join(lines)


@dataclass
class Report:
    """All comparisons of one check; the notes say what could not be compared, and why."""

    title: str
    comparisons: list[Comparison] = field(default_factory=list)
    calls: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        """True if every comparison passed."""
        return all(c.passed for c in self.comparisons)

    def __str__(self) -> str:
        notes = [f"note   {note}" for note in self.notes]
        calls = f"({several(self.calls, 'call')} of the function)"
        return "\n".join([f"check of {self.title}", *map(str, self.comparisons), *notes, calls])

    def _repr_html_(self) -> str:
        rows = [
            ("ok" if c.passed else "FAILED", c.name, f"{c.error:.2e}", f"{c.allowed:.2e}") for c in self.comparisons
        ]
        head = f"<div><b>{escape(f'check of {self.title}')}</b>, {several(self.calls, 'call')} of the function</div>"
        notes = "".join(f"<div>{escape(note)}</div>" for note in self.notes)
        return head + table(("", "compared", "differs by", "allowed"), rows) + notes


def unchecked() -> Report:
    """Return the report of a preparation that is not checked."""
    return Report("a preparation", notes=["nothing was compared: check=False"])
