"""What a module of the user's holds: ``package.module:name``."""

from __future__ import annotations

import difflib
import importlib
import operator
import sys
from collections.abc import Callable
from typing import Any, NoReturn


def named(value: str, fail: Callable[[str], NoReturn]) -> Any:
    """Import a module, from the current folder too, and return what it holds; ``fail(message)`` where it does not."""
    module, _, name = value.partition(":")
    if not module or not name:
        fail(f"{value!r} is not of the form MODULE:FUNCTION")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = importlib.import_module(module)
    except Exception as error:  # whatever the module raises
        hint = f"; write {module.removesuffix('.py')}:{name}" if module.endswith(".py") else ""
        fail(f"cannot import {module}: {type(error).__name__}: {error}{hint}")
    try:
        return operator.attrgetter(name)(found)
    except AttributeError:
        public = [key for key, value in vars(found).items() if callable(value) and not key.startswith("_")]
        similar = difflib.get_close_matches(name, public, n=1)
        hint = f"did you mean {similar[0]}?" if similar else f"it has {', '.join(public) or 'none'}"
        fail(f"{module} has no function {name}; {hint}")
