"""A loop as one operation of the program, and the products with its derivatives, which are operations again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from coloring import SparsityPattern
from sparsead.errors import UnsupportedOperationError
from sparsead.kernels.fingerprint import fingerprint
from sparsead.kernels.linear import LinearKernel
from sparsead.program.index import IndexArray
from sparsead.program.nodes import Operation
from sparsead.sweeps.repeated import structure
from sparsead.sweeps.repeated.body import Body
from sparsead.sweeps.repeated.checkpointing import Walk
from sparsead.sweeps.repeated.lanes import Beside, Lanes
from sparsead.sweeps.repeated.recovery import Recovery, recovery

Arrays = list[np.ndarray]


class _Known(Operation):
    """What all of them promise."""

    def compile(self, entries: bool = False) -> None:
        """Compile what a call runs, and what the entries of the derivative need."""
        raise NotImplementedError

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Write the result."""
        raise NotImplementedError

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Refuse: a derivative of one order more than are known."""
        self._refuse()

    def derivative(self, operands: Arrays, number: int, out: np.ndarray) -> None:
        """Refuse, too."""
        self._refuse()

    def pushed(self, active: Sequence[int]) -> Any:
        """Return the operation of the operands, and of tangents of those that are active, to the tangent."""
        self._refuse()

    def pulled(self, active: Sequence[int]) -> Any:
        """Return the operation of the operands, and of cotangents, to the cotangents of those that are active."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnsupportedOperationError(
            f"{self.name}: a third derivative of a loop is not known. Write the loop out as `for _ in range(steps)`, "
            "or take fewer derivatives inside the function."
        )


class _Entries(_Known):
    """An operation that gives products, by which the entries of its derivative are found, color by color."""

    def __init__(self) -> None:
        self._colored: dict[int, Recovery] = {}
        self._patterns: dict[int, SparsityPattern] = {}

    def pattern(self, number: int) -> SparsityPattern:
        """Return where the derivative with respect to an operand has entries."""
        if number not in self._patterns:
            self._patterns[number] = self._pattern(number)
        return self._patterns[number]

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Return row and column of each entry."""
        pattern = self.pattern(number)
        return pattern.rows, pattern.indices

    def derivative(self, operands: Arrays, number: int, out: np.ndarray) -> None:
        """Write the entries."""
        recovery = self._coloring(number)
        (m, n) = self.pattern(number).shape
        seed, product = np.zeros(n if recovery.by_column else m), np.empty(m if recovery.by_column else n)
        operation = self.pushed((number,)) if recovery.by_column else self.pulled((number,))
        for members, entries, elements in recovery.passes:
            seed[members] = 1.0
            operation.value([*operands, seed], product)
            seed[members] = 0.0
            out[entries] = product[elements]

    def passes(self, number: int) -> tuple[int, str]:
        """Return how many products give the entries of a derivative, and which."""
        found = self._coloring(number)
        return len(found.passes), "JVP" if found.by_column else "VJP"

    def _coloring(self, number: int) -> Recovery:
        if number not in self._colored:
            self._colored[number] = recovery(self.pattern(number))
        return self._colored[number]

    def compile(self, entries: bool = False) -> None:
        """Compile what the entries need."""
        for number in self._patterns if entries else ():
            self._compile_product(number)

    def _compile_product(self, number: int) -> None:
        (self.pushed if self._coloring(number).by_column else self.pulled)((number,)).compile()

    def _pattern(self, number: int) -> SparsityPattern:
        raise NotImplementedError


class Repeated(_Entries):
    """A loop: from the states at first, and all that the turns read, to states after `count` turns.

    Parameters
    ----------
    body : Body
        One turn.
    count : int
        How many.
    name : str
        For messages.
    keep : int, optional
        How many states a walk backward may keep.
    results : tuple of int
        Which of the states the result is, one after the other.
    """

    def __init__(
        self, body: Body, count: int, name: str, keep: int | None = None, results: tuple[int, ...] = (0,)
    ) -> None:
        super().__init__()
        self.body, self.count, self.name, self.keep, self.results = body, count, name, keep, results
        self.walk = Walk(body, count, keep)
        self._pulled: dict[tuple[int, ...], Pulled] = {}
        self._lanes: dict[int, Lanes | None] = {}

    @property
    def results_in(self) -> tuple[int, ...]:
        """The sizes of the parts of the result that have a cotangent each."""
        return tuple(self.body.next[k].size for k in self.results)

    @property
    def content(self) -> tuple[object, ...]:
        """What it does, for a hash of the program."""
        return fingerprint(self.body.kernels()), self.count

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Go through the loop."""
        states = self.walk.forward(_contiguous(operands))
        np.concatenate([states[k] for k in self.results], out=out)

    def compile(self, entries: bool = False) -> None:
        """Compile the turn; for entries, that of products as well."""
        self.body.turns.compile()
        for number in self._patterns if entries else ():
            lanes = self.in_lanes(number)
            if lanes is None:
                self._compile_product(number)
            else:
                lanes.compile()

    def derivative(self, operands: Arrays, number: int, out: np.ndarray) -> None:
        """Write the entries: those of a state from tangents beside each other, where these are simple to take."""
        lanes = self.in_lanes(number)
        if lanes is None:
            super().derivative(operands, number, out)
        else:
            lanes.fill(_contiguous(operands), out)

    def in_lanes(self, number: int) -> Lanes | None:
        """Return the tangents in lanes that give the entries with respect to an operand."""
        if number not in self._lanes:
            recovery = self._coloring(number)
            fits = (
                self.body.kinds[number] == "state" and recovery.by_column and recovery.passes and self.simple((number,))
            )
            self._lanes[number] = Lanes(self.walk, recovery) if fits else None
        return self._lanes[number]

    def simple(self, active: Sequence[int]) -> bool:
        """Tell whether tangents may go through the loop in lanes."""
        if len(self.body.states) > 1:
            return False
        linear = self.body.divided(self.body.moving(active))
        return not linear.absorbing and all(isinstance(k, LinearKernel) for k in linear.kernels)

    def _pattern(self, number: int) -> SparsityPattern:
        if len(self.body.states) > 1:
            self._refuse()
        return structure.first(self.body, self.count, number)

    def with_tangents(self, active: Sequence[int], results: tuple[int, ...]) -> Placed:
        """Return the loop over states and their tangents, as ``(*operands, *tangents of active) -> results``."""
        own, place = len(self.body.inputs), {k: j for j, k in enumerate(active)}
        places = [*range(own), *(own + place[k] if k in place else None for k in self.body.moving(active))]
        keep = None if self.keep is None else max(1, self.keep // 2)
        loop = Repeated(self.body.tangent(active), self.count, f"the tangent of {self.name}", keep, results)
        return Placed(loop, tuple(places), tuple(b.size for b in loop.body.inputs))

    def pushed(self, active: Sequence[int]) -> Placed:
        """Return ``(*operands, *tangents) -> tangent``."""
        states = len(self.body.states)
        found = self.with_tangents(active, tuple(states + k for k in self.results))
        found.beside = lambda count: Beside(self.walk, active, count) if self.simple(active) else None
        return found

    def pulled(self, active: Sequence[int]) -> Pulled:
        """Return ``(*operands, *cotangents of the results) -> cotangents``, one after the other."""
        active = tuple(active)
        if active not in self._pulled:
            self._pulled[active] = Pulled(self, active)
        return self._pulled[active]


class Pulled(_Entries):
    """The product of the transposed derivative of a loop with cotangents: back through the loop."""

    def __init__(self, loop: Repeated, active: tuple[int, ...]) -> None:
        super().__init__()
        self.loop, self.active, self.name = loop, active, f"the adjoint of {loop.name}"
        self.own = len(loop.body.inputs)  # operands of the loop; the cotangents come after them

    @property
    def results_in(self) -> tuple[int, ...]:
        """The sizes of the parts of the result that have a cotangent each: one, of all."""
        return (sum(self.loop.body.inputs[k].size for k in self.active),)

    def compile(self, entries: bool = False) -> None:
        """Compile the turn, and its adjoint."""
        self.loop.body.turns.compile()
        self.loop.body.adjoint(self.active).turns.compile()
        super().compile(entries)

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Go back."""
        loop, operands = self.loop, _contiguous(operands)
        given = dict(zip(loop.results, operands[self.own :], strict=True))
        sizes = [loop.body.inputs[k].size for k in loop.body.states]
        last = [given[k] if k in given else np.zeros(size) for k, size in enumerate(sizes)]
        adjoint = loop.body.adjoint(self.active)
        found = loop.walk.backward(adjoint, operands[: self.own], last)
        np.concatenate([found[adjoint.moving.index(k)] for k in self.active], out=out)

    def _pattern(self, number: int) -> SparsityPattern:
        if len(self.loop.body.states) > 1:
            self._refuse()
        if number < self.own:
            return structure.second(self.loop.body, self.loop.count, self.active, number)
        parts = [self.loop.pattern(k).to_scipy().T.tocsr() for k in self.active]
        return SparsityPattern.from_scipy(structure.stacked(parts))

    def pushed(self, active: Sequence[int]) -> Placed:
        """Return ``(*operands, *cotangents, *tangents of active) -> tangents of the results``.

        Of the adjoint of the loop over tangents: the cotangent of a tangent is the cotangent, and that of a state is
        the tangent of the cotangent.
        """
        inner = [k for k in active if k < self.own]
        states, count = len(self.loop.body.states), len(self.loop.results)
        loop = self.loop.with_tangents(inner, (*self.loop.results, *(states + k for k in self.loop.results)))
        back = loop.pulled(self.active)
        given = self.own + count  # where the tangents begin
        place = {k: given + j for j, k in enumerate(active)}
        places = [
            *range(self.own),
            *(place[k] for k in inner),
            *(place.get(self.own + k) for k in range(count)),
            *range(self.own, given),
        ]
        cotangents = self.loop.results_in * 2
        moved = [self.loop.body.inputs[k].size for k in inner]
        sizes = [*(b.size for b in self.loop.body.inputs), *moved, *cotangents]
        return Placed(back, tuple(places), tuple(sizes))

    def pulled(self, active: Sequence[int]) -> _PulledAdjoint:
        """Return ``(*operands, *cotangents, weights) -> cotangents``."""
        return _PulledAdjoint(self, tuple(active))


class Placed(_Known):
    """An operation that takes its operands from other places, and zeros where it has none.

    Parameters
    ----------
    operation : operation
        That one.
    places : tuple of int or None
        Where each of its operands is among those given, in their order as far as they are taken for derivatives.
    sizes : tuple of int
        The size of each of its operands.
    """

    def __init__(self, operation: Any, places: tuple[int | None, ...], sizes: tuple[int, ...]) -> None:
        self.operation, self.places, self.sizes, self.name = operation, places, sizes, operation.name
        self.beside: Callable[[int], Beside | None] = lambda _: None  # for so many tangents in lanes

    def compile(self, entries: bool = False) -> None:
        """Compile what a call runs."""
        self.operation.compile(entries)

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Call it."""
        pairs = zip(self.places, self.sizes, strict=True)
        self.operation.value([np.zeros(size) if k is None else operands[k] for k, size in pairs], out)

    def _numbers(self, active: Sequence[int]) -> list[int]:
        return [self.places.index(k) for k in active]

    def _with(self, operation: Any, sizes: Sequence[int]) -> Placed:
        given = max((k for k in self.places if k is not None), default=-1) + 1
        return Placed(operation, (*self.places, *range(given, given + len(sizes))), (*self.sizes, *sizes))

    @property
    def results_in(self) -> tuple[int, ...]:
        """The sizes of the parts of the result that have a cotangent each."""
        return self.operation.results_in

    def pushed(self, active: Sequence[int]) -> Placed:
        """Return its product with tangents."""
        numbers = self._numbers(active)
        return self._with(self.operation.pushed(numbers), [self.sizes[k] for k in numbers])

    def pulled(self, active: Sequence[int]) -> Any:
        """Return its product with cotangents."""
        return self._with(self.operation.pulled(self._numbers(active)), self.results_in)


class _PulledAdjoint(_Known):
    """The transposed derivative of an adjoint: the tangent, and back through the loop over tangents."""

    def __init__(self, adjoint: Pulled, active: tuple[int, ...]) -> None:
        self.adjoint, self.active = adjoint, active
        self.name = f"the adjoint of {adjoint.name}"
        self.inner = tuple(k for k in active if k < adjoint.own)
        self.tangent = adjoint.loop.pushed(adjoint.active)
        self.back = self.tangent.pulled(self.inner)

    def compile(self, entries: bool = False) -> None:
        """Compile the turn, and its adjoint."""
        self.tangent.compile()
        if self.inner:
            self.back.compile()

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Weigh the cotangents: what is linear in them gives the tangent, the rest goes back."""
        own, active = self.adjoint.own, self.adjoint.active
        ends = np.cumsum([operands[k].size for k in active])[:-1]
        along = [*operands[:own], *np.split(operands[-1], ends)]
        size = sum(operands[k].size for k in self.inner)
        if self.inner:
            self.back.value([*along, *operands[own:-1]], out[:size])
        if size < out.size:
            self.tangent.value(along, out[size:])


def _contiguous(arrays: Sequence[np.ndarray]) -> Arrays:
    return [np.ascontiguousarray(a, dtype=np.float64).reshape(-1) for a in arrays]
