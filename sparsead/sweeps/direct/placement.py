"""Where the coefficients of direct accumulation go, and which are stored there and which are added.

An entry of the matrix that one coefficient determines is stored, once. Where constants are added to it, they are
added up while preparing. Only entries that several varying coefficients share are added to.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

import numpy as np

from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.linear import LinearKernel, Term
from sparsead.program.index import IndexArray
from sparsead.program.scalar import Expr
from sparsead.sweeps.direct.slots import Slots
from sparsead.sweeps.direct.target_entries import TargetEntries


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
    if slots.is_partial:
        found = [slots.of_entries(t.place.array(), t.index.array(), kernels[k].domain) for k, t in terms]
        places = [TargetEntries(recognise(at)) for at in _folded(terms, found)]
    else:
        places = [slots.of_maps(t.place, t.index) for _, t in terms]
    constant = [t.coefficient.is_constant for _, t in terms]
    counts = _Counts(places, slots.size)
    added_up = [fixed and (layered or not counts.once(at)) for at, fixed in zip(places, constant, strict=True)]
    base = np.broadcast_to(np.float64(empty), slots.size)
    if any(added_up):
        base = np.zeros(slots.size)
        for (_, term), at in compress(zip(terms, places, strict=True), added_up):
            at.add(base, term.coefficient.value)
        base[base == 0.0] = empty
        counts = _Counts([at for at, adds in zip(places, added_up, strict=True) if not adds], slots.size)
    result = Placement(target, {}, base, np.ones(slots.size, dtype=np.bool_), layered)
    for (kernel, term), at, adds in zip(terms, places, added_up, strict=True):
        if adds or not at.size:
            continue
        stored = not layered and counts.once(at)
        added = np.array(at.of_all(base)) if stored and any(added_up) and any(v.any() for v in at.views(base)) else None
        placed = Placed(target, term.coefficient, at.slot, not stored, added)
        result.placed.setdefault(kernel, []).append(placed)
        if stored:
            at.write(result.shared, False)
    return result


class _Counts:
    """How many points of some terms go to each entry, in the narrowest type that holds the numbers."""

    def __init__(self, places: list[TargetEntries], size: int) -> None:
        most = sum(at.most for at in places)
        self.counts = np.zeros(size, dtype=np.min_scalar_type(most))
        for at in places:
            at.add(self.counts, 1)

    def once(self, at: TargetEntries) -> bool:
        """Tell whether each entry that the points of a term go to has but one."""
        return all(bool((view == 1).all()) for view in at.views(self.counts))


def _folded(terms: list[tuple[int, Term]], found: list[IndexArray]) -> list[IndexArray]:
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
    return found
