"""Functions of scipy.ndimage without a rule: of known arrays they compute on memory, and may fill the caller's.

``median_filter(image, 3, output=room)`` asks `room` for its memory, and would be given a copy of it.
"""

from __future__ import annotations

import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from sparsead.tracing.array import traced_in
from sparsead.tracing.known import on_values
from sparsead.tracing.replacing.names import FIRST, LOADED, PATCHES, patch

MODULE = "scipy.ndimage"


def _on_memory(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a function; where all that it is given is known, on the memory of that."""
    known = all(part.is_constant for part in traced_in([args, kwargs]))
    return on_values(original, args, kwargs) if known else original(*args, **kwargs)


def _find() -> None:
    """State that of the functions without a rule, once they are imported."""
    module = sys.modules.get(MODULE)
    for name in getattr(module, "__all__", ()):
        function = getattr(module, name, None)
        if type(function) is types.FunctionType and function not in PATCHES:
            patch(function, functools.partial(_on_memory, function))


LOADED.add_home(MODULE)
FIRST.append(_find)
