"""How arguments reach a rule: bound by NumPy's own signature, none dropped.

A rule states those parameters of its function that it knows. What a caller gives for another one is accepted only if it
changes nothing (its default, ``dtype=float``); everything else is refused here, by name. ``out=`` is written here, and
lists of unknowns become arrays here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from typing import Any, NamedTuple

import numpy as np

from coloring.cached import cached_property
from sparsead.errors import unsupported
from sparsead.ops.signatures import OMITTED, signature_of
from sparsead.tracing.conversions import stack_objects
from sparsead.tracing.foreign import held_in
from sparsead.tracing.probing import Call, write_out
from sparsead.tracing.scalar import TracedScalar

Rule = Callable[..., Any]

# Parameters that hold several arrays, or none; every other list of unknowns is one array.
SEVERAL = frozenset([
    "arrays", "tup", "choices", "choicelist", "condlist", "funclist", "out", "axis", "axes", "shape",
    "blocks", "mats", "diagonals", "c_and_lower", "cb_and_lower", "lu_and_piv", "l_and_u", "points",
    "tck", "system",
])  # fmt: skip
# Parameters that hold one array: a list of known numbers is an array to them too, as it is to NumPy.
OPERANDS = frozenset(["", "a", "b", "c", "x", "y", "A", "m", "v", "x1", "x2", "ab"])
ORDERS = {"C": "C", "F": "F", "A": "A", "K": "K", "c": "C", "f": "F", "a": "A", "k": "K"}
CASTINGS = ("no", "equiv", "safe", "same_kind", "unsafe")


class Places(NamedTuple):
    """What a signature says about arguments that are given by position."""

    names: list[str]
    unnamed: int  # how many of them have no name to a caller
    rest: bool  # whether more than these may follow
    required: frozenset[str]
    keywords: bool  # whether names that are not stated may follow


class Bound:
    """A rule, called as the function that it states is called."""

    def __init__(
        self, func: Callable[..., Any], spelling: str, rule: Rule, method: str | None = None,
        stated: Iterable[str] | None = None, as_given: str | None = None,
    ) -> None:  # fmt: skip
        self.func, self.spelling, self.rule, self.method = func, spelling, rule, method
        self._given = stated
        self._as_given = as_given  # an argument whose rule asks whether it is a number

    @property
    def states_itself(self) -> bool:
        """Whether the rule's own parameters say what it knows."""
        return self._given is None

    def __repr__(self) -> str:
        return f"<rule of {self.spelling}>"

    @cached_property
    def signature(self) -> Signature:
        """NumPy's signature of the function."""
        return signature_of(self.func, self.method)

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return {p.name: p.default for p in self.signature.parameters.values()}

    @cached_property
    def _stated(self) -> frozenset[str] | None:
        """Names of the parameters that the rule knows; None if it knows whatever there is."""
        if self._given is not None:
            return frozenset(self._given)
        parameters = inspect.signature(self.rule).parameters.values()
        everything = any(p.kind is Parameter.VAR_KEYWORD for p in parameters)
        return None if everything else frozenset(p.name for p in parameters)

    @cached_property
    def _operands(self) -> int:
        """How many operands a ufunc has, which is all there is to bind in most calls; -1 of anything else."""
        return self.func.nin if isinstance(self.func, np.ufunc) and self.method is None else -1

    @cached_property
    def _places(self) -> Places:
        parameters = list(self.signature.parameters.values())
        kinds = [p.kind for p in parameters]
        names = [p.name for p in parameters if p.kind < Parameter.VAR_POSITIONAL]
        rest = Parameter.VAR_POSITIONAL in kinds
        unnamed = len(names) if rest else kinds.count(Parameter.POSITIONAL_ONLY)
        required = [p.name for p in parameters if p.default is p.empty and p.kind not in (2, 4)]
        return Places(names, unnamed, rest, frozenset(required), Parameter.VAR_KEYWORD in kinds)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the rule with what it states, and write the result where ``out=`` says."""
        if not kwargs and len(args) == self._operands:
            return self.rule(*[_array("", a) for a in args])
        names, unnamed, rest, required, keywords = self._places
        given = dict(zip(names[unnamed:], args[unnamed:], strict=False))
        fits = rest or len(args) <= len(names)
        fits &= not any(n in given or (n not in self._defaults and not keywords) for n in kwargs)
        given |= kwargs
        if not fits or not required <= {*names[: len(args)], *given}:
            self._fail(args, kwargs)
        out = given.pop("out", None)
        placed = [
            self._converted(names[k], a) if k < len(names) else _array("", a) for k, a in enumerate(args[:unnamed])
        ]
        placed += args[unnamed:] if rest else ()
        named = {n: self._converted(n, v) for n, v in given.items() if v is not OMITTED and self._is_for_the_rule(n, v)}
        result = self.rule(*placed, **named)
        if out is None:
            return result
        function = getattr(self.func, self.method) if self.method else self.func
        return into(out, result, (function, args, kwargs))

    def with_out_named(self, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return arguments in which ``out`` and what follows it are given by name."""
        names = self._places.names
        if len(args) <= len(names) and "out" in names[: len(args)]:
            first = names.index("out")
            return args[:first], dict(zip(names[first:], args[first:], strict=False)) | kwargs
        return args, kwargs

    def with_arrays(self, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return arguments in which lists that are one array each are arrays."""
        names = [*self._places.names, *[""] * len(args)]
        listed = [
            self._converted(n, a) if isinstance(a, (list, tuple)) else a for n, a in zip(names, args, strict=False)
        ]
        return listed, {n: self._converted(n, v) if isinstance(v, (list, tuple)) else v for n, v in kwargs.items()}

    def _converted(self, name: str, value: Any) -> Any:
        return value if name == self._as_given else _array(name, value)

    def _fail(self, args: Any, kwargs: Any) -> None:
        """Raise what Python raises for arguments that do not fit."""
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.spelling}(): {error}") from None

    def _is_for_the_rule(self, name: str, value: Any) -> bool:
        """Tell whether the rule states the parameter; refuse one that it does not state and that changes something."""
        default = self._defaults.get(name)
        value = _checked(name, value, default)
        if self._stated is None or name in self._stated:
            return True
        if not _changes_nothing(name, value, default):
            raise unsupported(f"{self.spelling} with {name}={_short(value)}", f"Leave {name}= out.")
        return False


def _checked(name: str, value: Any, default: Any) -> Any:
    """Raise what NumPy raises for a type, order or kind of cast that is none."""
    if name == "dtype" and value is not None:
        np.dtype(value)
    if name == "casting" and value not in CASTINGS:
        raise ValueError(f"casting must be one of {CASTINGS}, got {value!r}")
    if name == "order" and default in ORDERS and value is not None:
        if value not in ORDERS:
            raise ValueError(f"order must be one of 'C', 'F', 'A', or 'K' (got {value!r})")
        return ORDERS[value]
    return value


def _changes_nothing(name: str, value: Any, default: Any) -> bool:
    """Tell whether a parameter has its default value, or one that means the same for arrays of float64."""
    match name:
        case "dtype":
            return value is None or (np.dtype(value).kind == "f" and np.dtype(value).itemsize >= 4)
        case "casting":
            return value in ("same_kind", "unsafe")
        case "order":
            return value in (None, "C", "A", "K")
        case "where":
            return value is True
        case "subok" | "like" | "overwrite_input":
            return True
        case "device":
            return value in (None, "cpu")
    return value is default or (type(value) in (bool, int, float, str, np.bool_) and value == default)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"<{type(value).__name__}>"


def _array(name: str, value: Any) -> Any:
    """Return an argument as an array if it is a number, or a list, that is unknown; or the list of an operand."""
    if isinstance(value, (list, tuple)):
        array = value if name in SEVERAL else stack_objects(value)
        return np.asarray(value) if array is value and name in OPERANDS else array
    if isinstance(value, TracedScalar) or (type(value) is np.ndarray and value.dtype == object):
        return stack_objects(value)
    held = held_in(value)
    return value if held is None else held


def into(out: Any, result: Any, call: Call) -> Any:
    """Write a result, or several, where ``out=`` says, and return that."""
    if isinstance(result, tuple) and isinstance(out, tuple):
        return tuple(r if o is None else into(o, r, call) for o, r in zip(out, result, strict=True))
    target = out[0] if isinstance(out, tuple) and len(out) == 1 else out
    if np.shape(target) != np.shape(result):
        raise ValueError(f"out= has shape {np.shape(target)}, the result has {np.shape(result)}")
    return write_out(target, result, call)
