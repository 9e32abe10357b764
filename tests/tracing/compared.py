"""A function traced and evaluated against itself on numbers, at the point of the trace and at another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import sparsead as sad
import sparsead.ops
from sparsead.program.evaluate import evaluate
from sparsead.program.nodes import Program, Scan
from sparsead.tracing.trace import trace
from tests.reference import generic_points

POINTS = generic_points(2, (6,), seed=3)


def outcome(f: Callable[[Any], Any], points: list[np.ndarray] = POINTS) -> list[np.ndarray]:
    """Return the value of f at the points as the traced program gives it."""
    program, _ = trace(f, (points[0],))
    return [value(f, program, x) for x in points]


def value(f: Callable[[Any], Any], program: Program, x: np.ndarray) -> np.ndarray:
    """Return the value of a traced program; with scans in it, of f prepared."""
    if any(isinstance(node, Scan) for node in program.nodes):
        return np.asarray(sad.jacobian(f, x, backend="python").value(x))
    return evaluate(program.output, {program.inputs[0].serial: x})


def agree(f: Callable[[Any], Any], points: list[np.ndarray] = POINTS) -> None:
    """Compare with f on numbers; where NumPy raises, the trace must raise an error of the same class."""
    try:
        expected = [np.asarray(f(x.copy()), np.float64) for x in points]
    except (TypeError, ValueError, IndexError, AttributeError) as error:
        try:
            outcome(f, points)
        except (TypeError, ValueError, IndexError, AttributeError):
            return
        raise AssertionError(f"accepted, but NumPy raises {error!r}") from None
    for actual, right in zip(outcome(f, points), expected, strict=True):
        assert actual.shape == right.shape
        np.testing.assert_allclose(actual, right, rtol=1e-12, atol=1e-13)
