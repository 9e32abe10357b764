"""Calls by seed: as many as fit into a second or two. ``python -m tests.fuzz calls`` goes on."""

from collections import Counter

from tests.fuzz.calls import attempt


def test_calls_of_seeds():
    """A failure names its seed: ``python -m tests.fuzz calls --first SEED --count 1`` tries it again."""
    counts: Counter[str] = Counter()
    for seed in range(300):
        try:
            counts += attempt(seed)
        except Exception as error:
            raise AssertionError(f"seed {seed}") from error
    assert counts["same"] > 15
    assert counts["calls"] == 300 == counts["same"] + counts["refused"] + counts["rejected"]
