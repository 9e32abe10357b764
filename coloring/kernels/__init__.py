"""Compiled kernels on plain arrays: the only modules that import numba.

Each submodule is imported at its first use, so that ``import coloring`` stays cheap: write
``kernels.distance2.color_columns(...)`` and numba is loaded when that line runs.  Every kernel takes
arrays that its caller has converted (int32 indices, C order), so that one specialisation is compiled
and cached on disk.
"""

from importlib import import_module
from types import ModuleType
from typing import Any

from ..interrupts import uninterrupted


class _Kernels:
    """A submodule whose kernels are not interrupted: numba loses an exception that comes while it unpacks arrays."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._module, name)
        self.__dict__[name] = uninterrupted(value) if hasattr(value, "py_func") else value
        return self.__dict__[name]


def __getattr__(name: str) -> Any:
    try:
        globals()[name] = _Kernels(import_module(f"{__name__}.{name}"))
    except ModuleNotFoundError as error:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from error
    return globals()[name]
