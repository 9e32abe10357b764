"""Read the pattern of a Matrix Market file (Boisvert, Pozo, Remington 1996), trusting nothing that the file says."""

from __future__ import annotations

import gzip
import inspect
import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import click
import numpy as np
import scipy.io

from coloring import SparsityPattern

INFLATION = 1032  # bytes that one compressed byte can stand for, at most
EMPTY = 10**6  # rows or columns that a file may have without a byte for each
LONGEST = 1024  # characters of a line, by the format's own rule
BLOCK = 1 << 16  # lines that are taken at a time
CHUNK = 1 << 20  # characters that are read at a time
ASKS = "spmatrix" in inspect.signature(scipy.io.mmread).parameters  # newer SciPy wants to be told what to return
ARRAYS: dict[str, Any] = {"spmatrix": False} if ASKS else {}


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
        m, n, entries, layout, field, symmetry = scipy.io.mminfo(path)
        _check_sizes(path, m, n, entries, layout)
        if layout == "array":  # SciPy 1.17 writes past the end of its array where a file holds too much
            return SparsityPattern.from_scipy(_dense(path, m, n, symmetry, 2 if field == "complex" else 1))
        return SparsityPattern.from_scipy(scipy.io.mmread(path, **ARRAYS))
    except (OSError, ValueError, EOFError, OverflowError, MemoryError, zlib.error) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadMatrixError(f"{path} is no Matrix Market file of a matrix: {reason}") from error


def _check_sizes(path: Path, m: int, n: int, entries: int, layout: str) -> None:
    """Refuse sizes that the file is too short for, before anything of such a size is allocated."""
    size = path.stat().st_size * (INFLATION if path.suffix == ".gz" else 1)
    least = entries * len("1\n" if layout == "array" else "1 1\n") - 1
    if min(m, n, entries) < 0 or least > size or max(m, n) > EMPTY + size:
        raise ValueError(f"{m} x {n} with {entries} entries, in a file of {path.stat().st_size} bytes")


def _dense(path: Path, m: int, n: int, symmetry: str, words: int) -> np.ndarray:
    """Read a matrix of which all values are listed, column by column, or those of its lower triangle."""
    first = 1 if symmetry == "skew-symmetric" else 0  # of a column, counted from the diagonal
    expected = m * n if symmetry == "general" else (n - first) * (n - first + 1) // 2
    if symmetry != "general" and m != n:
        raise ValueError(f"a {symmetry} matrix of {m} x {n}")
    nonzero = np.empty(expected, dtype=np.bool_)
    filled = 0
    with gzip.open(path, "rt", encoding="latin-1") if path.suffix == ".gz" else open(path, encoding="latin-1") as file:
        for block in _blocks(file, words):
            if filled + len(block) > expected:
                raise ValueError(f"more than {expected} values for a {symmetry} {m} x {n} matrix")
            nonzero[filled : filled + len(block)] = block
            filled += len(block)
    if filled < expected:
        raise ValueError(f"{filled} values for a {symmetry} {m} x {n} matrix; expected {expected}")
    if symmetry == "general":
        return nonzero.reshape(n, m).T
    dense = np.zeros((m, n), dtype=np.bool_)
    for column in range(n):
        length = max(n - column - first, 0)
        dense[n - length :, column], nonzero = nonzero[:length], nonzero[length:]
    return dense | dense.T


def _blocks(file: TextIO, words: int) -> Iterator[np.ndarray]:
    """Yield which of the values after the line of sizes are not zero, some lines at a time; a value has some words."""
    lines = (line for line in _lines(file) if not line.startswith("%"))
    next(line for line in lines if line.strip())
    while block := "\n".join(itertools.islice(lines, BLOCK)):
        numbers = np.array(block.split(), dtype=np.float64)
        yield (numbers.reshape(-1, words) != 0.0).any(axis=1)


def _lines(file: TextIO) -> Iterator[str]:
    """Yield lines, all of a length that the format allows."""
    rest = ""
    while text := file.read(CHUNK):
        *whole, rest = (rest + text).split("\n")
        if max(map(len, (*whole, rest))) > LONGEST:
            raise ValueError(f"a line of more than {LONGEST} characters")
        yield from whole
    yield rest
