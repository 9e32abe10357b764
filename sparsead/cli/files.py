"""Files that a command reads and writes: what is wrong with their paths is said before anything long begins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click


class NewFile(click.Path):
    """A file to be written, in a folder that exists."""

    name = "FILE"

    def __init__(self) -> None:
        super().__init__(dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path."""
        path = Path(str(super().convert(value, param, ctx)))
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        return path


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Write a file inside the block; where that fails, the command ends with what hindered it."""
    try:
        yield
    except (OSError, ValueError) as error:  # not writable, or a picture of an unknown format
        raise click.UsageError(f"cannot write {path}: {getattr(error, 'strerror', None) or error}") from error


def missing(path: Path) -> str:
    """Say why a path names no plain file."""
    if path.is_dir():
        return "is a folder"
    return "is no plain file" if path.exists() else "there is no such file"
