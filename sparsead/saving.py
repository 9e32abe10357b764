"""Patterns and colorings on disk: what is expensive to find again, and nothing that could be executed."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable
from typing import Any
from zipfile import BadZipFile

import numpy as np

import coloring as graph
from coloring import SparsityPattern
from sparsead.errors import InputError
from sparsead.hessian import Hessian, hessian
from sparsead.jacobian import Jacobian, jacobian
from sparsead.prepared import PreparedMatrix

VERSION = 1
PREPARE: dict[str, Callable[..., PreparedMatrix]] = {"Jacobian": jacobian, "Hessian": hessian}


def save(prepared: PreparedMatrix, path: Any) -> None:
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
    pattern, colored = prepared.pattern, prepared.coloring
    arrays: dict[str, np.ndarray] = {
        "shape": np.array(pattern.shape),
        "indptr": pattern.indptr,
        "indices": pattern.indices,
        "kind": np.array(type(prepared).__name__),
        "mode": np.array(prepared.mode),
    }
    if colored is not None:
        arrays |= {"problem": np.array([colored.structure, colored.partition, colored.decompression])}
        for name, side in (("row_colors", colored.row_colors), ("column_colors", colored.column_colors)):
            arrays |= {name: side} if side is not None else {}
    final = os.fspath(path)
    partial = f"{final}.{os.getpid()}.tmp"
    try:
        with open(partial, "wb") as file:
            np.savez_compressed(file, allow_pickle=False, version=VERSION, digest=_digest(arrays), **arrays)
        os.replace(partial, final)
    finally:
        if os.path.exists(partial):
            os.remove(partial)


def load(path: Any, f: Callable[..., Any], x0: Any, *args: Any, **options: Any) -> Jacobian | Hessian:
    """Prepare a Jacobian or Hessian with the mode and coloring of a saved one.

    Parameters
    ----------
    path : path-like
        Written by ``save``.
    f, x0, *args, **options
        As in `jacobian` or `hessian`; the function is traced again, only the search for a coloring is spared.

    Raises
    ------
    InputError
        If the file is damaged, of another version, or does not fit the function: its pattern is compared.
    """
    arrays = _read(path)
    prepare = PREPARE[str(arrays["kind"])]
    indptr, indices = arrays["indptr"], arrays["indices"]
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    m, n = (int(k) for k in arrays["shape"])
    pattern = SparsityPattern.from_coo(rows, indices, (m, n))
    mode, colored = str(arrays["mode"]), None
    if "problem" in arrays:
        structure, partition, decompression = map(str, arrays["problem"])
        sides = [arrays[name] for name in ("row_colors", "column_colors") if name in arrays]
        colors = sides[0] if len(sides) == 1 else tuple(sides)
        try:
            colored = graph.from_colors(pattern, colors, structure, partition, decompression)
        except graph.ColoringError as error:
            raise InputError(f"{path}: {error}") from error
    prepared = prepare(f, x0, *args, mode=mode, coloring=colored, **options)
    if prepared.pattern != pattern:
        raise InputError(f"{path} was saved for another function or size: its pattern differs; prepare without it")
    return prepared  # type: ignore[return-value]


def _read(path: Any) -> dict[str, np.ndarray]:
    """Read the arrays of a file and check that they are whole and of this version."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (OSError, ValueError, EOFError, KeyError, NotImplementedError, SyntaxError, BadZipFile, zlib.error) as error:
        raise InputError(f"cannot read {path} as a saved preparation ({error}); prepare again and save") from error
    version, digest = arrays.pop("version", None), arrays.pop("digest", None)
    if version is None or digest is None or int(version) != VERSION:
        raise InputError(f"{path} has version {version}, expected {VERSION}; prepare again and save")
    if str(digest) != _digest(arrays) or str(arrays.get("kind")) not in PREPARE:
        raise InputError(f"{path} is damaged: its contents do not match its hash; prepare again and save")
    return arrays


def _digest(arrays: dict[str, np.ndarray]) -> str:
    """Return a hash of names, types, shapes and contents."""
    state = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        state.update(f"{name} {array.dtype.str} {array.shape}".encode())
        state.update(array.tobytes())
    return state.hexdigest()
