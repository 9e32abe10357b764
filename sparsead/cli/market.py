"""Read the pattern of a Matrix Market file (Boisvert, Pozo, Remington 1996), trusting nothing that the file says.

SciPy's reader is not used: it reads past the end of what it was given where the last line is not what it should be.
"""

from __future__ import annotations

import gzip
import io
import itertools
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TextIO

import click
import numpy as np

from coloring import SparsityPattern
from coloring.sizes import index_dtype
from sparsead.cli.files import missing
from sparsead.keeping.archive import INFLATION, opened

EMPTY = 10**6  # rows or columns that a file may have without a byte for each
LONGEST = 1024  # characters of a line, by the format's own rule
BLOCK = 1 << 14  # lines that are taken at a time
CHUNK = 1 << 16  # characters that are read at a time
FIELDS = {"real": 1, "double": 1, "integer": 1, "unsigned-integer": 1, "complex": 2, "pattern": 0}  # words of a value
SYMMETRIES = ("general", "symmetric", "skew-symmetric", "hermitian")


class BadMatrixError(click.ClickException):
    """A file that holds no matrix: one line, exit status 2."""

    exit_code = 2


class Header(NamedTuple):
    """What a file says of its matrix: sizes, how many values are listed, where, and of how many words."""

    m: int
    n: int
    entries: int
    coordinates: bool
    words: int
    symmetry: str

    def __str__(self) -> str:
        return f"a {self.symmetry} {self.m} x {self.n} matrix"


def read_pattern(path: Path) -> SparsityPattern:
    """Read the pattern of a Matrix Market file, plain or compressed (``.gz``).

    Raises
    ------
    BadMatrixError
        If there is no such file, or no two-dimensional matrix in it.
    """
    if not path.is_file():
        raise BadMatrixError(f"{path}: {missing(path)}; expected a Matrix Market file (.mtx, .mtx.gz)")
    try:
        with opened(path) as file:
            expanded = gzip.GzipFile(fileobj=file) if path.suffix == ".gz" else file
            lines = _lines(io.TextIOWrapper(expanded, encoding="latin-1"))
            header = _header(lines)
            size = path.stat().st_size
            if not _is_possible(header, size * (INFLATION if path.suffix == ".gz" else 1)):
                raise ValueError(f"{header.m} x {header.n} with {header.entries} entries, in a file of {size} bytes")
            return _listed(lines, header) if header.coordinates else _dense(lines, header)
    except (OSError, ValueError, EOFError, OverflowError, MemoryError, zlib.error) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__
        raise BadMatrixError(f"{path} is no Matrix Market file of a matrix: {reason}") from error


def _header(lines: Iterator[str]) -> Header:
    """Read the first line and the line of sizes."""
    kind = next(lines).lower().split()
    if len(kind) != 5 or kind[0] != "%%matrixmarket" or kind[1] != "matrix" or kind[2] not in ("coordinate", "array"):
        raise ValueError("its first line is not '%%MatrixMarket matrix coordinate|array FIELD SYMMETRY'")
    coordinates, field, symmetry = kind[2] == "coordinate", kind[3], kind[4]
    if field not in FIELDS or symmetry not in SYMMETRIES or (field == "pattern" and not coordinates):
        raise ValueError(f"{' '.join(kind[2:])} is no kind of matrix")
    sizes = next(lines, "").split()
    if len(sizes) != 2 + coordinates or not all(size.isascii() and size.isdecimal() for size in sizes):
        raise ValueError(f"its line of sizes holds no {2 + coordinates} whole numbers")
    m, n, *entries = map(int, sizes)
    if symmetry != "general" and m != n:
        raise ValueError(f"a {symmetry} matrix of {m} x {n}")
    first = 1 if symmetry == "skew-symmetric" else 0  # of a column, counted from the diagonal
    count = m * n if symmetry == "general" else (n - first) * (n - first + 1) // 2
    return Header(m, n, entries[0] if entries else count, coordinates, FIELDS[field], symmetry)


def _is_possible(header: Header, size: int) -> bool:
    """Tell whether so many characters can hold such a matrix, before anything of its size is allocated."""
    least = header.entries * len("1 1\n" if header.coordinates else "1\n") - 1
    return least <= size and max(header.m, header.n) <= EMPTY + size


def _listed(lines: Iterator[str], header: Header) -> SparsityPattern:
    """Read a matrix whose entries are listed with their places."""
    sizes = np.array([header.m, header.n])
    places = np.empty((2, header.entries), index_dtype(header.m, header.n))
    for start, block in _blocks(lines, header, 2 + header.words):
        here = block[:, :2]
        if not ((here >= 1) & (here <= sizes) & (here == np.floor(here))).all():
            raise ValueError(f"a place outside of {header}")
        places[:, start : start + len(block)] = here.T - 1
    listed = SparsityPattern.from_coo(places[0], places[1], (header.m, header.n))
    return listed if header.symmetry == "general" else listed | listed.T


def _dense(lines: Iterator[str], header: Header) -> SparsityPattern:
    """Read a matrix of which all values are listed, column by column, or those of its lower triangle."""
    m, n = header.m, header.n
    nonzero = np.empty(header.entries, dtype=np.bool_)
    for start, block in _blocks(lines, header, header.words):
        nonzero[start : start + len(block)] = (block != 0.0).any(axis=1)
    if header.symmetry == "general":
        return SparsityPattern.from_scipy(nonzero.reshape(n, m).T)
    dense = np.zeros((m, n), dtype=np.bool_)
    first = 1 if header.symmetry == "skew-symmetric" else 0
    for column in range(n):
        length = max(n - column - first, 0)
        dense[n - length :, column], nonzero = nonzero[:length], nonzero[length:]
    return SparsityPattern.from_scipy(dense | dense.T)


def _blocks(lines: Iterator[str], header: Header, words: int) -> Iterator[tuple[int, np.ndarray]]:
    """Yield the number of a block's first value and its numbers, a value a row; there must be as many as it says."""
    start = 0
    while texts := list(itertools.islice(lines, BLOCK)):
        if len(texts[0].split()) != words:
            raise ValueError(f"a line of {len(texts[0].split())} numbers; expected {words}")
        block = np.loadtxt(texts, dtype=np.float64, comments=None, ndmin=2)
        if start + len(block) > header.entries:
            raise ValueError(f"more than {header.entries} values for {header}")
        yield start, block
        start += len(block)
    if start < header.entries:
        raise ValueError(f"{start} values for {header}; expected {header.entries}")


def _lines(file: TextIO) -> Iterator[str]:
    """Yield the first line and those that are neither empty nor comments, all of a length that the format allows."""
    first, rest = True, ""
    while text := file.read(CHUNK):
        *whole, rest = (rest + text).split("\n")
        if max(map(len, (*whole, rest))) > LONGEST:
            raise ValueError(f"a line of more than {LONGEST} characters")
        for line in whole:
            if first or (line.strip() and line[0] != "%"):
                yield line
            first = False
    if first or (rest.strip() and rest[0] != "%"):
        yield rest
