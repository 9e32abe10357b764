"""``sparsead hessian``: the sparse Hessian of a function of one's own."""

from __future__ import annotations

from typing import Any

import click

from sparsead.cli.function import compute, of_matrix
from sparsead.derivatives.colorings import HESSIAN_MODES


@click.command()
@of_matrix(HESSIAN_MODES)
def hessian(**given: Any) -> None:
    """Print pattern and passes of the sparse Hessian of FUNCTION, which returns one number, and write its values."""
    compute("hessian", **given)
