"""A user's function on the command line: ``MODULE:FUNCTION``, its point, its other arguments."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import scipy.sparse
from rich.console import Console

import sparsead as sad
from sparsead.cli.arrays import FORMS, OF_POINT, ArrayType, PointType
from sparsead.cli.choices import choice
from sparsead.cli.files import NewFile, written
from sparsead.cli.modules import named
from sparsead.cli.progress import shown
from sparsead.errors import is_users


class FunctionType(click.ParamType):
    """``package.module:function``; modules in the current folder are found."""

    name = "MODULE:FUNCTION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Callable[..., Any]:
        """Import the module and return the function."""
        function = named(value, lambda message: self.fail(message, param, ctx))
        if not callable(function):
            self.fail(f"{value} is not a function but {type(function).__name__}", param, ctx)
        return function


def of_function(modes: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the argument and the options that say what to differentiate, where, and how."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorate in (
            choice("--mode", "mode", modes, "How it is evaluated", default="auto"),
            click.option("--arg", "args", type=ArrayType(), multiple=True,
                         help=f"Another argument of f, may be repeated: {FORMS}."),
            click.option("--x0", type=PointType(), required=True, help=f"The point: {OF_POINT}."),
            click.argument("function", type=FunctionType()),
        ):  # fmt: skip
            command = decorate(command)
        return command

    return decorated


def prepare(derivative: str, function: Callable[..., Any], x0: Any, args: tuple[Any, ...], mode: str) -> Any:
    """Prepare a Jacobian or Hessian, showing the stages; what cannot be done ends the command with its message."""
    prepared = sad.jacobian if derivative == "jacobian" else sad.hessian
    try:
        with shown(Console(stderr=True)):
            return prepared(function, x0, *args, mode=mode)
    except sad.CheckFailed as failed:
        raise click.ClickException(str(failed)) from failed
    except sad.SparseADError as error:
        raise click.UsageError(f"{error}{_missing(error.__cause__)}") from error
    except Exception as error:  # whatever the function raises
        raise click.UsageError(_of_function(error, function, x0, args)) from error


def _of_function(error: Exception, function: Callable[..., Any], x0: Any, args: tuple[Any, ...]) -> str:
    """Say what a function raised, where, and what it was called with."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    place = f'\n  File "{frames[-1].filename}", line {frames[-1].lineno}: {frames[-1].line}' if frames else ""
    shapes = ", ".join(str(np.shape(a)) for a in (x0, *args))
    name = getattr(function, "__name__", type(function).__name__)
    called = f"It was called with shapes {shapes}.{_missing(error)}"
    return f"{name} raised {type(error).__name__}: {error}{place}\n  {called}"


def _missing(error: BaseException | None) -> str:
    """Return what to do where a function could not be called with the arguments that were given."""
    wrong = isinstance(error, TypeError) and "argument" in str(error)
    return "\n  --x0 is its first argument; give --arg for each of the others." if wrong else ""


def of_matrix(modes: Sequence[str]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the options on the matrix that it computes, besides those of `of_function`."""

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        for decorate in (
            click.option("--explain", is_flag=True, help="Tell which lines of FUNCTION made rows and columns long."),
            click.option("--picture", is_flag=True, help="Draw the pattern, with characters."),
            click.option("--output", "-o", type=NewFile(), help="Write it, as .npz."),
        ):
            command = decorate(command)
        return of_function(modes)(command)

    return decorated


def compute(
    derivative: str,
    function: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
    mode: str,
    output: Path | None,
    explain: bool,
    picture: bool,
) -> None:
    """Prepare, print the summary, evaluate at x0 and write the matrix."""
    prepared = prepare(derivative, function, x0, args, mode)
    click.echo(prepared)
    if picture:
        click.echo(prepared.pattern)
    if explain:
        click.echo(f"\n{prepared.explain()}")
    matrix = prepared(x0, *args)
    click.echo(summary(matrix.data))
    if output is not None:
        output = output if output.suffix == ".npz" else output.with_name(f"{output.name}.npz")
        with written(output):
            scipy.sparse.save_npz(output, matrix)
        click.echo(f"written to {output}; read it with scipy.sparse.load_npz")


def summary(values: np.ndarray) -> str:
    """Return a line on the values of a matrix: their range, and how many are zero or not finite."""
    finite = values[np.isfinite(values)]
    words = f"values at x0: from {finite.min():.4g} to {finite.max():.4g}" if finite.size else "values at x0: none"
    zeros, wrong = finite.size - np.count_nonzero(finite), values.size - finite.size
    words += f", {zeros:,} are zero" if zeros else ""
    return words + (f"; {wrong:,} of {values.size:,} are not finite" if wrong else "")
