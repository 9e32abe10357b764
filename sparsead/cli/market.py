"""Read the pattern of a Matrix Market file (Boisvert, Pozo, Remington 1996), trusting nothing that the file says."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import click
import numpy as np
import scipy.io

from coloring import SparsityPattern

INFLATION = 1032  # bytes that one compressed byte can stand for, at most
EMPTY = 10**7  # rows or columns that a file may have without a byte for each


class BadMatrixError(click.ClickException):
    """A file that holds no matrix: one line, exit status 2."""

    exit_code = 2


def read_pattern(path: Path) -> SparsityPattern:
    """Read the pattern of a Matrix Market file, plain or compressed (``.gz``).

    Raises
    ------
    BadMatrixError
        If there is no such file, or no two-dimensional matrix in it.
    """
    try:
        m, n, entries, layout, _, symmetry = scipy.io.mminfo(path)
        _check_sizes(path, m, n, entries, layout)
        if layout == "array":  # SciPy 1.17 writes past the end of its array where a file holds too much
            return SparsityPattern.from_scipy(_dense(path, m, n, symmetry))
        return SparsityPattern.from_scipy(scipy.io.mmread(path))
    except (OSError, ValueError, EOFError, OverflowError, MemoryError, zlib.error) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadMatrixError(f"{path} is no Matrix Market file of a matrix: {reason}") from error


def _check_sizes(path: Path, m: int, n: int, entries: int, layout: str) -> None:
    """Refuse sizes that the file is too short for, before anything of such a size is allocated."""
    size = path.stat().st_size * (INFLATION if path.suffix == ".gz" else 1)
    least = entries * len("1\n" if layout == "array" else "1 1\n") - 1
    if min(m, n, entries) < 0 or least > size or max(m, n) > EMPTY + size:
        raise ValueError(f"{m} x {n} with {entries} entries, in a file of {path.stat().st_size} bytes")


def _dense(path: Path, m: int, n: int, symmetry: str) -> np.ndarray:
    """Read a matrix of which all values are listed, column by column, or those of its lower triangle."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else open(path, encoding="latin-1") as file:
        lines = (line for line in file if line.strip() and not line.startswith("%"))
        next(lines)
        numbers = [[float(word) for word in line.split()] for line in lines]
    nonzero = np.array([any(value) for value in numbers], dtype=np.bool_)
    columns, rows = np.indices((n, m)).reshape(2, -1) if symmetry == "general" else np.triu_indices(n)
    if symmetry == "skew-symmetric":
        columns, rows = np.triu_indices(n, 1)
    if len(nonzero) != len(rows) or (symmetry != "general" and m != n):
        raise ValueError(f"{len(nonzero)} values for a {symmetry} {m} x {n} matrix; expected {len(rows)}")
    dense = np.zeros((m, n), dtype=np.bool_)
    dense[rows, columns] = nonzero
    return dense if symmetry == "general" else dense | dense.T
