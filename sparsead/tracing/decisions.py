"""Branches on traced values: refused, or decided by the example arguments and recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

import numpy as np

from sparsead.errors import Origin, user_origin
from sparsead.program.evaluate import Values, evaluate
from sparsead.program.nodes import Ref


@dataclass
class Decisions:
    """The branches that one trace took, and what they depended on.

    Attributes
    ----------
    inputs : dict
        Serial number of each input to the example value that decides.
    conditions, taken, origins : list
        What was asked, what the answer was, and where.
    """

    inputs: dict[int, np.ndarray] = field(default_factory=dict)
    conditions: list[Ref] = field(default_factory=list)
    taken: list[bool] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    _known: Values = field(default_factory=dict)

    def decide(self, condition: Ref) -> bool:
        """Answer by the example arguments, and remember."""
        answer = bool(self.example(condition))
        self.conditions.append(condition)
        self.taken.append(answer)
        self.origins.append(user_origin())
        return answer

    def forget(self, known: int) -> None:
        """Forget all but the first branches: what took the others is run again."""
        for taken in (self.conditions, self.taken, self.origins):
            del taken[known:]

    def example(self, value: Ref) -> np.ndarray:
        """Return what a reading is for the example arguments; a condition that makes it so is to be decided, too."""
        return np.array(evaluate(value, self.inputs, self._known))


active: ContextVar[Decisions | None] = ContextVar("sparsead_decisions", default=None)


@contextmanager
def recording(decisions: Decisions | None) -> Iterator[None]:
    """Let branches inside the block be decided and recorded; None refuses them."""
    token = active.set(decisions)
    try:
        yield
    finally:
        active.reset(token)
