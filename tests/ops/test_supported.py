"""The page of supported functions is the registry, and what is refused is refused with its reason."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import sparsead as sad
from sparsead.ops.registry import REFUSED
from sparsead.ops.supported import page


@pytest.mark.skipif(not hasattr(np, "matvec"), reason="the page lists functions that NumPy has from 2.2 on")
def test_the_page_is_current():
    stored = Path(__file__).parents[2] / "docs" / "reference" / "supported.md"
    assert stored.read_text() == page() + "\n", "run: python -m sparsead.ops.supported > docs/reference/supported.md"


def _required(func):
    return sum(p.default is p.empty and p.kind < p.VAR_POSITIONAL for p in inspect.signature(func).parameters.values())


@pytest.mark.parametrize("spelling", REFUSED)
def test_refused_functions_say_why(spelling):
    func = np
    for name in spelling.split(".")[1:]:
        func = getattr(func, name)
    count = 1 if func is np.lexsort else _required(func)  # which has no signature before NumPy 2.1
    with pytest.raises(sad.UnsupportedOperationError) as error:
        sad.jacobian(lambda x: func(*[x] * count), np.ones((3, 3)))
    assert REFUSED[spelling] in str(error.value)
    assert "test_supported.py" in str(error.value)
