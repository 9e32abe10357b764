"""Kernels on plain arrays: what numba compiles, once that pays (see `kernel`).

Each submodule is imported at its first use: write ``kernels.distance2.color_columns(...)``.  Every kernel takes
arrays that its caller has converted (int32 indices, C order), so that one specialisation is compiled
and cached on disk.
"""

from importlib import import_module
from typing import Any


def __getattr__(name: str) -> Any:
    try:
        return import_module(f"{__name__}.{name}")
    except ModuleNotFoundError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
