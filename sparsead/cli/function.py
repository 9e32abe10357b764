"""A user's function on the command line: ``MODULE:FUNCTION``, its point, its other arguments."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import scipy.sparse
from rich.console import Console

import sparsead as sad
from sparsead.cli.progress import shown


class FunctionType(click.ParamType):
    """``package.module:function``; modules in the current folder are found."""

    name = "MODULE:FUNCTION"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Callable[..., Any]:
        """Import the module and return the function."""
        module, _, name = value.partition(":")
        if not module or not name:
            self.fail(f"{value!r} is not of the form MODULE:FUNCTION", param, ctx)
        if "" not in sys.path:
            sys.path.insert(0, "")
        try:
            found = importlib.import_module(module)
        except ImportError as error:
            self.fail(f"cannot import {module}: {error}", param, ctx)
        function = getattr(found, name, None)
        if not callable(function):
            self.fail(f"{module} has no function {name}", param, ctx)
        return function


class ArrayType(click.ParamType):
    """A ``.npy`` file, or a number."""

    name = "X.npy"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the array, or the number."""
        try:
            return float(value)
        except ValueError:
            pass
        try:
            return np.load(value)
        except (OSError, ValueError, EOFError) as error:
            self.fail(f"cannot read an array from {value}: {error}", param, ctx)


def of_function(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the argument and the options that say what to differentiate, and where."""
    for decorate in (
        click.option("--mode", default="auto", show_default=True, help="How it is evaluated, see the documentation."),
        click.option("--arg", "args", type=ArrayType(), multiple=True, help="Another argument of f; may be repeated."),
        click.option("--x0", type=ArrayType(), required=True, help="The point, a .npy file."),
        click.argument("function", type=FunctionType()),
    ):
        command = decorate(command)
    return command


def prepare(derivative: str, function: Callable[..., Any], x0: Any, args: tuple[Any, ...], mode: str) -> Any:
    """Prepare a Jacobian or Hessian, showing the stages; what cannot be done ends the command with its message."""
    prepared = sad.jacobian if derivative == "jacobian" else sad.hessian
    try:
        with shown(Console(stderr=True)):
            return prepared(function, x0, *args, mode=mode)
    except sad.SparseADError as error:
        raise click.UsageError(str(error)) from error


def of_matrix(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options on the matrix that it computes, besides those of `of_function`."""
    for decorate in (
        click.option("--explain", is_flag=True, help="Tell which lines of FUNCTION made rows and columns long."),
        click.option("--output", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write it, as .npz."),
    ):
        command = decorate(command)
    return of_function(command)


def compute(
    derivative: str,
    function: Callable[..., Any],
    x0: Any,
    args: tuple[Any, ...],
    mode: str,
    output: Path | None,
    explain: bool,
) -> None:
    """Prepare, print the summary, evaluate at x0 and write the matrix."""
    prepared = prepare(derivative, function, x0, args, mode)
    click.echo(prepared)
    if explain:
        click.echo(f"\n{prepared.explain()}")
    if output is not None:
        try:
            scipy.sparse.save_npz(output, prepared(x0, *args))
        except OSError as error:
            raise click.UsageError(f"cannot write {output}: {error}") from error
        click.echo(f"written to {output}; read it with scipy.sparse.load_npz")
