"""Programs on 1, 2 and 4 ranks: the same matrices as in one process, and failures that all ranks hear of."""

import re
from pathlib import Path

import pytest

from benchmarks.launch import MISSING, REASON, launched

pytestmark = pytest.mark.skipif(MISSING, reason=REASON)


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_over_ranks(ranks):
    done = launched(ranks, str(Path(__file__).parent / "main.py"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("agrees") == ranks


@pytest.mark.parametrize(("how", "said"), [("killed", "signal:? 9"), ("raises", "the disk is full")])
def test_no_rank_waits_for_one_that_ended(how, said):
    """As the documentation has programs started: by ``python -m mpi4py``."""
    done = launched(2, "-m", "mpi4py", str(Path(__file__).parent / "ended.py"), how, timeout=60)
    assert done.returncode != 0
    assert done.stdout.count("prepared") == 2 and "went on" not in done.stdout
    assert re.search(said, done.stdout + done.stderr, re.IGNORECASE)
