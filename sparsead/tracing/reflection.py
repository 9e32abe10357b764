"""What objects say of themselves, which may be nothing, or anything: proxies answer to every name."""

from __future__ import annotations

from typing import Any


def module_of(kind: object) -> str:
    """Return the name of the module of a class or function; empty where there is none, as in code made by code."""
    name = getattr(kind, "__module__", None)
    return name if isinstance(name, str) else ""


def own_attributes(value: object) -> dict[str, Any] | None:
    """Return the dictionary of an object's attributes; None where there is none."""
    held = getattr(value, "__dict__", None)
    return held if isinstance(held, dict) else None
