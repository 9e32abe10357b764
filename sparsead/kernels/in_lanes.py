"""A product with the derivative of an operation, for many tangents beside each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from coloring.cached import cached_property


@dataclass(frozen=True)
class Tangents:
    """How many tangents there are: element i of tangent k is at ``width * i + k``, for k below `count`."""

    width: int
    count: int


@dataclass(frozen=True, eq=False)
class InLanes:
    """An operation whose operands after the first `own` are in lanes, and so is its result."""

    operation: Any
    own: int
    lanes: Tangents

    @property
    def name(self) -> str:
        """Its name."""
        return f"{self.operation.name}, {self.lanes.count} times"

    @cached_property
    def beside(self) -> Any:
        """What does it for all lanes together; None where there is nothing that does."""
        return getattr(self.operation, "beside", lambda _: None)(self.lanes.width)

    def compile(self, entries: bool = False) -> None:
        """Compile what a call runs."""
        (self.beside or self.operation).compile(entries)

    def value(self, operands: list[np.ndarray], out: np.ndarray) -> None:
        """Call it for all lanes, or for one after the other."""
        if self.beside is not None:
            self.beside.value(operands, out)
            return
        given, width = operands[: self.own], self.lanes.width
        along = [np.ascontiguousarray(a.reshape(-1, width).T) for a in operands[self.own :]]
        found = np.zeros((width, out.size // width))
        for lane in range(self.lanes.count):
            self.operation.value([*given, *(a[lane] for a in along)], found[lane])
        out.reshape(-1, width)[...] = found.T
