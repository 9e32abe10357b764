"""What is bound late is bound once everything is imported."""

from __future__ import annotations

import sparsead  # noqa: F401  (imports what binds)
from sparsead.tracing.late import Late, late


def test_everything_is_bound():
    assert set(vars(late)) == set(Late.__annotations__)
    assert all(callable(function) for function in vars(late).values())
