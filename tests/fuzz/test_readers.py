"""The inputs that the fuzzers of the readers begin with, and those that once went wrong; atheris is not needed."""

import gzip
import random

import pytest

from tests.fuzz.readers import TARGETS

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


@pytest.mark.parametrize("target", ["matrix_market", "saved_file"])
def test_inputs_that_are_cut_or_changed(target):
    run, seeds = TARGETS[target]
    rng = random.Random(0)
    for data in seeds():
        for _ in range(20):
            changed = bytearray(data[: rng.randint(0, len(data))] if rng.random() < 0.5 else data)
            for place in rng.sample(range(len(changed)), min(2, len(changed))):
                changed[place] = rng.randrange(256)
            run(bytes(changed))
