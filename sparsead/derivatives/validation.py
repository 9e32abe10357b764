"""What users may choose: each option of the public calls by name, which values it takes, and the words where it is
given another one."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

from coloring import ColoringResult, SparsityPattern
from coloring.orders import ORDERS as COLORING_ORDERS
from sparsead.contract import Matrix
from sparsead.derivatives.colorings import HESSIAN_MODES, JACOBIAN_MODES
from sparsead.derivatives.layouts import FORMATS, TRIANGLES
from sparsead.derivatives.stepping import METHODS
from sparsead.derivatives.structure import ORDERS
from sparsead.emit.pool import MOST_THREADS
from sparsead.emit.sweep import BACKENDS
from sparsead.errors import InputError
from sparsead.tracing.arguments import Signature, short_repr
from sparsead.tracing.wrappers import ByName

SEARCHES = ("auto", "best", "exact")


@dataclass(frozen=True)
class Rule:
    """Which values an option takes, and how an error says so; `title` is what it calls the option."""

    fits: Callable[[Any], bool]
    expected: str
    title: str = ""


def bind_named(
    f: Callable[..., Any], args: tuple[Any, ...], named: Mapping[str, Any], title: str
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a function of positional arguments alone, and all of them, where some were given by name.

    Raises
    ------
    InputError
        If the function has no argument of a name, or it is there twice; `title` says which call has no such option.
    """
    if not named:
        return f, args
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    places = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    known = {p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    for name in named:
        if name in places[: len(args)]:
            raise InputError(f"{name!r} is there twice: by its place, and by name")
        if name not in known and not takes_any:
            raise InputError(
                f"{name}= is no option of {title}, and {getattr(f, '__name__', 'the function')} has no argument of "
                f"this name; it has {', '.join(p.name for p in parameters) or 'none that can be seen'}{_args_of(name)}"
            )
    return ByName(f, tuple(places[: len(args)]), tuple(named)), (*args, *named.values())


def _args_of(name: str) -> str:
    return "; write the arguments one by one behind x0, without args=" if name == "args" else ""


def one_of(title: str, *values: Any) -> Rule:
    """Return the rule of an option with a few values, told by type as well: 1 is not True."""

    def fits(value: Any) -> bool:
        return any(type(value) is type(known) and value == known for known in values)

    return Rule(fits, f"one of {', '.join(v if isinstance(v, str) else repr(v) for v in values)}", title)


def optional(rule: Rule) -> Rule:
    """Return the rule of an option that may be left to None."""
    return Rule(lambda value: value is None or rule.fits(value), f"{rule.expected}, or None", rule.title)


def _is_flag(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_count(value: Any, least: float, most: float = math.inf) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and least <= int(value) <= most


def _is_number(value: Any) -> bool:
    return np.ndim(value) == 0 and np.asarray(value).dtype.kind in "fiu" and not np.isnan(value)


def _is_step(value: Any) -> bool:
    try:
        array = np.asarray(value)
    except ValueError:
        return False
    return array.dtype.kind in "fiu" and array.size > 0 and bool(np.all(np.isfinite(array) & (array > 0)))


def _is_order(value: Any) -> bool:
    if isinstance(value, str):
        return value in COLORING_ORDERS or value in SEARCHES
    return callable(value) or (isinstance(value, (list, tuple, np.ndarray)) and len(value) > 0)


def _is_pattern(value: Any) -> bool:
    if isinstance(value, SparsityPattern) or scipy.sparse.issparse(value):
        return True
    return isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind in "biuf"


def _is_coloring(value: Any) -> bool:
    if isinstance(value, str):
        return value == "none"
    return isinstance(value, (ColoringResult, list, tuple, np.ndarray))


_FLAG = Rule(_is_flag, "True or False")
_CALL = Rule(callable, "a function")
_NUMBER = Rule(lambda v: _is_count(v, 0), "a whole number from 0 on")
_TOLERANCE = Rule(lambda v: _is_number(v) and v >= 0, "a number from 0 on")
RULES = {
    # of preparations
    "jacobian mode": one_of("mode", *JACOBIAN_MODES),
    "hessian mode": one_of("mode", *HESSIAN_MODES),
    "method": one_of("method", "ad", *METHODS),
    "guard": one_of("guard", "error", "record"),
    "backend": Rule(lambda v: isinstance(v, str) and v in BACKENDS, f"one of {', '.join(BACKENDS)}", "back end"),
    "format": one_of("format", *FORMATS),
    "triangle": one_of("triangle", *TRIANGLES),
    "pattern": optional(Rule(_is_pattern, "a SparsityPattern, a sparse matrix or a 2-D array")),
    "coloring": optional(Rule(_is_coloring, "'none', a coloring result, or an array of colors", "coloring")),
    "coloring order": Rule(_is_order, f"one of {', '.join((*COLORING_ORDERS, *SEARCHES))}, a callable, or a list"),
    "step": optional(Rule(_is_step, "a positive number, or one for each element of x")),
    "threads": optional(Rule(lambda v: _is_count(v, 1, MOST_THREADS), f"a number from 1 to {MOST_THREADS}")),
    "check": _FLAG,
    "has_aux": _FLAG,
    "device": optional(one_of("device", "cuda")),
    "progress": Rule(lambda v: _is_flag(v) or callable(v), "True, False or a function (stage, seconds)"),
    # of functions inside of functions
    "steps": Rule(lambda v: hasattr(type(v), "__index__") and np.ndim(v) == 0, "a whole number"),
    "keep": optional(Rule(lambda v: _is_count(v, 1), "a whole number from 1 on")),
    "jvp": optional(_CALL),
    "vjp": optional(_CALL),
    "shape": optional(_CALL),
    "linear": _FLAG,
    "name": optional(Rule(lambda v: isinstance(v, str), "a text")),
    # of calls
    "keep_constants": _FLAG,
    "verify": one_of("verify", False, True, "products"),
    "values order": optional(one_of("order", *ORDERS)),
    "batch format": one_of("format", "values", "csr"),
    "axis": Rule(lambda v: _is_count(v, -1), "0 (the points come first) or -1 (last)"),
    "sigma": Rule(_is_number, "a real number"),
    "seed": _NUMBER,
    "row": optional(Rule(lambda v: _is_count(v, -math.inf), "a whole number")),
    "column": optional(Rule(lambda v: _is_count(v, -math.inf), "a whole number")),
    # of solvers
    "jac": optional(Rule(lambda v: isinstance(v, Matrix), "what sparsead.jacobian has prepared")),
    "ftol": _TOLERANCE,
    "xtol": _TOLERANCE,
    "atol": _TOLERANCE,
    "maxiter": _NUMBER,
    "callback": optional(_CALL),
    # of files
    "path": Rule(lambda v: isinstance(v, (str, os.PathLike)), "the name of a file"),
}  # fmt: skip


def check_options(signature: Signature | None = None, **given: Any) -> None:
    """Raise InputError for an option whose value it does not take.

    Parameters
    ----------
    signature : Signature, optional
        Of the function, in calls: an argument of it that has the name of an option is given by its place.
    **given
        Values by the names of `RULES`, with underscores for spaces.
    """
    for key, value in given.items():
        rule = RULES.get(key) or RULES[key.replace("_", " ")]
        if rule.fits(value):
            continue
        name = key if key in RULES else key.rsplit("_", 1)[-1]
        met = f"unknown {rule.title} {short_repr(value)}; expected {rule.expected}"
        words = met if rule.title else f"{name} must be {rule.expected}, got {short_repr(value)}"
        both = signature is not None and name in signature.names
        raise InputError(words + (f"; the function's own argument {name!r} is given by its place" if both else ""))
