"""Many tangents through a loop at once, in lanes beside each other: values are computed once for all of them."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from sparsead.emit.nest import Nest
from sparsead.emit.source import Source
from sparsead.emit.sweep import DEFAULT_ENGINE, Sweep
from sparsead.kernels.kernel import Buffer
from sparsead.kernels.linear import LinearProgram, Term
from sparsead.sweeps.compressed import plan_lanes
from sparsead.sweeps.repeated.body import Body
from sparsead.sweeps.repeated.checkpointing import Walk
from sparsead.sweeps.repeated.recovery import Recovery
from sparsead.sweeps.repeated.turns import Shuttle, Turns
from sparsead.sweeps.vector import all_differ, by_place, plus, work_sizes, write_value, write_zeros


class Lanes:
    """The entries of the derivative of a loop with one state, with respect to it, from tangents in lanes.

    Parameters
    ----------
    walk : Walk
        The loop.
    recovery : Recovery
        Products with columns, and the entries that each of them holds.
    """

    def __init__(self, walk: Walk, recovery: Recovery) -> None:
        body = walk.body
        self.walk, (self.size, passes) = walk, (body.next[0].size, recovery.passes)
        moved = [target for kernel in body.linear.kernels for target, _ in kernel.pairs]
        self.width = plan_lanes(len(passes), sum(b.size for b in {*moved, *body.next})).width
        self.turns = Turns(_sweep(body, self.width))
        self.blocks = [self._block(passes[k : k + self.width]) for k in range(0, len(passes), self.width)]

    def _block(self, passes: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where the seeds of some passes are in lanes, which entries they hold, and where those are."""
        numbered = list(enumerate(passes))
        seeds = [self.width * members + lane for lane, (members, _, _) in numbered]
        places = [self.width * elements + lane for lane, (_, _, elements) in numbered]
        entries = np.concatenate([entries for _, entries, _ in passes])
        return np.concatenate(seeds), entries, np.concatenate(places)

    def compile(self) -> None:
        """Compile the turn."""
        self.turns.compile()

    def fill(self, operands: Sequence[np.ndarray], out: np.ndarray) -> None:
        """Write the entries at some operands."""
        (state,), new = self.walk.body.states, self.walk.body.next[0].name
        name, count = self.walk.body.inputs[state].name, self.walk.count
        rows = self.walk.constant(operands)
        for seeds, entries, places in self.blocks:
            values, tangents = Shuttle(operands[state]), Shuttle(np.zeros(self.size * self.width))
            tangents.state[seeds] = 1.0
            rows[name], rows[new] = values.go(count)
            rows[f"d{name}"], rows[f"d{new}"] = tangents.go(count)
            self.turns.run(count, rows)
            out[entries] = tangents.state[places]


def _sweep(body: Body, width: int) -> Sweep:
    """Return the sweep of a turn for a state and so many tangents of it."""
    linear, kernels = body.linear, body.linear.primal
    source, counter = DEFAULT_ENGINE.source("turn"), itertools.count()
    write_value(source, kernels, counter)
    places = _places(linear)
    targets = dict.fromkeys([*places, kernels.output])
    once = {buffer for buffer, terms in places.items() if _is_everywhere_once(buffer, terms)}
    for buffer in targets:
        if buffer not in once:
            write_zeros(source, source.buffer(buffer, tangent=True), buffer.size * width)
    for kernel in linear.kernels:
        nest = Nest(source, kernel.domain, counter, kernel.ordered)
        groups = by_place(kernel.terms)
        sums = [("=" if group[0].target in once else "+=", *_sum(source, nest, group, width)) for group in groups]
        with nest.body(disjoint=nest.large and all_differ(group[0] for group in groups)):
            for sets, target, place, total in sums:
                at = f"at{next(counter)}"
                source.write(f"{at} = {width} * ({place})")
                with source.block(f"for k in range({width}):"):
                    source.write(f"{target}[{at} + k] {sets} {total}")
    source.buffer(kernels.wrt, tangent=True)
    sizes = {f"d{buffer.name}": buffer.size * width for buffer in targets if buffer is not kernels.output}
    return Sweep(source, work_sizes(kernels) | sizes, DEFAULT_ENGINE)


def _places(linear: LinearProgram) -> dict[Buffer, list[Term]]:
    """Return, for each buffer that terms are added to, one term for each place that they are added at."""
    places: dict[Buffer, list[Term]] = defaultdict(list)
    for kernel in linear.kernels:
        for group in by_place(kernel.terms):
            places[group[0].target].append(group[0])
    return places


def _is_everywhere_once(buffer: Buffer, terms: Sequence[Term]) -> bool:
    """Tell whether terms are added at each place of a buffer once: it need not be empty before."""
    return sum(math.prod(t.place.shape) for t in terms) == buffer.size and all_differ(terms)


def _sum(source: Source, nest: Nest, terms: Sequence[Term], width: int) -> tuple[str, str, str]:
    """Return what terms with one place are added to, where, and the sum that lane k of it gets."""
    products = [
        f"{nest.value(t.coefficient)} * {source.buffer(t.source, tangent=True)}[{width} * ({nest.index(t.index)}) + k]"
        for t in terms
    ]
    return source.buffer(terms[0].target, tangent=True), nest.index(terms[0].place), plus(products)
