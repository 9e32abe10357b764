"""Random matrices, colorings and orders: the same ones at every run, and fresh ones."""

import os
import secrets

import pytest

from tests.fuzz.matrices import attempt

COUNT = 400 if os.environ.get("CI") else 100
FRESH = secrets.randbelow(2**40) * 1000


@pytest.mark.parametrize("first", [0, FRESH], ids=["same", "fresh"])
def test_random_matrices(first):
    """A failure names its seed: ``python -m tests.fuzz matrices --first SEED --count 1`` tries it again."""
    for seed in range(first, first + COUNT):
        try:
            assert attempt(seed)["matrices"] == 1
        except AssertionError as failure:
            pytest.fail(f"seed {seed}: {failure}")
