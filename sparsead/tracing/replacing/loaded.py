"""What happens to the names of each loaded module while a trace runs.

Modules are sorted once, by name and file; a trace asks again only where modules have come or gone. What their names are
bound to is never remembered: anybody may bind anything at any time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Set
from importlib.machinery import EXTENSION_SUFFIXES
from typing import Any, Literal

from sparsead.errors import is_installed
from sparsead.tracing.replacing.standins import is_library

Treatment = Literal["home", "replace", "shield", ""]

HOMES = {  # where users find the patched functions
    "numpy", "numpy.linalg", "numpy.fft", "numpy.random", "math",
    *map("numpy.polynomial.".__add__, ["chebyshev", "hermite", "hermite_e", "laguerre", "legendre", "polynomial"]),
    "scipy.special", "scipy.linalg", "scipy.sparse", "scipy.sparse.linalg",
}  # fmt: skip

_COMPILED = tuple(EXTENSION_SUFFIXES)
_known: dict[str, tuple[int, Treatment]] = {}  # names of modules -> identity and treatment


def treatment(name: str, file: str) -> Treatment:
    """Decide what happens to the names of a module: they are replaced, or a compiled module is shielded from that."""
    if name in HOMES:
        return "home"
    if file.endswith(_COMPILED):
        return "shield"
    plain = is_library(name) or name.partition(".")[0] in sys.stdlib_module_names
    return "" if plain else "replace"


def treatment_of(name: str, module: Any) -> Treatment:
    """Decide the same for a module that was imported, once: what is there in thousands is only looked up."""
    seen = _known.get(name)
    if seen is None or seen[0] != id(module):
        names = getattr(module, "__dict__", None)
        seen = id(module), "" if names is None else treatment(name, str(names.get("__file__", "")))
        _known[name] = seen
    return seen[1]


def _is_own(module: Any) -> bool:
    """Tell whether a module is the user's, and of no installed package."""
    return not is_installed(str(module.__dict__.get("__file__", "")))


class Loaded:
    """The names of the modules that are loaded, by treatment."""

    def __init__(self) -> None:
        self._seen: tuple[list[str], list[int]] = [], []
        self._names: dict[str, list[str]] = {}

    def add_home(self, name: str) -> None:
        """Count a module among those where users find patched functions."""
        HOMES.add(name)
        _known.pop(name, None)
        self._seen = [], []

    def add_homes_of(self, function: Callable[..., Any]) -> None:
        """Do that for the modules that offer a function, but for those whose names are replaced anyway."""
        for name, module in sys.modules.copy().items():
            offered = getattr(module, "__dict__", {}).values()
            if any(value is function for value in offered) and treatment_of(name, module) != "replace":
                self.add_home(name)

    def now(self) -> dict[str, list[Any]]:
        """Return the loaded modules by what happens to their names; those replaced in are also "own" or "installed"."""
        modules = sys.modules.copy()  # other threads import meanwhile
        seen = list(modules), list(map(id, modules.values()))  # modules are not kept alive
        if seen != self._seen:
            names: dict[str, list[str]] = {"home": [], "replace": [], "own": [], "installed": [], "shield": [], "": []}
            for name, module in modules.items():
                names[treatment_of(name, module)].append(name)
            for name in names["replace"]:
                names["own" if _is_own(modules[name]) else "installed"].append(name)
            self._names, self._seen = names, seen
        return {kind: [modules[name] for name in names] for kind, names in self._names.items() if kind}

    def installed_of(self, packages: Set[str]) -> list[str]:
        """Return the names of modules of installed packages that are replaced in, as of the last look."""
        installed = self._names.get("installed", ()) if packages else ()
        return [name for name in installed if name.partition(".")[0] in packages]


LOADED = Loaded()
