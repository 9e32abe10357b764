"""Run one attempt per seed over several processes within a time budget, and keep a record that can be resumed."""

from __future__ import annotations

import gc
import json
import os
import platform
import secrets
import signal
import subprocess
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

CHUNK = 25  # seeds that a process takes at a time
PATIENCE = 120  # seconds after which one seed counts as hanging

Attempt = Callable[[int], Counter[str]]


@dataclass
class Record:
    """What a campaign has done so far."""

    kind: str
    first: int  # the first seed
    tried: int = 0  # seeds first, first + 1, ... that are done
    seconds: float = 0.0  # in all processes together
    machine: str = f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"
    versions: list[str] = field(default_factory=list)  # of the code, in the order in which it was tried
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def resumed(cls, path: Path | None, kind: str, first: int | None) -> Record:
        """Read a record, or begin one, at a fresh seed unless one is given."""
        if path is None or not path.exists():
            return cls(kind, secrets.randbelow(2**40) * 1000 if first is None else first)
        known = cls(**json.loads(path.read_text()))
        if known.kind != kind or first not in (None, known.first):
            raise ValueError(f"{path} records {known.kind} from seed {known.first}, not {kind} from {first}")
        return known

    def add(self, chunk: Chunk) -> None:
        """Count a chunk; chunks come in the order of their seeds."""
        self.tried += chunk.size
        self.seconds += chunk.seconds
        self.counts = dict(sorted((Counter(self.counts) + chunk.counts).items()))
        self.failures += chunk.failures

    def write(self, path: Path) -> None:
        """Write the record beside its final name and rename it."""
        partial = path.with_suffix(".tmp")
        partial.write_text(json.dumps(asdict(self), indent=1) + "\n")
        os.replace(partial, path)


@dataclass
class Chunk:
    """What came of some seeds."""

    size: int
    seconds: float
    counts: Counter[str]
    failures: list[dict[str, Any]]


def run_chunk(kind: str, seeds: range) -> Chunk:
    """Try each seed; a failure is kept and the next seed is tried."""
    attempt: Attempt = import_module(f"tests.fuzz.{kind}").attempt
    counts: Counter[str] = Counter()
    failures: list[dict[str, Any]] = []
    start = time.process_time()
    signal.signal(signal.SIGALRM, _hanging)
    warnings.simplefilter("ignore")
    for seed in seeds:
        signal.alarm(PATIENCE)
        try:
            counts += attempt(seed)
        except Exception as error:
            failures.append({"seed": seed, "error": f"{type(error).__name__}: {error}"})
        finally:
            signal.alarm(0)
    return Chunk(len(seeds), time.process_time() - start, counts, failures)


def _begin(kind: str) -> None:
    """Let a process do what a kind asks for first."""
    getattr(import_module(f"tests.fuzz.{kind}"), "begin", lambda: None)()
    gc.collect()  # garbage that is frozen stays for ever
    gc.freeze()  # what imports made stays; looking through it again and again takes a fifth of the time


def _hanging(*_: Any) -> None:
    raise TimeoutError(f"no result after {PATIENCE} s")


def run(record: Record, count: int | None, minutes: float | None, workers: int) -> Iterator[Chunk]:
    """Try seeds from where the record ends, until `count` are done or the time is over; yield what came of them."""
    deadline = np.inf if minutes is None else time.monotonic() + 60.0 * minutes
    last = record.first + count if count is not None else None
    seed = record.first + record.tried
    pending: deque[Future[Chunk]] = deque()
    with ProcessPoolExecutor(workers, get_context("spawn"), _begin, (record.kind,)) as pool:
        while True:
            while len(pending) < 2 * workers and time.monotonic() < deadline and (last is None or seed < last):
                seeds = range(seed, seed + CHUNK if last is None else min(seed + CHUNK, last))
                pending.append(pool.submit(run_chunk, record.kind, seeds))
                seed = seeds.stop
            if not pending:
                return
            chunk = pending.popleft().result()
            record.add(chunk)
            yield chunk


def code_version() -> str:
    """Return the commit of the code, marked where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
