"""Prepare a derivative with the mode and coloring of a saved one."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.derivatives.colorings import HESSIAN_COLORINGS
from sparsead.derivatives.differences import DifferenceJacobian
from sparsead.derivatives.hessian import Hessian, hessian
from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.prepared_jacobian import Jacobian
from sparsead.derivatives.validation import check_options
from sparsead.errors import InputError
from sparsead.keeping.saving import coloring_in, read
from sparsead.tracing.arguments import signature_of

LAYOUTS = {"Jacobian": ("format",), "Hessian": ("format", "triangle"), "DifferenceJacobian": ("format",)}
PREPARE: dict[str, Callable[..., Any]] = {"Jacobian": jacobian, "Hessian": hessian, "DifferenceJacobian": jacobian}


def load(
    path: Any, f: Callable[..., Any], x0: Any, *args: Any, **options: Any
) -> Jacobian | Hessian | DifferenceJacobian:
    """Prepare a Jacobian or Hessian with the mode and coloring of a saved one.

    Parameters
    ----------
    path : path-like
        Written by ``save``.
    f, x0, *args, **options
        As in `jacobian` or `hessian`; the function is traced again, only the search for a coloring is spared. Without
        `format` and `triangle` in the options they are those that were saved.

    Returns
    -------
    Jacobian, Hessian or DifferenceJacobian
        Whichever was saved.

    Raises
    ------
    InputError
        If the file is damaged, of another version, or does not fit the function: its pattern is compared.
    """
    check_options(path=path)
    if fixed := sorted({"mode", "coloring", "method", "pattern"} & set(options)):
        raise InputError(f"{' and '.join(fixed)}= is what the file says; leave it out, or prepare without the file")
    arrays = read(path)
    kind = str(arrays["kind"])
    prepare = PREPARE[kind]
    size = math.prod(signature_of(f, (x0, *args), options.get("argnum", 0)).x_shape)
    if np.ravel(arrays.get("shape", ())).tolist()[1:] != [size]:
        raise InputError(f"{path} was saved for another size of x than {size}; prepare without it")
    pattern, colored = coloring_in(arrays, str(path))
    layout = map(str, np.ravel(arrays.get("layout", ())))
    options = dict(zip(LAYOUTS[kind], layout, strict=False)) | options
    how = str(arrays.get("mode"))
    if kind == "Jacobian" and how in HESSIAN_COLORINGS:  # of a gradient
        how = "auto"
    kept = {"method": how, "pattern": pattern} if kind == "DifferenceJacobian" else {"mode": how}
    prepared = prepare(f, x0, *args, coloring=colored, **(kept | options))
    if prepared.pattern != pattern:
        raise InputError(f"{path} was saved for another function or size: its pattern differs; prepare without it")
    return prepared
