"""What is compared: each contender prepares once and then fills in the values of the same sparse matrix."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import scipy.sparse

import sparsead as sad
from benchmarks.peers.built import Built
from sparsead.measuring.timing import Times, interleaved
from sparsead.problems import Problem

EACH = 2e-3  # seconds of repeated calls in a round


@dataclass(frozen=True)
class Contender:
    """A way to compute a sparse matrix.

    Attributes
    ----------
    name : str
        What the tables call it.
    prepare : float
        Seconds from the function to the first matrix, imports apart.
    call : callable
        Computes the values once.
    matrix : callable
        Returns the values of the last call as a matrix.
    """

    name: str
    prepare: float
    call: Callable[[], object]
    matrix: Callable[[], scipy.sparse.csr_array]


def one_core() -> None:
    """Pin this process, and every thread that it starts from now on, to one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextmanager
def no_cache() -> Iterator[None]:
    """Let sparsead compile everything again inside the block, as tools without a cache do."""
    before = os.environ.get("SPARSEAD_CACHE")
    os.environ["SPARSEAD_CACHE"] = "off"
    try:
        yield
    finally:
        del os.environ["SPARSEAD_CACHE"]
        if before is not None:
            os.environ["SPARSEAD_CACHE"] = before


def prepared(name: str, build: Callable[[], Built]) -> Contender:
    """Build a contender, call it once, and note how long that took."""
    start = time.process_time()
    call, matrix = build()
    call()
    return Contender(name, time.process_time() - start, call, matrix)


def prepare(problem: Problem, **options: Any) -> Any:
    """Prepare the derivative that one wants of a problem."""
    how: Any = sad.jacobian if problem.derivative == "jacobian" else sad.hessian
    return how(problem.f, problem.x0, *problem.args, **options)


def ours(problem: Problem, mode: str, name: str) -> Contender:
    """Prepare sparsead in a mode; every call refills the same matrix."""

    def build() -> Built:
        matrix = prepare(problem, mode=mode)
        out = matrix(problem.x0, *problem.args)
        return lambda: matrix(problem.x0, *problem.args, out=out), lambda: out

    return prepared(name, build)


def compare(
    contenders: list[Contender],
    others: dict[str, Callable[[], object]],
    seconds: float = 4.0,
    tolerance: float = 1e-13,
) -> Times:
    """Check that all contenders agree with the first to rounding, then time them and `others` in turn.

    Raises
    ------
    AssertionError
        If a contender computes another matrix.
    """
    for contender in contenders:
        contender.call()
    expected = contenders[0].matrix()
    scale = abs(expected).max()
    for contender in contenders[1:]:
        difference = abs(expected - scipy.sparse.csr_array(contender.matrix())).max() / scale
        assert difference < tolerance, f"{contender.name} differs from {contenders[0].name} by {difference:.1e}"
    calls = others | {c.name: c.call for c in contenders}
    return interleaved(calls, seconds, at_least=7, clock=time.process_time, each=EACH)
