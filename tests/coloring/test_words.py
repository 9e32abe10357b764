"""Numbers in words."""

from __future__ import annotations

import pytest

from coloring.words import several


@pytest.mark.parametrize(
    ("count", "what", "words"),
    [(1, "array", "1 array"), (2, "array", "2 arrays"), (0, "entry", "0 entries"), (1024, "pass", "1,024 passes")],
)
def test_plurals(count, what, words):
    assert several(count, what) == words
