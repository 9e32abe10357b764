"""Run NumPy's own tests through the trace: ``python -m tests.numpy [WORD ...]`` (only modules whose name has a WORD).

With ``--scipy``, those of SciPy are run. With ``--most N``, each module compares at most N events of one operation,
400 by default.

Each test module runs in a process of its own. What differs without a reason in `accepted` is printed at once, to the
stream of errors, and makes the exit status 1; so does a module that cannot be run.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import types
from collections import Counter
from pathlib import Path

import numpy as np
import scipy

from tests.numpy.accepted import reason_of

ROOT = Path(__file__).parents[2]
RESULTS = ("same", "refused", "different", "crash", "accepted")
OPTIONS = "-q -p tests.numpy.plugin -p no:cacheprovider --assert=plain -W ignore --tb=line"
FAMILIES = {
    np: ("_core", "lib", "linalg", "fft", "polynomial", "ma", "matrixlib"),
    scipy: (
        "special",
        "linalg",
        "interpolate",
        "signal",
        "spatial",
        "integrate",
        "ndimage",
        "fft",
        "fftpack",
        "sparse",
        "stats",
        "optimize",
    ),
}
# Test modules about other things than arrays of numbers, by how their names begin.
LEFT_OUT = """
    cython limited_api mem_policy cpu_ build dtype datetime string records print longdouble abc simd array_interface
    custom extint hashtable machar memmap multithreading scalar_ctors financial format io loadtxt datasource iotools
    version packbits recfunctions arrayobject unicode public_api blas fblas lapack cythonized extending sketches gil
    interpolative kdtree qhull spherical cdflib data nan_inputs boost precompute support_alternative specfun dd
    backend helper 64bit matrix_io sparsetools sputils spfuncs c_api ni_support banded_ode tanhsinh cubature bvp
    _quad_vec quadpack
"""


def modules(words: list[str], package: types.ModuleType = np) -> list[str]:
    """Return the test modules that are about arrays of numbers, or those of them that have one of the words."""
    home = Path(str(package.__file__)).parent
    found = [
        f"{package.__name__}.{family}.tests.{f.stem}"
        for family in FAMILIES[package]
        for f in (home / family / "tests").glob("test_*.py")
    ]
    names = {m: m.rpartition("test_")[2].strip("_") for m in sorted(found)}
    wanted = [m for m, name in names.items() if not name.startswith(tuple(LEFT_OUT.split()))]
    return [m for m in wanted if any(w in m for w in words) or not words]


def outcomes(module: str, seconds: float, most: int = 400) -> list[dict[str, str]]:
    """Run one test module and return what became of its events."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "outcomes"
        names = {"NUMPY_TESTS_OUT": str(out), "NUMPY_TESTS_MOST": str(most), "PYTHONPATH": str(ROOT)}
        names |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "NPY_AVAILABLE_MEM": "1GB"}
        command = [sys.executable, "-m", "pytest", *OPTIONS.split(), "-m", "not slow", "--pyargs", module]
        run = subprocess.run(
            command, env=os.environ | names, cwd=folder, capture_output=True, text=True, timeout=seconds
        )
        if not out.exists():
            raise RuntimeError(f"{module}: {run.stdout[-2000:]}{run.stderr[-2000:]}")
        return [json.loads(line) for line in out.read_text().splitlines()]


def unexplained(found: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return the outcomes that are neither right nor refused, and for which no reason is known."""
    return [o for o in found if o["result"] not in ("same", "refused") and not reason_of(o)]


def main(words: list[str], most: int = 400, package: types.ModuleType = np) -> int:
    """Run the modules and print a table, and what is unexplained to the stream of errors."""
    total: Counter[str] = Counter()
    left = 0
    print("| module | " + " | ".join(RESULTS) + " |\n|---" + "|---" * len(RESULTS) + "|")
    for module in modules(words, package):
        try:
            found = outcomes(module, 1800.0, most)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"| {module} | {str(error)[-300:]!r} |", flush=True)
            left += 1
            continue
        counts = Counter(o["result"] for o in found)
        total += counts
        print(f"| {module} | " + " | ".join(str(counts[r]) for r in RESULTS) + " |", flush=True)
        for outcome in unexplained(found):
            left += 1
            words = "{result}: {event} [{variant}] in {test}\n    {message}".format(**outcome)
            print(words, file=sys.stderr, flush=True)
    print("| all | " + " | ".join(str(total[r]) for r in RESULTS) + " |")
    return 1 if left else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--most", type=int, default=400)
    parser.add_argument("--scipy", action="store_true")
    given = parser.parse_args()
    sys.exit(main(given.words, given.most, scipy if given.scipy else np))
