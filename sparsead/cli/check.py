"""``sparsead check``: verify the values and the pattern of a derivative."""

from __future__ import annotations

from typing import Any

import click

import sparsead as sad
from sparsead.cli.function import of_function, prepare


@click.command()
@of_function
@click.option("--hessian", is_flag=True, help="Check the Hessian instead of the Jacobian.")
def check(hessian: bool, x0: Any, args: tuple[Any, ...], **given: Any) -> None:
    """Compare the Jacobian of FUNCTION with differences of it; exit with status 1 where they disagree."""
    prepared = prepare("hessian" if hessian else "jacobian", x0=x0, args=args, **given)
    try:
        click.echo(sad.check(prepared, x0, *args))
    except sad.CheckFailed as failed:
        raise click.ClickException(str(failed)) from failed
