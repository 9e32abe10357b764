"""``sparsead jacobian``: the sparse Jacobian of a function of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sparsead.cli.function import compute, of_function


@click.command()
@of_function
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the matrix to J.npz.")
def jacobian(output: Path | None, **given: Any) -> None:
    """Print pattern and passes of the sparse Jacobian of FUNCTION, which returns an array, and write its values."""
    compute("jacobian", output=output, **given)
