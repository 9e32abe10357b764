"""Where the coefficients of direct accumulation go, and which are stored there and which are added.

An entry of the matrix that one coefficient determines is stored, once. Where constants are added to it, they are
added up while preparing. Only entries that several varying coefficients share are added to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import LinearKernel, Term
from sparsead.program.index import IndexArray
from sparsead.program.scalar import Expr
from sparsead.sweeps.direct.slots import Slots


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
    slots: Slots,
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
    slots : Slots
        Where the entries of the buffer are stored.
    layered : bool
        True where other terms add whole rows to the buffer's rows: then every entry is initialised and added to.
    empty : float
        What an entry is before anything is added to it: a zero of either sign.
    """
    size = slots.size
    found = [slots.of_entries(t.place.array(), t.index.array(), kernels[k].domain) for k, t in terms]
    if slots.is_partial:
        _fold(terms, found)
    stored_at = [at[at >= 0] for at in found]
    constant = [t.coefficient.is_constant for _, t in terms]
    counts, base, varying = np.zeros(size, np.int64), np.zeros(size), np.zeros(size, np.int64)
    for at in stored_at:
        _add(counts, at, 1)
    alone = [not layered and bool((counts[at] == 1).all()) for at in stored_at]
    folded = [fixed and not only for fixed, only in zip(constant, alone, strict=True)]
    for (_, term), at, fold in zip(terms, stored_at, folded, strict=True):
        if fold:
            _add(base, at, term.coefficient.value)
        else:
            _add(varying, at, 1)
    base[base == 0.0] = empty
    result = Placement(target, {}, base, np.ones(size, dtype=np.bool_), layered)
    for (kernel, term), every, at, fold in zip(terms, found, stored_at, folded, strict=True):
        if not at.size or fold:
            continue
        stored = not layered and bool((varying[at] == 1).all())
        added = base[every] if stored and base[at].any() else None
        placed = Placed(target, term.coefficient, recognise(every), not stored, added)
        result.placed.setdefault(kernel, []).append(placed)
        if stored:
            result.shared[at] = False
    return result


def _add(total: np.ndarray, places: np.ndarray, value: float) -> None:
    """Add a number at every place, as often as the place occurs."""
    if (places[1:] > places[:-1]).all():
        total[places] += value
    else:
        np.add.at(total, places, value)


def _fold(terms: list[tuple[int, Term]], found: list[IndexArray]) -> None:
    """Let a term stand for its mirror image as well, where one of the two is stored at each point, and never both.

    So a triangle of a symmetric matrix is written in the loops that write the whole one.
    """
    known: dict[object, int] = {}
    for number, (kernel, term) in enumerate(terms):
        twin = known.get((kernel, term.index.key, term.place.key))
        known[kernel, term.place.key, term.index.key] = number
        if twin is None or terms[twin][1].coefficient is not term.coefficient:
            continue
        first, second = found[twin], found[number]
        if first.size and not ((first >= 0) & (second >= 0)).any():
            found[twin], found[number] = np.where(first >= 0, first, second), np.full_like(second, -1)
