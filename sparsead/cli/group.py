"""The command group: the subcommands and what they share."""

from __future__ import annotations

import importlib
from typing import Any

import click

from sparsead import __version__

COMMANDS = {
    "demo": "Run the main job on a problem from the literature.",
    "jacobian": "Print and write the sparse Jacobian of a function of yours.",
    "hessian": "Print and write its sparse Hessian.",
    "check": "Verify their values and patterns.",
    "bench": "Count passes and take times over the built-in problems.",
    "color": "Color a Matrix Market file: pass counts of every coloring and order.",
}


class Commands(click.Group):
    """Subcommands that are imported when they are used: ``sparsead.cli.NAME`` holds the command ``NAME``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order in which they are shown."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import and return a subcommand; None if there is none of that name."""
        return getattr(importlib.import_module(f"sparsead.cli.{name}"), name) if name in COMMANDS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of subcommands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sparsead")
def group(**_: Any) -> None:
    """Sparse Jacobians and Hessians of plain NumPy code."""
