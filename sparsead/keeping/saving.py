"""Write and read patterns and colorings: what is expensive to find again, and nothing that could be executed."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import numpy as np

import coloring as graph
from coloring import ColoringResult, SparsityPattern
from sparsead.errors import InputError
from sparsead.keeping.archive import read_arrays

VERSION = 1
KINDS = {"Jacobian", "Hessian", "DifferenceJacobian"}
KNOWN = {
    "version",
    "digest",
    "shape",
    "indptr",
    "indices",
    "kind",
    "mode",
    "problem",
    "row_colors",
    "column_colors",
    "layout",
}


def save(prepared: Any, path: Any) -> None:
    """Write the pattern, the mode and the coloring of a prepared matrix to an ``.npz`` file.

    The file is written beside its final name and renamed, so that a reader never sees half of it.

    Examples
    --------
    >>> import tempfile, os
    >>> import numpy as np
    >>> import sparsead as sad
    >>> f = lambda x: x[1:] * x[:-1]
    >>> path = os.path.join(tempfile.mkdtemp(), "jac.npz")
    >>> sad.jacobian(f, np.ones(4), mode="forward").save(path)
    >>> sad.load(path, f, np.ones(4)).passes
    {'jvp': 2, 'vjp': 0}
    """
    arrays = arrays_of(prepared)
    final = os.fspath(path)
    partial = f"{final}.{os.getpid()}.tmp"
    try:
        with open(partial, "wb") as file:
            # NumPy before 2.1 would store allow_pickle=False as one more array
            np.savez_compressed(file, version=VERSION, digest=_digest(arrays), **arrays)  # type: ignore[arg-type]
        os.replace(partial, final)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def arrays_of(prepared: Any) -> dict[str, np.ndarray]:
    """Return pattern, mode and coloring of a prepared matrix as plain arrays; cells are found and colored again."""
    pattern, (mode, colored) = prepared.pattern, chosen(prepared)
    arrays: dict[str, np.ndarray] = {
        "shape": np.array(pattern.shape),
        "indptr": pattern.indptr,
        "indices": pattern.indices,
        "kind": np.array(type(prepared).__name__),
        "mode": np.array(mode),
        "layout": np.array([prepared.structure.format, prepared.structure.triangle]),
    }
    if colored is not None:
        arrays |= {"problem": np.array([colored.structure, colored.partition, colored.decompression])}
        for name, side in (("row_colors", colored.row_colors), ("column_colors", colored.column_colors)):
            arrays |= {name: side} if side is not None else {}
    return arrays


def chosen(prepared: Any) -> tuple[str, Any]:
    """Return the mode and the coloring that a matrix is prepared with again."""
    if getattr(prepared, "of_cell", None) is not None:
        return prepared.recipe.options.mode, None
    return prepared.mode, prepared.coloring


def coloring_in(arrays: dict[str, np.ndarray], origin: str) -> tuple[SparsityPattern, ColoringResult | None]:
    """Return the pattern and the coloring in such arrays, checked; `origin` says where they are from."""
    try:
        m, n = (int(k) for k in arrays["shape"])
        _check_rows(arrays["indptr"], arrays["indices"], m, n)
        pattern = SparsityPattern.from_csr(arrays["indptr"], arrays["indices"], (m, n))
        if "problem" not in arrays:
            return pattern, None
        structure, partition, decompression = map(str, arrays["problem"])
        sides = [arrays[name] for name in ("row_colors", "column_colors") if name in arrays]
        colors = sides[0] if len(sides) == 1 else tuple(sides)
        return pattern, graph.from_colors(pattern, colors, structure, partition, decompression)
    except (KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise InputError(f"{origin} holds no pattern with its coloring ({error}); prepare again and save") from error


def _check_rows(indptr: np.ndarray, indices: np.ndarray, m: int, n: int) -> None:
    """Raise ValueError unless these are compressed rows of an m x n pattern, in order and each entry once."""
    if indptr.shape != (m + 1,) or indices.ndim != 1 or not {indptr.dtype.kind, indices.dtype.kind} <= {"i", "u"}:
        raise ValueError("its pattern is no pattern")
    if indptr[0] != 0 or indptr[-1] != indices.size or (indptr[1:] < indptr[:-1]).any():
        raise ValueError("its rows do not follow one another")
    if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < n:
        raise ValueError("an entry is outside of its matrix")
    grows = np.append(indices[1:] > indices[:-1], True)
    grows[indptr[1:-1][(indptr[1:-1] > 0) & (indptr[1:-1] < indices.size)] - 1] = True  # from row to row
    if not grows.all():
        raise ValueError("its entries are not in order")


def read(path: Any) -> dict[str, np.ndarray]:
    """Read the arrays of a file and check that they are whole and of this version."""
    try:
        arrays = read_arrays(path, KNOWN)
        version, digest = arrays.pop("version", None), arrays.pop("digest", None)
        known = version is not None and digest is not None and int(version) == VERSION
    except Exception as error:  # what zipfile and NumPy raise on bytes that are no such file is not listed anywhere
        raise InputError(f"cannot read {path} as a saved preparation ({error}); prepare again and save") from error
    if not known:
        raise InputError(f"{path} has version {version}, expected {VERSION}; prepare again and save")
    if str(digest) != _digest(arrays) or str(arrays.get("kind")) not in KINDS:
        raise InputError(f"{path} is damaged: its contents do not match its hash; prepare again and save")
    return arrays


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """Return a hash of names, types, shapes and contents."""
    state = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name} {array.dtype.str} {array.shape}".encode())
        state.update(array.reshape(-1).view(np.uint8).data if array.size else b"")
    return state.hexdigest()
