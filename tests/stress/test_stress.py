"""A few seconds of what ``make stress`` does for minutes."""

import os
import time

import pytest

from tests.stress import work
from tests.stress.__main__ import stressed

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_threads_and_forks_at_once():
    counts, failures = stressed(2.0, 4, seed=1)
    assert not failures, failures[0]
    assert sum(counts.values()) >= 4


def test_what_goes_wrong_is_noticed(monkeypatch):
    monkeypatch.setattr(work, "allocated", lambda x, k: work.allocated_plainly(x, k) * 1.000001)
    monkeypatch.setattr(work, "PATIENCE", 0.1)
    monkeypatch.setattr(work, "_as_child", lambda *_: time.sleep(60))
    for kind, finding in (("prepare", "Mismatched elements"), ("fork", "a child was stuck")):
        monkeypatch.setattr("tests.stress.__main__.KINDS", {kind: getattr(work, kind)})
        _, failures = stressed(0.1, 1, seed=2)
        assert finding in failures[0]
