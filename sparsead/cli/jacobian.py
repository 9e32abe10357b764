"""``sparsead jacobian``: the sparse Jacobian of a function of one's own."""

from __future__ import annotations

from typing import Any

import click

from sparsead.cli.function import compute, of_matrix
from sparsead.derivatives.colorings import JACOBIAN_MODES


@click.command()
@of_matrix(JACOBIAN_MODES)
def jacobian(**given: Any) -> None:
    """Print pattern and passes of the sparse Jacobian of FUNCTION, which returns an array, and write its values."""
    compute("jacobian", **given)
