"""Tables for notebooks: plain HTML that takes the colors of the page, light or dark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

LINE = "border-bottom:1px solid rgba(128,128,128,.3)"
CELL = "padding:.15em .8em .15em 0;background:none;vertical-align:top;"


class Html(str):
    """Text that is HTML already; all other text is escaped."""


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return a table; numbers stand to the right, and no `columns` means no head."""
    body = "".join(f"<tr style='background:none'>{''.join(map(_cell, row))}</tr>" for row in rows)
    head = "".join(f"<th style='{CELL}{LINE};text-align:left'>{escape(name)}</th>" for name in columns)
    head = f"<thead><tr style='background:none'>{head}</tr></thead>" if columns else ""
    return f"<table style='border-collapse:collapse;border:0'>{head}<tbody>{body}</tbody></table>"


def facts(title: str, rows: Iterable[tuple[str, Any]], picture: str = "") -> str:
    """Return a title above named facts, with a picture (HTML) to their left."""
    named = [(Html(f"<b>{escape(name)}</b>"), value) for name, value in rows]
    side = f"<div style='flex:none;margin-top:.3em'>{picture}</div>" if picture else ""
    body = f"<div><div><b>{escape(title)}</b></div>{table((), named)}</div>"
    return f"<div style='display:flex;gap:1.2em;align-items:flex-start'>{side}{body}</div>"


def _cell(value: Any) -> str:
    align = "right" if _is_number(str(value)) else "left"
    text = value if isinstance(value, Html) else escape(str(value))
    return f"<td style='{CELL}text-align:{align}'>{text}</td>"


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", ""))
    except ValueError:
        return False
    return True
