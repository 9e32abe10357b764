"""What a prepared derivative is to the rest of the house: what checks, solvers, pickles and files may ask of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from coloring import ColoringResult, SparsityPattern
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
