"""Options with many choices: a word stands for them, and the help lists them, so that it fits 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import click

from coloring.orders import ORDERS
from sparsead.measuring.counting import SEARCHES


def choice(flag: str, name: str, names: Iterable[str], words: str, **options: Any) -> Callable[..., Any]:
    """Return an option whose value is one of these names; `words` are its help, before the names."""
    listed = list(names)
    text = f"{words}: {', '.join(listed)}."
    shown: dict[str, Any] = {"metavar": flag.strip("-").upper(), "help": text, "show_default": True}
    return click.option(flag, name, type=click.Choice(listed), **shown, **options)


order_option = choice("--order", "orders", [*ORDERS, *SEARCHES], "An order, may be repeated", multiple=True)
