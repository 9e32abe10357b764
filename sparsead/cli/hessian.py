"""``sparsead hessian``: the sparse Hessian of a function of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sparsead.cli.function import compute, of_function


@click.command()
@of_function
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the matrix to H.npz.")
def hessian(output: Path | None, **given: Any) -> None:
    """Print pattern and passes of the sparse Hessian of FUNCTION, which returns one number, and write its values."""
    compute("hessian", output=output, **given)
