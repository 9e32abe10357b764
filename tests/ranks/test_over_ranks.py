"""Programs on 1, 2 and 4 ranks: the same matrices as in one process, and failures that all ranks hear of."""

from pathlib import Path

import pytest

from benchmarks.launch import MISSING, REASON, launched

pytestmark = pytest.mark.skipif(MISSING, reason=REASON)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_over_ranks(ranks):
    done = launched(ranks, str(Path(__file__).parent / "main.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("agrees") == ranks
