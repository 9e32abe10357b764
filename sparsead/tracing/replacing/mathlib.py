"""Functions of module math on traced numbers: the NumPy function of the same meaning."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import numpy as np
import scipy.special

from sparsead.tracing.array import TracedArray
from sparsead.tracing.replacing.names import patch
from sparsead.tracing.replacing.raising import MATH, refuse_caught
from sparsead.tracing.scalar import TracedScalar

SAME: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt, "cbrt": np.cbrt, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1,
    "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh,
    "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "fabs": np.absolute, "pow": np.power, "fmod": np.fmod, "copysign": np.copysign, "degrees": np.degrees,
    "radians": np.radians, "erf": scipy.special.erf, "erfc": scipy.special.erfc, "fsum": np.sum, "prod": np.prod,
    "gamma": scipy.special.gamma, "lgamma": scipy.special.gammaln,
    "isfinite": np.isfinite, "isinf": np.isinf, "isnan": np.isnan,
    "dist": lambda p, q: np.sqrt(sum((a - b) ** 2 for a, b in zip(p, q, strict=True))),
    "sumprod": lambda p, q: sum(a * b for a, b in zip(p, q, strict=True)),
    "log": lambda x, base=None: np.log(x) if base is None else np.log(x) / np.log(base),
    "hypot": lambda *xs: np.hypot(*xs) if len(xs) == 2 else np.sqrt(sum(x * x for x in xs)),
}  # fmt: skip


RAISING = {"sqrt", "exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "asin", "acos", "acosh", "atanh", "pow",
           "fmod", "cosh", "sinh", "gamma", "lgamma"}  # fmt: skip


def _dispatching(original: Callable[..., Any], same: Callable[..., Any]) -> Callable[..., Any]:
    raises = original.__name__ in RAISING

    def traced(args: Any, frame: FrameType) -> Any:
        if raises:
            refuse_caught(frame, MATH, whole=False)
        return same(*args)

    def call(*args: Any) -> Any:
        args = tuple(list(a) if isinstance(a, Iterator) else a for a in args)  # math.fsum(x[i] for i in ...)
        for arg in args:
            if isinstance(arg, (TracedScalar, TracedArray)):
                return traced(args, sys._getframe(1))
            if isinstance(arg, (list, tuple)) and any(isinstance(a, TracedScalar) for a in arg):
                return traced(args, sys._getframe(1))
        return original(*args)

    return call


for _name, _same in SAME.items():
    if hasattr(math, _name):
        patch(getattr(math, _name), _dispatching(getattr(math, _name), _same))
