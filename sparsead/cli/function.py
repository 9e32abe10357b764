"""A user's function on the command line: ``MODULE:FUNCTION``, its point, its other arguments."""

from __future__ import annotations

import difflib
import importlib
import operator
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import scipy.sparse
from rich.console import Console

import sparsead as sad
from sparsead.cli.progress import shown
from sparsead.errors import is_users


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
        except Exception as error:  # whatever the module raises
            hint = f"; write {module.removesuffix('.py')}:{name}" if module.endswith(".py") else ""
            self.fail(f"cannot import {module}: {type(error).__name__}: {error}{hint}", param, ctx)
        try:
            function = operator.attrgetter(name)(found)
        except AttributeError:
            functions = [key for key, value in vars(found).items() if callable(value) and not key.startswith("_")]
            similar = difflib.get_close_matches(name, functions, n=1)
            hint = f"did you mean {similar[0]}?" if similar else f"it has {', '.join(functions) or 'none'}"
            self.fail(f"{module} has no function {name}; {hint}", param, ctx)
        if not callable(function):
            self.fail(f"{name} in {module} is not a function but {type(function).__name__}", param, ctx)
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
            array = np.load(value)
        except (OSError, ValueError, EOFError) as error:
            self.fail(f"cannot read an array from {value}: {error}", param, ctx)
        if not isinstance(array, np.ndarray):
            self.fail(f"{value} holds several arrays; write the one as .npy, with numpy.save", param, ctx)
        return array


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
    except Exception as error:  # whatever the function raises
        raise click.UsageError(_of_function(error, function, x0, args)) from error


def _of_function(error: Exception, function: Callable[..., Any], x0: Any, args: tuple[Any, ...]) -> str:
    """Say what a function raised, where, and what it was called with."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if is_users(frame.filename)]
    place = f'\n  File "{frames[-1].filename}", line {frames[-1].lineno}: {frames[-1].line}' if frames else ""
    shapes = ", ".join(str(np.shape(a)) for a in (x0, *args))
    name = getattr(function, "__name__", type(function).__name__)
    hint = "\n  --x0 is its first argument; give --arg for each of the others." if "argument" in str(error) else ""
    return f"{name} raised {type(error).__name__}: {error}{place}\n  It was called with shapes {shapes}.{hint}"


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
        matrix = prepared(x0, *args)
        wrong = int(np.count_nonzero(~np.isfinite(matrix.data)))
        if wrong:
            click.echo(f"warning: {wrong:,} of {matrix.nnz:,} entries are not finite at this point", err=True)
        output = output if output.suffix == ".npz" else output.with_name(f"{output.name}.npz")
        try:
            scipy.sparse.save_npz(output, matrix)
        except OSError as error:
            raise click.UsageError(f"cannot write {output}: {error}") from error
        click.echo(f"written to {output}; read it with scipy.sparse.load_npz")
