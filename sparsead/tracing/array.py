"""The traced array: what the user's function sees in place of a NumPy array.

A traced array is a storage and a NumPy array of positions in it. NumPy itself then decides what is a view and
what is a copy, and which elements move where: the positions are moved, and we look where they went.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import scipy.sparse
from numpy.lib.mixins import NDArrayOperatorsMixin

from sparsead.errors import is_users, unsupported
from sparsead.program.index import IndexArray
from sparsead.program.nodes import Node, Ref, whole
from sparsead.tracing import layout, refusals
from sparsead.tracing.complex import TracedComplex, held_for_sparse
from sparsead.tracing.decisions import active
from sparsead.tracing.flat import is_written
from sparsead.tracing.foreign import Lookalike, acts, acts_in_operators
from sparsead.tracing.late import late
from sparsead.tracing.loops.tape import BOOL, DOUBLE, is_tracing
from sparsead.tracing.positioned import RealArray, Traced
from sparsead.tracing.refusals import BRANCH_HINT, CONVERSION, INDEX, refuse_array, refuse_branch, refuse_conversion
from sparsead.tracing.scalar import SEQUENCES, TracedScalar, is_number
from sparsead.tracing.selection import mask_of, selected, written
from sparsead.tracing.storage import Storage

DIFFERENCES_HINT = "Write it with NumPy functions of the traced array."


class TracedArray(RealArray, NDArrayOperatorsMixin):
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
        writeable = values.flags.writeable
        if not layout.is_dense(values):
            values = np.array(values, order="K")
            writeable = writeable or values.size > 0  # a copy; of no elements it may stand for a view
        axes = layout.axes(values)
        flat = values.reshape(-1) if axes is None else values.transpose(axes).reshape(-1)
        positions = layout.like(values)
        positions.flags.writeable = writeable
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
        return np.ndarray if is_users(sys._getframe(1).f_code.co_filename) else Lookalike

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

    # -- indexing -------------------------------------------------------------------------------------------
    def moved(self, positions: IndexArray) -> Any:
        """Return the elements at `positions`: a view where NumPy made one of the positions, else a copy."""
        if positions is self.positions:
            return self
        # NumPy does not see that views of no elements share memory; where they do, nothing can be seen of it
        shared = np.may_share_memory(positions, self.positions) or not (positions.size or positions.flags.owndata)
        if self.storage.is_outside and not is_tracing():  # in another thread than the one that traces
            return TracedArray(self.storage, positions).plain if shared else self._picked(positions)
        if shared:
            return TracedArray(self.storage, positions)
        if self.is_constant:
            return TracedArray.of_new(self._picked(positions))
        copied = TracedArray.of_ref(self.storage.read(positions), positions)
        copied.positions.flags.writeable &= positions.flags.writeable
        return copied

    def in_order(self, positions: IndexArray) -> TracedArray:
        """Return a new array of the same elements, whose memory has the order of `positions`."""
        return TracedArray.of_ref(self.ref, positions)

    def _picked(self, positions: IndexArray) -> np.ndarray:
        """Return what a constant array holds at some positions, in memory of the same order."""
        assert self.storage.values is not None
        values = np.empty_like(positions, self.dtype)
        values[...] = self.storage.values[positions]
        if not (positions.size or positions.flags.owndata):  # a view, which NumPy does not see of no elements
            values.flags.writeable = positions.flags.writeable
        return values

    def __getitem__(self, key: Any) -> Any:
        positions = self.positions
        if _is_element(key, positions.ndim):
            return self.storage.element(positions.item(key))
        mask = mask_of(key, self.positions.shape)
        if mask is not None:
            return selected(self, mask)
        picked = self.positions[late.static_key(key)]
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
            written(self, mask, late.stack_objects(value))
            return
        refusals.refuse_exchange(self, value, sys._getframe(1))
        key, value = late.static_key(key), late.stack_objects(value)
        self.storage.flush()
        constant_value = value.is_constant if isinstance(value, (TracedArray, TracedComplex)) else True
        if constant_value and self.storage.values is not None and self.storage.refuse_write is None:
            self.plain[key] = value.plain if isinstance(value, (TracedArray, TracedComplex)) else value
            return
        if is_written(self, key, value):
            target = np.asarray(self.positions[key])
            self.storage.write(target, late.fitted(late.reading(late.cast(value, self.dtype)), target.shape))

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
        beside = late.standing(inputs)
        if beside is not inputs:  # known arrays with units, which are traced ones here
            return getattr(ufunc, method)(*beside, **kwargs)
        if any(isinstance(i, Traced) or acts(i) for i in inputs):
            return NotImplemented  # what holds any array does it: a quantity, a labelled array
        if ufunc is not np.matmul and any(hasattr(type(i), "tocsr") for i in inputs):
            return getattr(ufunc, method)(*(late.traced_matrix(i) for i in inputs), **kwargs)
        return late.call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return late.call_function(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Give the values of a constant array; refuse for a traced one, except to scipy.sparse.

        Whole numbers and truth values are recorded like branches, where these are.
        """
        if self.is_constant:
            return np.array(self.plain, dtype)
        whole = late.recorded(self)
        if whole is not None:
            return np.array(whole, dtype)
        held = held_for_sparse(self)
        if held is not None:
            return held
        refuse_array(sys._getframe(1))

    def __matmul__(self, other: Any) -> Any:
        if acts_in_operators(other):
            return NotImplemented
        return late.matmul(self, other) if scipy.sparse.issparse(other) else np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return late.matmul(other, self)

    # The matrix classes of scipy.sparse spell a product with *.
    def __mul__(self, other: Any) -> Any:
        return late.matmul(self, other) if scipy.sparse.isspmatrix(other) else np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return late.matmul(other, self) if scipy.sparse.isspmatrix(other) else np.multiply(other, self)

    # -- what would need a value ----------------------------------------------------------------------------
    def __bool__(self) -> bool:
        if self.is_constant:
            return bool(self.plain)
        decisions = active.get()
        if decisions is not None and self.size == 1:
            return decisions.decide(self.reshape(()).ref)
        refuse_branch(sys._getframe(1), BRANCH_HINT)

    def _convert(self, kind: Callable[[Any], Any], what: str) -> Any:
        """Convert a constant to a Python number; refuse for a traced value, also where NumPy asks to store it."""
        if self.is_constant:
            return kind(self.plain)
        if kind is int and self.size == 1 and active.get() is not None:
            return int(self.reshape(()).element())
        refuse_conversion(what, sys._getframe(2))

    def __float__(self) -> float:
        return self._convert(float, CONVERSION)

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
            return late.on_values(np.ndarray.astype, (self, wanted, order, casting, subok, copy), {})
        if casting == "same_value" and wanted.kind not in "fc":  # NumPy 2.4
            raise unsupported(f"astype({wanted}, casting='same_value')", "Whether it raises depends on values.")
        casting = "unsafe" if casting == "same_value" else casting
        if not np.can_cast(self.dtype, wanted, casting):
            raise TypeError(
                f"Cannot cast array data from {self.dtype!r} to {wanted!r} according to the rule {casting!r}"
            )
        if wanted.kind == "f" and wanted.itemsize < 4:
            raise unsupported(f"astype({wanted})", "Its three digits cannot be kept: numbers stay float64.")
        if wanted.kind in "iu" and self.dtype == DOUBLE:
            whole = late.recorded(late.as_integers(np.trunc(self)))
            if whole is not None:
                return whole.astype(wanted)
        if wanted.kind == self.dtype.kind:
            copy = copy or wanted != self.dtype
            return self.moved(self.positions.astype(self.positions.dtype, order, copy=copy))
        converted = late.cast(self, wanted)
        return converted if order == "K" or converted.flags.c_contiguous else converted.copy(order)

    def view(self, dtype: Any = None, type: Any = None) -> Any:
        """Same as ``ndarray.view``: of the same type, or of neighbours as complex numbers."""
        return late.seen_as(self, dtype, type)

    def __getattr__(self, name: str) -> Any:
        """``x.sin()``, which NumPy asks the elements of an object array."""
        func = None if name.startswith("_") else getattr(np, name, None)
        if isinstance(func, np.ufunc):
            return lambda *args, **kwargs: func(self, *args, **kwargs)
        if hasattr(np.ndarray, name) and not name.startswith("_"):
            raise unsupported(f"ndarray.{name}", DIFFERENCES_HINT)
        raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")


def _by_number(name: str, operate: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    """Return an operator that takes an array of shape () for its number, as NumPy does: loop code is full of them."""
    of_arrays = getattr(TracedArray, name)

    def method(self: TracedArray, other: Any) -> Any:
        if acts_in_operators(other):
            return NotImplemented
        if self.positions.ndim or type(other) in SEQUENCES:
            return of_arrays(self, other)
        return operate(other, self.element()) if reflected else operate(self.element(), other)

    return method


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "lshift", "lt", "le", "gt", "ge"):
    _operate = getattr(operator, _name)
    setattr(TracedArray, f"__{_name}__", _by_number(f"__{_name}__", _operate, reflected=False))
    if hasattr(TracedArray, f"__r{_name}__"):
        setattr(TracedArray, f"__r{_name}__", _by_number(f"__r{_name}__", _operate, reflected=True))


def _by_values(name: str, operate: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return ``==`` or ``!=``, which NumPy decides where all is known: it compares with texts and None, too."""
    of_arrays = getattr(TracedArray, name)

    def method(self: TracedArray, other: Any) -> Any:
        if self.is_constant and all(t.is_constant for t in traced_in((other,))):
            return late.on_values(operate, (self, other), {})
        return of_arrays(self, other)

    return method


for _name in ("eq", "ne"):
    setattr(TracedArray, f"__{_name}__", _by_values(f"__{_name}__", getattr(operator, _name)))


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


def traced_in(items: Any) -> Iterator[Any]:
    """Yield the traced arrays and scalars in nested lists, tuples and dicts."""
    for item in items.values() if isinstance(items, dict) else items:
        if type(item) is TracedScalar or isinstance(item, (TracedArray, TracedComplex, Traced)):
            yield item
        elif isinstance(item, (list, tuple, dict)):
            yield from traced_in(item)


late.array_in = TracedArray
