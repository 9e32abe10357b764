"""The sample calls of all registered operations, as user code would make them."""

from __future__ import annotations

import functools
import importlib
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.fftpack  # noqa: F401  (of SciPy 1.13, beside some packages, it cannot be imported during a trace)

import sparsead.ops  # noqa: F401  (fills the registry)
from sparsead.ops.filters import Imported
from sparsead.ops.registry import REGISTRY
from tests.reference import generic_points

SHAPE = (3, 4)  # what samples take, with distinct entries in (0.1, 0.9)
ANCHORS = generic_points(10, SHAPE, seed=7)


@dataclass(frozen=True)
class Call:
    """One sample call of one registered spelling."""

    name: str
    spelling: str
    call: Callable[[Any], Any]

    @functools.cached_property
    def is_analytic(self) -> bool:
        """Whether a complex step through the call gives its derivative, tried in one direction at one point."""
        direction, steps = np.linspace(-1.0, 1.0, 12).reshape(SHAPE), (1e-3, -1e-3, 2e-3, -2e-3)
        with np.errstate(all="ignore"):
            try:
                exact = np.imag(self.call(ANCHORS[0] + 1e-30j * direction)) / 1e-30
            except (TypeError, ValueError, NotImplementedError, AttributeError):
                return False
            a, b, c, d = (np.asarray(self.call(ANCHORS[0] + h * direction), dtype=np.float64) for h in steps)
        slope = (8.0 * (a - b) - (c - d)) / (12.0 * steps[0])
        return bool(np.all(np.abs(exact - slope) <= 1e-6 * np.maximum(1.0, np.abs(slope))))


def fitted(value: Any, anchor: int) -> Any:
    """Turn any array into one that samples take: its elements, repeated, never far from an anchor."""
    return ANCHORS[anchor] + 0.02 * np.sin(np.resize(value, SHAPE))


def as_user_code(sample: Any) -> Any:
    """Move a sample out of the package: functions that do not dispatch are replaced in user code only."""
    if not isinstance(sample, types.FunctionType):
        return sample
    names = {
        name: importlib.import_module(value.name) if isinstance(value, Imported) else value
        for name, value in sample.__globals__.items()
    } | {"__name__": "user_code"}
    return types.FunctionType(sample.__code__, names, "sample", sample.__defaults__, sample.__closure__)


CALLS = {
    name: Call(name, entry.spelling, as_user_code(sample))
    for entry in REGISTRY
    for k, sample in enumerate(entry.samples)
    for name in [f"{entry.spelling}-{k}" if k else entry.spelling]
}
