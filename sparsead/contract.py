"""What a prepared derivative is to the rest of the house: what checks, solvers, pickles and files may ask of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from coloring import ColoringResult, SparsityPattern
from sparsead.errors import NotOfferedError
from sparsead.tracing.arguments import Signature

Kind = Literal["jacobian", "hessian", "gradient"]
ROUNDING = 1e-9  # relative agreement that two exact computations must reach


@runtime_checkable
class Derivative(Protocol):
    """A prepared derivative of a function.

    Attributes
    ----------
    derivative : str
        Which one: ``"jacobian"``, ``"hessian"`` or ``"gradient"``.
    function : callable
        What was differentiated.
    signature : Signature
        How its arguments and its result are built.
    accuracy : float
        Relative accuracy that can be expected of the entries.
    """

    derivative: Kind
    function: Callable[..., Any]
    signature: Signature
    accuracy: float

    def at(self, args: tuple[Any, ...]) -> Derivative:
        """Return what holds at these arguments: another preparation where branches were recorded, else this one."""
        return self

    def value(self, x: Any, *args: Any) -> Any:
        """Return the value of the function."""
        raise NotImplementedError


@runtime_checkable
class Matrix(Derivative, Protocol):
    """A prepared Jacobian or Hessian.

    Attributes
    ----------
    pattern : SparsityPattern
        Where entries can be nonzero.
    coloring : ColoringResult or None
        Which columns or rows share a pass.
    mode : str
        How the values are computed.
    """

    pattern: SparsityPattern
    coloring: ColoringResult | None
    mode: str

    def values(self, x: Any, *args: Any, out: np.ndarray | None = None, order: str | None = None) -> np.ndarray:
        """Return the values of the entries in an order; ``"csr"``: all of them, by rows."""
        raise NotImplementedError


# What each kind of a prepared derivative offers. Who lacks some of it says why: see `Partial`.
OF_ALL = (
    "accuracy", "argnum", "at", "batch", "checked", "compile", "derivative", "export", "function", "signature",
    "source", "surroundings", "timings", "value", "value_batch",
)  # fmt: skip
OF_MATRICES = (
    "address", "blocks", "c_function", "coloring", "diagonal", "explain", "linear_operator", "mode", "passes",
    "pattern", "prepared_call", "reasons", "save", "shape", "structure", "title", "values",
)  # fmt: skip
OF_KIND: dict[Kind, tuple[str, ...]] = {
    "jacobian": (*OF_MATRICES, "jvp", "normal", "value_and_jacobian", "vjp"),
    "hessian": (
        *OF_MATRICES, "gradient", "gradient_batch", "hvp", "value_and_gradient", "value_gradient_and_hessian",
    ),
    "gradient": ("value_and_gradient",),
}  # fmt: skip
AFTER_A_VECTOR = frozenset({"jvp", "vjp", "hvp"})  # called as (x, vector, *args)
AT_A_POINT = AFTER_A_VECTOR | {
    "diagonal", "gradient", "linear_operator", "normal", "value", "value_and_gradient", "value_and_jacobian",
    "value_gradient_and_hessian", "values",
}  # fmt: skip
OF_MANY_POINTS = frozenset({"batch", "gradient_batch", "value_batch"})


def members(kind: Kind) -> frozenset[str]:
    """Return the names of what every derivative of a kind offers, or refuses in words."""
    return frozenset((*OF_ALL, *OF_KIND[kind]))


class Partial:
    """A derivative that lacks some of what its kind offers: asked for it, it says why, and what to do."""

    derivative: Kind

    def _lacks(self, name: str) -> str:
        """Return why it does not offer something of this name, and what does."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_") and name in members(self.derivative):
            raise NotOfferedError(self._lacks(name))
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)
