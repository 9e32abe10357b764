"""Functions of ``np.emath``: complex where a real number is outside of the domain, so for real unknowns a branch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.ops import complex_functions  # noqa: F401  (stated first)
from sparsead.ops.registry import record, spelling_of, state
from sparsead.tracing.complex import COMPLEX_HANDLERS, is_complex
from sparsead.tracing.decisions import active
from sparsead.tracing.refusals import refuse_value


def widening(func: Any, plain: Any, outside: Callable[[Any], Any]) -> None:
    """State a function by the one that it is inside of the domain, and of complex numbers everywhere."""

    def rule(x: Any) -> Any:
        if is_complex(x):
            return plain(x)
        if active.get() is None:
            name = f"np.{plain.__name__}"
            refuse_value(
                f"np.emath.{func.__name__}, whose result is real or complex,",
                f'Use {name}(x), or {name}(x + 0j); or prepare with guard="record".',
            )
        return plain(x + 0j) if np.any(outside(x)) else plain(x)

    state(func, rule)
    COMPLEX_HANDLERS[func] = rule
    record("complex", f"{spelling_of(func)} of complex values", [lambda x: func(x + 1j * x[:, ::-1]).real])


def _negative(x: Any) -> Any:
    return np.less(x, 0.0)


def _beyond_one(x: Any) -> Any:
    return np.greater(np.abs(x), 1.0)


for _name in ("sqrt", "log", "log2", "log10"):
    widening(getattr(np.emath, _name), getattr(np, _name), _negative)
for _name in ("arccos", "arcsin", "arctanh"):
    widening(getattr(np.emath, _name), getattr(np, _name), _beyond_one)
