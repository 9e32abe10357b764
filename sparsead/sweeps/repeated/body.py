"""The body of a loop: what one turn computes, as kernels, and the kernels of its derivatives.

A turn takes a state to the next one. What it reads besides is the same at every turn (``"fixed"``), or a row of its
own at each (``"row"``). The tangent of a body is a body again, with the tangents of states as further states, so that
derivatives of derivatives need nothing new.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import scipy.sparse

from coloring.cached import cached_property
from sparsead.kernels.gradient import accumulated, apart
from sparsead.kernels.kernel import Buffer, CallKernel, Kernels, Step, filled_by, read_by, zeros
from sparsead.kernels.linear import LinearProgram, reached, with_terms
from sparsead.kernels.linearize import derivative_of_a_turn
from sparsead.kernels.nothing import NOTHING
from sparsead.kernels.pattern import detect
from sparsead.kernels.straight_line import in_straight_line
from sparsead.sweeps.repeated.turns import Turns
from sparsead.sweeps.vector import value_sweep

Patterns = dict[Buffer, scipy.sparse.csr_array]
Kind = Literal["state", "fixed", "row"]


@dataclass(frozen=True, eq=False)
class Body:
    """What one turn computes.

    Attributes
    ----------
    inputs : tuple of Buffer
        What it reads.
    kinds : tuple of str
        What each of them is: ``"state"``, ``"fixed"`` or ``"row"``.
    next : tuple of Buffer
        What it computes: the next value of each state, in the order of the states.
    steps : tuple of Step
        How.
    """

    inputs: tuple[Buffer, ...]
    kinds: tuple[Kind, ...]
    next: tuple[Buffer, ...]
    steps: tuple[Step, ...]
    _local: threading.local = field(default_factory=threading.local)
    _tangents: dict[tuple[int, ...], Body] = field(default_factory=dict)
    _adjoints: dict[tuple[int, ...], Adjoint] = field(default_factory=dict)
    _divided: dict[tuple[int, ...], LinearProgram] = field(default_factory=dict)

    @cached_property
    def states(self) -> tuple[int, ...]:
        """The numbers of the inputs that are states."""
        return tuple(k for k, kind in enumerate(self.kinds) if kind == "state")

    def moving(self, active: Sequence[int]) -> tuple[int, ...]:
        """Return the inputs that have tangents if those of `active` are wanted: all states as well."""
        return tuple(sorted({*active, *self.states}))

    @cached_property
    def turns(self) -> Turns:
        """The compiled turn."""
        return Turns(value_sweep(self.kernels()))

    def room(self, rows: int) -> list[np.ndarray]:
        """Return rows for each state, of any content: this thread's, the same ones at every call."""
        kept = getattr(self._local, "room", None)
        if kept is None or kept[0].shape[0] < rows:
            kept = self._local.room = [np.empty((rows, self.inputs[k].size)) for k in self.states]
        return kept

    def kernels(self, source: int = 0, target: int = 0) -> Kernels:
        """Return the turn as a program from one input to one of the next states."""
        others = (*self.inputs[:source], *self.inputs[source + 1 :])
        return Kernels(self.inputs[source], self.next[target], others, self.steps)

    def tangent(self, active: Sequence[int]) -> Body:
        """Return the body that has the tangents of `moving` inputs besides, after all others, in order."""
        moving = self.moving(active)
        if moving not in self._tangents:
            self._tangents[moving] = self._tangent(moving)
        return self._tangents[moving]

    def _tangent(self, moving: tuple[int, ...]) -> Body:
        sources = [self.inputs[k] for k in moving]
        linear, primal, absorbing = derivative_of_a_turn(self.kernels(), sources, self.next)
        empty = NOTHING if absorbing else 0.0
        tangents = {b: Buffer(f"d{b.name}", b.size, "input") for b in sources}
        for buffer in dict.fromkeys((*(target for k in linear for target, _ in k.pairs), *self.next)):
            tangents[buffer] = Buffer(f"d{buffer.name}", buffer.size, buffer.role, empty=empty)
        steps = [*_filled(self.steps, primal.kernels), *accumulated(linear, tangents, absorbing)]
        inputs = (*self.inputs, *(tangents[b] for b in sources))
        following = (*self.next, *(tangents[b] for b in self.next))
        complete = _complete(steps, inputs, following)
        line = complete if absorbing else in_straight_line(complete, following)
        return Body(inputs, (*self.kinds, *(self.kinds[k] for k in moving)), following, line)

    def adjoint(self, active: Sequence[int]) -> Adjoint:
        """Return the kernels of the adjoint of a turn: of all states, and of `active` inputs."""
        moving = self.moving(active)
        if moving not in self._adjoints:
            self._adjoints[moving] = self._adjoint(moving)
        return self._adjoints[moving]

    def _adjoint(self, moving: tuple[int, ...]) -> Adjoint:
        sources = [self.inputs[k] for k in moving]
        linear, primal, absorbing = derivative_of_a_turn(self.kernels(), sources, self.next)
        empty = NOTHING if absorbing else 0.0
        roles = ["total" if self.kinds[k] == "fixed" else "output" for k in moving]
        into = [
            Buffer(f"g{k}", self.inputs[k].size, role, empty=empty)  # type: ignore[arg-type]
            for k, role in zip(moving, roles, strict=True)
        ]
        seeds = tuple(Buffer(f"w{k}", b.size, "input") for k, b in enumerate(self.next))
        cotangents = dict(zip((*sources, *self.next), (*into, *seeds), strict=True))
        for buffer in dict.fromkeys(b for k in linear for pair in k.pairs for b in pair):
            cotangents.setdefault(buffer, Buffer(f"a{buffer.name}", buffer.size, "work", empty=empty))
        backward = [k.transposed() for k in reversed(linear)]
        back = [part for step in accumulated(backward, cotangents, absorbing) for part in apart(step)]
        steps = [*primal.kernels, *back]
        complete = _complete(steps, (*self.inputs, *seeds), [b for b in into if b.role == "output"])
        return Adjoint(moving, tuple(into), seeds, complete, self.inputs)

    @property
    def linear(self) -> LinearProgram:
        """The derivative of a turn with respect to the first state."""
        return self.divided(self.states[:1])

    def divided(self, moving: tuple[int, ...]) -> LinearProgram:
        """Return the derivative of a turn with respect to inputs, in terms; with it runs all of the turn."""
        if moving not in self._divided:
            turn, sources = self.kernels(self.states[0]), [self.inputs[k] for k in moving]
            linear, primal, absorbing = derivative_of_a_turn(turn, sources, self.next, divided=True)
            turn = replace(turn, kernels=tuple(_filled(self.steps, primal.kernels)))
            self._divided[moving] = LinearProgram(turn.wrt, turn.output, tuple(linear), turn, absorbing=absorbing)
        return self._divided[moving]

    def pattern(self, source: int, target: int = 0) -> scipy.sparse.csr_array:
        """Return where the next value of a state depends on an input."""
        return self._patterns[source][self.next[target]]

    @cached_property
    def _patterns(self) -> list[Patterns]:
        return _patterns(self.kernels(), self.inputs, self.next)


@dataclass(frozen=True, eq=False)
class Adjoint:
    """The adjoint of a turn: from the cotangents of the next states to those of inputs.

    Attributes
    ----------
    moving : tuple of int
        The inputs.
    into : tuple of Buffer
        Their cotangents; what is the same at every turn has it added up.
    seeds : tuple of Buffer
        The cotangents of the next states.
    steps : tuple of Step
        How they are computed.
    inputs : tuple of Buffer
        Those of the body.
    """

    moving: tuple[int, ...]
    into: tuple[Buffer, ...]
    seeds: tuple[Buffer, ...]
    steps: tuple[Step, ...]
    inputs: tuple[Buffer, ...]

    @cached_property
    def turns(self) -> Turns:
        """The compiled adjoint of a turn."""
        return Turns(value_sweep(Kernels(self.inputs[0], self.into[0], (), self.steps)))

    def pattern(self, cotangent: int, source: int) -> scipy.sparse.csr_array:
        """Return where the cotangent of an input depends on another input."""
        return self._patterns[source][self.into[cotangent]]

    @cached_property
    def _patterns(self) -> list[Patterns]:
        turn = Kernels(self.inputs[0], self.into[0], (), self.steps)
        return _patterns(turn, self.inputs, self.into)


def _patterns(kernels: Kernels, sources: Sequence[Buffer], targets: Sequence[Buffer]) -> list[Patterns]:
    """Return where each of some buffers depends on each of some others: for each of these a dictionary."""
    linear, _, _ = derivative_of_a_turn(kernels, sources, targets)
    found = []
    for source in sources:
        program = LinearProgram(source, targets[0], tuple(reached(with_terms(linear), source)), kernels)
        patterns = detect(program)
        found.append({b: patterns[b].to_scipy().astype(bool) if b in patterns else _empty(b, source) for b in targets})
    return found


def _empty(target: Buffer, source: Buffer) -> scipy.sparse.csr_array:
    return scipy.sparse.csr_array((target.size, source.size), dtype=bool)


def _filled(steps: Sequence[Step], others: Sequence[Step]) -> list[Step]:
    """Return steps whose calls fill what they fill in `others` as well: each stays one call, with one derivative."""
    wanted = {b for step in others for b in filled_by(step)}

    def with_entries(step: Step) -> Step:
        if not isinstance(step, CallKernel):
            return step
        return replace(step, filled=tuple(b for b in (step.result, *step.entries) if b in {*step.filled, *wanted}))

    return list(map(with_entries, steps))


def _complete(steps: Sequence[Step], inputs: Sequence[Buffer], outputs: Sequence[Buffer]) -> tuple[Step, ...]:
    """Add kernels that set to zero what no step fills, of outputs and of what steps read."""
    filled: Counter[Buffer] = Counter()
    for step in steps:
        if isinstance(step, CallKernel):
            filled.update({b: b.size for b in step.filled})
        else:
            for s in step.stores:
                filled[s.buffer] += s.buffer.size if s.adds else math.prod(step.domain)
    read = (b for step in steps for b in read_by(step) if b.value is None and b not in inputs)
    return (*(zeros(b) for b in dict.fromkeys([*read, *outputs]) if filled[b] < b.size), *steps)
