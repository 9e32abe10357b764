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
from sparsead.sweeps.repeated.turns import Rows, Shuttle, Turns
from sparsead.sweeps.vector import all_differ, by_place, plus, work_sizes, write_value, write_zeros


class Beside:
    """A loop with one state, and tangents of what it is given in lanes: element i of tangent k at ``width * i + k``.

    Parameters
    ----------
    walk : Walk
        The loop.
    active : sequence of int
        The operands that have tangents.
    count : int
        How many tangents each of them has; so many as fit a cache go through the loop together.
    """

    def __init__(self, walk: Walk, active: Sequence[int], count: int) -> None:
        body, self.walk, self.active, self.count = walk.body, walk, tuple(active), count
        moving = body.moving(active)
        moved = [target for kernel in body.divided(moving).kernels for target, _ in kernel.pairs]
        self.width = plan_lanes(count, sum(b.size for b in {*moved, *body.next})).width
        self.turns = Turns(_sweep(body, moving, self.width))

    def compile(self, entries: bool = False) -> None:
        """Compile the turn."""
        self.turns.compile()

    def value(self, operands: Sequence[np.ndarray], out: np.ndarray) -> None:
        """Write the tangents of the last state, given the operands and the tangents of those that are active."""
        own = len(self.walk.body.inputs)
        given, out = [a.reshape(-1, self.count) for a in operands[own:]], out.reshape(-1, self.count)
        for first in range(0, self.count, self.width):
            lanes = slice(first, first + self.width)
            out[:, lanes] = self._through(operands[:own], [a[:, lanes] for a in given])

    def _through(self, operands: Sequence[np.ndarray], tangents: Sequence[np.ndarray]) -> np.ndarray:
        """Return the tangents of the last state for some that go through together."""
        given = dict(zip(self.active, tangents, strict=True))
        (state,) = self.walk.body.states
        found = given.pop(state) if state in given else np.zeros((operands[state].size, tangents[0].shape[1]))
        rows = self.walk.constant(operands)
        for number, along in given.items():
            at_every_turn = self.walk.body.kinds[number] == "row"
            array = self._padded(along).reshape(self.walk.count if at_every_turn else 1, -1)
            rows[f"d{self.walk.body.inputs[number].name}"] = Rows(array, 0, int(at_every_turn))
        return self.run(operands[state], self._padded(found), rows).reshape(-1, self.width)[:, : found.shape[1]]

    def _padded(self, tangents: np.ndarray) -> np.ndarray:
        return np.pad(tangents, ((0, 0), (0, self.width - tangents.shape[1]))).reshape(-1)

    def run(self, state: np.ndarray, tangent: np.ndarray, rows: dict[str, Rows]) -> np.ndarray:
        """Return the tangents of the last state, given those of the first one, both in all lanes."""
        (number,), new, count = self.walk.body.states, self.walk.body.next[0].name, self.walk.count
        name = self.walk.body.inputs[number].name
        values, tangents = Shuttle(state), Shuttle(tangent)
        rows[name], rows[new] = values.go(count)
        rows[f"d{name}"], rows[f"d{new}"] = tangents.go(count)
        self.turns.run(count, rows)
        return tangents.state


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
        self.walk, (self.size, passes) = walk, (walk.body.next[0].size, recovery.passes)
        self.beside = Beside(walk, walk.body.states, len(passes))
        width = self.beside.width
        self.blocks = [self._block(passes[k : k + width]) for k in range(0, len(passes), width)]

    def _block(self, passes: Sequence[tuple[np.ndarray, ...]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where the seeds of some passes are in lanes, which entries they hold, and where those are."""
        numbered, width = list(enumerate(passes)), self.beside.width
        seeds = [width * members + lane for lane, (members, _, _) in numbered]
        places = [width * elements + lane for lane, (_, _, elements) in numbered]
        entries = np.concatenate([entries for _, entries, _ in passes])
        return np.concatenate(seeds), entries, np.concatenate(places)

    def compile(self) -> None:
        """Compile the turn."""
        self.beside.compile()

    def fill(self, operands: Sequence[np.ndarray], out: np.ndarray) -> None:
        """Write the entries at some operands."""
        (state,), rows = self.walk.body.states, self.walk.constant(operands)
        for seeds, entries, places in self.blocks:
            tangents = np.zeros(self.size * self.beside.width)
            tangents[seeds] = 1.0
            out[entries] = self.beside.run(operands[state], tangents, rows)[places]


def _sweep(body: Body, moving: tuple[int, ...], width: int) -> Sweep:
    """Return the sweep of a turn for a state and so many tangents of it, and of other inputs."""
    linear = body.divided(moving)
    kernels = linear.primal
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
    for number in moving:
        source.buffer(body.inputs[number], tangent=True)
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
