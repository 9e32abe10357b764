"""Seconds of the stages of a preparation, and a hook for those who want to watch them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from sparsead.memory import ADVICE, NoRoomError

Watcher = Callable[[str, float | None], None]

MEANING = {
    "load": "import what preparations run on, once in a process",
    "trace": "run f once on traced arrays, and look for equal cells",
    "lower": "fuse what ran into few kernels",
    "linearize": "differentiate the kernels",
    "transpose": "exchange reading and writing",
    "gradient": "differentiate the kernels backwards",
    "detect": "read the pattern off the kernels",
    "color": "choose the cheapest mode; color, if it takes passes",
    "compile": "generate code and compile it",
    "check": "compare values and products with f on plain arrays",
}

AT_HAND = 1e-3  # seconds that it takes at most to look up what has been imported before
_loading: list[float] = []  # seconds of imports that no preparation has told of yet
_watcher: ContextVar[Watcher | None] = ContextVar("sparsead_stage_watcher", default=None)


class Timings(dict[str, float]):
    """Seconds by stage, in the order in which the stages ran."""

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; tell the watcher when it begins (seconds None) and when it ends."""
        watcher = _watcher.get()
        if not self and sum(_loading) > AT_HAND:
            self._tell_of_loading(watcher)
        if watcher:
            watcher(name, None)
        start = time.perf_counter()
        try:
            yield
        except MemoryError as error:
            advice = "" if isinstance(error, NoRoomError) else f": {ADVICE}"
            raise NoRoomError(f"{error}{advice}\n  in stage {name!r} of a preparation") from error
        seconds = time.perf_counter() - start
        self[name] = self.get(name, 0.0) + seconds  # what was tried in vain counts, too
        if watcher:
            watcher(name, seconds)

    def _tell_of_loading(self, watcher: Watcher | None) -> None:
        """Begin with what was imported for this preparation before it could begin."""
        seconds, _loading[:] = sum(_loading), []
        if watcher:
            watcher("load", None)
            watcher("load", seconds)
        self["load"] = seconds

    @property
    def total(self) -> float:
        """Seconds of all stages."""
        return sum(self.values())

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds:.3g} s" for name, seconds in self.items())

    def _repr_html_(self) -> str:
        from coloring.pictures.html import table

        rows = [(name, f"{1e3 * seconds:,.1f}") for name, seconds in [*self.items(), ("all", self.total)]]
        return table(("stage", "milliseconds"), rows)


@contextmanager
def loading() -> Iterator[None]:
    """Count what is imported inside the block among the stages of the next preparation, which waits for it."""
    start = time.perf_counter()
    yield
    _loading.append(time.perf_counter() - start)


@contextmanager
def watching(watcher: Watcher) -> Iterator[None]:
    """Call ``watcher(stage, seconds)`` as stages begin (None) and end, inside the block."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def reported(progress: bool | Watcher) -> AbstractContextManager[None]:
    """Report the stages inside the block: on standard error (True), to a function as `watching` does, or to nobody."""
    if progress is True:
        return _printed()
    return watching(progress) if progress else nullcontext()


@contextmanager
def _printed() -> Iterator[None]:
    """Print each stage when it begins, and write its seconds into the same line when it ends."""
    running = False

    def show(stage: str, seconds: float | None) -> None:
        nonlocal running
        running = seconds is None
        taken, end = ("      ...", "") if seconds is None else (f"{seconds:7.3f} s", "\n")
        print(f"\r{stage:<10}{taken}  {MEANING.get(stage, '')}", end=end, file=sys.stderr, flush=True)

    with watching(show):
        try:
            yield
        finally:
            if running:  # something was raised in it
                print(file=sys.stderr)
