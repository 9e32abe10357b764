"""The blocks of a matrix whose rows and columns have names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import InputError
from sparsead.tracing.arguments import Signature

Name = str | slice | list[str]


@dataclass(frozen=True)
class Blocks:
    """The blocks of a matrix, by the names of its rows and columns. Made by ``jac.blocks(J)``.

    ``blocks["result", "unknown"]`` is a sparse matrix with values of its own; ``blocks[:, "unknown"]`` has all rows,
    ``blocks["result", ["u", "p"]]`` the columns of both, in this order. Names inside names are joined by dots:
    ``"state.u"``; ``"state"`` is all of it. The elements of lists and tuples are named ``"0"``, ``"1"``.

    Attributes
    ----------
    rows, columns : mapping of str to slice
        Where each name stands in the matrix.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> x0 = {"u": np.ones(2), "p": 3.0}
    >>> jac = sad.jacobian(lambda x: {"growth": x["p"] * x["u"], "total": np.sum(x["u"])}, x0)
    >>> blocks = jac.blocks(jac(x0))
    >>> blocks
    Blocks(rows: growth 0:2, total 2:3; columns: u 0:2, p 2:3)
    >>> blocks["growth", "u"].toarray()
    array([[3., 0.],
           [0., 3.]])
    """

    matrix: Any
    rows: Mapping[str, slice]
    columns: Mapping[str, slice]
    whole: tuple[str | None, str | None] = (None, None)  # what all rows, and all columns, are called together

    def __getitem__(self, names: tuple[Name, Name]) -> scipy.sparse.csr_array:
        """Return the block of a row name and a column name, or of several."""
        if not isinstance(names, tuple) or len(names) != 2:
            raise InputError(f"a block has a row name and a column name, got {names!r}")
        kinds = (self.rows, "row", self.whole[0]), (self.columns, "column", self.whole[1])
        rows, columns = (_places(name, *kind) for name, kind in zip(names, kinds, strict=True))
        return self.matrix[rows, :][:, columns]

    def __repr__(self) -> str:
        named = {"rows": self.rows, "columns": self.columns}
        parts = (
            f"{kind}: " + ", ".join(f"{n} {s.start}:{s.stop}" for n, s in of.items()) for kind, of in named.items()
        )
        return f"Blocks({'; '.join(parts)})"


def blocks_of(matrix: Any, shape: tuple[int, int], signature: Signature, symmetric: bool = False) -> Blocks:
    """Return the blocks of a matrix in any format, named as the arguments and the result of a function."""
    if matrix.shape != shape:
        raise InputError(f"expected a matrix of shape {shape}, as a call returns it, got {matrix.shape}")
    if getattr(matrix, "format", "dense") in ("coo", "bsr"):
        matrix = matrix.tocsr()  # SciPy cannot slice these two
    x = signature.names[signature.argnum] if len(signature.wrt) == 1 else None
    rows = signature.columns() if symmetric else signature.rows()
    return Blocks(matrix, rows, signature.columns(), (x if symmetric else "f", x))


def _places(names: Name, places: Mapping[str, slice], kind: str, whole: str | None) -> slice | np.ndarray:
    """Return where one name stands, or several, one after the other."""
    if isinstance(names, list):
        found = [_place(name, places, kind, whole) for name in names]
        size = max((place.stop for place in places.values()), default=0)
        return np.concatenate([np.arange(size)[place] for place in found] or [np.arange(0)])
    return _place(names, places, kind, whole)


def _place(name: str | slice, places: Mapping[str, slice], kind: str, whole: str | None) -> slice:
    if isinstance(name, slice) and name == slice(None):
        return name
    if isinstance(name, str) and name in places:
        return places[name]
    if isinstance(name, str) and name == whole:
        return slice(None)
    inside = [place for known, place in places.items() if isinstance(name, str) and known.startswith(f"{name}.")]
    if not inside:
        raise InputError(f"there is no {kind} block {name!r}; the {kind}s are named {', '.join(places)}")
    return slice(inside[0].start, inside[-1].stop)
