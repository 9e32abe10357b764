"""Back ends that run generated source as Python: interpreted, or compiled by numba."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import scipy.special

from coloring.interrupts import uninterrupted
from sparsead.emit.parsing import Rewriter, parse
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import Function

Call = Callable[[Sequence[np.ndarray]], None]  # takes the arrays that change from call to call, in order
Bind = Callable[[Mapping[str, np.ndarray]], Call]  # takes the arrays that stay, by name

# The functions of the generated language: name -> what Python and numba call.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": np.sqrt, "cbrt": np.cbrt, "exp": np.exp, "exp2": np.exp2, "expm1": np.expm1, "log": np.log,
    "log2": np.log2, "log10": np.log10, "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan,
    "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "hypot": np.hypot,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "erf": math.erf, "erfc": math.erfc, "floor": np.floor, "ceil": np.ceil,
    "lgamma": math.lgamma, "tgamma": math.gamma, "trunc": np.trunc, "rint": np.rint, "fmod": np.fmod,
    "copysign": np.copysign,
}  # fmt: skip
TRUTH = re.compile(r"[<>]|[!=]=|\bnot\b")  # what gives truth values
FLOAT = re.compile(r"(?<![\w.])(?:\d+\.\d*|\d+(?=e))(?:e[+-]?\d+)?")
INTERPRETED = {"lgamma": scipy.special.gammaln, "tgamma": scipy.special.gamma}  # those of math raise at poles


def prefetch(array: np.ndarray, at: int) -> None:
    """Ask for a line of memory before it is needed: a hint, which only machine code can give."""


def load(
    code: Function | Procedure, functions: dict[str, Callable[..., Any]], exact: bool = False
) -> Callable[..., None]:
    """Define a generated function in a namespace that holds `functions` only; `exact`: numbers are float64."""
    namespace: dict[str, Any] = {**functions, "inf": np.inf, "nan": np.nan, "range": range, "abs": abs}
    namespace |= {"min": min, "max": max}
    tree = parse(_with_float64(code.text, namespace) if exact else code.text)
    if exact and TRUTH.search(code.text):
        namespace["float64"] = np.float64
        tree = _Numbers().visit(tree)
    exec(compile(tree, f"<sparsead {code.name}>", "exec"), namespace)  # our own text, never a user's
    return namespace[code.name]


class _Numbers(Rewriter):
    """Makes 1.0 and 0.0 of truth values, as they are in memory: NumPy's have an arithmetic of their own."""

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Convert what is compared."""
        return _float64(self.generic_visit(node))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        """Convert what is negated."""
        new = self.generic_visit(node)
        return _float64(new) if isinstance(node.op, ast.Not) else new


def _float64(node: ast.expr) -> ast.expr:
    called = ast.copy_location(ast.Name("float64", ast.Load()), node)
    return ast.copy_location(ast.Call(called, [node], []), node)


def _with_float64(text: str, namespace: dict[str, Any]) -> str:
    """Replace numbers by names of float64 ones, put into `namespace`: a division by Python's 0.0 is an error."""

    def named(number: re.Match[str]) -> str:
        name = f"number_{number[0].replace('.', '_').replace('-', 'm').replace('+', '')}"
        namespace[name] = np.float64(number[0])
        return name

    return FLOAT.sub(named, text)


def _binding(function: Callable[..., None], source: Function) -> Bind:
    def bind(bound: Mapping[str, np.ndarray]) -> Call:
        def call(given: Sequence[np.ndarray]) -> None:
            others = iter(given)
            with np.errstate(all="ignore"):
                function(*(bound[name] if name in bound else next(others) for name in source.arrays))

        return call

    return bind


def interpreted(source: Function) -> Bind:
    """Run the source as plain Python: slow, and with nothing between the text and the result."""
    functions = FUNCTIONS | INTERPRETED | {"prefetch": prefetch}
    functions |= {procedure.name: load(procedure, functions, exact=True) for procedure in source.procedures}
    function = load(source, functions, exact=True)

    def call(*arrays: np.ndarray) -> None:  # an index is a number of Python's, without end, not one of an array's type
        function(*(array if array.dtype.kind == "f" else array.data for array in arrays))

    return _binding(call, source)


def numba_compiled(source: Function) -> Bind:
    """Compile the source with numba for C-contiguous arrays of the declared types."""
    import numba

    def jit(code: Function | Procedure) -> Callable[..., None]:
        numbers = code.numbers if isinstance(code, Procedure) else ()
        kinds = (numba.types.Array(numba.from_dtype(np.dtype(dtype)), 1, "C") for dtype in code.arrays.values())
        signature = numba.void(*kinds, *(numba.int64 for _ in numbers))
        return numba.njit(signature, error_model="numpy", nogil=True)(load(code, functions))

    functions = FUNCTIONS | {"prefetch": numba.njit(prefetch)}
    functions |= {procedure.name: jit(procedure) for procedure in source.procedures}
    return _binding(uninterrupted(jit(source)), source)
