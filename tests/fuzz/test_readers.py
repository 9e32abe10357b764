"""The inputs that the fuzzers of the readers begin with, and those that once went wrong; atheris is not needed."""

import gzip
import mmap
import random
import sys
from collections import Counter

import numpy as np
import pytest

from tests.fuzz import bounds
from tests.fuzz.bounds import bounded
from tests.fuzz.readers import TARGETS, attempt, warm_up

HEADER = b"%%MatrixMarket matrix coordinate pattern general\n"
FOUND = {
    "matrix_market": [
        b"%%MatrixMarket matrix array real general\n2 2\n1\n0\n3\n4/",  # SciPy wrote past the end of an array
        b"%%MatrixMarket matrix coordinate real general\n3 4 3\n1 1 1.0\n2 3 -2e3\n3 4 0\xe3",  # and read past the end
        b"%%MatrixMarket matrix array real symmetric\n2 2\n1\n0\n3\n4\n",
        HEADER + b"1000000000 1000000000 1\n1 1\n",  # gigabytes for one entry
        HEADER + b"9 9 4000000000\n1 1\n",
        gzip.compress(HEADER + b"9 9 4000000000\n1 1\n", mtime=0),
        HEADER + b"-3 2 1\n1 1\n",
    ],
    "saved_file": [b"", b"PK\x05\x06" + bytes(18), b"\x93NUMPY\x01\x00v\x00{'descr': '<f8'}", b"\x80\x04N."],
    "saved_arrays": [
        b"",
        bytes([3, 1, 0, 0, 9, 3, 1, 2, 5]),  # an array cut short, another as text
        *(bytes([k, *random.Random(seed).randbytes(8)]) for k in range(5) for seed in range(20)),
    ],
}


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_to_begin_with(target):
    run, seeds = TARGETS[target]
    for data in seeds():
        run(data)


@pytest.mark.parametrize("target", TARGETS)
def test_what_went_wrong_once(target):
    run, _ = TARGETS[target]
    for data in FOUND[target]:
        run(data)


@pytest.mark.parametrize("first", [0, 1000])
def test_inputs_of_seeds(first):
    """A failure names its seed: ``python -m tests.fuzz readers --first SEED --count 1`` tries it again."""
    warm_up()
    counts: Counter[str] = Counter()
    for seed in range(first, first + 400):
        try:
            counts += attempt(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
    assert counts["inputs"] == sum(counts[target] for target in TARGETS) == 400


def touched(size):
    """Numbers in memory that nothing had before: an allocator may hand out again what it has kept."""
    held = np.frombuffer(mmap.mmap(-1, 8 * size))
    held[:] = 1.0
    return held


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured on Linux only")
def test_what_takes_too_much_is_noticed(monkeypatch):
    with pytest.raises(AssertionError, match="bytes of memory for 100"), bounded(bytes(100), Counter()):
        touched(10**7)
    monkeypatch.setattr(bounds, "PAUSE", 0.0)
    with pytest.raises(AssertionError, match="s for 1000 bytes"), bounded(bytes(1000), Counter()):
        np.sin(np.ones(10**6)).sum()
    bomb = gzip.compress(bytes(10**8), mtime=0)
    counts: Counter[str] = Counter()
    with bounded(bomb, counts):
        held = touched(10**7)  # as much as it honestly expands to
    assert held.all()
    assert counts == {"peak below 128 MiB": 1}
