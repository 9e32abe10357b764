"""Derivatives as C code that needs neither Python nor anything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sparsead.emit.c_library import Library, Parameter
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError

MOST = 2**31 - 1  # entries: the index arrays of C are of type int

SIZES = {
    "jacobian": "columns: elements of x",
    "hessian": "elements of x: rows and columns",
    "gradient": "elements of x",
}
MATRICES = {
    "jacobian": "the values of the Jacobian, by rows, in the order of the structure",
    "hessian": "the values of the Hessian, both triangles, by rows, in the order of the structure",
}


def exported(prepared: Any, path: Any) -> tuple[Path, Path]:
    """Write all that a prepared derivative computes, as functions of C; return the paths of source and header."""
    library = _library(prepared, path)
    m, n = prepared.program.output.index.size, prepared.program.wrt.size
    rows, columns = (f"{library.name.upper()}_{letter}" for letter in "MN")
    if prepared.derivative == "jacobian":
        library.size("M", m, "rows: elements of the value")
    else:
        rows = columns
    library.size("N", n, SIZES[prepared.derivative])
    for name, function in prepared._functions.items():
        size = columns if name == "gradient" else rows if prepared.derivative == "jacobian" else "1"
        written = Parameter(function.array, function.array, size, written=True)
        _add(library, prepared, name, function.meaning, [written], [prepared._sweep(name)])
    if prepared.derivative in MATRICES:
        _matrix(library, prepared, prepared.derivative, MATRICES[prepared.derivative])
    for product in prepared._products:
        given, returned = product.sizes((rows, columns))
        arrays = [
            Parameter(product.source, product.vector, given),
            Parameter(product.target, "out", returned, written=True),
        ]
        _add(library, prepared, product.name, product.meaning, arrays, [prepared._sweep(product.name)])
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
    rows = prepared._assembly if prepared.structure.in_order else prepared._assemble(None)
    sweeps = rows.all_sweeps()
    assert sweeps is not None, "only tests replace what finishes a matrix"
    _add(library, prepared, name, meaning, [values], sweeps)
    library.structure(pattern.indptr, pattern.indices)


def _add(
    library: Library, prepared: Any, name: str, meaning: str, outputs: list[Parameter], sweeps: Sequence[Sweep]
) -> None:
    """Add a function of x, the other arguments and `outputs`; refuse what calls Python."""
    called = [f.then.operation.name for sweep in sweeps for f in sweep.source.functions if f.then is not None]
    if called:
        raise InputError(
            f"{prepared.program.name} calls Python at run time ({called[0]}), which C code cannot; write it in NumPy "
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
