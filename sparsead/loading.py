"""Prepare a derivative with the mode and coloring of a saved one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import coloring as graph
from coloring import SparsityPattern
from sparsead.errors import InputError
from sparsead.hessian import Hessian, hessian
from sparsead.jacobian import Jacobian, jacobian
from sparsead.prepared import PreparedMatrix
from sparsead.saving import read

PREPARE: dict[str, Callable[..., PreparedMatrix]] = {"Jacobian": jacobian, "Hessian": hessian}


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
    arrays = read(path)
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
