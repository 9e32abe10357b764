"""Where the coefficients of direct accumulation go, and which are stored there and which are added.

An entry of the matrix that one coefficient determines is stored, once. Where constants are added to it, they are
added up while preparing. Only entries that several varying coefficients share are added to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coloring import SparsityPattern
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import LinearKernel, Term
from sparsead.program.scalar import Expr
from sparsead.sweeps.direct.slots import Slots, count


@dataclass(frozen=True, eq=False)
class Placed:
    """A coefficient that goes to `slot` of the values named `target`: added, or stored with `base` added to it."""

    target: str
    coefficient: Expr
    slot: IndexMap
    adds: bool
    base: np.ndarray | None = None


@dataclass(eq=False)
class Placement:
    """The placed terms of one buffer.

    Attributes
    ----------
    target : str
        The name of the buffer's values.
    placed : dict
        Kernel number to its terms that read x.
    base : ndarray, shape (nnz,)
        The constants added up to each entry.
    shared : ndarray of bool, shape (nnz,)
        True for entries that something is added to; all others are stored.
    layered : bool
        True where whole rows are added to the buffer's rows, too.
    """

    target: str
    placed: dict[int, list[Placed]]
    base: np.ndarray
    shared: np.ndarray
    layered: bool


def place(
    target: str,
    kernels: list[LinearKernel],
    terms: list[tuple[int, Term]],
    pattern: SparsityPattern,
    layered: bool,
    empty: float = 0.0,
) -> Placement:
    """Decide how the values of a buffer come about.

    Parameters
    ----------
    target : str
        The name of the values.
    kernels : list of LinearKernel
        All kernels.
    terms : list of (kernel number, Term)
        The terms that read x and write the buffer.
    pattern : SparsityPattern
        The buffer's pattern.
    layered : bool
        True where other terms add whole rows to the buffer's rows: then every entry is initialised and added to.
    empty : float
        What an entry is before anything is added to it: a zero of either sign.
    """
    slots, nnz = Slots(pattern), pattern.nnz
    found = [slots.of_entries(t.place.array(), t.index.array(), kernels[k].domain) for k, t in terms]
    constant = [t.coefficient.is_constant for _, t in terms]
    counts = sum((count(at, nnz) for at in found), np.zeros(nnz, dtype=np.int64))
    base, varying = np.zeros(nnz), np.zeros(nnz, dtype=np.int64)
    alone = [not layered and bool((counts[at] == 1).all()) for at in found]
    for (_, term), at, fixed, only in zip(terms, found, constant, alone, strict=True):
        if fixed and not only:
            base += term.coefficient.value * count(at, nnz)
        else:
            varying += count(at, nnz)
    base[base == 0.0] = empty
    result = Placement(target, {}, base, np.ones(nnz, dtype=np.bool_), layered)
    for (kernel, term), at, fixed, only in zip(terms, found, constant, alone, strict=True):
        if fixed and not only:
            continue
        stored = not layered and bool((varying[at] == 1).all())
        added = base[at] if stored and base[at].any() else None
        placed = Placed(target, term.coefficient, recognise(at), not stored, added)
        result.placed.setdefault(kernel, []).append(placed)
        if stored:
            result.shared[at] = False
    return result
