"""Traced arrays as subclasses of ndarray: fields of finite elements, arrays with units.

A class that is written in Python is its methods, and what they call of ndarray. The class that stands for it has the
same methods over traced arrays: their ``super()`` is bound to it. What NumPy does for subclasses is done here:
attributes are handed on to views and copies, and sums and means call ufuncs, which ask the class.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from collections.abc import Callable, Hashable, Iterator
from typing import Any

import numpy as np

from sparsead.errors import is_users, unsupported
from sparsead.program.index import IndexArray
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import is_complex
from sparsead.tracing.foreign import acts_as_class, acts_in_operators, class_acts
from sparsead.tracing.late import MOVEMENTS, late
from sparsead.tracing.positioned import FUNCTIONS
from sparsead.tracing.probing import Call, made, same_values
from sparsead.tracing.reflection import module_of
from sparsead.tracing.replacing.loaded import LOADED
from sparsead.tracing.replacing.names import ACTING, FIRST, PATCHES, TOO, names_of_module
from sparsead.tracing.sequences import rebuilt

# How NumPy makes objects of a class; what stands for one is made by us. Pickles and texts are of numbers.
LEFT_OUT = {
    "__new__", "__init__", "__init_subclass__", "__array_prepare__", "__array_function__", "__dict__", "__weakref__",
    "__reduce__", "__reduce_ex__", "__setstate__", "__deepcopy__", "__repr__", "__str__", "__format__", "__slots__",
    "__class_getitem__", "__module__",
}  # fmt: skip
OPERATORS = {*vars(np.lib.mixins.NDArrayOperatorsMixin)} - {"__module__", "__doc__", "__slots__", "__hash__"}
ORDERS = {np.sort, np.partition, np.median, np.quantile, np.percentile}  # elements, or values between two of them
BY_METHODS = {*FUNCTIONS, "clip", "compress"}  # NumPy's functions that call the method of their name, and reversely
ADD: Any = np.add
HINT = "Take its values (.value, to_value(unit), np.asarray) before, and put the unit back behind."


@functools.cache
def is_written_in_python(kind: Any) -> bool:
    """Tell whether a subclass of ndarray is one of a user's or of a package's, and nothing but Python."""
    added = [each for each in kind.__mro__ if each not in np.ndarray.__mro__]
    homes = [_file_of(each) for each in added if issubclass(each, np.ndarray)]
    return all(homes) and all(map(is_users, homes)) and not any("__getattribute__" in vars(each) for each in added)


def _file_of(kind: type) -> str:
    """Return the file of a class that is written in Python, by one of its functions."""
    functions = (v for v in vars(kind).values() if isinstance(v, types.FunctionType))
    first = next(functions, None)
    return "" if first is None else first.__code__.co_filename


class _Kind(type(TracedArray)):  # type: ignore[misc]
    """The type of the classes that stand for others: called, they make objects of these."""

    stands_for: type

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls.stands_for(*args, **kwargs)


class TracedSubclass(TracedArray, metaclass=_Kind):
    """What ndarray is to its subclasses: where the methods of what stands for them end up."""

    stands_for: type = np.ndarray
    acts_in_ufuncs = False  # whether the class has a say in ufuncs
    own_function: Callable[..., Any] | None = None  # its method ``__array_function__``

    def __array_finalize__(self, other: Any) -> None:
        """Take over attributes of an array of which this one is a view or a copy: a class adds what it does."""

    def moved(self, positions: IndexArray) -> Any:
        """Return the elements at `positions`, with the attributes that the class hands on."""
        if positions is self.positions:
            return self
        return _seen(super().moved(positions), type(self), self)

    def of_its_class(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers as an array of the class, with the attributes of this one; a class that acts is not asked."""
        if self.acts_in_ufuncs or self.own_function:
            return numbers
        held: Any = numbers.view(self.stands_for)
        _hand_on(self, held)
        return held

    def __array_function__(self, func: Callable[..., Any], kinds: Any, args: Any, kwargs: Any) -> Any:
        if isinstance(func, _Asked):  # by the method of the class, which leaves it to NumPy
            return by_numpy(func.func, args, kwargs)
        if self.own_function is None:
            return by_numpy(func, args, kwargs)
        stood_for = tuple({getattr(kind, "stands_for", np.ndarray) for kind in kinds})
        result = self.own_function(_Asked(func), stood_for, *standing((args, kwargs)))
        if result is NotImplemented:
            raise unsupported(f"np.{func.__name__} of arrays of {type(self).__name__}", HINT)
        return result


def _by_ufunc(operate: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operator of ndarray's: those of traced arrays take one of shape () for its number."""

    def method(self: Any, *others: Any) -> Any:
        return NotImplemented if any(map(acts_in_operators, others)) else operate(self, *others)

    return method


for _name in OPERATORS:
    setattr(TracedSubclass, _name, _by_ufunc(vars(np.lib.mixins.NDArrayOperatorsMixin)[_name]))
_power: Any = TracedSubclass.__pow__
setattr(TracedSubclass, "__pow__", lambda self, other, mod=None: _power(self, other))  # noqa: B010  (some spell it out)


class _Asked:
    """A function of NumPy as the method of a class finds it, which may call what NumPy would do by itself."""

    def __init__(self, func: Callable[..., Any]) -> None:
        self.func = func

    def __getattr__(self, name: str) -> Any:
        return getattr(self.func, name)

    def __hash__(self) -> int:
        return hash(self.func)

    def __eq__(self, other: object) -> bool:
        return self.func == (other.func if isinstance(other, _Asked) else other)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.func(*args, **kwargs)

    def _implementation(self, *args: Any, **kwargs: Any) -> Any:
        return by_numpy(self.func, args, kwargs)


def _stood_for(kind: Any) -> Any:
    return getattr(kind, "stands_for", kind)


# -- what NumPy makes of objects of a class ---------------------------------------------------------------------------
def by_numpy(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Return what NumPy's own code gives for objects of a class, which is asked by ufuncs and views in there."""
    held: list[TracedSubclass] = []
    plain_args, plain_kwargs = _without_class((args, kwargs), held)
    if not any(each.acts_in_ufuncs or each.own_function for each in held):
        return in_class(late.call_function(func, plain_args, plain_kwargs), (func, args, kwargs))
    if func in WRITTEN_OUT:
        return WRITTEN_OUT[func](*args, **{name: value for name, value in kwargs.items() if value is not np._NoValue})
    result = late.call_function(func, plain_args, plain_kwargs)
    if not _has_numbers(result):
        return result
    if (func in MOVEMENTS or func in ORDERS) and len(held) == 1:
        return (
            [_seen(r, type(held[0]), held[0]) for r in result]
            if isinstance(result, list)
            else _seen(late.traced(result), type(held[0]), held[0])
        )
    as_written = _as_written(func)
    if as_written is not None and func.__name__ not in BY_METHODS:
        return as_written(*args, **kwargs)
    raise unsupported(f"np.{func.__name__} of arrays of {type(held[0]).__name__}", HINT)


def in_class(result: Any, call: Call) -> Any:
    """Return what a call gave of the class that NumPy says; refuse what ``__array_wrap__`` computes."""
    func, args, kwargs = call
    kinds = [_stood_for(kind) for kind in set(map(type, _parts((args, kwargs)))) if _hands_on(kind)]
    if not kinds or not _has_numbers(result):
        return result
    try:
        asked, _ = made(call, generic=True)
        wraps = any(kind.__array_wrap__ is not np.ndarray.__array_wrap__ for kind in kinds)
        plain = made((func, *_without_class((args, kwargs), [])), generic=True)[0] if wraps else asked
    except Exception:  # the values mean something
        return result
    if not same_values(plain, asked):
        raise unsupported(f"what {kinds[0].__name__} computes in __array_wrap__", HINT)
    return _like(result, asked)


@functools.cache
def _hands_on(kind: Any) -> bool:
    """Tell whether NumPy makes results of arrays of a class, or of what stands for it, and the class has no say."""
    kind = _stood_for(kind)
    arrays = kind is not np.ndarray and issubclass(kind, np.ndarray) and not class_acts(kind)
    return arrays and is_written_in_python(kind)


def _parts(value: Any) -> Iterator[Any]:
    for each in value.values() if type(value) is dict else value:
        if type(each) in (list, tuple, dict):
            yield from _parts(each)
        else:
            yield each


def _like(result: Any, asked: Any) -> Any:
    if isinstance(result, (list, tuple)):
        return rebuilt(result, map(_like, result, asked))
    kind: Any = type(asked)
    if not (_hands_on(kind) and np.shape(asked) == np.shape(result)) or is_complex(result):
        return result
    found = _seen(late.traced(result), traced_kind(kind), asked)
    _hand_on(asked, found)
    return found


def _hand_on(held: Any, other: Any) -> None:
    """Give an array the attributes of another one; classes with slots have none."""
    for name, value in getattr(held, "__dict__", {}).items():
        setattr(other, name, value)


@functools.cache
def _as_written(func: Callable[..., Any]) -> types.FunctionType | None:
    """Return the Python code of a function of NumPy's as a user could have written it; None of compiled ones."""
    code = getattr(func, "_implementation", None)
    if not isinstance(code, types.FunctionType):
        return None
    stand_ins: dict[Any, Any] = PATCHES
    names = {
        name: stand_ins.get(value, value) for name, value in code.__globals__.items() if isinstance(value, Hashable)
    }
    names["__name__"] = __name__.replace("sparsead", "numpy_as_users_write_it")
    made = types.FunctionType(code.__code__, names, code.__name__, code.__defaults__, code.__closure__)
    made.__kwdefaults__ = code.__kwdefaults__
    return made


def _without_class(value: Any, held: list[TracedSubclass]) -> Any:
    if isinstance(value, TracedSubclass):
        held.append(value)
        return TracedArray(value.storage, value.positions)
    kind: Any = type(value)
    if issubclass(kind, np.ndarray) and _hands_on(kind):
        return value.view(np.ndarray)
    if kind in (list, tuple):
        return kind(_without_class(each, held) for each in value)
    return {name: _without_class(each, held) for name, each in value.items()} if kind is dict else value


def _has_numbers(result: Any) -> bool:
    parts = result if isinstance(result, (list, tuple)) else (result,)
    return any(isinstance(part, np.ndarray) or np.ndim(part) or hasattr(part, "tape") for part in parts)


def _reduced(ufunc: np.ufunc, *names: str) -> Callable[..., Any]:
    def reduce(a: Any, *args: Any, **options: Any) -> Any:
        given = {"axis": None, **dict(zip(names, args, strict=False)), **options}
        return ufunc.reduce(a, **{name: value for name, value in given.items() if name == "axis" or value is not None})

    return reduce


def _accumulated(ufunc: np.ufunc) -> Callable[..., Any]:
    return lambda a, axis=None: ufunc.accumulate(a.ravel() if axis is None else a, axis=axis or 0)


def _mean(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    total = ADD.reduce(a, axis=axis, keepdims=keepdims)
    return total / (np.size(a) / max(np.size(total), 1))


def _variance(a: Any, axis: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Any:
    away = a - _mean(a, axis, keepdims=True)
    total = ADD.reduce(away * away, axis=axis, keepdims=keepdims)
    return total / (np.size(a) / max(np.size(total), 1) - ddof)


def _clipped(a: Any, a_min: Any = None, a_max: Any = None, **named: Any) -> Any:
    low, high = named.get("min", a_min), named.get("max", a_max)
    a = a if low is None or low is np._NoValue else np.maximum(a, low)
    return a if high is None or high is np._NoValue else np.minimum(a, high)


AXES = ("axis", "dtype", "out", "keepdims", "initial", "where")
WRITTEN_OUT: dict[Callable[..., Any], Callable[..., Any]] = {
    np.sum: _reduced(np.add, *AXES), np.prod: _reduced(np.multiply, *AXES),
    **dict.fromkeys((np.max, np.amax), _reduced(np.maximum, "axis", *AXES[2:])),
    **dict.fromkeys((np.min, np.amin), _reduced(np.minimum, "axis", *AXES[2:])),
    np.any: _reduced(np.logical_or, "axis", *AXES[2:]), np.all: _reduced(np.logical_and, "axis", *AXES[2:]),
    np.cumsum: _accumulated(np.add), np.cumprod: _accumulated(np.multiply),
    np.mean: _mean, np.var: _variance, np.std: lambda *args, **options: np.sqrt(_variance(*args, **options)),
    np.clip: _clipped, np.trace: lambda a, *args: ADD.reduce(np.diagonal(a, *args), axis=-1),
    np.ptp: lambda a, axis=None: np.max(a, axis=axis) - np.min(a, axis=axis),
}  # fmt: skip


# -- classes and objects ----------------------------------------------------------------------------------------------
@functools.cache
def traced_kind(kind: Any) -> type:
    """Return the class of traced arrays that stands for a class that `is_written_in_python`."""
    if kind is np.ndarray:
        return TracedSubclass
    bases = tuple(traced_kind(base) if issubclass(base, np.ndarray) else base for base in kind.__bases__)
    cell = types.CellType()
    own = {name: _rebound(value, cell) for name, value in vars(kind).items() if name not in LEFT_OUT}
    if "__array_function__" in vars(kind):
        own["own_function"] = _rebound(vars(kind)["__array_function__"], cell)
    own |= {
        "__module__": __name__,
        "stands_for": kind,
        "acts_in_ufuncs": kind.__array_ufunc__ is not np.ndarray.__array_ufunc__,
        "__class__": property(lambda self: kind),
    }
    made = _Kind(kind.__name__, bases, own)
    cell.cell_contents = made
    return made


def _rebound(value: Any, cell: types.CellType) -> Any:
    """Return a member of a class with ``super()`` in it bound to the class that a cell will hold."""
    if isinstance(value, (classmethod, staticmethod)):
        return type(value)(_rebound(value.__func__, cell))
    if isinstance(value, property):
        fget, fset, fdel = (_rebound(each, cell) for each in (value.fget, value.fset, value.fdel))
        return type(value)(fget, fset, fdel, value.__doc__)
    if not isinstance(value, types.FunctionType) or "__class__" not in value.__code__.co_freevars:
        return value
    cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
    closure = tuple(cell if name == "__class__" else own for name, own in cells)
    made = types.FunctionType(value.__code__, value.__globals__, value.__name__, value.__defaults__, closure)
    made.__kwdefaults__ = value.__kwdefaults__
    made.__dict__.update(value.__dict__)
    return made


def seen_as_kind(array: TracedArray, kind: Any, other: Any = None) -> Any:
    """Return a view of an array as what stands for a class, with the attributes that the class takes from `other`.

    None where the class is more than Python code.
    """
    if not is_written_in_python(kind):
        return None
    return _seen(array, traced_kind(kind), array if other is None else other)


def _seen(array: Any, kind: Any, other: Any) -> Any:
    made = kind.__new__(kind)
    made.storage, made.positions = array.storage, array.positions
    made.__array_finalize__(other)
    return made


def _kinds(kind: Any = np.ndarray) -> Iterator[Any]:
    """Yield the subclasses of a class, and theirs."""
    each: Any
    for each in type.__subclasses__(kind):
        yield each
        yield from _kinds(each)


def _find_acting() -> None:
    ACTING.update(module_of(kind) for kind in _kinds() if class_acts(kind) and is_written_in_python(kind))
    ACTING.discard("")


@functools.cache
def _asks_for_types(module: str, size: int) -> bool:
    """Tell whether code of a module, given by its name and how many names it has by now, names `type`."""
    names = getattr(sys.modules[module], "__dict__", {})
    held = [each for each in names.values() if isinstance(each, (type, types.FunctionType))]
    inner = [member for each in held if isinstance(each, type) for member in vars(each).values()]
    functions = (inspect.unwrap(each) for each in (*held, *inner) if isinstance(each, types.FunctionType))
    return any("type" in each.__code__.co_names for each in functions if isinstance(each, types.FunctionType))


def _where_they_are_written() -> None:
    """Let the packages of classes that act ask for types as traced code does; the user's own modules do anyway."""
    for module in LOADED.installed_of({module.partition(".")[0] for module in ACTING}):
        if module in sys.modules and _asks_for_types(module, len(getattr(sys.modules[module], "__dict__", ()))):
            names_of_module(module)


FIRST.append(_find_acting)
TOO.append(_where_they_are_written)


@late.bound
def standing(value: Any) -> Any:
    """Return nested arguments with arrays of classes that act made traced ones of their class."""
    if not ACTING:
        return value
    kind: Any = type(value)
    if acts_as_class(value) and is_written_in_python(kind):
        numbers = value.view(np.ndarray)
        if numbers.dtype.kind not in "fiub":
            raise unsupported(f"an array of {type(value).__name__} with dtype {numbers.dtype}", HINT)
        return seen_as_kind(TracedArray.of_values(numbers), kind, value)
    if type(value) in (list, tuple):
        parts = [standing(each) for each in value]
        return value if all(p is v for p, v in zip(parts, value, strict=True)) else type(value)(parts)
    return {name: standing(each) for name, each in value.items()} if type(value) is dict else value
