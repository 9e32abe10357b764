"""``sparsead check``: verify the values and the pattern of a derivative."""

from __future__ import annotations

from typing import Any

import click

import sparsead as sad
from sparsead.cli.function import of_function, prepare
from sparsead.derivatives.colorings import HESSIAN_MODES, JACOBIAN_MODES


@click.command()
@of_function(tuple(dict.fromkeys([*JACOBIAN_MODES, *HESSIAN_MODES])))
@click.option("--hessian", is_flag=True, help="Check the Hessian instead of the Jacobian.")
def check(hessian: bool, x0: Any, args: tuple[Any, ...], **given: Any) -> None:
    """Compare the Jacobian of FUNCTION with differences of it.

    The status is 1 where they disagree, and where nothing could be compared.
    """
    prepared = prepare("hessian" if hessian else "jacobian", x0=x0, args=args, **given)
    try:
        report = sad.check(prepared, x0, *args)
    except sad.CheckFailed as failed:
        raise click.ClickException(str(failed)) from failed
    except sad.SparseADError as error:
        raise click.UsageError(str(error)) from error
    click.echo(report)
    if not compared(report, prepared.shape[0]):
        raise click.ClickException("nothing was compared with FUNCTION: no row has differences to go by at this point")


def compared(report: sad.Report, rows: int) -> bool:
    """Tell whether differences of the function decided about any row."""
    return any("differences" in c.name and c.undecided < rows for c in report.comparisons)
