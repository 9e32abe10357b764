"""Random programs of views and writes: the same ones at every run, and fresh ones."""

import os
import secrets

import pytest

from tests.fuzz.aliasing import attempt

COUNT = 600 if os.environ.get("CI") else 200
FRESH = secrets.randbelow(2**40) * 1000


@pytest.mark.parametrize("first", [0, FRESH], ids=["same", "fresh"])
def test_random_programs_of_views(first):
    """A failure names its seed: ``python -m tests.fuzz aliasing --first SEED --count 1`` tries it again."""
    for seed in range(first, first + COUNT):
        try:
            assert attempt(seed)
        except AssertionError as failure:
            pytest.fail(f"seed {seed}: {failure}")
