"""What outlives a trace: arrays that the function put into attributes, globals, caches or default arguments.

They become ndarrays again, wherever they are kept: the function finds there what a run on plain arrays at the point of
the trace would have left. What depends on x is refused as well, with the place.
"""

from __future__ import annotations

import collections
import functools
import gc
import inspect
import sys
import traceback
import types
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from sparsead.errors import SparseADError, is_users
from sparsead.program.evaluate import evaluate
from sparsead.program.index import identity
from sparsead.program.nodes import Ref
from sparsead.tracing import layout
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.loops.tape import Tape
from sparsead.tracing.reflection import module_of, own_attributes
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.storage import Storage

KINDS: tuple[type, ...] = (TracedArray, TracedScalar, TracedComplex)
CACHE = type(functools.lru_cache(lambda: None))
# Generations whose collections move young objects among the old: a program has many more of these than a trace makes.
MOVING = 1 if sys.version_info < (3, 13) else 0
MAY_GO_ON = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR  # after they have stopped
DEEP = 8  # tuples inside tuples that are made anew

Inputs = Mapping[int, np.ndarray]


class LeftoverError(SparseADError):
    """A function keeps a traced value, which means nothing once the trace has ended."""


def collections_so_far() -> tuple[int, ...]:
    """Return how many collections of garbage have moved young objects among the old ones."""
    return tuple(generation["collections"] for generation in gc.get_stats()[MOVING:])


def settle(tape: Tape, begun: tuple[int, ...], inputs: Inputs, failed: bool = False) -> str:
    """Turn what is left of a trace into ndarrays, before its tape is closed.

    Parameters
    ----------
    tape : Tape
        Of the trace. All traced values of a trace refer to it, so a look at its number of references tells whether
        there may be any.
    begun : tuple of int
        Of `collections_so_far`, when the trace began.
    inputs : mapping
        Serial number of each input to its values, where the trace was made.
    failed : bool
        Whether an error is under way: then nothing is refused, so what only waits to be freed need not be told apart.

    Returns
    -------
    str
        Where the function keeps a value that depends on x; nothing if it does not.
    """
    kept = list(_kept(tape, begun))
    if kept and not failed:
        kept.clear()  # it holds them, too
        _empty_ended_frames(begun)
        gc.collect()  # what only waits to be freed is kept by nobody
        kept = list(_kept(tape, begun))
    refused = next((_place(*where) for where in kept if not getattr(where[1], "is_constant", False)), "")
    values = _Values(inputs)
    _replace_all([(holder, value, values.of(value)) for holder, value in kept])
    return refused


def _kept(tape: Tape, begun: tuple[int, ...]) -> Iterator[tuple[Any, Any]]:
    """Yield what holds a traced value of a trace, and the value."""
    young = _young(begun)
    made = gc.get_objects() if young is None else young
    left = [value for value in made if type(value) in KINDS and _tape(value) is tape]
    del made
    for holder in _holders(left, young):
        held = {id(part) for part in gc.get_referents(holder)}
        yield from [(holder, value) for value in left if id(value) in held]


def _young(begun: tuple[int, ...]) -> list[Any] | None:
    """Return what was made since a trace began, and a little more; None if that is not known any more."""
    young = gc.get_objects(0) + gc.get_objects(1)
    return young if collections_so_far() == begun else None


def let_go(error: BaseException | None) -> None:
    """Empty the frames of ours that an error refers to: what they hold is kept by nobody."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for frame, _ in traceback.walk_tb(error.__traceback__):
            if not is_users(frame.f_code.co_filename):
                with suppress(RuntimeError):  # it is still running
                    frame.clear()
        error = error.__cause__ or error.__context__


def _empty_ended_frames(begun: tuple[int, ...]) -> None:
    """Empty the frames that have ended, but that an error leads to which somebody keeps: nobody reads them.

    So does, for one, a module whose import fails, if it was asked for by code that the function calls.
    """
    young = _young(begun)
    made = gc.get_objects() if young is None else young
    for error in [value for value in made if issubclass(type(value), BaseException)]:
        for ended, _ in traceback.walk_tb(error.__traceback__):
            frame: types.FrameType | None = ended
            while frame is not None:
                if not frame.f_code.co_flags & MAY_GO_ON:
                    with suppress(RuntimeError):  # it is still running
                        frame.clear()
                frame = frame.f_back


def refuse(name: str, place: str) -> None:
    """Refuse what a function, in words, keeps at a place."""
    raise LeftoverError(
        f"{name} keeps a traced value {place}: it has no value once the function has been traced, but "
        "would be used in place of an array. Do not keep what depends on x, or keep it outside"
    )


def _tape(value: Any) -> Tape | None:
    """Return the tape of the trace in which a value was made."""
    if type(value) is TracedComplex and value.is_number:
        return next((_tape(part) for part in (value.real, value.imag) if type(part) in KINDS), None)
    tape: Tape = value.tape if type(value) is TracedScalar else value.storage.home
    return tape


class _Values:
    """What traced values are at the point of the trace: ndarrays, those of one memory in one memory, and numbers."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs
        self._known: dict[int, np.ndarray] = {}
        self._memories: dict[int, np.ndarray] = {}
        self._given: dict[int, Any] = {}

    def of(self, value: Any) -> Any:
        """Return what a value is, the same object each time."""
        if id(value) not in self._given:
            self._given[id(value)] = self._of(value)
        return self._given[id(value)]

    def _of(self, value: Any) -> Any:
        if type(value) is TracedScalar:
            return value.dtype.type(self._read(lambda: value.array.ref, ()))
        if type(value) is TracedArray:
            return layout.viewed(self._memory(value.storage), value.positions)
        if type(value) is not TracedComplex:
            return value
        if not value.is_number:
            return layout.viewed(self._memory(value.storage).view(np.complex128), value.positions)
        return np.complex128(complex(self.of(value.real), self.of(value.imag)))

    def _memory(self, storage: Storage) -> np.ndarray:
        if storage.is_constant:
            assert storage.values is not None
            return storage.values
        if id(storage) not in self._memories:
            self._memories[id(storage)] = self._read(lambda: storage.read(identity(storage.size)), storage.size)
        return self._memories[id(storage)].astype(storage.dtype, copy=False)

    def _read(self, read: Callable[[], Ref], shape: Any) -> np.ndarray:
        """Return what a reading gives; NaN where elements follow from one another, which is compiled elsewhere."""
        try:
            with np.errstate(all="ignore"):
                return np.array(evaluate(read(), self._inputs, self._known))
        except Exception:  # another error may be under way, which says more
            return np.full(shape, np.nan)


def _holders(left: list[Any], young: list[Any] | None) -> Iterator[Any]:
    """Yield the objects of the program that hold some of the values: not frames, nor what belongs to a trace."""
    for holder in gc.get_referrers(*left) if young is None else _referrers(left, young):
        if holder is left or holder is young or isinstance(holder, types.FrameType) or type(holder) in KINDS:
            continue
        if not module_of(type(holder)).startswith("sparsead.tracing"):
            yield holder


def _referrers(left: list[Any], young: list[Any]) -> list[Any]:
    """Return what holds some of the values: among young objects, if these hold as many references as there are."""
    ours = 4  # the two lists, and two to ask for the number
    references = sum(sys.getrefcount(value) - ours for value in left)
    sought = {id(value) for value in left}
    held = [(holder, sum(id(value) in sought for value in gc.get_referents(holder))) for holder in young]
    found = sum(count for _, count in held)
    return [holder for holder, count in held if count] if found == references else gc.get_referrers(*left)


def _place(holder: Any, value: Any) -> str:
    """Say where a holder keeps a value; nothing if it does not."""
    if isinstance(holder, dict):
        names = [str(key) for key, held in holder.items() if held is value]
        return _owner(holder, names[0]) if names else ""
    if isinstance(holder, (list, tuple, collections.deque)):
        return f"in a {type(holder).__name__}" if any(held is value for held in holder) else ""
    if isinstance(holder, types.CellType):
        return "in a variable of an enclosing function" if holder.cell_contents is value else ""
    names = [name for name, held in _attributes(holder) if held is value]
    if names:
        return f"in the attribute {names[0]} of a {type(holder).__name__}"
    return "in a cache" if _holds(holder, value) else ""


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
    yield from list((own_attributes(holder) or {}).items())
    for cls in type(holder).__mro__:
        for name, member in vars(cls).items():
            if isinstance(member, types.MemberDescriptorType) and hasattr(holder, name):
                yield name, getattr(holder, name)


def _replace_all(found: list[tuple[Any, Any, Any]]) -> None:
    """Put new values where old ones are, each with its holder; a tuple is made anew, and replaced where it is held."""
    for _ in range(DEEP):
        tuples: dict[int, tuple[tuple[Any, ...], dict[int, Any]]] = {}
        for holder, old, new in found:
            if isinstance(holder, tuple):
                tuples.setdefault(id(holder), (holder, {}))[1][id(old)] = new
            else:
                _replace(holder, old, new)
        pairs = [(held, _anew(held, parts)) for held, parts in tuples.values()]
        if not pairs:
            return
        ours = {id(tuples), *map(id, found), *map(id, tuples.values()), *map(id, pairs)}
        outer = [o for o in gc.get_referrers(*(held for held, _ in pairs)) if not isinstance(o, types.FrameType)]
        found = [(o, *pair) for o in outer if id(o) not in ours for pair in pairs if _holds(o, pair[0])]


def _holds(holder: Any, value: Any) -> bool:
    return any(part is value for part in gc.get_referents(holder))


def _anew(old: tuple[Any, ...], parts: Mapping[int, Any]) -> tuple[Any, ...]:
    """Return a tuple of the same kind, with other values for the parts that are named by their identity."""
    new = [parts.get(id(part), part) for part in old]
    return old._make(new) if hasattr(old, "_make") else tuple(new)


def _replace(holder: Any, old: Any, new: Any) -> None:
    """Put another value everywhere into a holder that can be changed where the old one is."""
    if isinstance(holder, dict):
        holder.update((key, new) for key, held in list(holder.items()) if held is old)
        for owner in (o for o in gc.get_referrers(holder) if isinstance(o, type)):
            for name in [key for key, held in vars(owner).items() if held is new]:
                setattr(owner, name, new)  # types must be told that they have changed
    elif isinstance(holder, (list, collections.deque)):
        for k, held in enumerate(holder):
            if held is old:
                holder[k] = new
    elif isinstance(holder, types.CellType):
        holder.cell_contents = new
    elif type(holder) is CACHE:
        holder.cache_clear()  # what it holds is computed again
    else:
        for name, held in _attributes(holder):
            if held is old:
                with suppress(AttributeError):  # of a bound method it cannot be changed
                    object.__setattr__(holder, name, new)
