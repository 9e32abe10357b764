"""Read arrays from an ``.npz`` file, trusting nothing that it says: every size is checked before anything expands."""

from __future__ import annotations

import math
import os
import stat
import zipfile
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.lib import format as npy

from sparsead.memory import require

INFLATION = 1032  # bytes that one byte can stand for, at most, in what zlib has compressed
MOST_HEADER = 1024  # bytes of the description of an array
WORD = 64 * 4  # bytes of a name, a mode, a hash


def read_arrays(path: Any, known: set[str]) -> dict[str, np.ndarray]:
    """Read arrays of whole numbers or words; raise ValueError, OSError and what `zipfile` raises for anything else.

    Parameters
    ----------
    path : path-like
        A plain file.
    known : set of str
        The names that it may hold, each once.
    """
    with opened(path) as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = [member.filename.removesuffix(".npy") for member in members]
        unknown = sorted(set(names) - known)
        if unknown or len(set(names)) < len(names):
            raise ValueError(f"it holds {unknown[0][:40]!r}, expected {sorted(known)}" if unknown else "a name twice")
        for member in members:
            _check_compression(member)
        require(2 * sum(member.file_size for member in members), f"the arrays in {path}", "prepare again and save")
        return {name: _array(archive, member) for name, member in zip(names, members, strict=True)}


def opened(path: Any) -> BinaryIO:
    """Open a plain file to be read, without waiting; raise ValueError for pipes, folders and devices."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise ValueError("it is no plain file")
    return os.fdopen(handle, "rb")


def _check_compression(member: zipfile.ZipInfo) -> None:
    """Refuse other compressions than NumPy's, and sizes that what is compressed cannot expand to."""
    most = {zipfile.ZIP_STORED: 1, zipfile.ZIP_DEFLATED: INFLATION}.get(member.compress_type, 0) * member.compress_size
    if member.file_size > most:
        raise ValueError(f"{member.filename} cannot have {member.file_size} bytes")


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    """Read one array, whose header must account for every byte of it."""
    with cast("zipfile.ZipExtFile", archive.open(member)) as file:
        shape, dtype = _header(file)
        size = math.prod(shape) * dtype.itemsize
        if size != member.file_size - file.tell():
            raise ValueError(f"{member.filename} says that it has {size} bytes, but it has {member.file_size}")
        array = np.empty(shape, dtype)
        place = array.reshape(-1).view(np.uint8).data if size else memoryview(b"")
        while place and (read := file.readinto(place)):
            place = place[read:]
        if place or file.read(1):  # the last read compares the checksum, too
            raise ValueError(f"{member.filename} ends too early")
    # numbers that are no character: Python's own functions fail on them
    if array.dtype.kind == "U" and (array.reshape(-1).view(f"{array.dtype.byteorder}u4") >= 128).any():
        raise ValueError(f"{member.filename} holds words of other characters than a saved preparation has")
    return array


def _header(file: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Return shape and type of an array of whole numbers, or of a few words."""
    version = npy.read_magic(file)
    reader = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}.get(version)
    if reader is None:
        raise ValueError(f"version {version} of an array")
    shape, by_columns, dtype = reader(file, max_header_size=MOST_HEADER)
    words = dtype.kind == "U" and math.prod(shape) <= 8 and dtype.itemsize <= WORD
    if len(shape) > 1 or by_columns or not (dtype.kind in "iu" or words) or dtype.hasobject:
        raise ValueError(f"an array of {dtype}, shape {shape}; expected whole numbers")
    return shape, dtype
