"""Orders on the command line."""

from __future__ import annotations

import click

from coloring.orders import ORDERS
from sparsead.measuring.counting import SEARCHES

NAMES = [*ORDERS, *SEARCHES]
LISTED = ", ".join(NAMES)  # for the help, where a list of choices would be one word of 200 letters


class OrderName(click.Choice):
    """The name of an order of vertices, or of a search over orders."""

    def __init__(self) -> None:
        super().__init__(NAMES)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        """Return a word in place of all names."""
        return "ORDER"
