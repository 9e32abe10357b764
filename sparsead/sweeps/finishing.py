"""What remains to be done on the values of a matrix after its sweeps: substitution, copies to the other triangle."""

from __future__ import annotations

import itertools

import numpy as np

from coloring import SparsityPattern
from sparsead.emit.nest import Nest
from sparsead.emit.sweep import DEFAULT_ENGINE, Engine, Sweep
from sparsead.kernels.indexmap import recognise
from sparsead.sweeps.storage import Storage
from sparsead.sweeps.vector import write_padding


class Finishing:
    """Substitution and mirroring, as generated code.

    Parameters
    ----------
    taken, feeds : ndarray of int
        In this order, entry ``taken[t]`` is subtracted from entry ``feeds[t]``, if that is not negative.
    source, target : ndarray of int
        Then entry ``source[t]`` is copied to entry ``target[t]``.
    engine : Engine
        See `Sweep`.
    storage : Storage, optional
        Where the entries are stored, by default by rows; what no entry has is set to zero.
    """

    def __init__(
        self,
        taken: np.ndarray,
        feeds: np.ndarray,
        source: np.ndarray,
        target: np.ndarray,
        engine: Engine = DEFAULT_ENGINE,
        storage: Storage | None = None,
    ) -> None:
        self._made = taken, feeds, source, target
        self._storage = storage
        code, feeding = engine.source("finish"), feeds >= 0
        counter = itertools.count()
        if storage is not None:
            write_padding(code, storage, counter)
            at = storage.mirrored
            feeding = feeding & (at[feeds] >= 0) & (at[taken] >= 0)
            taken, feeds, source, target = at[taken], at[feeds], at[source], at[target]
            apart = (source != target) & (source >= 0)
            source, target = source[apart], target[apart]
        for to, of, sign in ((feeds[feeding], taken[feeding], "data[{0}] - "), (target, source, "")):
            if to.size:
                nest = Nest(code, to.shape, counter, ordered=True)
                name, place, other = code.array("data"), nest.index(recognise(to)), nest.index(recognise(of))
                with nest.body():
                    code.write(f"{name}[{place}] = {sign.format(place)}{name}[{other}]")
        self.sweeps = [Sweep(code, {}, engine)] if code.arrays else []

    def on(self, engine: Engine) -> Finishing:
        """Return the same for another engine."""
        return Finishing(*self._made, engine, self._storage)

    def __call__(self, data: np.ndarray) -> None:
        """Finish the values of a matrix."""
        for sweep in self.sweeps:
            sweep(data=data)


def mirroring(
    pattern: SparsityPattern,
    engine: Engine = DEFAULT_ENGINE,
    storage: Storage | None = None,
    known: np.ndarray | None = None,
) -> Finishing:
    """Return what copies the lower triangle of the values to the upper one, but for entries that are `known` there."""
    by_column = np.argsort(pattern.indices, kind="stable")  # entry k of the transpose, in row order
    above = pattern.indices > pattern.rows
    upper = np.flatnonzero(above if known is None else above & ~known)
    nothing = np.empty(0, np.intp)
    return Finishing(nothing, nothing, by_column[upper], upper, engine, storage)
