"""Graph colorings for compressed sparse derivatives.

Pick a problem (which structure, what to group, how to recover) and an order; get a coloring that
compresses matrices of that pattern and recovers them.

Examples
--------
>>> import numpy as np
>>> import coloring
>>> A = np.array([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0], [4.0, 0.0, 0.0]])
>>> result = coloring.color(A)
>>> result.colors, result.num_colors
(array([0, 0, 1], dtype=int32), 2)
>>> B = result.compress(A)
>>> result.decompress(B).toarray()
array([[1., 0., 2.],
       [0., 3., 0.],
       [4., 0., 0.]])
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import color, from_colors
    from .errors import ColoringError
    from .networks.graphs import adjacency_graph, bipartite_graph, column_intersection_graph, row_intersection_graph
    from .pattern import SparsityPattern
    from .recovery import RecoveryPlan
    from .results import ColoringResult
    from .verify import Verdict, is_acyclic, is_bicoloring, is_star, is_structurally_orthogonal

__all__ = [
    "ColoringError",
    "ColoringResult",
    "RecoveryPlan",
    "SparsityPattern",
    "Verdict",
    "adjacency_graph",
    "bipartite_graph",
    "color",
    "column_intersection_graph",
    "from_colors",
    "is_acyclic",
    "is_bicoloring",
    "is_star",
    "is_structurally_orthogonal",
    "row_intersection_graph",
]

# NetworkX imports this package for its backend's description whenever it is imported itself, so the
# public names are looked up at first use.
_HOMES = {
    "api": ("color", "from_colors"),
    "errors": ("ColoringError",),
    "networks.graphs": (
        "adjacency_graph",
        "bipartite_graph",
        "column_intersection_graph",
        "row_intersection_graph",
    ),
    "pattern": ("SparsityPattern",),
    "recovery": ("RecoveryPlan",),
    "results": ("ColoringResult",),
    "verify": ("Verdict", "is_acyclic", "is_bicoloring", "is_star", "is_structurally_orthogonal"),
}
_HOME = {name: module for module, names in _HOMES.items() for name in names}
_SUBMODULES = {"orders", "problems", "verify", "exact"}


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    if name in _SUBMODULES:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
