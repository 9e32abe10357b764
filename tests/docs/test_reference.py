"""The API reference has a place for every public name."""

import importlib
import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PACKAGES = ("sparsead", "sparsead.solvers", "sparsead.problems", "coloring")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_listed(package):
    page = (REFERENCE / f"{package.split('.')[-1]}.md").read_text()
    listed = {name.strip() for name in re.findall(r"^   ([\w.]+)$", page, re.MULTILINE)}
    assert not set(importlib.import_module(package).__all__) - listed
