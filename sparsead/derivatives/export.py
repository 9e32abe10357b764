"""Derivatives as C code that needs neither Python nor anything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sparsead.emit.library import Library, Parameter
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError

MOST = 2**31 - 1  # entries: the index arrays are int

if TYPE_CHECKING:
    from sparsead.derivatives.gradient import Gradient
    from sparsead.derivatives.hessian import Hessian
    from sparsead.derivatives.jacobian import Jacobian


def export_jacobian(jac: Jacobian, path: Any) -> tuple[Path, Path]:
    """Write ``value``, ``jacobian``, ``jvp``, ``vjp`` and ``structure``; return the paths of source and header."""
    (m, n), library = jac.shape, _library(jac, path)
    library.size("M", m, "rows: elements of the value")
    library.size("N", n, "columns: elements of x")
    value = Parameter("y", "y", f"{library.name.upper()}_M", written=True)
    _add(library, jac, "value", "y = f(x)", [value], [jac._sweep("value")])
    _matrix(library, jac, "jacobian", "the values of the Jacobian, by rows, in the order of the structure")
    rows, columns = f"{library.name.upper()}_M", f"{library.name.upper()}_N"
    right = [Parameter("dx", "v", columns), Parameter("dy", "out", rows, written=True)]
    _add(library, jac, "jvp", "out = J v", right, [jac._sweep("jvp")])
    left = [Parameter("dy", "w", rows), Parameter("dx", "out", columns, written=True)]
    _add(library, jac, "vjp", "out = w J", left, [jac._sweep("vjp")])
    return _written(library, path)


def export_hessian(hess: Hessian, path: Any) -> tuple[Path, Path]:
    """Write ``value``, ``gradient``, ``hessian``, ``hvp`` and ``structure``; return the paths of source and header."""
    library = _library(hess, path)
    size = f"{library.name.upper()}_N"
    library.size("N", hess.shape[0], "elements of x: rows and columns")
    _add(library, hess, "value", "y = f(x)", [Parameter("y", "y", "1", written=True)], [hess._sweep("value")])
    gradient = Parameter("g", "g", size, written=True)
    _add(library, hess, "gradient", "g = the gradient", [gradient], [hess._sweep("gradient")])
    _matrix(
        library, hess, "hessian", "the values of the Hessian, both triangles, by rows, in the order of the structure"
    )
    product = [Parameter("dx", "v", size), Parameter("dg", "out", size, written=True)]
    _add(library, hess, "hvp", "out = H v", product, [hess._sweep("hvp")])
    return _written(library, path)


def export_gradient(grad: Gradient, path: Any) -> tuple[Path, Path]:
    """Write ``value`` and ``gradient``; return the paths of source and header."""
    library = _library(grad, path)
    library.size("N", grad.program.wrt.size, "elements of x")
    _add(library, grad, "value", "y = f(x)", [Parameter("y", "y", "1", written=True)], [grad._value])
    gradient = Parameter("g", "g", f"{library.name.upper()}_N", written=True)
    _add(library, grad, "gradient", "g = the gradient", [gradient], [grad._gradient])
    return _written(library, path)


def _library(prepared: Any, path: Any) -> Library:
    name = _named(path).name
    if not re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        raise InputError(f"{name!r} cannot begin the names of C functions; use letters, digits and underscores")
    return Library(name, prepared._heading().replace("*/", "* /"))


def _named(path: Any) -> Path:
    path = Path(path)
    return path.with_suffix("") if path.suffix in (".c", ".h") else path


def _matrix(library: Library, prepared: Any, name: str, meaning: str) -> None:
    """Add the values of a matrix, and its structure."""
    pattern = prepared.pattern
    if pattern.nnz > MOST:
        raise InputError(f"the structure of {pattern.nnz} entries does not fit the 32-bit indices of the C code")
    library.size("NNZ", pattern.nnz, "entries that are stored")
    values = Parameter("data", "values", f"{library.name.upper()}_NNZ", written=True)
    sweeps = prepared._assembly.all_sweeps()
    assert sweeps is not None, "only tests replace what finishes a matrix"
    _add(library, prepared, name, meaning, [values], sweeps)
    library.structure(pattern.indptr, pattern.indices)


def _add(
    library: Library, prepared: Any, name: str, meaning: str, outputs: list[Parameter], sweeps: Sequence[Sweep]
) -> None:
    """Add a function of x, the other arguments and `outputs`; refuse what calls Python."""
    called = [step for sweep in sweeps for step in sweep.source.functions if step.then is not None]
    if called:
        operation = getattr(getattr(called[0].then, "__self__", None), "operation", None)
        what = getattr(operation, "name", "a function of yours")
        raise InputError(
            f"{prepared.program.name} calls Python at run time ({what}), which C code cannot; write it in NumPy "
            "operations that are traced, or evaluate from Python"
        )
    inputs = [Parameter(node.name, node.name, str(node.size)) for node in prepared.program.inputs]
    library.function(name, meaning, [*inputs, *outputs], sweeps)


def _written(library: Library, path: Any) -> tuple[Path, Path]:
    base = _named(path)
    source, header = base.with_suffix(".c"), base.with_suffix(".h")
    source.write_text(library.source())
    header.write_text(library.header())
    return source, header
