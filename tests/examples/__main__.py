"""Run programs that others wrote with their arrays unknown: ``python -m tests.examples [numpy] [scipy] [FILE ...]``.

A package stands for the examples in its docstrings; a file, or all files in a folder, for scripts, notebooks and pages.
With ``--only WORD``, the programs whose name has the word. What differs without a reason in `ACCEPTED` is printed, and
makes the exit status 1.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.examples.programs import KINDS, Program, of_file, of_package
from tests.examples.replay import Outcome, Replay

ACCEPTED = [
    # part of the name, part of the message, reason
    ("numpy.mean", "1.19e-08", "it is of single precision, which is not rounded here"),
    ("numpy.median", "", "overwrite_input: the input is not defined afterwards"),
    ("numpy.percentile", "", "overwrite_input: the input is not defined afterwards"),
    ("numpy.quantile", "", "overwrite_input: the input is not defined afterwards"),
    ("numpy.partition", "", "the order within parts is not defined"),
    ("byte_bounds", "", "it asks for addresses, and says so in NumPy's words"),
    ("scipy.fft.hfft", "", "it rounds to ten decimals: the derivative is zero, differences do not see it"),
    ("scipy.interpolate.Akima", "", "its slopes are not differentiable where chords are in line, to any side the same"),
    ("scipy.linalg.cho_", "", "what stands beside the factor is not defined"),
    ("scipy.cluster.vq.kmeans2", "", "Generator.shuffle exchanges rows of what is no ndarray, and warns that it fails"),
    ("", "has no derivative", "an error about the point"),
]


def reason_of(outcome: Outcome) -> str:
    """Return why an outcome is accepted, or nothing."""
    return next((why for name, words, why in ACCEPTED if name in outcome.where and words in outcome.message), "")


def programs(sources: list[str]) -> Iterator[Program]:
    """Yield the programs of packages, files and folders."""
    for source in sources:
        if source in ("numpy", "scipy"):
            yield from of_package(importlib.import_module(source))
            continue
        home = Path(source)
        for path in sorted(home.rglob("*")) if home.is_dir() else [home]:
            if path.suffix in KINDS:
                yield from of_file(path)


def main(sources: list[str], only: str) -> int:
    """Run all programs; print what is different or crashes, and how many outcomes of each kind there were."""
    counts: Counter[str] = Counter()
    left = 0
    found = [p for p in programs(sources) if only in p.name]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # some write files
        for program in found:
            for outcome in Replay(program).outcomes():
                counts[outcome.result] += 1
                if outcome.result in ("different", "crash") and not reason_of(outcome):
                    left += 1
                    print(f"{outcome.result}: {outcome.where}\n    {outcome.message}", flush=True)
    print(f"{len(found)} programs:", ", ".join(f"{n} {result}" for result, n in sorted(counts.items())))
    return 1 if left else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", nargs="+")
    parser.add_argument("--only", default="")
    given = parser.parse_args()
    sys.exit(main(given.sources, given.only))
