"""Random programs against references that our code did not produce: the same ones at every run, and fresh ones.

``python -m tests.fuzz programs`` (`make fuzz`) tries as many as time allows. Where one fails, hypothesis shrinks it.
"""

from __future__ import annotations

import os
import secrets

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.programs import attempt, attempt_with

COUNT = 400 if os.environ.get("CI") else 80
FRESH = secrets.randbelow(2**40) * 1000
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=COUNT, derandomize=True, report_multiple_bugs=False, suppress_health_check=CHECKS)
@given(st.randoms(use_true_random=False))
def test_random_programs(random):
    assert attempt_with(random)["programs"] == 1


@pytest.mark.parametrize("number", range(max(COUNT // 20, 1)))
def test_fresh_random_programs(number):
    """A failure names its seed: ``python -m tests.fuzz programs --first SEED --count 1`` tries it again."""
    for seed in range(FRESH + 20 * number, FRESH + 20 * (number + 1)):
        try:
            assert attempt(seed)["programs"] == 1
        except AssertionError as failure:
            pytest.fail(f"seed {seed}: {failure}")
