"""Random programs: functions of x, and of a runtime argument p, that print as the Python code that they are."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.laws.samples import CALLS, fitted

HELPERS = {"np": np, "ops": {name: call.call for name, call in CALLS.items()}, "fitted": fitted}


def point(shape: tuple[int, ...], seed: int = 5) -> np.ndarray:
    """Return a point of `shape`; programs are drawn, and compared, at that of seed 5."""
    return np.random.default_rng(seed).uniform(0.25, 0.75, shape)


@dataclass
class Program:
    """Statements over the names x, p, v1, v2, ...; the value is y."""

    shape: tuple[int, ...]
    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True
    kinds: Counter[str] = field(default_factory=Counter)
    spellings: Counter[str] = field(default_factory=Counter)

    def __call__(self, x: Any, p: Any) -> Any:
        names = {**HELPERS, "x": x, "p": p, **self.constants}
        exec(self.code, names)
        return names["y"]

    @functools.cached_property
    def code(self) -> Any:
        return compile("\n".join(self.lines), "<random program>", "exec")

    def __repr__(self) -> str:
        constants = [f"{k} = {v!r}" for k, v in self.constants.items()]
        return "\n".join([f"# x and p have shape {self.shape}", *constants, *self.lines])
