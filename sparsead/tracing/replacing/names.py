"""Replacing functions for the duration of a trace, for this thread only.

Some functions never ask a traced array how they should act: those that allocate (``np.zeros``) and those that are
written in terms of plain arrays (``scipy.special.logsumexp``). While a trace runs, user code of *this thread* finds
stand-ins for them. The modules where such functions live (``numpy``, ``math``) get a class whose attributes look who
asks: other threads, libraries and pickles are given the functions themselves. Names that user modules bound to them
are bound to the stand-ins, which act as the functions for everybody else. A module that the traced function imports
as it runs keeps what it binds, so it runs as if nothing was traced.
"""

from __future__ import annotations

import functools
import inspect
import os
import sys
import types
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader, ModuleSpec, SourceFileLoader
from itertools import filterfalse
from typing import Any

import numpy as np

from coloring.interrupts import deferred
from sparsead.forks import REPLACING as LOCK
from sparsead.tracing.replacing.loaded import HOMES, LOADED, treatment, treatment_of
from sparsead.tracing.replacing.standins import TRACING, StandIn, aside, is_library, is_tracing, is_users
from sparsead.tracing.replacing.undo import CHANGES

PATCHES: dict[Callable[..., Any], Any] = {}
LATER: dict[tuple[str, str], Callable[..., Any]] = {}  # module and name of a function -> its replacement
NAMES: dict[str, Any] = {}  # names that the modules of the function get which have none such: they hide builtins
NUMBERS: dict[str, Any] = {}  # further such names, for modules whose calls of Python's own functions are answered
TYPES: dict[type, Any] = {}  # types of numbers -> what stands in for them in these modules
KINDS: dict[type, Callable[[Any], Any]] = {}  # of objects of compiled code -> what stands in for one of them
ACTING: set[str] = set()  # modules with classes of arrays that have a say in ufuncs: they look which one it is
FIRST: list[Callable[[], None]] = []  # look for what is to be known before names are replaced
TOO: list[Callable[[], None]] = []  # replace something else, when a trace begins and after imports

_ANSWERED: set[str] = set()  # names of modules whose code has called one of Python's own functions with unknowns
_active: list[list[dict[str, Any]]] = []  # the names that functions being traced use, in all threads
_enclosing: list[list[types.FunctionType]] = []  # those functions, and the ones around which they were made


def patch(original: Callable[..., Any], replacement: Callable[..., Any]) -> None:
    """Let calls of `original` from traced user code go to `replacement`."""
    PATCHES[original] = StandIn(original, replacement)


def as_traced(f: Callable[..., Any]) -> Callable[..., Any]:
    """Return what stands in for a function that is traced itself, not called by user code."""
    stand_in = PATCHES.get(f) if isinstance(f, Hashable) else None
    return f if stand_in is None else stand_in._replacement


def patch_later(module: str, name: str, replacement: Callable[..., Any]) -> None:
    """Do the same for a function of a module that is not imported for it, but may be by a trace's beginning.

    The replacement is called with the function itself before the arguments.
    """
    LATER[module, name] = replacement
    LOADED.add_home(module)


def _patch_imported() -> None:
    known = [(m, name) for m, name in LATER if hasattr(sys.modules.get(m), name)]  # some are being imported just now
    for module, name in known:
        original = getattr(sys.modules[module], name)
        patch(original, functools.partial(LATER.pop((module, name)), original))


def _modules(f: Callable[..., Any]) -> list[dict[str, Any]]:
    """Return the global names of a function and of the functions that it names or holds directly.

    Not those of libraries, whose code is given the functions themselves anyway, and whose names pickle looks up.
    """
    names = getattr(f, "__globals__", {})
    found = {id(names): names}
    cells = [c.cell_contents for c in getattr(f, "__closure__", None) or () if _filled(c)]
    for value in filter(_has_attributes, [*names.values(), *cells, *getattr(f, "__dict__", {}).values()]):
        # Objects are not asked, only looked at: one that was unpickled would be prepared, by tracing `f` again.
        inner = getattr(inspect.getattr_static(value, "py_func", value), "__globals__", None)
        if isinstance(inner, dict):
            found[id(inner)] = inner
    for value in filter(_has_attributes, [f, *names.values(), *cells]):
        held = _attributes(value)
        if held:
            found[id(held)] = held
    return [names for names in found.values() if not is_library(str(names.get("__name__", "")))]


def _has_attributes(value: Any) -> bool:
    """Tell whether a value may hold others: numbers, arrays, containers and modules need not be looked into."""
    kind = type(value)
    return kind is types.MethodType or (kind is not types.ModuleType and kind.__dictoffset__ != 0)


def _attributes(value: Any) -> dict[str, Any] | None:
    """Return the attributes of an object, or of that of a method, if solvers that were made before are among them."""
    value = value.__self__ if type(value) is types.MethodType else value
    if isinstance(inspect.getattr_static(value, "__dict__", None), (types.GetSetDescriptorType, dict)):
        try:
            held = object.__getattribute__(value, "__dict__")
        except (AttributeError, TypeError):
            return None
        if type(held) is dict and any(type(v) in KINDS and KINDS[type(v)](v) is not None for v in held.values()):
            return held
    return None


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def _stand_in_of(value: Any) -> Any:
    """Return what a function is to be replaced by; None if it is not, or stands in already."""
    kind = type(value)
    if kind is functools.partial:
        inner = _stand_in_of(value.func)
        return None if inner is None else functools.partial(inner, *value.args, **value.keywords)
    try:
        stand_in = PATCHES.get(value) if callable(value) else None  # a traced number refuses to give its hash
    except TypeError:  # unhashable, so not a function
        return None
    if stand_in is None and kind in KINDS:
        stand_in = KINDS[kind](value)
    return None if stand_in is value else stand_in


def _replace_in(names: dict[str, Any], candidates: Iterable[str]) -> None:
    kinds = _kinds(len(PATCHES))
    for name in candidates:
        stand_in = _stand_in_of(names[name]) if type(names[name]) in kinds else None
        if stand_in is not None and not _is_kept(stand_in, names):
            CHANGES.name(names, name, stand_in)


def _is_kept(stand_in: Any, names: dict[str, Any]) -> bool:
    """Tell whether a module keeps what it has.

    Ufuncs that it compares with those which NumPy hands to its classes must be the same; and it has the types of
    numbers themselves as long as it calls none of them with unknowns.
    """
    module = names.get("__name__")
    if issubclass(type(stand_in), type):  # of a type; asking any other for an attribute takes a microsecond
        return getattr(stand_in, "original", None) in TYPES and module not in _ANSWERED
    return module in ACTING and isinstance(getattr(stand_in, "_original", None), np.ufunc)


def type_in(names: dict[str, Any], kind: type) -> type:
    """Return what a module finds where it asks for a type of numbers."""
    return TYPES.get(kind, kind) if names.get("__name__") in _ANSWERED else kind


def _enclosed(f: Callable[..., Any]) -> list[types.FunctionType]:
    """Return a function and those in the variables of the functions around it, and around those, and so on."""
    found: dict[int, types.FunctionType] = {}
    waiting: list[Any] = [f]
    while waiting:
        value = waiting.pop()
        value = inspect.getattr_static(value, "py_func", value)  # objects are not asked, only looked at
        value = value.func if type(value) is functools.partial else value
        value = value.__func__ if type(value) is types.MethodType else value
        if type(value) is not types.FunctionType or id(value) in found or is_library(value.__module__ or ""):
            continue
        found[id(value)] = value
        waiting += [cell.cell_contents for cell in value.__closure__ or () if _filled(cell)]
    return list(found.values())


def _replace_enclosed(functions: Iterable[types.FunctionType]) -> None:
    """Replace what functions hold in variables of the functions around them, and as default arguments."""
    for f in functions:
        for cell in f.__closure__ or ():
            stand_in = _stand_in_of(cell.cell_contents) if _filled(cell) else None
            if stand_in is not None and not _is_kept(stand_in, f.__globals__):
                CHANGES.cell(cell, stand_in)
        stand_ins = [_stand_in_of(value) for value in f.__defaults__ or ()]
        stand_ins = [None if s is None or _is_kept(s, f.__globals__) else s for s in stand_ins]
        if any(s is not None for s in stand_ins):
            pairs = zip(stand_ins, f.__defaults__ or (), strict=True)
            CHANGES.defaults(f, tuple(value if s is None else s for s, value in pairs))


def _shield(names: dict[str, Any], plain: types.ModuleType) -> None:
    """Let a compiled module see NumPy as it is: its calls leave no frame, and it trusts what it gets to be arrays."""
    for name in ("np", "numpy"):
        if names.get(name) is np:
            CHANGES.name(names, name, plain)


@functools.lru_cache(maxsize=1)
def _spelled(count: int) -> frozenset[str]:
    """Return the names that the functions have, where users find them and by themselves."""
    known = {func.__name__ for func in PATCHES}
    for home in HOMES & sys.modules.keys():
        values = vars(sys.modules[home]).items()
        known |= {name for name, value in values if _is_patched(value)}
    return frozenset(known)


@functools.lru_cache(maxsize=1)
def _kinds(count: int) -> frozenset[type]:
    """Return the types of what is replaced: most values that have such a name are of others."""
    return frozenset([*map(type, PATCHES), *KINDS, functools.partial])


class _Home(types.ModuleType):
    """Base of the classes that the modules have for the time being where the functions live."""


class _OfClass(str):
    """The module of a class that its instances don't have: compilers take what has one for a function."""

    def __get__(self, instance: object, owner: type | None = None) -> str:
        raise AttributeError("'module' object has no attribute '__module__'", name="__module__", obj=instance)


def _of_home(name: str) -> property:
    """Return the attribute of a module that is a stand-in for traced user code, and the function for all others."""

    def look(module: types.ModuleType) -> Any:
        value, asking = vars(module)[name], sys._getframe(1)
        stand_in = _stand_in_of(value) if is_users(asking) else None
        return value if stand_in is None or _is_kept(stand_in, asking.f_globals) else stand_in

    def bind(module: types.ModuleType, value: Any) -> None:
        vars(module)[name] = value

    return property(look, bind)


def _look_after(module: types.ModuleType, spelled: frozenset[str]) -> None:
    """Let a module tell who asks for its functions."""
    kind: Any = type(module)
    if not issubclass(kind, _Home):
        CHANGES.module(module, _home(kind, spelled.intersection(vars(module))))


def _is_patched(value: Any) -> bool:
    return isinstance(value, Hashable) and value in PATCHES


@functools.lru_cache(maxsize=256)
def _home(kind: type, names: frozenset[str]) -> type:
    """Return the class of a module some of whose attributes look who asks."""
    bases, place = ((_Home,), _OfClass("builtins")) if kind is types.ModuleType else ((_Home, kind), kind.__module__)
    return type(kind.__name__, bases, {"__module__": place, **{name: _of_home(name) for name in names}})


def _replace_everywhere() -> None:
    """Replace the patched functions where they live, and where users imported them by name."""
    _patch_imported()
    for call in FIRST:
        call()
    spelled = _spelled(len(PATCHES))
    plain = types.ModuleType("numpy")
    plain.__dict__.update(np.__dict__)
    loaded = LOADED.now()
    for module in loaded["home"]:
        _look_after(module, spelled)
    for module in loaded["shield"]:
        _shield(vars(module), plain)
    all_names: list[dict[str, Any]] = [module.__dict__ for module in loaded["replace"]]
    for names in filterfalse(spelled.isdisjoint, all_names):  # tens of thousands, looked through by compiled code
        _replace_in(names, spelled.intersection(names))
    for module in loaded["own"]:
        CHANGES.added(vars(module), NAMES)
    for name in _ANSWERED & sys.modules.keys():
        if treatment_of(name, sys.modules[name]) == "replace":
            _answer_in(vars(sys.modules[name]))
    for modules in _active:
        for names in modules:
            if not issubclass(type(sys.modules.get(names.get("__name__", ""))), _Home):
                _replace_in(names, list(names))
            _add_names(names)
    for functions in _enclosing:
        _replace_enclosed(functions)
    for call in TOO:
        call()


def _answer_in(names: dict[str, Any]) -> None:
    """Let a module find the types whose calls are answered, as builtins, by its names and as default arguments."""
    CHANGES.added(names, NAMES | NUMBERS)
    _replace_in(names, list(names))
    _replace_enclosed([f for f in names.values() if type(f) is types.FunctionType and f.__globals__ is names])


def _add_names(names: dict[str, Any]) -> None:
    """Let a module find the names that hide builtins, if it is code of users."""
    if treatment(names.get("__name__", ""), str(names.get("__file__", ""))) == "replace":
        CHANGES.added(names, NAMES)


def names_of_module(module: str) -> None:
    """Treat a module, given by name, as one that the traced function is written in."""
    _add_names(vars(sys.modules[module]) if module in sys.modules else {})


def answered(names: dict[str, Any]) -> bool:
    """Let calls of `float`, `max`, ... be answered in a module from its next trace on; False if that is so already."""
    module = str(names.get("__name__", ""))
    known = getattr(sys.modules.get(module), "__dict__", None)
    if known is not names or module in _ANSWERED or treatment_of(module, sys.modules[module]) != "replace":
        return False
    _ANSWERED.add(module)
    return True


@contextmanager
def patched(f: Callable[..., Any]) -> Iterator[None]:
    """Bind the patches in this thread's view of the world, until the block ends; `f` is about to be called."""
    modules, functions = _modules(f), _enclosed(f)  # look at objects, which may import something: before the patches
    with LOCK:
        if not _active:
            sys.meta_path.insert(0, _Finder)
        _active.append(modules)
        _enclosing.append(functions)
        _replace_everywhere()
    TRACING.depth += 1
    try:
        yield
    finally:
        TRACING.depth = max(TRACING.depth - 1, 0)
        with LOCK:
            _active[:] = [held for held in _active if held is not modules]
            _enclosing[:] = [held for held in _enclosing if held is not functions]
            if not _active:
                _end()


def _end() -> None:
    """Bind everything as it was."""
    CHANGES.undo()
    if _Finder in sys.meta_path:
        sys.meta_path.remove(_Finder)


def _in_child() -> None:
    """Leave nothing of the traces of the parent to a process that was forked; its only thread traces nothing."""
    _active.clear()
    _enclosing.clear()
    TRACING.depth = 0
    _end()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


@contextmanager
def _unnoticed() -> Iterator[None]:
    """Let this thread run as if it traced nothing, until the block ends; what was imported then is replaced in, too."""
    with deferred() as interrupts:
        try:
            with aside(), interrupts.allowed():
                yield
        finally:
            with LOCK:
                if _active:
                    _replace_everywhere()


def _unseen(step: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a step of an import that runs as if this thread traced nothing."""

    def run(argument: Any) -> Any:
        with _unnoticed():
            return step(argument)

    return run


class _Finder:
    """The first of ``sys.meta_path`` during a trace: what a traced function imports is run without the patches."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Find a module as the other finders do."""
        if not is_tracing():
            return None
        others = (finder for finder in sys.meta_path if finder is not cls)
        spec = next((s for s in (f.find_spec(name, path, target) for f in others) if s is not None), None)
        if spec is not None and isinstance(spec.loader, (SourceFileLoader, ExtensionFileLoader)):
            for step in ("create_module", "exec_module"):  # old compiled modules do all of their work in the first
                setattr(spec.loader, step, _unseen(getattr(spec.loader, step)))  # each module has its own loader
        return spec
