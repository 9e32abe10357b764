"""The traced array: what the user's function sees in place of a NumPy array.

A traced array is a storage and a NumPy array of positions in it. NumPy itself then decides what is a view and
what is a copy, and which elements move where: the positions are moved, and we look where they went.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
import scipy.sparse
from numpy.lib.mixins import NDArrayOperatorsMixin

from sparsead.errors import unsupported
from sparsead.program.index import IndexArray, Shape, identity
from sparsead.program.nodes import Node, Ref, constant, whole
from sparsead.tracing.complex import TracedComplex, call_complex, call_complex_ufunc, held_for_sparse, is_complex
from sparsead.tracing.decisions import active
from sparsead.tracing.positioned import Positioned, Traced
from sparsead.tracing.scalar import BRANCH_HINT, WRITE_HINT, TracedScalar, is_number, refuse_conversion, refuse_value
from sparsead.tracing.storage import Storage

# What NumPy (or SciPy) function -> how to trace it. The modules of `sparsead.ops` fill it, one statement an entry.
HANDLERS: dict[Callable[..., Any], Callable[..., Any]] = {}
UFUNC_METHODS: dict[tuple[Callable[..., Any], str], Callable[..., Any]] = {}

SPARSE = scipy.sparse.coo_array  # the handler that makes a traced matrix of any sparse one

DIFFERENCES_HINT = "Write it with NumPy functions of the traced array."


class _Lookalike(np.ndarray):
    """What ``x.__class__`` says for a traced array, so that ``isinstance(x, np.ndarray)`` in user code is true.

    Not ndarray itself: where SciPy asks ``x.__class__ is np.ndarray`` it wants to read the memory.
    """


class TracedArray(Positioned, NDArrayOperatorsMixin):
    """An array of traced values. Behaves like an ndarray of float64 (or bool) without values."""

    __slots__ = ("positions", "storage")
    __array_priority__ = 1000.0

    def __init__(self, storage: Storage, positions: IndexArray) -> None:
        self.storage = storage
        self.positions = positions

    # -- construction and reading ---------------------------------------------------------------------------
    @classmethod
    def of_node(cls, node: Node) -> TracedArray:
        """Return a new array that holds all of `node`."""
        return cls.of_ref(whole(node))

    @classmethod
    def of_ref(cls, ref: Ref) -> TracedArray:
        """Return a new array, with memory of its own, that holds what `ref` reads."""
        return cls(Storage(ref), identity(ref.shape))

    @classmethod
    def of_values(cls, values: Any) -> TracedArray:
        """Return a new array of known values, ready to have traced values written into it."""
        values = np.array(values, dtype=np.bool_ if np.asarray(values).dtype == np.bool_ else np.float64)
        return cls(Storage(values.reshape(-1)), identity(values.shape))

    @property
    def ref(self) -> Ref:
        """What the array holds now."""
        return self.storage.read(self.positions)

    @property
    def is_constant(self) -> bool:
        """True as long as no traced value was written to the memory."""
        return self.storage.is_constant

    @property
    def values(self) -> np.ndarray:
        """The known values of a constant array (a copy)."""
        assert self.storage.values is not None
        return self.storage.values[self.positions]

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return _Lookalike

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64, or bool for a condition."""
        return np.dtype(np.bool_ if self.storage.boolean else np.float64)

    @property
    def real(self) -> TracedArray:
        """The array itself: its values are real."""
        return self

    @property
    def imag(self) -> TracedArray:
        """Zeros: its values are real."""
        return TracedArray.of_values(np.zeros(self.shape))

    def __repr__(self) -> str:
        kind = "constant" if self.is_constant else "traced"
        return f"<{kind} array, shape {self.shape}, {self.dtype}>"

    def __hash__(self) -> int:
        return id(self)

    # -- indexing -------------------------------------------------------------------------------------------
    def _view(self, positions: IndexArray) -> TracedArray:
        return TracedArray(self.storage, positions)

    def moved(self, positions: IndexArray) -> TracedArray:
        """Return the elements at `positions`: a view where NumPy made one of the positions, else a copy."""
        if np.may_share_memory(positions, self.positions):
            return self._view(positions)
        return TracedArray.of_ref(self.storage.read(positions))

    def __getitem__(self, key: Any) -> Any:
        if _is_element(key, self.positions.ndim):
            return self.storage.element(self.positions.item(key))
        picked = self.positions[_static_key(key)]
        return self.moved(picked) if isinstance(picked, np.ndarray) else self.storage.element(int(picked))

    def element(self) -> Any:
        """Return the element of an array of shape () as a number."""
        return self.storage.element(self.positions.item())

    def __setitem__(self, key: Any, value: Any) -> None:
        if _is_element(key, self.positions.ndim) and self._set_element(self.positions.item(key), value):
            return
        target = np.asarray(self.positions[_static_key(key)])
        value = stack_objects(value)
        if target.size == 0 == np.size(value):  # NumPy fits some of these shapes, and nothing is written anyway
            return
        if not isinstance(value, TracedArray):
            value = np.asarray(value)
        elif value.is_constant:
            value = value.values
        self.storage.flush()
        if not isinstance(value, TracedArray) and self.storage.values is not None:
            self.storage.values[target] = value
            return
        ref = reading(value)
        if ref.node.boolean and not self.storage.boolean:
            raise unsupported("writing a traced condition into a float array", "Use np.where(condition, 1.0, 0.0).")
        self.storage.write(target, _fit(ref, target.shape))

    def _set_element(self, position: int, value: Any) -> bool:
        """Store a number at one position; False if `value` is none, or not of the type of the array."""
        if type(value) is TracedArray and value.ndim == 0:
            value = value.element()
        if type(value) is TracedScalar:
            if value.tape.is_boolean(value.entry) != self.storage.boolean:
                return False
        elif not is_number(value):
            return False
        self.storage.set_element(position, value)
        return True

    # -- NumPy protocols ------------------------------------------------------------------------------------
    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        if any(isinstance(i, Traced) for i in inputs):
            return NotImplemented
        if ufunc is not np.matmul and any(hasattr(type(i), "tocsr") for i in inputs):
            return getattr(ufunc, method)(*(_traced_matrix(i) for i in inputs), **kwargs)
        if any(is_complex(i) for i in inputs):
            return call_complex_ufunc(ufunc, method, inputs, out, kwargs)
        if out is not None and "where" in kwargs and method == "__call__":
            where = kwargs.pop("where")
            return write_out(out[0], np.where(where, ufunc(*inputs, **kwargs), out[0]))
        if all(t.is_constant for t in traced_in(inputs)) and method != "at":
            result = _rewrap(getattr(ufunc, method)(*_plain(inputs), **_plain_kwargs(kwargs)))
        elif method == "__call__":
            handler = HANDLERS.get(ufunc)
            if handler is None:
                raise unsupported(f"np.{ufunc.__name__}", DIFFERENCES_HINT)
            result = handler(*inputs, **kwargs)
        elif method == "outer":
            first, second = (stack_objects(i) for i in inputs)
            spread = np.reshape(first, np.shape(first) + (1,) * np.ndim(second))
            result = ufunc(spread, second, **kwargs)
        else:
            handler = UFUNC_METHODS.get((ufunc, method))
            if handler is None:
                raise unsupported(f"np.{ufunc.__name__}.{method}", DIFFERENCES_HINT)
            result = handler(*inputs, **kwargs)
        return result if out is None else write_out(out[0], result)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return call_function(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Give the values of a constant array; refuse for a traced one, except to scipy.sparse."""
        if self.is_constant:
            return self.values if dtype is None else self.values.astype(dtype)
        held = held_for_sparse(self)
        if held is not None:
            return held
        raise unsupported(
            "turning a traced array into a plain ndarray (an assignment into an array from outside the function, "
            "a compiled routine, or an np function that does not dispatch)",
            WRITE_HINT,
        )

    def __matmul__(self, other: Any) -> Any:
        return _matmul(self, other) if scipy.sparse.issparse(other) else np.matmul(self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _matmul(other, self)

    # The matrix classes of scipy.sparse spell a product with *.
    def __mul__(self, other: Any) -> Any:
        return _matmul(self, other) if scipy.sparse.isspmatrix(other) else np.multiply(self, other)

    def __rmul__(self, other: Any) -> Any:
        return _matmul(other, self) if scipy.sparse.isspmatrix(other) else np.multiply(other, self)

    # -- what would need a value ----------------------------------------------------------------------------
    def _refuse(self, what: str) -> NoReturn:
        refuse_value(what, BRANCH_HINT)

    def __bool__(self) -> bool:
        if self.is_constant:
            return bool(self.values)
        decisions = active.get()
        if decisions is not None and self.size == 1:
            return decisions.decide(self.reshape(()).ref)
        return self._refuse("a Python branch (if, while, and, or, not)")

    def _convert(self, kind: Callable[[Any], Any], what: str) -> Any:
        """Convert a constant to a Python number; refuse for a traced value, also where NumPy asks to store it."""
        if self.is_constant:
            return kind(self.values)
        refuse_conversion(what, sys._getframe(2))

    def __float__(self) -> float:
        return self._convert(float, "float() or a function of module math")

    def __int__(self) -> int:
        return self._convert(int, "int()")

    def __complex__(self) -> complex:
        return self._convert(complex, "complex()")

    def __index__(self) -> int:
        if self.is_constant:
            raise TypeError("a float array cannot be used as an index")
        return self._refuse("an index or range()")

    # -- copies and other methods ---------------------------------------------------------------------------
    def copy(self, order: Any = "C") -> TracedArray:
        """Same as ``ndarray.copy``."""
        return TracedArray.of_values(self.values) if self.is_constant else TracedArray.of_ref(self.ref)

    __copy__ = copy

    def __deepcopy__(self, memo: Any) -> TracedArray:
        return self.copy()

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> Any:
        """Same as ``ndarray.astype``, to float; a constant array may become anything."""
        if self.is_constant:
            return _rewrap(self.values.astype(dtype))
        if np.dtype(dtype).kind == "f" and not self.storage.boolean:
            return self.copy()
        if np.dtype(dtype).kind == "f":
            return np.where(self, 1.0, 0.0)
        raise unsupported(f"astype({np.dtype(dtype)})", "Traced arrays are float64.")

    def __getattr__(self, name: str) -> Any:
        """Methods that NumPy also has as functions (``x.sum()``, and ``x.sin()`` for object arrays)."""
        if name.startswith("_"):
            raise AttributeError(name)
        func = getattr(np, name, None)
        if callable(func) and (hasattr(np.ndarray, name) or isinstance(func, np.ufunc)):
            return lambda *args, **kwargs: func(self, *args, **kwargs)
        if hasattr(np.ndarray, name):
            raise unsupported(f"ndarray.{name}", DIFFERENCES_HINT)
        raise AttributeError(f"'TracedArray' object has no attribute {name!r}")


def _traced_matrix(value: Any) -> Any:
    """Return a constant sparse matrix as a traced one, which knows its operations with arrays; all else as it is."""
    return HANDLERS[SPARSE](value) if hasattr(type(value), "tocsr") else value


def _matmul(a: Any, b: Any) -> Any:
    """``a @ b``, also for operands that do not dispatch."""
    if isinstance(b, Traced):
        return b.__rmatmul__(a)  # type: ignore[attr-defined]
    if is_complex(a) or is_complex(b):
        return call_complex(np.matmul, (a, b), {})
    return HANDLERS[np.matmul](a, b)


def call_function(func: Callable[..., Any], args: Any, kwargs: Any) -> Any:
    """Trace a call of a NumPy function, some of whose arguments are traced."""
    if any(is_complex(a) for a in args):
        return call_complex(func, args, kwargs)
    handler = HANDLERS.get(func)
    out = kwargs.get("out")
    if out is None and all(t.is_constant for t in traced_in((args, kwargs))) and not _writes(func):
        return _rewrap(func(*_plain(args), **_plain_kwargs(kwargs)))
    if handler is None:
        name = f"{func.__module__}.{func.__name__}".replace("numpy", "np")
        raise unsupported(name, DIFFERENCES_HINT)
    if out is not None:
        kwargs = {k: v for k, v in kwargs.items() if k != "out"}
        return write_out(out, handler(*args, **kwargs))
    return handler(*args, **kwargs)


def _fit(ref: Ref, shape: Shape) -> Ref:
    """Broadcast a value to the place it is assigned to; leading axes of length 1 are dropped, as NumPy does."""
    while len(ref.shape) > len(shape) and ref.shape[0] == 1:
        ref = Ref(ref.node, ref.index[0])
    try:
        return ref.broadcast(shape)
    except ValueError:
        raise ValueError(f"could not broadcast input array from shape {ref.shape} into shape {shape}") from None


def reading(value: Any) -> Ref:
    """Return the reading of a traced array, or of a constant."""
    if isinstance(value, TracedArray):
        return value.ref
    if isinstance(value, TracedScalar):
        return value.array.ref
    if scipy.sparse.issparse(value):
        raise unsupported("a sparse matrix in an operation of dense arrays", "Use A.toarray(), or A @ x.")
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise unsupported(f"a value of dtype {array.dtype}", "Constants must be real numbers.")
    return whole(constant(array))


def stack_objects(value: Any) -> Any:
    """Return `value` with traced scalars, and lists and object arrays of them, made one traced array."""
    if isinstance(value, TracedScalar):
        return value.array
    if isinstance(value, (list, tuple)) and is_complex(value) and any(isinstance(v, TracedComplex) for v in value):
        return call_complex(np.stack, (value,), {})
    if isinstance(value, (list, tuple)) and any(True for _ in traced_in(value)):
        numbers = _of_numbers(value)
        return HANDLERS[np.stack]([stack_objects(v) for v in value]) if numbers is None else numbers
    if type(value) is np.ndarray and value.dtype == object and any(True for _ in traced_in(value.flat)):
        numbers = _of_numbers(list(value.flat))
        if numbers is not None:
            return numbers.reshape(value.shape)
        flat = [stack_objects(v) for v in value.flat]
        return HANDLERS[np.stack](flat).reshape(value.shape + np.shape(flat[0]))
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
    out = TracedArray(Storage(np.zeros(len(flat))), identity(tuple(shape)))
    if not all(out._set_element(k, v) for k, v in enumerate(flat)):
        return None
    return out


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


def complex_of_values(values: np.ndarray) -> TracedComplex:
    """Return a new complex array of known values, ready to have traced values written into it."""
    return TracedComplex(TracedArray.of_values(values.real), TracedArray.of_values(values.imag))


def write_out(out: Any, result: Any) -> Any:
    """Write `result` into `out`, the target of ``out=`` or of an in-place operator."""
    out = out[0] if isinstance(out, tuple) else out
    if isinstance(out, TracedArray):
        out[...] = result
    else:
        np.copyto(out, np.asarray(result))
    return out


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
        if isinstance(key, TracedScalar) or not key.is_constant:
            refuse_value("indexing with a traced array or mask", BRANCH_HINT)
        return key.values
    return key


def traced_in(items: Any) -> Iterator[Any]:
    """Yield the traced arrays and scalars in nested lists, tuples and dicts."""
    for item in items.values() if isinstance(items, dict) else items:
        if isinstance(item, (TracedArray, TracedScalar, TracedComplex, Traced)):
            yield item
        elif isinstance(item, (list, tuple, dict)):
            yield from traced_in(item)


def _plain(items: Any) -> Any:
    """Return nested arguments with constant traced arrays replaced by their values."""
    if isinstance(items, TracedArray):
        return items.values
    if isinstance(items, (list, tuple)):
        return type(items)(_plain(i) for i in items)
    return items


def _plain_kwargs(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {name: _plain(value) for name, value in kwargs.items()}


def _rewrap(result: Any) -> Any:
    """Give a result computed from constant arrays the ability to take traced values later."""
    if isinstance(result, np.ndarray) and result.ndim and result.dtype == np.float64:
        return TracedArray.of_values(result)
    if isinstance(result, np.ndarray) and result.ndim and result.dtype == np.complex128:
        return complex_of_values(result)
    if isinstance(result, (list, tuple)):
        return type(result)(_rewrap(r) for r in result)
    return result


def _writes(func: Callable[..., Any]) -> bool:
    return func in (np.copyto, np.put, np.put_along_axis, np.place, np.putmask, np.fill_diagonal)
