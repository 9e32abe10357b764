"""Root finders of scipy.optimize inside of traced functions: roots with the derivative of implicit functions.

What depends on x is found among the arguments, and among the variables around the functions that are given; it becomes
parameters of the equation. The finder itself runs on numbers, at every evaluation.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import types
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.derivatives.solution import implicit
from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, is_traced, known
from sparsead.tracing.known import on_values
from sparsead.tracing.libraries import ROOTS
from sparsead.tracing.replacing.names import patch_later

# A finder -> its argument that has the shape of the root, and where its result has the root and whether it was found.
FINDERS: dict[str, tuple[str, str, str]] = {
    **dict.fromkeys(["brentq", "brenth", "bisect", "ridder", "toms748"], ("a", "", "")),
    "newton": ("x0", "", ""),
    "fsolve": ("x0", "", ""),
    "root": ("x0", "x", "success"),
    "root_scalar": ("", "root", "converged"),
}
REFUSED = ("full_output", "callback")
FLAT = ("hybr", "lm")  # methods of `root` that call the function with a vector, whatever shape the start has
TOGETHER = ("jac", "fprime", "fprime2")  # where one of them is True, the function returns derivatives as well
NOTHING = type(None)  # stands for what is unknown; callable, as functools.partial wants


class Lifted:
    """A value whose unknown parts are parameters: a number, an array, a tuple, or a function around which some are.

    It holds nothing that is traced, so that it can be kept.
    """

    def __init__(self, value: Any, unknown: list[Any]) -> None:
        self.place: int | None = None
        self.value, self.parts = value, []
        around = _variables(value)
        if is_traced(value):
            self.place, self.value = len(unknown), None
            unknown.append(value)
        elif isinstance(value, tuple):
            self.value, self.parts = tuple, [Lifted(part, unknown) for part in value]
        elif any_traced(around):
            self.parts = [Lifted(part, unknown) for part in around]
            self.value = _around(value, [NOTHING] * len(around))
        elif any_traced(value, vars(getattr(value, "__self__", value)) if callable(value) else ()):
            raise unsupported("a root whose equation holds unknowns in a container, or in an object", ROOTS)
        else:
            self.value = known(value, "a constant of an equation")

    def of(self, parameters: Sequence[Any]) -> Any:
        """Return the value with these in place of what is unknown."""
        if self.place is not None:
            return parameters[self.place]
        inner = [part.of(parameters) for part in self.parts]
        if self.value is tuple:
            return tuple(inner)
        return _around(self.value, inner) if inner else self.value


def _variables(f: Any) -> list[Any]:
    """Return what a function holds: variables of the functions around it, and default or bound arguments."""
    if isinstance(f, functools.partial):
        return [f.func, *f.args, *f.keywords.values()]
    if not isinstance(f, types.FunctionType):
        return []
    cells = (cell.cell_contents for cell in f.__closure__ or ())
    return [*cells, *(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]


def _around(f: Any, values: Sequence[Any]) -> Any:
    """Return a function that holds other values."""
    if isinstance(f, functools.partial):
        n = len(f.args) + 1
        return functools.partial(values[0], *values[1:n], **dict(zip(f.keywords, values[n:], strict=True)))
    n, k = len(f.__closure__ or ()), len(f.__defaults__ or ())
    cells = tuple(map(types.CellType, values[:n]))
    made = types.FunctionType(f.__code__, f.__globals__, f.__name__, tuple(values[n : n + k]), cells)
    made.__kwdefaults__ = dict(zip(f.__kwdefaults__ or {}, values[n + k :], strict=True))
    return made


def _state(name: str) -> None:
    shaped, root, success = FINDERS[name]

    def call(original: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        given = inspect.signature(original).bind(*args, **kwargs).arguments
        given |= given.pop("kwargs", {})
        unknown: list[Any] = []
        lifted = {key: Lifted(value, unknown) for key, value in given.items()}
        if not unknown:
            return on_values(original, args, kwargs)
        if any(given.get(key) for key in REFUSED):
            raise unsupported(f"scipy.optimize.{name} of unknowns with full_output= or callback=", "Leave them out.")
        equation = next(iter(given))  # the function comes first
        like = given.get(shaped)
        start = np.zeros(() if like is None else np.shape(like))
        if name == "fsolve" or (name == "root" and given.get("method", "hybr") in FLAT):
            start = start.reshape(-1)
        together = any(given.get(key) is True for key in TOGETHER)

        def residual(u: Any, *parameters: Any) -> Any:
            extra = lifted["args"].of(parameters) if "args" in lifted else ()
            value = lifted[equation].of(parameters)(u, *(extra if isinstance(extra, tuple) else (extra,)))
            return value[0] if together else value

        def solve(_: Any, *parameters: Any) -> Any:
            result = original(**{key: value.of(parameters) for key, value in lifted.items()})
            if success and not result[success]:
                raise ArithmeticError(f"scipy.optimize.{name} found no root: {result.get('message', result)}")
            return result[root] if root else result

        residual.__name__ = getattr(given[equation], "__name__", name)
        found = implicit(residual, solve)(start, *unknown)
        return _result(**{root: found, success: True}) if root else found

    patch_later("scipy.optimize", name, call)


def _result(**values: Any) -> Any:
    return importlib.import_module("scipy.optimize").OptimizeResult(**values)


for _name in FINDERS:
    _state(_name)
