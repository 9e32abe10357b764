"""One event: an operation on plain arrays and on traced ones, and what became of it.

The float arrays of an event are laid out in one vector x as they lie in memory. A function of x takes them out by
slicing and does the operation; it is run on x and traced, and the two are compared. The outcomes:

same        value, shape, kind of dtype, containers and changed arguments agree, or both raise
refused     sparsead refuses what NumPy does
different   something differs
crash       an error that is no refusal, where NumPy raises none
accepted    NumPy raises, the trace does not
"""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse

import sparsead as sad
import sparsead.ops  # fills the tables that tracing reads
from sparsead.emit.sweep import Engine
from sparsead.kernels.lower import lower
from sparsead.program.evaluate import evaluate
from sparsead.program.nodes import Program, Ref, Scan
from sparsead.sweeps.vector import value_sweep
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.trace import trace

MADE_OF = {
    "csr": ("data", "indices", "indptr"), "csc": ("data", "indices", "indptr"), "bsr": ("data", "indices", "indptr"),
    "coo": ("data", "coords"), "dia": ("data", "offsets"),
}  # fmt: skip
true_type = type  # while this is traced, `type` says of traced values what it says of NumPy's
MOST_ELEMENTS, MOST_ARRAYS = 1000, 12
MOST_DENSE = 10**6  # elements of a sparse matrix, zeros among them
VARIANTS = ("all", "first", "known")  # which arrays are traced: all, the first alone, none (all made inside)
REDUCING = {"sum", "prod", "mean", "std", "var", "max", "min", "all", "any", "average", "amax", "amin", "reduce",
            "nansum", "nanprod", "nanmean", "nanstd", "nanvar", "nanmax", "nanmin", "count_nonzero"}  # fmt: skip


class NotComparedError(Exception):
    """An event with arguments that are not looked at: objects, other types, large arrays."""


@dataclass(frozen=True)
class Place:
    """In a list of arguments: the array of this number."""

    number: int


@dataclass(frozen=True)
class Matrix:
    """In a list of arguments: a sparse matrix of some class, made of arrays."""

    kind: str
    parts: Any
    shape: tuple[int, ...]

    @property
    def __name__(self) -> str:
        return f"{self.kind}{self.shape}"


@dataclass
class Event:
    """An operation and its arguments, with places for the float arrays."""

    kind: str
    name: str
    args: Any
    kwargs: Any
    arrays: list[np.ndarray] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What was called, in short."""
        shown = [_text(a) for a in self.args] + [f"{n}={_text(a)}" for n, a in self.kwargs.items()]
        return f"{self.name}({', '.join(shown)}) of {[a.shape for a in self.arrays]}"


@dataclass(frozen=True)
class Outcome:
    """What became of an event in one variant."""

    result: str
    event: str
    variant: str
    message: str = ""


def _text(value: Any) -> str:
    if isinstance(value, Place):
        return f"A{value.number}"
    if isinstance(value, (list, tuple)):
        return f"{type(value).__name__}({', '.join(map(_text, value[:6]))})"
    return getattr(value, "__name__", None) or repr(value)[:60].replace("\n", " ")


# -- events out of calls ------------------------------------------------------------------------------------------
def event_of(kind: str, name: str, args: Any, kwargs: Any) -> Event:
    """Take the float arrays out of the arguments; integers that come first are made floats if there is none."""
    event = Event(kind, name, (), {})
    event.args, event.kwargs = _taken(args, event.arrays), _taken(kwargs, event.arrays)
    if not event.arrays and args and type(args[0]) is np.ndarray and args[0].dtype.kind in "iu":
        return event_of(kind, name, (args[0].astype(float), *args[1:]), kwargs)
    sizes = [a.size for a in event.arrays]
    if not any(sizes) or len(sizes) > MOST_ARRAYS or sum(sizes) > MOST_ELEMENTS:
        raise NotComparedError
    event.arrays = [a.copy(order="K") for a in event.arrays]
    return event


def _taken(value: Any, arrays: list[np.ndarray]) -> Any:
    if type(value) is np.ndarray and value.dtype == np.float64 and value.dtype.isnative:
        known = [k for k, a in enumerate(arrays) if a is value]
        if not known:
            arrays.append(value)
        return Place(known[0] if known else len(arrays) - 1)
    if scipy.sparse.issparse(value) and math.prod(value.shape) > MOST_DENSE:
        raise NotComparedError
    if scipy.sparse.issparse(value) and value.dtype == np.float64 and value.format in MADE_OF and value.nnz:
        parts = [getattr(value, name) for name in MADE_OF[value.format]]
        parts = [parts[0], tuple(parts[1])] if value.format == "coo" else parts
        return Matrix(type(value).__name__, tuple(_taken(v, arrays) for v in parts), value.shape)
    if type(value) in (list, tuple):
        return type(value)(_taken(v, arrays) for v in value)
    if type(value) is dict:
        return {n: _taken(v, arrays) for n, v in value.items()}
    plain = (int, float, bool, str, bytes, type(None), type(...), slice, np.dtype, type)
    if type(value) is np.ndarray and value.dtype.kind in "iub" and value.size <= MOST_ELEMENTS:
        return value
    if isinstance(value, plain) or callable(value) or (isinstance(value, np.generic) and value.dtype.char in "?lqd"):
        return value
    raise NotComparedError


def _filled(value: Any, arrays: list[Any]) -> Any:
    if isinstance(value, Place):
        return arrays[value.number]
    if isinstance(value, Matrix):
        return getattr(scipy.sparse, value.kind)(_filled(value.parts, arrays), shape=value.shape)
    if true_type(value) is np.ndarray:
        return value.copy(order="K")
    if true_type(value) in (list, tuple):
        return true_type(value)(_filled(v, arrays) for v in value)
    return {n: _filled(v, arrays) for n, v in value.items()} if true_type(value) is dict else value


def _strides(a: np.ndarray) -> tuple[list[int], tuple[slice, ...]]:
    """Return the axes from the slowest to the fastest, and the slices that turn around those that run backwards."""
    axes = sorted(range(a.ndim), key=lambda k: (-abs(a.strides[k]), k)) if a.size else list(range(a.ndim))
    return axes, tuple(slice(None, None, -1 if s < 0 else 1) for s in a.strides)


def function_of(
    event: Event, variant: str, act: Callable[..., Any], look: Callable[[Any, Any], None]
) -> tuple[Any, Any]:
    """Return the function of x that does an event and has `look` see its result and x, and the point x."""
    layouts = [_strides(a) for a in event.arrays]
    stored = [np.ravel(a[flip].transpose(axes)) for a, (axes, flip) in zip(event.arrays, layouts, strict=True)]
    ends = np.cumsum([0, *(s.size for s in stored)])
    x0 = np.concatenate(stored)

    def f(x: Any) -> Any:
        outside = x0.copy()
        x = np.array(x0) if variant == "known" else x
        used = []
        for k, (a, (axes, flip)) in enumerate(zip(event.arrays, layouts, strict=True)):
            source = outside if variant == "first" and k else x
            flat = source[ends[k] : ends[k + 1]].reshape([a.shape[axis] for axis in axes])
            used.append(flat.transpose(np.argsort(axes))[flip] if axes else flat)
        look(act(event.kind, event.name, _filled(event.args, used), _filled(event.kwargs, used)), x)
        return 0.0

    return f, x0


# -- what a result is ---------------------------------------------------------------------------------------------
def parts_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield what a result is made of: descriptions, and values to compare (a reading where it is traced)."""
    if isinstance(value, (list, tuple)) and true_type(value) is not str:
        yield f"{'list' if isinstance(value, list) else 'tuple'} of {len(value)}", None
        for item in value:
            yield from parts_of(item)
    elif (
        true_type(value) is TracedComplex
        or getattr(getattr(value, "dtype", None), "kind", "") == "c"
        or true_type(value) is complex
    ):
        yield "complex", None
        yield from parts_of(value.real)
        yield from parts_of(value.imag)
    elif true_type(value) in (TracedArray, TracedScalar):
        array = value if true_type(value) is TracedArray else value.array
        known = array.plain.copy() if array.is_constant else array.ref
        order = _order(value) if true_type(value) is TracedArray else ""
        yield f"{'array' if order else 'number'} {array.dtype.kind} {array.shape}{order}", known
    elif scipy.sparse.issparse(value) and value.dtype.kind == "f" and math.prod(value.shape) <= MOST_DENSE:
        yield f"{value.__class__.__name__} {value.shape}", None
        yield from parts_of(value.toarray() + 0.0)
    elif isinstance(value, (np.ndarray, np.generic, bool, int, float)) and np.asarray(value).dtype.kind in "biuf":
        array = np.asarray(value)
        kind = array.dtype.kind.replace("u", "i")
        order = _order(value) if isinstance(value, np.ndarray) else ""
        yield f"{'array' if order else 'number'} {kind} {array.shape}{order}", array.copy()
    elif value is None or isinstance(value, (str, type, np.dtype)):
        yield repr(value), None
    else:
        yield "something", None


def _order(array: Any) -> str:
    """Return how an array lies in memory, as far as its views and copies depend on it."""
    flags = array.flags
    return f" in order {'C' * flags.c_contiguous}{'F' * flags.f_contiguous}" if array.dtype.kind == "f" else " "


def _written(value: Any, number: float = 7.0) -> None:
    """Write into the arrays of a result."""
    for k, item in enumerate(value if isinstance(value, (list, tuple)) else [value]):
        is_array = true_type(item) in (TracedArray, np.ndarray)
        if is_array and item.flags.writeable and item.dtype.kind == "f" and item.size:
            item[...] = number + k


def are_close(expected: np.ndarray, value: np.ndarray, digits: float, rounding: float = 0.0) -> bool:
    """Tell whether values agree; cancelled digits are forgiven, and the `rounding` of the arguments is."""
    largest = np.max(np.abs(expected), where=np.isfinite(expected), initial=0.0) if expected.dtype.kind == "f" else 0.0
    return bool(np.allclose(expected, value, rtol=digits, atol=max(1e-3 * digits * largest, rounding), equal_nan=True))


def values_of(ref: Ref, program: Program, x0: np.ndarray) -> np.ndarray:
    """Return the values that a traced array has at x0; recurrences are generated as Python."""
    source = program.inputs[0]
    asked = Program((source,), source, ref, "f")
    if not any(isinstance(node, Scan) for node in asked.nodes):
        return np.asarray(evaluate(ref, {source.serial: x0}))
    if ref.node.boolean or ref.node.integer:
        raise NotComparedError
    y = np.empty(ref.shape)
    value_sweep(lower(asked), Engine("python"))(x=x0, y=y.reshape(-1))
    return y


def difference(
    expected: Any, found: Any, read: Callable[[Ref], np.ndarray], digits: float, rounding: float = 0.0
) -> str:
    """Return the first difference of two lists of parts, or nothing."""
    for (what, value), (other, traced) in zip(expected, found, strict=False):
        if "something" in (what, other):
            return ""
        if what != other:
            return f"NumPy: {what}, traced: {other}"
        if value is not None:
            result = traced if isinstance(traced, np.ndarray) else read(traced)
            if not are_close(value, result, digits, rounding):
                shown = [np.array2string(np.ravel(v)[:4], precision=5).replace("\n", " ") for v in (value, result)]
                return f"NumPy: {shown[0]}, traced: {shown[1]}"
    return "" if len(expected) == len(found) else f"NumPy: {len(expected)} parts, traced: {len(found)}"


# -- the comparison -----------------------------------------------------------------------------------------------
def compare(event: Event, variant: str, act: Callable[..., Any], aliasing: bool) -> Outcome:
    """Do an event plainly and traced; with `aliasing`, write into the result, then into x, and look at both."""
    held: dict[str, Any] = {}

    def look(result: Any, x: Any) -> None:
        if aliasing:
            _written(result)
            held["arguments"] = list(parts_of(x))
            x[...] = 5.0
            held["result"] = list(parts_of(result))
        else:
            held.update(result=list(parts_of(result)), arguments=list(parts_of(x)))

    f, x0 = function_of(event, variant, act, look)
    failed: Exception | None = None
    try:
        f(x0.copy())
    except Exception as error:
        failed = error
    plain, held = held, {}
    try:
        program, _ = trace(f, (x0,))
    except Exception as error:
        if failed is not None:
            return Outcome("same", event.text, variant, "both raise")
        refusal = isinstance(error, sad.SparseADError)
        message = str(error).partition("\n")[0]
        return Outcome("refused" if refusal else "crash", event.text, variant, f"{type(error).__name__}: {message}")
    if failed is not None:
        return Outcome("accepted", event.text, variant, f"{type(failed).__name__}: {failed}")
    digits = 1e-5 if any(name in event.text for name in ("float32", "'f'", "f4", "complex64", "'F'")) else 1e-9
    scale = np.max(np.abs(x0), where=np.isfinite(x0), initial=0.0)
    rounding = 8.0 * np.finfo(float).eps * min(scale, scale**2)
    for what in ("result", "arguments"):
        found = difference(plain[what], held[what], lambda ref: values_of(ref, program, x0), digits, rounding)
        if found:
            seen_in = f"{what} after writing" if aliasing else what
            return Outcome("different", event.text, variant, f"{seen_in}: {found}")
    return Outcome("same", event.text, variant)


class Comparison:
    """Compares the events of a test module, alike ones once."""

    def __init__(self, act: Callable[..., Any], report: Callable[[Outcome], None], most: int) -> None:
        self.act, self.report, self.most = act, report, most
        self.met: set[tuple[str, str]] = set()
        self.counts: Counter[str] = Counter()
        self.busy = False

    def __call__(self, kind: str, name: str, args: Any, kwargs: Any) -> None:
        """Compare what a test is about to do, in all variants; the test's own arguments stay as they are."""
        if self.busy:
            return
        self.busy = True
        try:
            event = event_of(kind, name, args, kwargs)
            key = (kind, event.text)
            masked = "where" in kwargs and name.rpartition(".")[2] not in REDUCING  # elements that nobody defines
            if key not in self.met and self.counts[kind + name] < self.most and not masked:
                self.met.add(key)
                self.counts[kind + name] += 1
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    self._compare(event)
        except NotComparedError:
            pass
        finally:
            self.busy = False

    def _compare(self, event: Event) -> None:
        for variant in VARIANTS:
            if variant == "first" and len(event.arrays) < 2:
                continue
            outcome = compare(event, variant, self.act, aliasing=False)
            if outcome.result == "same" and not outcome.message and event.kind not in ("set", "iset"):
                outcome = compare(event, variant, self.act, aliasing=True)
            self.report(outcome)
            if outcome.message == "both raise":
                return
