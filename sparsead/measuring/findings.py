"""Everything that ``sparsead bench`` finds out about one matrix: pass counts, times of the stages, evaluations."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import sparsead as sad
from coloring import SparsityPattern
from coloring.problems import COLORINGS
from sparsead.measuring.counting import counted
from sparsead.measuring.peers import PEERS, Peer
from sparsead.measuring.timing import interleaved
from sparsead.problems import Problem

#: What each mode colors; the other modes take no passes, or choose among these.
MODES = {
    "jacobian": {"forward": "column", "reverse": "row", "bidirectional": "star bicoloring"},
    "hessian": {"star": "star", "acyclic": "acyclic", "column": "column"},
}
EVALUATED = ("auto", "compressed")
EACH = 2e-3  # seconds of repeated calls in a round
Tell = Callable[[str], object]


@dataclass(frozen=True)
class Count:
    """Passes of one mode by one order: the same on every machine (but for the seconds)."""

    mode: str
    order: str
    passes: int
    lower_bound: int
    seconds: float


@dataclass(frozen=True)
class Evaluation:
    """One way to evaluate a matrix.

    ``mode`` is what it came down to, ``first`` the seconds from the function to the first matrix, ``seconds`` those of
    one evaluation, ``of_f`` how many evaluations of the function it takes, ``error`` why it could not be measured.
    """

    mode: str = ""
    passes: int | None = None
    first: float | None = None
    seconds: float | None = None
    of_f: float | None = None
    error: str = ""


@dataclass
class Measured:
    """One matrix: its size, and what was counted and timed.

    ``stages`` are seconds, ``f`` the seconds of one evaluation of the function, None where only a pattern is known.
    """

    name: str
    derivative: str
    m: int
    n: int
    nnz: int
    counts: list[Count] = field(default_factory=list)
    stages: dict[str, float] = field(default_factory=dict)
    f: float | None = None
    evaluations: dict[str, Evaluation] = field(default_factory=dict)

    def bound(self, mode: str) -> int:
        """The proven lower bound on the passes of a mode."""
        return max(count.lower_bound for count in self.counts if count.mode == mode)

    @property
    def modes(self) -> list[str]:
        """The modes whose passes were counted."""
        return list(dict.fromkeys(count.mode for count in self.counts))


def count(
    name: str, derivative: str, pattern: SparsityPattern, modes: Sequence[str], orders: Sequence[str], tell: Tell
) -> Measured:
    """Count the passes of every mode (of those in `modes`, if there are any) and order."""
    chosen = {mode: title for mode, title in MODES[derivative].items() if not modes or mode in modes}
    found = counted(pattern, {m: COLORINGS[t] for m, t in chosen.items()}, orders, lambda what: tell(f"{name}: {what}"))
    counts = [
        Count(mode, order, result.num_colors, result.lower_bound, seconds)
        for (mode, order), (result, seconds) in found.items()
    ]
    return Measured(name, derivative, *pattern.shape, pattern.nnz, counts)


def pattern_of(problem: Problem) -> SparsityPattern:
    """Return the pattern of the derivative that one wants of a problem."""
    detect = sad.jacobian_pattern if problem.derivative == "jacobian" else sad.hessian_pattern
    return detect(problem.f, problem.x0, *problem.args)


def timed(measured: Measured, problem: Problem, modes: Sequence[str], peers: bool, tell: Tell, seconds: float) -> None:
    """Add the times of the stages and of evaluations, in turn, each with its values compared first."""
    f, x, args = problem.f, problem.x0, problem.args
    calls: dict[str, Callable[[], object]] = {"f": lambda: f(x, *args)}
    expected: Any = None
    for mode in modes or EVALUATED:
        tell(f"{measured.name}: prepare, mode {mode}")
        start = time.perf_counter()
        prepared = _prepare(problem, mode)
        out = prepared(x, *args)
        first = time.perf_counter() - start
        passes = sum(prepared.passes.values())
        measured.evaluations[mode] = Evaluation(prepared.mode, passes, first)
        stages = {name: seconds for name, seconds in prepared.timings.items() if name != "load"}  # imports
        measured.stages = measured.stages or stages
        expected = out if expected is None else expected
        calls[mode] = partial(prepared, x, *args, out=out)
    for name, build in PEERS.items() if peers else ():
        tell(f"{measured.name}: {name}")
        found = _of_peer(build, problem, expected)
        if isinstance(found, str):
            measured.evaluations[name] = Evaluation(error=found)
        else:
            peer, first = found
            measured.evaluations[name] = Evaluation(name, peer.passes, first)
            calls[name] = peer.call
    tell(f"{measured.name}: evaluations")
    times = interleaved(calls, seconds=seconds, at_least=3, clock=time.process_time, each=EACH)
    measured.f = times.median("f")
    for name, e in measured.evaluations.items():
        if name in calls:
            measured.evaluations[name] = replace(e, seconds=times.median(name), of_f=times.ratio(name, "f"))


def _prepare(problem: Problem, mode: str) -> Any:
    how: Any = sad.jacobian if problem.derivative == "jacobian" else sad.hessian
    return how(problem.f, problem.x0, *problem.args, mode=mode)


def _of_peer(build: Callable[[Problem], Peer], problem: Problem, expected: Any) -> tuple[Peer, float] | str:
    """Build a peer and compare its matrix with ours; return it with its seconds, or why it cannot be used."""
    try:
        with warnings.catch_warnings(action="ignore"):
            start = time.perf_counter()
            peer = build(problem)
            peer.call()
            first = time.perf_counter() - start
        difference = abs(expected - peer.matrix()).max() / abs(expected).max()
    except Exception as error:  # whatever another package raises on a function that it was not written for
        return " ".join(f"{type(error).__name__}: {error}".split())[:120]
    return (peer, first) if difference < peer.accuracy else f"another matrix: relative difference {difference:.1e}"
