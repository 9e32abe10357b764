"""A loop as one operation of the program, and the products with its derivatives, which are operations again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

import coloring as graph
from coloring import SparsityPattern
from sparsead.errors import UnsupportedOperationError
from sparsead.program.index import IndexArray
from sparsead.sweeps.repeated import structure
from sparsead.sweeps.repeated.body import Body
from sparsead.sweeps.repeated.walk import Walk

Arrays = list[np.ndarray]


class _Known:
    """What all of them promise: see `sparsead.program.nodes.Operation`."""

    linear = False
    carrier = False
    restates = ()
    name: str

    def compile(self, entries: bool = False) -> None:
        """Compile what a call runs, and what the entries of the derivative need."""

    def structure(self, number: int) -> tuple[IndexArray, IndexArray]:
        """Refuse: a derivative of one order more than are known."""
        self._refuse()

    def derivative(self, operands: Arrays, number: int, out: np.ndarray) -> None:
        """Refuse, too."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UnsupportedOperationError(
            f"{self.name}: a third derivative of a loop is not known. Write the loop out as `for _ in range(steps)`, "
            "or take fewer derivatives inside the function."
        )


class _Entries(_Known):
    """An operation that gives products, by which the entries of its derivative are found, color by color."""

    def __init__(self) -> None:
        self._colored: dict[int, tuple[graph.ColoringResult, bool]] = {}
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
        colored, by_column = self._coloring(number)
        (m, n) = self.pattern(number).shape
        seed, product = np.zeros(n if by_column else m), np.empty(m if by_column else n)
        operation = self.pushed((number,)) if by_column else self.pulled((number,))
        for color, members in enumerate(colored.groups()):
            seed[members] = 1.0
            operation.value([*operands, seed], product)
            seed[members] = 0.0
            if by_column:
                colored.plan.decompress_block(product.reshape(-1, 1), color, out)
            else:
                colored.plan.decompress_block(product.reshape(1, -1), color, out, side="row")

    def _coloring(self, number: int) -> tuple[graph.ColoringResult, bool]:
        if number not in self._colored:
            pattern = self.pattern(number)
            found = [(graph.color(pattern, partition=side), side == "column") for side in ("column", "row")]
            self._colored[number] = min(found, key=lambda choice: choice[0].num_colors)
        return self._colored[number]

    def _pattern(self, number: int) -> SparsityPattern:
        raise NotImplementedError

    def pushed(self, active: Sequence[int]) -> _Known:
        """Return the operation of the operands, and of tangents of those that are active, to the tangent."""
        raise NotImplementedError

    def pulled(self, active: Sequence[int]) -> _Known:
        """Return the operation of the operands, and of a cotangent, to the cotangents of those that are active."""
        raise NotImplementedError


class Repeated(_Entries):
    """A loop: from the state at first, and all that the turns read, to the state after `count` turns.

    Parameters
    ----------
    body : Body
        One turn, with one state.
    count : int
        How many.
    name : str
        For messages.
    keep : int, optional
        How many states a walk backward may keep.
    """

    def __init__(self, body: Body, count: int, name: str, keep: int | None = None) -> None:
        super().__init__()
        self.body, self.count, self.name, self.keep = body, count, name, keep
        self.walk = Walk(body, count, keep)
        self._pulled: dict[tuple[int, ...], Pulled] = {}

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Go through the loop."""
        out[:] = self.walk.forward(_contiguous(operands))[0]

    def compile(self, entries: bool = False) -> None:
        """Compile the turn; for entries, that of products as well."""
        self.body.turns.compile()
        if entries:
            for number in self._patterns:
                operation = self.pushed((number,)) if self._coloring(number)[1] else self.pulled((number,))
                operation.compile()

    def _pattern(self, number: int) -> SparsityPattern:
        return structure.first(self.body, self.count, number)

    def tangent(self, active: Sequence[int]) -> Walk:
        """Return the loop over states and their tangents."""
        return Walk(self.body.tangent(active), self.count, None if self.keep is None else max(1, self.keep // 2))

    def pushed(self, active: Sequence[int]) -> _Pushed:
        """Return ``(*operands, *tangents) -> tangent``."""
        return _Pushed(self, tuple(active))

    def pulled(self, active: Sequence[int]) -> Pulled:
        """Return ``(*operands, cotangent) -> cotangents``, one after the other."""
        active = tuple(active)
        if active not in self._pulled:
            self._pulled[active] = Pulled(self, active)
        return self._pulled[active]

    def with_tangents(self, operands: Arrays, tangents: Arrays, active: Sequence[int]) -> Arrays:
        """Return the operands of the loop over tangents; those of states that do not move are zero."""
        given = dict(zip(active, tangents, strict=True))
        moving = self.body.moving(active)
        return _contiguous([*operands, *(given[k] if k in given else np.zeros(operands[k].size) for k in moving)])

    def back(self, walk: Walk, active: Sequence[int], operands: Arrays, cotangents: Arrays) -> dict[int, np.ndarray]:
        """Return the cotangents of active operands of this loop, or of the one over tangents."""
        adjoint = walk.body.adjoint(active)
        return dict(zip(adjoint.moving, walk.backward(adjoint, operands, cotangents), strict=True))


class _Pushed(_Known):
    """The product of the derivative of a loop with tangents."""

    def __init__(self, loop: Repeated, active: tuple[int, ...]) -> None:
        self.loop, self.active, self.name = loop, active, f"the tangent of {loop.name}"
        self.walk = loop.tangent(active)

    def compile(self, entries: bool = False) -> None:
        """Compile the turn."""
        self.walk.body.turns.compile()

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Go through the loop with states and their tangents."""
        own = len(self.loop.body.inputs)
        everything = self.loop.with_tangents(operands[:own], operands[own:], self.active)
        out[:] = self.walk.forward(everything)[1]


class Pulled(_Entries):
    """The product of the transposed derivative of a loop with a cotangent: back through the loop."""

    def __init__(self, loop: Repeated, active: tuple[int, ...]) -> None:
        super().__init__()
        self.loop, self.active, self.name = loop, active, f"the adjoint of {loop.name}"

    @property
    def own(self) -> int:
        """How many operands the loop has; the cotangent is the one after them."""
        return len(self.loop.body.inputs)

    def compile(self, entries: bool = False) -> None:
        """Compile the turn, and its adjoint."""
        self.loop.body.turns.compile()
        self.loop.body.adjoint(self.active).turns.compile()
        if entries:
            for number in self._patterns:
                operation = self.pushed((number,)) if self._coloring(number)[1] else self.pulled((number,))
                operation.compile()

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Go back."""
        operands = _contiguous(operands)
        found = self.loop.back(self.loop.walk, self.active, operands[: self.own], operands[self.own :])
        out[:] = np.concatenate([found[k] for k in self.active])

    def _pattern(self, number: int) -> SparsityPattern:
        if number < self.own:
            return structure.second(self.loop.body, self.loop.count, self.active, number)
        parts = [self.loop.pattern(k).to_scipy().T for k in self.active]
        return SparsityPattern.from_scipy(structure.stacked(parts))

    def pushed(self, active: Sequence[int]) -> _PushedAdjoint:
        """Return ``(*operands, cotangent, *tangents) -> tangents of the cotangents``."""
        return _PushedAdjoint(self, tuple(active))

    def pulled(self, active: Sequence[int]) -> _PulledAdjoint:
        """Return ``(*operands, cotangent, weights) -> cotangents``."""
        return _PulledAdjoint(self, tuple(active))


class _PushedAdjoint(_Known):
    """The derivative of an adjoint along tangents: back through the loop over tangents."""

    def __init__(self, adjoint: Pulled, active: tuple[int, ...]) -> None:
        self.adjoint, self.active = adjoint, active
        self.name = f"the tangent of {adjoint.name}"
        self.inner = tuple(k for k in active if k < adjoint.own)
        self.walk = adjoint.loop.tangent(self.inner)

    def compile(self, entries: bool = False) -> None:
        """Compile the turn, and its adjoint."""
        self.walk.body.turns.compile()
        self.walk.body.adjoint(self.adjoint.active).turns.compile()

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Go back: the cotangent of the tangent is the cotangent, that of the state its own tangent."""
        loop, own = self.adjoint.loop, self.adjoint.own
        weight, tangents = operands[own], dict(zip(self.active, operands[own + 1 :], strict=True))
        everything = loop.with_tangents(operands[:own], [tangents[k] for k in self.inner], self.inner)
        along = tangents.get(own, np.zeros(weight.size))
        found = loop.back(self.walk, self.adjoint.active, everything, _contiguous([along, weight]))
        out[:] = np.concatenate([found[k] for k in self.adjoint.active])


class _PulledAdjoint(_Known):
    """The transposed derivative of an adjoint: the tangent, and back through the loop over tangents."""

    def __init__(self, adjoint: Pulled, active: tuple[int, ...]) -> None:
        self.adjoint, self.active = adjoint, active
        self.name = f"the adjoint of {adjoint.name}"
        self.inner = tuple(k for k in active if k < adjoint.own)
        self.walk = adjoint.loop.tangent(adjoint.active)

    def compile(self, entries: bool = False) -> None:
        """Compile the turn, and its adjoint."""
        self.walk.body.turns.compile()
        if self.inner:
            self.walk.body.adjoint(self.inner).turns.compile()

    def value(self, operands: Arrays, out: np.ndarray) -> None:
        """Weigh the cotangents: what is linear in them gives the tangent, the rest goes back."""
        loop, own, active = self.adjoint.loop, self.adjoint.own, self.adjoint.active
        weight, weights = operands[own], operands[own + 1]
        ends = np.cumsum([operands[k].size for k in active])[:-1]
        everything = loop.with_tangents(operands[:own], np.split(weights, ends), active)
        found: dict[int, np.ndarray] = {}
        if self.inner:
            found = loop.back(self.walk, self.inner, everything, _contiguous([np.zeros(weight.size), weight]))
        if own in self.active:
            found[own] = self.walk.forward(everything)[1]
        out[:] = np.concatenate([found[k] for k in self.active])


def _contiguous(arrays: Sequence[np.ndarray]) -> Arrays:
    return [np.ascontiguousarray(a, dtype=np.float64).reshape(-1) for a in arrays]
