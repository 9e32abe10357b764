"""What a function keeps from its trace: arrays of known values become plain ndarrays again when the trace is over.

A function may build a constant once and keep it: in an attribute, a global, a list, a cache. While it was traced it
got stand-ins, which take traced values; afterwards every reference to one is replaced by the ndarray that it stands
for, so that nobody meets a stand-in outside of a trace. Arrays that share memory go on sharing it.
"""

from __future__ import annotations

import functools
import gc
from types import CellType, FrameType
from typing import Any

from sparsead.tracing.loops.tape import AT_END, Tape

MOST_NESTED = 4  # tuples in tuples, which are made anew


def release(tape: Tape) -> None:
    """Replace the references to constant arrays that outlive their trace."""
    alive = [array for array in (found() for found in tape.constants) if array is not None and array.is_constant]
    tape.constants = []
    if alive:
        _replace({id(array): (array, array.plain) for array in alive}, MOST_NESTED)


def _replace(pairs: dict[int, tuple[Any, Any]], depth: int) -> None:
    """Replace references to objects by references to others, wherever that can be done."""
    tuples: dict[int, tuple[Any, Any]] = {}
    for holder in gc.get_referrers(*(old for old, _ in pairs.values())):
        if (
            isinstance(holder, FrameType)
            or hasattr(type(holder), "real_part")
            or holder is pairs
            or any(holder is pair for pair in pairs.values())
        ):
            continue
        if type(holder) is dict:
            _replace_in_dict(holder, pairs)
        elif type(holder) is list:
            holder[:] = [pairs[id(v)][1] if id(v) in pairs else v for v in holder]
        elif isinstance(holder, CellType):
            holder.cell_contents = pairs[id(holder.cell_contents)][1]
        elif isinstance(holder, tuple) and depth:
            items = [pairs[id(v)][1] if id(v) in pairs else v for v in holder]
            tuples[id(holder)] = (holder, type(holder)(*items) if hasattr(holder, "_fields") else tuple(items))
        elif isinstance(holder, functools._lru_cache_wrapper):
            holder.cache_clear()
        else:
            _replace_in_object(holder, pairs)
    if tuples:
        _replace(tuples, depth - 1)


def _replace_in_dict(names: dict[Any, Any], pairs: dict[int, tuple[Any, Any]]) -> None:
    """Replace values of a dict; the attributes of a class are set, since Python keeps a cache of them."""
    found = {name: pairs[id(value)][1] for name, value in names.items() if id(value) in pairs}
    owner = next((o for o in gc.get_referrers(names) if isinstance(o, type) and found.keys() <= vars(o).keys()), None)
    if owner is not None and all(vars(owner)[name] is names[name] for name in found):
        for name, value in found.items():
            setattr(owner, name, value)
    else:
        names.update(found)


def _replace_in_object(holder: Any, pairs: dict[int, tuple[Any, Any]]) -> None:
    """Replace attributes of an object, which Python may keep in a dict or in slots."""
    slots = [name for cls in type(holder).__mro__ for name in vars(cls).get("__slots__", ())]
    for name in [*getattr(holder, "__dict__", {}), *slots]:
        value = getattr(holder, name, None)
        if id(value) in pairs:
            object.__setattr__(holder, name, pairs[id(value)][1])


AT_END.append(release)
