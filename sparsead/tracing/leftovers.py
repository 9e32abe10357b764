"""What outlives a trace: arrays that the function put into attributes, globals, caches or default arguments.

Arrays that were constant become ndarrays again, wherever they are kept: the function finds there what a run on plain
arrays would have left. Traced ones have no values that could be left, and are refused with the place.
"""

from __future__ import annotations

import functools
import gc
import sys
import types
from collections.abc import Iterator
from typing import Any

from sparsead.errors import SparseADError
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.loops.tape import Tape
from sparsead.tracing.scalar import TracedScalar

KINDS: tuple[type, ...] = (TracedArray, TracedScalar, TracedComplex)
CACHE = type(functools.lru_cache(lambda: None))
DEEP = 8  # tuples inside tuples that are made anew


class LeftoverError(SparseADError):
    """A function keeps a traced value, which means nothing once the trace has ended."""


def alive() -> int:
    """Return a number that grows with the traced values there are: each holds a reference to its type."""
    return sum(map(sys.getrefcount, KINDS))


def settle(name: str, tape: Tape) -> None:
    """Turn what is left of a trace into ndarrays.

    Parameters
    ----------
    name : str
        The function that left it, in words.
    tape : Tape
        Of the trace.

    Raises
    ------
    LeftoverError
        If a traced value is kept.
    """
    gc.collect()  # what only waits to be freed is kept by nobody
    left = [value for kind in KINDS for value in gc.get_referrers(kind) if type(value) is kind]
    plain = {id(value): _plain(value) for value in left}
    left = [value for value in left if plain[id(value)] is not None or _is_of(value, tape)]
    for holder in _holders(left):
        for value in left:
            place = _place(holder, value)
            if place and plain[id(value)] is None:
                raise LeftoverError(
                    f"{name} keeps a traced value {place}: it has no value once the function has been traced, but "
                    "would be used in place of an array. Do not keep what depends on x, or keep it outside"
                )
            if place:
                _replace(holder, value, plain[id(value)])


def _plain(value: Any) -> Any:
    """Return what a traced value is on plain arrays; None for one that depends on traced arguments."""
    return value.plain if type(value) is not TracedScalar and value.is_constant else None


def _is_of(value: Any, tape: Tape) -> bool:
    """Tell whether a value that depends on traced arguments was made in this trace, not in one before."""
    if type(value) is TracedComplex:
        return _is_of(value.real_part, tape)
    return (value.tape if type(value) is TracedScalar else value.storage.home) is tape


def _holders(left: list[Any]) -> Iterator[Any]:
    """Yield the objects of the program that hold some of the values: not frames, nor what belongs to a trace."""
    for holder in gc.get_referrers(*left):
        if holder is left or isinstance(holder, types.FrameType) or type(holder) in KINDS:
            continue
        if not type(holder).__module__.startswith("sparsead.tracing"):
            yield holder


def _place(holder: Any, value: Any) -> str:
    """Say where a holder keeps a value; nothing if it does not."""
    if isinstance(holder, dict):
        names = [str(key) for key, held in holder.items() if held is value]
        return _owner(holder, names[0]) if names else ""
    if isinstance(holder, (list, tuple)):
        return f"in a {type(holder).__name__}" if any(held is value for held in holder) else ""
    if isinstance(holder, types.CellType):
        return "in a variable of an enclosing function" if holder.cell_contents is value else ""
    names = [name for name, held in _attributes(holder) if held is value]
    if names:
        return f"in the attribute {names[0]} of a {type(holder).__name__}"
    return "in a cache" if any(held is value for held in gc.get_referents(holder)) else ""


def _owner(names: dict[Any, Any], name: str) -> str:
    for owner in gc.get_referrers(names):
        if getattr(owner, "__dict__", None) is names:
            kind = "the module" if isinstance(owner, types.ModuleType) else f"a {type(owner).__name__}"
            return f"in the attribute {name} of {kind}"
        if isinstance(owner, types.FunctionType) and owner.__globals__ is names:
            return f"in the global name {name}"
    return f"in a dict, under {name!r}"


def _attributes(holder: Any) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the attributes of an object, slots too."""
    yield from list(getattr(holder, "__dict__", {}).items())
    for cls in type(holder).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, types.MemberDescriptorType) and hasattr(holder, name):
                yield name, getattr(holder, name)


def _replace(holder: Any, old: Any, new: Any, depth: int = 0) -> None:
    """Put another value everywhere into a holder where the old one is."""
    if isinstance(holder, dict):
        holder.update((key, new) for key, held in list(holder.items()) if held is old)
        for owner in (o for o in gc.get_referrers(holder) if isinstance(o, type)):
            for name in [key for key, held in vars(owner).items() if held is new]:
                setattr(owner, name, new)  # types must be told that they have changed
    elif isinstance(holder, list):
        holder[:] = [new if held is old else held for held in holder]
    elif isinstance(holder, types.CellType):
        holder.cell_contents = new
    elif isinstance(holder, tuple) and depth < DEEP:
        parts = [new if held is old else held for held in holder]
        other = holder._make(parts) if hasattr(holder, "_make") else tuple(parts)
        for outer in gc.get_referrers(holder):
            if not isinstance(outer, types.FrameType) and outer is not parts:
                _replace(outer, holder, other, depth + 1)
    elif type(holder) is CACHE:
        holder.cache_clear()  # what it holds is computed again
    else:
        for name, held in _attributes(holder):
            if held is old:
                object.__setattr__(holder, name, new)
