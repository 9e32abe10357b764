"""The blocks of a matrix whose rows and columns have names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sparsead.errors import InputError


@dataclass(frozen=True)
class Blocks:
    """The blocks of a matrix, by the names of its rows and columns. Made by ``jac.blocks(J)``.

    ``blocks["result", "unknown"]`` is a sparse matrix with values of its own; ``blocks[:, "unknown"]`` has all rows.
    Names inside names are joined by dots: ``"state.u"``. The elements of lists and tuples are named ``"0"``, ``"1"``.

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

    def __getitem__(self, names: tuple[str | slice, str | slice]) -> Any:
        """Return the block of a row name and a column name."""
        if not isinstance(names, tuple) or len(names) != 2:
            raise InputError(f"a block has a row name and a column name, got {names!r}")
        row, column = names
        return self.matrix[_place(row, self.rows, "row"), _place(column, self.columns, "column")]

    def __repr__(self) -> str:
        named = {"rows": self.rows, "columns": self.columns}
        parts = (
            f"{kind}: " + ", ".join(f"{n} {s.start}:{s.stop}" for n, s in of.items()) for kind, of in named.items()
        )
        return f"Blocks({'; '.join(parts)})"


def _place(name: str | slice, places: Mapping[str, slice], kind: str) -> slice:
    if isinstance(name, slice) and name == slice(None):
        return name
    if not isinstance(name, str) or name not in places:
        raise InputError(f"there is no {kind} block {name!r}; the {kind}s are named {', '.join(places)}")
    return places[name]
