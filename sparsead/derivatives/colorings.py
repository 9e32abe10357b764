"""The modes that work by passes: what each of them colors, in the words of `coloring.color`.

A row here is all that says of a mode what it is: the options of `jacobian` and `hessian`, their messages and the choice
of the cheapest read these tables. How passes are run and entries recovered follows from the coloring.
"""

from __future__ import annotations

from typing import Any

JACOBIAN_COLORINGS: dict[str, dict[str, Any]] = {
    "forward": {"partition": "column"},
    "reverse": {"partition": "row"},
    "bidirectional": {"partition": "bidirectional"},
}
HESSIAN_COLORINGS: dict[str, dict[str, Any]] = {
    "star": {"structure": "symmetric", "decompression": "direct"},
    "acyclic": {"structure": "symmetric", "decompression": "substitution"},
    "column": {"structure": "nonsymmetric", "partition": "column"},
}
SUBSTITUTES = {"acyclic"}  # recovery that adds up rounding errors along trees: only where the user names it
JACOBIAN_MODES = ("auto", "compressed", *JACOBIAN_COLORINGS, "direct")
HESSIAN_MODES = ("auto", "compressed", *HESSIAN_COLORINGS, "direct")
