"""What ``sparsead bench`` and ``sparsead demo`` are given: problems by name, functions of one's own, matrix files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

import sparsead as sad
from coloring import SparsityPattern
from sparsead.cli.function import FunctionType
from sparsead.cli.market import read_pattern
from sparsead.problems import PROBLEMS, SIZES, Problem


class ProblemName(click.Choice):
    """A name in the collection; hyphens may be left out."""

    def __init__(self) -> None:
        super().__init__(list(PROBLEMS))

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name as the collection spells it."""
        return super().convert(next((name for name in PROBLEMS if name.replace("-", "") == value), value), param, ctx)


@dataclass(frozen=True)
class Subject:
    """A matrix to look at: ``problem`` is None where only its pattern is known."""

    name: str
    derivative: str
    problem: Problem | None = None
    pattern: SparsityPattern | None = None


class SubjectType(click.ParamType):
    """A problem of the collection, ``MODULE:FUNCTION``, or a Matrix Market file."""

    name = "SUBJECT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the name of a problem, a function, or the subject of a file."""
        if ":" in value:
            return FunctionType().convert(value, param, ctx)
        if Path(value).suffix in (".mtx", ".gz"):
            pattern = read_pattern(Path(value))
            return Subject(Path(value).name, "hessian" if pattern.is_symmetric else "jacobian", pattern=pattern)
        return ProblemName().convert(value, param, ctx)


def of_collection(name: str, size: int) -> Problem:
    """Return a problem of the collection."""
    try:
        return PROBLEMS[name](size)
    except sad.InputError as error:
        raise click.BadParameter(str(error), param_hint="--size") from error


def subject(given: Any, size: int | None, scale: str, x0: Any, args: tuple[Any, ...], hessian: bool) -> Subject:
    """Return what is to be measured for one argument of the command."""
    if isinstance(given, Subject):
        return given
    if isinstance(given, str):
        problem = of_collection(given, getattr(SIZES[given], scale) if size is None else size)
        return Subject(problem.name, problem.derivative, problem)
    if x0 is None:
        raise click.UsageError("a function needs its point: --x0 X.npy")
    name, derivative = getattr(given, "__name__", "f"), "hessian" if hessian else "jacobian"
    problem = Problem(name, name, "", derivative, given, x0, args)  # type: ignore[arg-type]
    return Subject(name, derivative, problem)
