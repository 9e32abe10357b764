"""Which coefficients are stored and which are added, in direct accumulation.

An entry of the matrix that one coefficient determines is stored, once. Where constants are added to it, they are
added up while preparing. Only entries that several varying coefficients share are initialised and added to.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from coloring import SparsityPattern
from sparsead.kernels.indexmap import IndexMap, recognise
from sparsead.kernels.kernel import LinearKernel, Term
from sparsead.program.index import IndexArray
from sparsead.sweeps.slots import Slots, count

FEW = 0.1  # share of entries up to which they are initialised one by one


@dataclass(frozen=True, eq=False)
class Placed:
    """A term that reads x and goes to `slot` of its target's values: added, or stored with `base` added to it."""

    term: Term
    slot: IndexMap
    adds: bool
    base: np.ndarray | None = None


@dataclass(eq=False)
class Placement:
    """The placed terms of one buffer, by kernel, and the entries to initialise first.

    Attributes
    ----------
    placed : dict
        Kernel number to its terms.
    start : ndarray or None
        Entries to initialise; None for all of them.
    values : ndarray
        Their initial values, (len(start),) or (nnz,).
    """

    placed: dict[int, list[Placed]] = field(default_factory=dict)
    start: IndexArray | None = None
    values: np.ndarray = field(default_factory=lambda: np.empty(0))


def place(
    kernels: list[LinearKernel], terms: list[tuple[int, Term]], pattern: SparsityPattern, layered: bool
) -> Placement:
    """Decide how the values of a buffer come about.

    Parameters
    ----------
    kernels : list of LinearKernel
        All kernels.
    terms : list of (kernel number, Term)
        The terms that read x and write the buffer.
    pattern : SparsityPattern
        The buffer's pattern.
    layered : bool
        True where other terms add whole rows to the buffer's rows: then every entry is initialised and added to.
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
    return _decide(terms, found, constant, alone, base, varying, layered)


def _decide(
    terms: list[tuple[int, Term]],
    found: list[IndexArray],
    constant: list[bool],
    alone: list[bool],
    base: np.ndarray,
    varying: np.ndarray,
    layered: bool,
) -> Placement:
    result = Placement()
    initialised = np.ones(varying.size, dtype=np.bool_)
    for (kernel, term), at, fixed, only in zip(terms, found, constant, alone, strict=True):
        if fixed and not only:
            continue
        stored = not layered and bool((varying[at] == 1).all())
        added = base[at] if stored and base[at].any() else None
        result.placed.setdefault(kernel, []).append(Placed(term, recognise(at), not stored, added))
        if stored:
            initialised[at] = False
    if np.count_nonzero(initialised) > FEW * initialised.size:  # all in order beats many out of order
        result.values = base
    else:
        result.start = np.flatnonzero(initialised).astype(np.int32)
        result.values = base[result.start]
    return result
