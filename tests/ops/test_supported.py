"""The page of supported functions is the registry."""

from __future__ import annotations

from pathlib import Path

import pytest

from sparsead.ops.supported import page, versions


def test_the_page_is_current():
    stored = (Path(__file__).parents[2] / "docs" / "reference" / "supported.md").read_text()
    assert "## Every public name" in stored
    if versions() not in stored:
        pytest.skip("the page counts the names of other versions of NumPy and SciPy")
    assert stored == page() + "\n", "run: python -m sparsead.ops.supported > docs/reference/supported.md"
