"""The traced array: what the user's function sees in place of a NumPy array.

A traced array is a storage and a NumPy array of positions in it. NumPy itself then decides what is a view and
what is a copy, and which elements move where: the positions are moved, and we look where they went.
"""

from __future__ import annotations

import builtins
import numbers
import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
import scipy.sparse
from numpy.lib.mixins import NDArrayOperatorsMixin

from sparsead.errors import SparseADError, is_users, unsupported
from sparsead.program.index import IndexArray, Shape
from sparsead.program.nodes import Node, Ref, constant, whole
from sparsead.tracing import layout
from sparsead.tracing.asking import Call, instead_of, write_out
from sparsead.tracing.complex import TracedComplex, call_complex, call_complex_ufunc, held_for_sparse, is_complex
from sparsead.tracing.decisions import active
from sparsead.tracing.kinds import kind_of
from sparsead.tracing.loops.tape import is_tracing
from sparsead.tracing.positioned import Positioned, Traced
from sparsead.tracing.scalar import (
    BRANCH_HINT,
    INDEX,
    TracedScalar,
    is_number,
    of_numbers,
    refuse_array,
    refuse_conversion,
    refuse_value,
)
from sparsead.tracing.selection import Selection, mask_of, selected, written
from sparsead.tracing.storage import BOOL, DOUBLE, Storage

# What NumPy (or SciPy) function -> how to trace it. The modules of `sparsead.ops` fill it, one statement an entry.
HANDLERS: dict[Callable[..., Any], Callable[..., Any]] = {}
UFUNC_METHODS: dict[tuple[Callable[..., Any], str], Callable[..., Any]] = {}

# Functions asked on positions (a number is one there too); those whose handlers return a number or an array of shape
# () as NumPy does; and those that always return arrays. All others return numbers.
MOVEMENTS: set[Callable[..., Any]] = {np.real, np.imag}
AS_NUMPY: set[Callable[..., Any]] = {
    np.where, np.full, np.array, np.asarray, np.real, np.imag, np.real_if_close, np.broadcast_arrays,
}  # fmt: skip
ARRAYS: set[Callable[..., Any]] = {
    np.tensordot, np.linalg.tensordot, np.cov, np.piecewise, np.select, np.apply_along_axis,
}  # fmt: skip

BITS = (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert)
ELEMENTWISE = {np.clip, np.round, np.around}  # functions whose out= may be larger than their result
STACK = np.stack  # the function itself: its name is bound to another one while a function is traced
SPARSE = scipy.sparse.coo_array  # the handler that makes a traced matrix of any sparse one

SUBCLASS_HINT = (
    "It is a subclass of ndarray, which holds numbers only: take its values (to_value, .value) before, or use pint, "
    "whose quantities hold any array."
)
DIFFERENCES_HINT = "Write it with NumPy functions of the traced array."


class _Lookalike(np.ndarray):
    """What ``x.__class__`` says to libraries for a traced array, so that ``isinstance(x, np.ndarray)`` is true.

    Not ndarray itself, as to user code: where SciPy asks ``x.__class__ is np.ndarray`` it wants to read the memory.
    """


class TracedArray(Positioned, NDArrayOperatorsMixin):
    """An array of traced values. Behaves like an ndarray of float64 (or bool, or int64) without values."""

    __slots__ = ("__weakref__", "positions", "storage")
    positions: IndexArray
    __array_priority__ = 1000.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, storage: Storage, positions: IndexArray) -> None:
        self.storage = storage
        self.positions = positions

    # -- construction and reading ---------------------------------------------------------------------------
    @classmethod
    def of_node(cls, node: Node) -> TracedArray:
        """Return a new array that holds all of `node`."""
        return cls.of_ref(whole(node))

    @classmethod
    def of_ref(cls, ref: Ref, positions: IndexArray | None = None) -> TracedArray:
        """Return a new array that holds what `ref` reads; its memory has the order of `positions`, or C order."""
        axes = None if positions is None else layout.axes(positions)
        if axes is None or positions is None:
            return cls(Storage(ref), layout.memory(ref.shape))
        return cls(Storage(Ref(ref.node, ref.index.transpose(axes))), layout.like(positions))

    @classmethod
    def of_points(cls, positions: IndexArray, args: tuple[Ref, ...], node: Callable[..., Node]) -> TracedArray:
        """Return the new array at `positions` whose elements ``node(shape=, args=)`` computes, in their order."""
        axes = layout.axes(positions)
        if axes is not None:
            args = tuple(Ref(arg.node, arg.index.transpose(axes)) for arg in args)
        shape = positions.shape if axes is None else tuple(positions.shape[k] for k in axes)
        return cls(Storage(whole(node(shape=shape, args=args))), positions)

    @classmethod
    def of_values(cls, values: Any) -> TracedArray:
        """Return a new array of known values, ready to have traced values written into it."""
        values = np.asarray(values)
        return cls.of_new(np.array(values, BOOL if values.dtype == BOOL else DOUBLE, order="K"))

    @classmethod
    def of_new(cls, values: np.ndarray) -> TracedArray:
        """Return the array of known values in memory that nobody else holds."""
        if not layout.is_dense(values):
            values = np.array(values, order="K")
        axes = layout.axes(values)
        flat = values.reshape(-1) if axes is None else values.transpose(axes).reshape(-1)
        positions = layout.like(values)
        positions.flags.writeable = values.flags.writeable
        return cls(Storage(flat), positions)

    @property
    def ref(self) -> Ref:
        """What the array holds now."""
        return self.storage.read(self.positions)

    @property
    def is_constant(self) -> bool:
        """True as long as no traced value was written to the memory."""
        return self.storage.is_constant

    @property
    def plain(self) -> np.ndarray:
        """The ndarray that a constant array stands for: its memory itself."""
        assert self.storage.values is not None
        return layout.viewed(self.storage.values, self.positions)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return np.ndarray if is_users(sys._getframe(1).f_code.co_filename) else _Lookalike

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64, or bool for a condition, or int64 for counts of conditions."""
        return self.storage.dtype

    @property
    def real(self) -> TracedArray:
        """The array itself: its values are real."""
        return self

    @real.setter
    def real(self, value: Any) -> None:
        self[...] = value

    @property
    def imag(self) -> TracedArray:
        """Zeros, read-only: its values are real."""
        zeros = TracedArray.of_new(np.zeros_like(self.positions, DOUBLE))
        zeros.setflags(write=False)
        return zeros

    @imag.setter
    def imag(self, value: Any) -> None:
        raise TypeError("array does not have imaginary part to set")

    def __repr__(self) -> str:
        kind = "constant" if self.is_constant else "traced"
        return f"<{kind} array, shape {self.shape}, {self.dtype}>"

    # -- indexing -------------------------------------------------------------------------------------------
    def moved(self, positions: IndexArray) -> Any:
        """Return the elements at `positions`: a view where NumPy made one of the positions, else a copy."""
        if positions is self.positions:
            return self
        shared = np.may_share_memory(positions, self.positions)
        if self.storage.is_outside and not is_tracing():  # in another thread than the one that traces
            return TracedArray(self.storage, positions).plain if shared else self._picked(positions)
        if shared:
            return TracedArray(self.storage, positions)
        if self.is_constant:
            return TracedArray.of_new(self._picked(positions))
        copied = TracedArray.of_ref(self.storage.read(positions), positions)
        if not positions.flags.writeable:
            copied.positions.flags.writeable = False
        return copied

    def _picked(self, positions: IndexArray) -> np.ndarray:
        """Return what a constant array holds at some positions, in memory of the same order."""
        assert self.storage.values is not None
        values = np.empty_like(positions, self.dtype)
        values[...] = self.storage.values[positions]
        return values

    def __getitem__(self, key: Any) -> Any:
        if _is_element(key, self.positions.ndim):
            return self.storage.element(self.positions.item(key))
        mask = mask_of(key, self.positions.shape)
        if mask is not None:
            return selected(self, mask)
        picked = self.positions[_static_key(key)]
        return self.moved(picked) if type(picked) is np.ndarray else self.storage.element(int(picked))

    def element(self) -> Any:
        """Return the element of an array of shape () as a number."""
        return self.storage.element(self.positions.item())

    def __setitem__(self, key: Any, value: Any) -> None:
        if not self.positions.flags.writeable:
            raise ValueError("assignment destination is read-only")
        if _is_element(key, self.positions.ndim) and self._set_element(self.positions.item(key), value):
            return
        mask = mask_of(key, self.positions.shape)
        if mask is not None:
            written(self, mask, stack_objects(value))
            return
        key, value = _static_key(key), stack_objects(value)
        self.storage.flush()
        constant_value = value.is_constant if isinstance(value, (TracedArray, TracedComplex)) else True
        if constant_value and self.storage.values is not None:
            self.plain[key] = value.plain if isinstance(value, (TracedArray, TracedComplex)) else value
            return
        target = np.asarray(self.positions[key])
        if target.size == 0 == np.size(value):  # NumPy fits some of these shapes, and nothing is written anyway
            return
        self.storage.write(target, _fit(reading(_cast(value, self.dtype)), target.shape))

    def _set_element(self, position: int, value: Any) -> bool:
        """Store a number at one position; False if `value` is none, or not of the type of the array."""
        if type(value) is TracedArray and value.ndim == 0:
            value = value.element()
        if type(value) is TracedScalar:
            if value.tape.is_exact(value.entry) or self.storage.dtype is not DOUBLE:
                return False
        elif not is_number(value) or self.storage.dtype is not DOUBLE:
            return False
        self.storage.set_element(position, value)
        return True

    # -- NumPy protocols ------------------------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if any(isinstance(i, Traced) or hasattr(type(i), "magnitude") for i in inputs):
            return NotImplemented  # a quantity of a package of units, which holds any array, does it
        if ufunc is not np.matmul and any(hasattr(type(i), "tocsr") for i in inputs):
            return getattr(ufunc, method)(*(_traced_matrix(i) for i in inputs), **kwargs)
        return call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return call_function(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Give the values of a constant array; refuse for a traced one, except to scipy.sparse.

        Whole numbers and truth values are recorded like branches, where these are.
        """
        if self.is_constant:
            return np.array(self.plain, dtype)
        whole = recorded(self)
        if whole is not None:
            return np.array(whole, dtype)
        held = held_for_sparse(self)
        if held is not None:
            return held
        refuse_array(sys._getframe(1))

    def __matmul__(self, other: Any) -> Any:
        if getattr(other, "__array_ufunc__", self) is None:  # it has operations of its own
            return NotImplemented
        other = other.to_numpy() if hasattr(type(other), "to_numpy") else other  # a Series, a DataFrame
        return matmul(self, other) if scipy.sparse.issparse(other) else np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return matmul(other, self)

    # The matrix classes of scipy.sparse spell a product with *.
    def __mul__(self, other: Any) -> Any:
        if getattr(other, "__array_ufunc__", self) is None or _is_unit(other):
            return NotImplemented
        return matmul(self, other) if scipy.sparse.isspmatrix(other) else np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return matmul(other, self) if scipy.sparse.isspmatrix(other) else np.multiply(other, self)

    # -- what would need a value ----------------------------------------------------------------------------
    def _refuse(self, what: str) -> NoReturn:
        refuse_value(what, BRANCH_HINT)

    def __bool__(self) -> bool:
        if self.is_constant:
            return bool(self.plain)
        decisions = active.get()
        if decisions is not None and self.size == 1:
            return decisions.decide(self.reshape(()).ref)
        return self._refuse("a Python branch (if, while, and, or, not)")

    def _convert(self, kind: Callable[[Any], Any], what: str) -> Any:
        """Convert a constant to a Python number; refuse for a traced value, also where NumPy asks to store it."""
        if self.is_constant:
            return kind(self.plain)
        if kind is int and self.size == 1 and active.get() is not None:
            return int(self.reshape(()).element())
        refuse_conversion(what, sys._getframe(2))

    def __float__(self) -> float:
        return self._convert(float, "float() or a function of module math")

    def __int__(self) -> int:
        return self._convert(int, "int()")

    def __complex__(self) -> complex:
        return self._convert(complex, "complex()")

    def __index__(self) -> int:
        if self.is_constant:
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        if self.size == 1 and active.get() is not None:
            return operator.index(self.reshape(()).element())
        refuse_conversion(INDEX, sys._getframe(1), BRANCH_HINT)

    # -- types ----------------------------------------------------------------------------------------------
    def conj(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``ndarray.conj``: the array itself, as its values are real."""
        return np.conjugate(self, *args, **kwargs) if args or kwargs else self

    conjugate = conj

    def astype(
        self, dtype: Any, order: Any = "K", casting: Any = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """Same as ``ndarray.astype``, where nothing is truncated; a constant array may become anything."""
        wanted = np.dtype(dtype)
        if self.is_constant:
            return on_values(np.ndarray.astype, (self, wanted, order, casting, subok, copy), {})
        if not np.can_cast(self.dtype, wanted, casting):
            raise TypeError(
                f"Cannot cast array data from {self.dtype!r} to {wanted!r} according to the rule {casting!r}"
            )
        if wanted.kind == "f" and wanted.itemsize < 4:
            raise unsupported(f"astype({wanted})", "Its three digits cannot be kept: numbers stay float64.")
        whole = recorded(as_integers(np.trunc(self))) if wanted.kind in "iu" and self.dtype == DOUBLE else None
        if whole is not None:
            return whole.astype(wanted)
        if wanted.kind == self.dtype.kind:
            copy = copy or wanted != self.dtype
            return self.moved(self.positions.astype(self.positions.dtype, order, copy=copy))
        converted = _cast(self, wanted)
        return converted if order == "K" or converted.flags.c_contiguous else converted.copy(order)

    def view(self, dtype: Any = None, type: Any = None) -> Any:
        """Same as ``ndarray.view``: of the same type, or of neighbours as complex numbers."""
        if dtype is np.ndarray or (dtype is not None and np.dtype(dtype) == self.dtype):
            dtype = None
        if dtype is None and type in (None, np.ndarray):
            return self.moved(self.positions.view())
        kind = dtype if type is None else type
        if isinstance(kind, builtins.type) and issubclass(kind, np.ndarray):
            hint = "Use the array itself, and @ for products." if issubclass(kind, np.matrix) else SUBCLASS_HINT
            raise unsupported(f"ndarray.view({kind.__name__})", hint)
        if dtype is None or np.dtype(dtype) != np.complex128 or type is not None:
            raise unsupported(f"ndarray.view({dtype if type is None else type})", "Use astype, which converts.")
        if self.size and self.positions.strides[-1:] != (self.positions.itemsize,):
            raise ValueError("To change to a dtype of a different size, the last axis must be contiguous")
        if self.shape[-1] % 2:
            raise ValueError("When changing to a larger dtype, its size must be a divisor of the total size")
        if self.size and self.positions.item((0,) * self.ndim) % 2:
            raise unsupported("ndarray.view(complex) from an odd element on", "Use x[0::2] + 1j * x[1::2].")
        return TracedComplex(self[..., ::2], self[..., 1::2])

    def __getattr__(self, name: str) -> Any:
        """``x.sin()``, which NumPy asks the elements of an object array."""
        func = None if name.startswith("_") else getattr(np, name, None)
        if isinstance(func, np.ufunc):
            return lambda *args, **kwargs: func(self, *args, **kwargs)
        if hasattr(np.ndarray, name) and not name.startswith("_"):
            raise unsupported(f"ndarray.{name}", DIFFERENCES_HINT)
        raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")


def _is_unit(value: Any) -> bool:
    """Tell whether a value is a unit: no number and no array, but it makes a quantity of either."""
    return hasattr(type(value), "dimensionality") and not hasattr(type(value), "magnitude")


def _by_number(name: str, operate: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    """Return an operator that takes an array of shape () for its number, as NumPy does: loop code is full of them."""
    of_arrays = getattr(TracedArray, name)

    def method(self: TracedArray, other: Any) -> Any:
        if self.positions.ndim:
            return of_arrays(self, other)
        return operate(other, self.element()) if reflected else operate(self.element(), other)

    return method


for _name in ("add", "sub", "mul", "truediv", "pow", "lt", "le", "gt", "ge"):
    _operate = getattr(operator, _name)
    setattr(TracedArray, f"__{_name}__", _by_number(f"__{_name}__", _operate, reflected=False))
    if hasattr(TracedArray, f"__r{_name}__"):
        setattr(TracedArray, f"__r{_name}__", _by_number(f"__r{_name}__", _operate, reflected=True))


def _by_values(name: str, operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return ``==`` or ``!=``, which NumPy decides where all is known: it compares with texts and None, too."""
    of_arrays = getattr(TracedArray, name)

    def method(self: TracedArray, other: Any) -> Any:
        if self.is_constant and all(t.is_constant for t in traced_in((other,))):
            return on_values(operate, (self, other), {})
        return of_arrays(self, other)

    return method


for _name in ("eq", "ne"):
    setattr(TracedArray, f"__{_name}__", _by_values(f"__{_name}__", getattr(operator, _name)))


def of_number(number: TracedScalar) -> TracedArray:
    """Return a new array of shape () that holds a number, which may go on as a number."""
    if number.tape.is_exact(number.entry):
        return number.array
    return TracedArray(Storage.of_number(number), layout.memory(()))


def as_integers(array: Any) -> Any:
    """Return a new array of whole numbers as one of integers."""
    ref = traced(array).ref
    ref.node.integer = True
    return TracedArray.of_ref(ref, traced(array).positions)


def _traced_matrix(value: Any) -> Any:
    """Return a constant sparse matrix as a traced one, which knows its operations with arrays; all else as it is."""
    return HANDLERS[SPARSE](value) if hasattr(type(value), "tocsr") else value


def matmul(a: Any, b: Any) -> Any:
    """Return ``a @ b``, also for operands that do not dispatch."""
    if isinstance(b, Traced):
        return b.__rmatmul__(a)  # type: ignore[attr-defined]
    check_kind(a)
    check_kind(b)
    if is_complex(a) or is_complex(b):
        return call_complex(np.matmul, (a, b), {})
    return as_numbers(HANDLERS[np.matmul](a, b))


# -- calls ------------------------------------------------------------------------------------------------------
def call_ufunc(ufunc: np.ufunc, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
    """Trace a call of a ufunc, or of one of its methods."""
    if method == "__call__" and not kwargs and all(map(_is_single, inputs)):
        result = of_numbers(ufunc, [i.element() if type(i) is TracedArray else i for i in inputs])
        if result is not None:
            return result
    call = (getattr(ufunc, method), inputs, kwargs)
    if all(t.is_constant for t in traced_in((inputs, kwargs))):
        return on_values(*call)
    try:
        return _traced_ufunc(ufunc, method, call)
    except (SparseADError, MemoryError):
        raise
    except Exception as error:
        instead_of(error, call)


def _traced_ufunc(ufunc: np.ufunc, method: str, call: Call) -> Any:
    _, inputs, kwargs = call
    if ufunc in BITS:
        _check_bits(ufunc, inputs)
    outputs, kwargs = kwargs.get("out"), {name: value for name, value in kwargs.items() if name != "out"}
    if any(is_complex(i) for i in inputs):
        return call_complex_ufunc(ufunc, method, inputs, outputs, kwargs)
    where = kwargs.pop("where", True) if outputs is not None and method == "__call__" else True
    if method == "__call__":
        result = _handler(ufunc, f"np.{ufunc.__name__}")(*inputs, **kwargs)
    elif method == "outer":
        first, second = (stack_objects(i) for i in inputs)
        result = ufunc(np.reshape(first, np.shape(first) + (1,) * np.ndim(second)), second, **kwargs)
    elif (ufunc, method) in UFUNC_METHODS:
        result = UFUNC_METHODS[ufunc, method](*inputs, **kwargs)
    else:
        raise unsupported(f"np.{ufunc.__name__}.{method}", DIFFERENCES_HINT)
    if outputs is None:
        return as_numbers(result)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    results = result if isinstance(result, tuple) else (result,)
    written = tuple(
        as_numbers(r) if out is None else write_out(out, r if where is True else np.where(where, r, out), call)
        for out, r in zip(outputs, results, strict=True)
    )
    return written if isinstance(result, tuple) else written[0]


def _check_bits(ufunc: np.ufunc, inputs: Any) -> None:
    """Refuse operations on the bits of integers; of real numbers NumPy itself has none."""
    kinds = (kind_of(i) for i in inputs)
    result = ufunc.resolve_dtypes((*kinds, None))[-1]
    if result != BOOL:
        raise unsupported(f"np.{ufunc.__name__} of integers that depend on x", "Use the arithmetic operators.")


def _is_single(value: Any) -> bool:
    """Tell whether a value is a number, or a traced array of shape ()."""
    kind = type(value)
    return kind is TracedScalar or (value.positions.ndim == 0 if kind is TracedArray else is_number(value))


def _handler(func: Callable[..., Any], name: str) -> Callable[..., Any]:
    handler = HANDLERS.get(func)
    if handler is None:
        raise unsupported(name, DIFFERENCES_HINT)
    return handler


def call_function(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Trace a call of a NumPy function, some of whose arguments are traced."""
    for other in args:
        if type(other) is Selection:  # stand-ins of functions call this for whatever is traced
            return other.__array_function__(func, (), args, kwargs)
    for other in args:
        check_kind(other)
    calls_back = func in HANDLERS and any(map(callable, args))
    if not calls_back and all(t.is_constant for t in traced_in((args, kwargs))):
        return on_values(func, args, kwargs)
    call = (func, args, kwargs)
    try:
        return _traced_function(*call)
    except (SparseADError, MemoryError):
        raise
    except Exception as error:
        instead_of(error, call)


def _traced_function(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    args, kwargs = getattr(HANDLERS.get(func), "with_out_named", _as_given)(args, kwargs)
    if any(is_complex(a) for a in args):
        return call_complex(func, args, kwargs)
    handler = _handler(func, f"{func.__module__}.{func.__name__}".replace("numpy", "np"))
    out = kwargs.get("out")
    if out is not None:
        result = handler(*args, **{k: v for k, v in kwargs.items() if k != "out"})
        if func not in ELEMENTWISE and np.shape(result) != np.shape(out):
            raise ValueError(f"output array has shape {np.shape(out)}, and the result {np.shape(result)}")
        return write_out(out, result, (func, args, kwargs))
    result = handler(*args, **kwargs)
    if func in ARRAYS:
        result = stack_objects(result)
        return adopted(np.asarray(result)) if isinstance(result, np.generic) else result
    return result if func in AS_NUMPY else as_numbers(adopted(result))


def _as_given(args: Any, kwargs: Any) -> tuple[Any, Any]:
    return args, kwargs


def as_numbers(result: Any) -> Any:
    """Return results of shape () as the numbers that NumPy returns."""
    if isinstance(result, tuple):
        numbers = map(as_numbers, result)
        return type(result)(*numbers) if hasattr(result, "_fields") else tuple(numbers)
    if type(result) is TracedArray and result.positions.ndim == 0:
        return result.element()
    if type(result) is np.ndarray and result.ndim == 0:
        return result[()]
    if type(result) is TracedComplex and result.ndim == 0:
        return TracedComplex(as_numbers(result.real), as_numbers(result.imag))
    return result


# -- calls of known values --------------------------------------------------------------------------------------
def on_values(func: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """Call a function on the memory of constant arrays, so that it may write there and return views of it."""
    held: list[Any] = []
    result = func(*_plain(args, held), **{name: _plain(value, held) for name, value in kwargs.items()})
    return wrapped(result, held) if is_tracing() else result


def _plain(items: Any, held: list[Any]) -> Any:
    """Return nested arguments with constant arrays replaced by their memory; these, and plain ones, are put down."""
    if isinstance(items, (TracedArray, TracedComplex)):
        held.append((items, items.plain))
        return held[-1][1]
    if type(items) is np.ndarray:
        held.append((items, items))
    if isinstance(items, (list, tuple)):
        kept = [_plain(i, held) for i in items]
        return type(items)(*kept) if hasattr(items, "_fields") else type(items)(kept)
    return items


def wrapped(result: Any, held: list[Any]) -> Any:
    """Return what a function of constant arrays returned, able to take traced values later.

    It is one of the arguments, a view of one, or new: that is seen by the memory.
    """
    if isinstance(result, (list, tuple)):
        kept = [wrapped(r, held) for r in result]
        return type(result)(*kept) if hasattr(result, "_fields") else type(result)(kept)
    if type(result) is not np.ndarray:
        return result
    for given, values in held:
        if result is values:
            return given
    base = result.base
    is_view = type(base) is np.ndarray and base.dtype == result.dtype == DOUBLE and not layout.is_dense(result)
    if (
        base is not None
        and is_view
        and layout.is_dense(base)
        and not any(np.may_share_memory(base, values) for _, values in held)
    ):
        held.append((adopted(base), base))  # other results may be views of it, too, and its elements be shared
    for given, values in held:
        if np.may_share_memory(result, values):
            return result if given is values else view_of(given, result)
    return adopted(result)


def adopted(values: Any) -> Any:
    """Return a new array able to take traced values if it is one of floats or complex numbers."""
    if type(values) is np.ndarray and values.dtype == DOUBLE:
        return TracedArray.of_new(values)
    if type(values) is np.ndarray and values.dtype == np.complex128:
        return complex_of_values(values)
    return values


def view_of(array: TracedArray | TracedComplex, view: np.ndarray) -> Any:
    """Return the traced array for a view that NumPy made of the memory of a constant one."""
    storage = (array.real if isinstance(array, TracedComplex) else array).storage
    assert storage.values is not None
    if view.dtype == storage.dtype:
        return TracedArray(storage, layout.positions_of(view, storage.values))
    if view.dtype == np.complex128:
        return TracedComplex(
            *(TracedArray(storage, layout.positions_of(view, storage.values, part)) for part in (0, 1))
        )
    raise unsupported(f"a view of floats as {view.dtype}", "Use astype, which converts.")


def complex_of_values(values: np.ndarray) -> TracedComplex:
    """Return a new complex array of known values, ready to have traced values written into it."""
    values = values if layout.is_dense(values) else np.array(values, order="K")
    axes = layout.axes(values)
    flat = (values if axes is None else values.transpose(axes)).reshape(-1)
    storage = Storage(flat.view(DOUBLE))
    assert storage.values is not None
    return TracedComplex(*(TracedArray(storage, layout.positions_of(values, storage.values, part)) for part in (0, 1)))


def complex_of_parts(real: TracedArray, imag: TracedArray) -> TracedComplex:
    """Return the new complex array of two parts, which nobody else holds."""
    if real.is_constant and imag.is_constant:
        values = np.empty_like(real.plain, np.complex128)
        values.real, values.imag = real.plain, imag.plain
        return complex_of_values(values)
    if real.positions.strides != imag.positions.strides or real.size != real.storage.size:
        real, imag = real.copy(), imag.copy()
    return TracedComplex(real, imag)


def _fit(ref: Ref, shape: Shape) -> Ref:
    """Broadcast a value to the place it is assigned to; leading axes of length 1 are dropped, as NumPy does."""
    while len(ref.shape) > len(shape) and ref.shape[0] == 1:
        ref = Ref(ref.node, ref.index[0])
    try:
        return ref.broadcast(shape)
    except ValueError:
        raise ValueError(f"could not broadcast input array from shape {ref.shape} into shape {shape}") from None


def _cast(value: Any, dtype: np.dtype[Any]) -> Any:
    """Convert to the type of an array: as NumPy does, where nothing is truncated."""
    if not isinstance(value, TracedArray):
        return np.asarray(value).astype(dtype) if np.asarray(value).dtype.kind in "fiub" else value
    if value.dtype.kind == dtype.kind:
        return value
    if dtype.kind == "b":
        return np.not_equal(value, 0)
    if dtype.kind == "i" and value.dtype == BOOL:
        return np.where(value, 1, 0)
    if dtype.kind == "f":
        return np.where(value, 1.0, 0.0) if value.dtype == BOOL else np.add(value, 0.0)
    if dtype.kind == "c":
        real = value.copy("K") if value.dtype == DOUBLE else _cast(value, DOUBLE)
        return complex_of_parts(real, TracedArray.of_new(np.zeros(value.shape)))
    raise unsupported(
        f"casting float64 to {dtype}",
        "The digits behind the point would be cut off: use np.floor, np.trunc or np.rint, which stay real.",
    )


def reading(value: Any) -> Ref:
    """Return the reading of a traced array, or of a constant."""
    if isinstance(value, TracedArray):
        return value.ref
    if isinstance(value, TracedScalar):
        return value.array.ref
    if scipy.sparse.issparse(value):
        raise unsupported("a sparse matrix in an operation of dense arrays", "Use A.toarray(), or A @ x.")
    check_kind(value)
    array = np.asarray(value)
    if array.dtype == object and isinstance(value, numbers.Rational):
        array = np.asarray(float(value))
    if array.dtype.kind not in "fiub":
        raise unsupported(f"a value of dtype {array.dtype}", "Constants must be real numbers.")
    return whole(constant(array))


def check_kind(value: Any) -> None:
    """Refuse arrays of classes whose operations mean something else: np.matrix, arrays with units."""
    kind = type(value)
    if kind is np.ndarray or not issubclass(kind, np.ndarray):
        return
    if issubclass(kind, np.matrix):
        raise unsupported("an np.matrix together with unknowns", "Use np.asarray(m), and @ for products.")
    if kind.__array_ufunc__ is not np.ndarray.__array_ufunc__:
        raise unsupported(
            f"a {kind.__module__.partition('.')[0]} {kind.__name__} together with unknowns", SUBCLASS_HINT
        )


def stack_objects(value: Any) -> Any:
    """Return `value` with traced scalars, and lists and object arrays of them, made one traced array."""
    if isinstance(value, TracedScalar):
        return value.array
    if type(value) is TracedComplex and value.is_number:
        return value.moved(value.positions)
    if isinstance(value, (list, tuple)) and is_complex(value) and any(isinstance(v, TracedComplex) for v in value):
        return call_complex(STACK, (value,), {})
    if isinstance(value, (list, tuple)) and any(True for _ in traced_in(value)):
        numbers = _of_numbers(value)
        return HANDLERS[STACK]([stack_objects(v) for v in value]) if numbers is None else numbers
    if type(value) is np.ndarray and value.dtype == object and any(True for _ in traced_in(value.flat)):
        numbers = _of_numbers(list(value.flat))
        if numbers is not None:
            return numbers.reshape(value.shape)
        flat = [stack_objects(v) for v in value.flat]
        return HANDLERS[STACK](flat).reshape(value.shape + np.shape(flat[0]))
    return value


def _of_numbers(value: Any) -> TracedArray | None:
    """Return the array of nested lists of equal lengths with numbers at the bottom; None if they are not that."""
    shape, flat = [len(value)], list(value)
    while flat and all(isinstance(v, (list, tuple)) for v in flat):
        lengths = {len(v) for v in flat}
        if len(lengths) != 1:
            return None
        shape += lengths
        flat = [element for v in flat for element in v]
    out = TracedArray(Storage(np.zeros(len(flat))), layout.memory(tuple(shape)))
    if not all(out._set_element(k, v) for k, v in enumerate(flat)):
        return None
    return out


def traced(array: Any) -> TracedArray:
    """Return `array` (a constant, or a list of traced scalars) as a traced array."""
    array = stack_objects(array)
    return array if isinstance(array, TracedArray) else TracedArray.of_values(array)


def with_arrays(value: Any) -> Any:
    """Return an argument with traced scalars in it, and flat lists of them, replaced by traced arrays."""
    if isinstance(value, TracedScalar):
        return value.array
    if not isinstance(value, (list, tuple)):
        return value
    if any(isinstance(v, TracedScalar) for v in value):
        numbers = _of_numbers(value)
        if numbers is not None:
            return numbers
    return type(value)(with_arrays(v) for v in value)


def _is_element(key: Any, ndim: int) -> bool:
    """Tell whether an index is made of `ndim` integers: the fast path of loop code."""
    if type(key) is int:
        return ndim == 1
    if type(key) is not tuple or len(key) != ndim:
        return False
    for k in key:  # noqa: SIM110  (a generator costs more than the loop)
        if type(k) is not int:
            return False
    return True


def _static_key(key: Any) -> Any:
    """Return an index with the constant traced arrays in it made plain."""
    if isinstance(key, tuple):
        return tuple(_static_key(k) for k in key)
    if isinstance(key, (TracedArray, TracedScalar)):
        if not key.is_constant:
            whole = recorded(key)
            return refuse_value("indexing with a traced array or mask", BRANCH_HINT) if whole is None else whole
        return key.plain
    return key


def recorded(array: Any) -> np.ndarray | None:
    """Return traced whole numbers, or truth values, as a recorded branch; None where no branches are recorded."""
    decisions = active.get()
    if decisions is None or array.dtype.kind == "f":
        return None
    array = traced(array)
    values = decisions.example(array.ref).astype(array.dtype)
    decisions.decide(traced(np.all(np.equal(array, values))).ref)
    return values


def traced_in(items: Any) -> Iterator[Any]:
    """Yield the traced arrays and scalars in nested lists, tuples and dicts."""
    for item in items.values() if isinstance(items, dict) else items:
        if isinstance(item, (TracedArray, TracedScalar, TracedComplex, Traced)):
            yield item
        elif isinstance(item, (list, tuple, dict)):
            yield from traced_in(item)
