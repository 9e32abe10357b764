"""Arrays on the command line: a file, a number, so many ones, or what a module of the user's holds."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np

from sparsead.cli.files import missing
from sparsead.cli.modules import named

FORMS = "a file (.npy, .txt, .csv), a number, or MODULE:NAME"
OF_POINT = f"{FORMS}; or only its shape: 1000, zeros:1000, ones:30x40"
FILLED: dict[str, Callable[[tuple[int, ...]], np.ndarray]] = {"zeros": np.zeros, "ones": np.ones}
SHAPE = re.compile(r"\d+(x\d+)*")


class ArrayType(click.ParamType):
    """A file, a number, or ``MODULE:NAME``."""

    name = "ARRAY"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the array, or the number."""
        if not isinstance(value, str):
            return value
        try:
            return float(value)
        except ValueError:
            pass
        if re.fullmatch(r"[\w.]+:[\w.]+", value):
            return self.held(value, param, ctx)
        return self.read(Path(value), param, ctx)

    def held(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return what a module holds under a name, or what a function there returns."""
        found = named(value, lambda message: self.fail(message, param, ctx))
        try:
            found = found() if callable(found) else found
            array = np.asarray(found)
        except Exception as error:  # whatever the function raises
            self.fail(f"{value} raised {type(error).__name__}: {error}", param, ctx)
        if array.dtype.kind not in "fiub":
            self.fail(f"{value} is no array of numbers but {type(found).__name__}", param, ctx)
        return array

    def read(self, path: Path, param: click.Parameter | None, ctx: click.Context | None) -> np.ndarray:
        """Read a file, by its ending."""
        if not path.is_file():
            self.fail(f"{path}: {missing(path)}; expected {FORMS if type(self) is ArrayType else OF_POINT}", param, ctx)
        try:
            if path.suffix in (".txt", ".csv"):
                array = np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None)
            else:
                array = np.load(path)
        except (OSError, ValueError, EOFError) as error:
            self.fail(f"cannot read an array from {path}: {error}", param, ctx)
        if not isinstance(array, np.ndarray):
            self.fail(f"{path} holds several arrays; write the one as .npy, with numpy.save", param, ctx)
        return array


class PointType(ArrayType):
    """An array, or the shape of one: ``1000`` and ``ones:1000`` are a thousand ones."""

    name = "X"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the array; a number with a point is a number."""
        kind, _, shape = value.rpartition(":") if isinstance(value, str) else ("", "", "")
        if SHAPE.fullmatch(shape) and kind in ("", *FILLED):
            try:
                return FILLED[kind or "ones"](tuple(map(int, shape.split("x"))))
            except (ValueError, MemoryError) as error:
                self.fail(f"{value}: {error}", param, ctx)
        return super().convert(value, param, ctx)
