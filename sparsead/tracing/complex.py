"""Complex arithmetic inside real functions: a complex array is memory of floats, with real and imaginary parts in turn.

Everything below tracing sees the two parts only. What a function does to the pair is stated in `sparsead.ops.complex`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import numpy as np
import scipy.sparse
from numpy.lib.mixins import NDArrayOperatorsMixin

from sparsead.errors import unsupported
from sparsead.program.index import IndexArray
from sparsead.program.nodes import Constant, Ref
from sparsead.tracing import layout
from sparsead.tracing.late import ARRAYS, AS_NUMPY, HANDLERS, MOVEMENTS, UFUNC_METHODS, late
from sparsead.tracing.loops.tape import DOUBLE, is_tracing
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.probing import check_shape, write_out
from sparsead.tracing.refusals import refuse_array, refuse_exchange
from sparsead.tracing.scalar import SEQUENCES
from sparsead.tracing.selection import mask_of
from sparsead.tracing.storage import Storage

# What NumPy function (or ufunc and method) -> what it does to complex operands. `sparsead.ops.complex` fills it.
COMPLEX_HANDLERS: dict[Callable[..., Any] | tuple[Callable[..., Any], str], Callable[..., Any]] = {}

HINT = (
    "Complex numbers take part in sums, products, quotients, exp, log, sqrt, the trigonometric and hyperbolic "
    "functions, abs, angle, conj, real and imag."
)

OF_MATRICES = (
    "solve, inv, det, slogdet, cholesky, eigvalsh, svdvals, pinv, lstsq and matrix_power have rules for complex "
    "matrices; else take the real matrix of twice the size, np.block([[A.real, -A.imag], [A.imag, A.real]])."
)


INSTEAD = {
    np.linalg.qr: (
        "But for the signs of its rows, R is np.linalg.cholesky(A.conj().T @ A, upper=True), and Q is A @ inv(R)."
    ),
}


class TracedComplex(Positioned, NDArrayOperatorsMixin):
    """An array of traced complex values, or a number.

    An array is memory in which real and imaginary parts lie in turn, as NumPy has them, and where its elements are
    there, counted in complex numbers. A number, which never changes, is a pair of traced numbers; what a traced mask
    selects is a pair, too.
    """

    __slots__ = ("_pair", "positions", "storage")
    positions: IndexArray
    __array_priority__ = 1001.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, storage: Any, positions: IndexArray, pair: Any = None) -> None:
        self.storage = storage
        self.positions = positions
        self._pair = pair

    @classmethod
    def of_numbers(cls, real: Any, imag: Any) -> TracedComplex:
        """Return the number of two parts."""
        return cls(None, layout.memory(()), (real, imag))

    @classmethod
    def of_refs(cls, parts: Iterable[Ref], positions: IndexArray) -> TracedComplex:
        """Return a new array that holds what two readings give; its memory has the order of `positions`."""
        axes = layout.axes(positions)
        if axes is not None:
            parts = (Ref(part.node, part.index.transpose(axes)) for part in parts)
        real, imag = parts
        return cls(Storage((real, imag)), layout.like(positions))

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return np.complex128 if self.is_number else _ComplexLookalike

    @property
    def is_number(self) -> bool:
        """True for a number, which never changes; an array of shape () is none."""
        return self._pair is not None

    @property
    def is_constant(self) -> bool:
        """True as long as no traced value was written to the memory."""
        return self._pair is None and self.storage.is_constant

    @property
    def plain(self) -> np.ndarray:
        """The ndarray that a constant array stands for: its memory itself."""
        return layout.viewed(self.storage.values.view(np.complex128), self.positions)

    def moved(self, positions: IndexArray) -> Any:
        """Return the elements at `positions`: a view where NumPy made one of the positions, else a copy."""
        if self._pair is not None:
            parts = (late.traced(part).moved(positions).ref for part in self._pair)
            return TracedComplex.of_refs(parts, positions)
        if positions is self.positions:
            return self
        shared = np.may_share_memory(positions, self.positions) or not (positions.size or positions.flags.owndata)
        if self.storage.is_outside and not is_tracing():  # in another thread than the one that traces
            return TracedComplex(self.storage, positions).plain if shared else self._picked(positions)
        if shared:
            return TracedComplex(self.storage, positions)
        if self.is_constant:
            return late.complex_of_values(self._picked(positions))
        copied = TracedComplex.of_refs(self.storage.read_pairs(positions), positions)
        if not positions.flags.writeable:
            copied.positions.flags.writeable = False
        return copied

    def in_order(self, positions: IndexArray) -> TracedComplex:
        """Return a new array of the same elements, whose memory has the order of `positions`."""
        return TracedComplex.of_refs((self.real.ref, self.imag.ref), positions)

    def _picked(self, positions: IndexArray) -> np.ndarray:
        """Return what a constant array holds at some positions, in memory of the same order."""
        values = np.empty_like(positions, np.complex128)
        values[...] = self.storage.values.view(np.complex128)[positions]
        if not (positions.size or positions.flags.owndata):  # a view, which NumPy does not see of no elements
            values.flags.writeable = positions.flags.writeable
        return values

    def _part(self, k: int) -> Any:
        """Return the real or the imaginary part: a view of every second number in memory."""
        if self._pair is not None:
            return self._pair[k]
        return late.array_in(self.storage, layout.part(self.positions, self.storage.size, k))

    @property
    def real(self) -> Any:
        """The real part: a view."""
        return self._part(0)

    @real.setter
    def real(self, value: Any) -> None:
        self._part(0)[...] = value

    @property
    def imag(self) -> Any:
        """The imaginary part: a view."""
        return self._part(1)

    @imag.setter
    def imag(self, value: Any) -> None:
        self._part(1)[...] = value

    def element(self) -> Any:
        """Return the element of an array of shape () as a number."""
        return self._element(self.positions.item())

    def _element(self, position: int) -> Any:
        if self.is_constant:
            return self.storage.values.view(np.complex128)[position]
        return TracedComplex.of_numbers(*(self.storage.element(2 * position + k) for k in (0, 1)))

    @property
    def dtype(self) -> np.dtype[Any]:
        """complex128."""
        return np.dtype(np.complex128)

    def __getitem__(self, key: Any) -> Any:
        if self.is_number:
            return self if key == () else self.moved(self.positions)[key]
        if mask_of(key, self.shape) is not None:
            return TracedComplex.of_numbers(self.real[key], self.imag[key])
        picked = self.positions[late.static_key(key)]
        return self.moved(picked) if type(picked) is np.ndarray else self._element(int(picked))

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.is_number:
            raise TypeError("'numpy.complex128' object does not support item assignment")
        refuse_exchange(self, value, sys._getframe(1))
        real, imag = parts(value)
        self.real[key] = real
        self.imag[key] = 0.0 if imag is None else imag

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        if out is not None and out[0] is self and self.is_number:  # z += w binds the name to another number
            del kwargs["out"]
        return late.call_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return late.call_function(func, *late.arguments_of(func, args, kwargs))

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Give the values of a constant array, and scipy.sparse an object array, so that it defers; else refuse."""
        if self.is_constant:
            return np.array(self.plain, dtype)
        held = held_for_sparse(self)
        if held is not None:
            return held
        refuse_array(sys._getframe(1), "traced complex")

    def __matmul__(self, other: Any) -> Any:
        return call_complex(np.matmul, (self, other), {})

    def __rmatmul__(self, other: Any) -> Any:
        return call_complex(np.matmul, (other, self), {})

    def __mul__(self, other: Any) -> Any:
        return self._product(other, (self, other))

    def __rmul__(self, other: Any) -> Any:
        return self._product(other, (other, self))

    def __imul__(self, other: Any) -> Any:
        return self * other if self.is_number else super().__imul__(other)

    def _product(self, other: Any, operands: tuple[Any, Any]) -> Any:
        if self.is_number and type(other) in SEQUENCES:
            raise TypeError("can't multiply sequence by non-int of type 'numpy.complex128'")
        return call_complex(np.matmul, operands, {}) if scipy.sparse.isspmatrix(other) else np.multiply(*operands)

    def conj(self, *args: Any, **kwargs: Any) -> Any:
        """Same as ``ndarray.conj``."""
        return np.conjugate(self, *args, **kwargs)

    conjugate = conj

    def astype(
        self, dtype: Any, order: Any = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
    ) -> Any:
        """Same as ``ndarray.astype``, to complex; a constant array may become anything."""
        if self.is_constant:
            return late.on_values(np.ndarray.astype, (self, dtype, order, casting, subok, copy), {})
        if np.dtype(dtype).kind != "c":
            raise unsupported(f"astype({np.dtype(dtype)}) of complex values", "Take .real, .imag or np.abs.")
        positions = self.positions
        new = positions.astype(positions.dtype, order, copy=copy)
        return self if new is positions else self.moved(new)

    def view(self, dtype: Any = None, type: Any = None) -> Any:
        """Same as ``ndarray.view``: of the same type, or of the parts in turn."""
        if dtype is None or np.dtype(dtype) == self.dtype:
            return self.moved(self.positions.view())
        if np.dtype(dtype) != np.float64 or type is not None or self.is_number:
            raise unsupported(f"ndarray.view({dtype}) of complex values", "Use .real, .imag and astype.")
        positions = self.positions
        if self.size and self.shape[-1:] != (1,) and positions.strides[-1:] != (positions.itemsize,):
            raise ValueError("To change to a dtype of a different size, the last axis must be contiguous")
        steps = [*(2 * step for step in layout.steps(positions)[:-1]), 1]
        shape = (*self.shape[:-1], 2 * self.shape[-1])
        first = 2 * int(positions[(0,) * positions.ndim]) if positions.size else 0
        view = layout.placed(self.storage.size, shape, first, steps)
        view.flags.writeable = positions.flags.writeable
        return late.array_in(self.storage, view)

    def _refuse(self, *args: Any) -> NoReturn:
        raise unsupported("a Python branch on, or a conversion of, a traced complex value", HINT)

    def __bool__(self) -> bool:
        return bool(self.plain) if self.is_constant else self._refuse()

    __float__ = __int__ = _refuse

    def __complex__(self) -> complex:
        return complex(self.plain) if self.is_constant else self._refuse()


def _as_number(of_array: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method whose result is a number where it is that of a number and has no axes, as of NumPy's numbers."""

    @functools.wraps(of_array)
    def method(self: TracedComplex, *args: Any, **kwargs: Any) -> Any:
        result = of_array(self, *args, **kwargs)
        if not self.is_number:
            return result
        return late.as_numbers(result)

    return method


for _name in ("copy", "__copy__", "__deepcopy__", "reshape", "transpose", "astype", "to_device"):
    setattr(TracedComplex, _name, _as_number(getattr(TracedComplex, _name)))
TracedComplex.T = property(lambda self: self.transpose())  # type: ignore[method-assign,assignment]


class _ComplexLookalike(np.ndarray):
    """What ``z.__class__`` says, so that ``isinstance(z, np.ndarray)`` in user code is true."""


def held_for_sparse(value: Any) -> np.ndarray | None:
    """Return a 0-d object array that holds `value` if scipy.sparse asked for an array, else None.

    SciPy asks ``np.asanyarray(other)`` in ``A @ other`` and defers to ``other.__rmatmul__`` when it gets a
    0-d object array: the one way to be asked at all.
    """
    frame = sys._getframe(2)
    while frame.f_globals.get("__name__", "").startswith("sparsead.tracing.") and frame.f_back is not None:
        frame = frame.f_back  # NumPy's function was called through our wrapper of it
    caller = frame.f_globals.get("__name__", "")
    if not caller.startswith("scipy.sparse") or caller.startswith(("scipy.sparse.linalg", "scipy.sparse.csgraph")):
        return None
    held = np.empty((), dtype=object)
    held[()] = value
    return held


def is_complex(value: Any) -> bool:
    """Tell whether a value, or something in a list of values, is complex."""
    if isinstance(value, (list, tuple)):
        return any(is_complex(v) for v in value)
    if isinstance(value, (TracedComplex, complex, np.complexfloating)):
        return True
    if type(value) is np.ndarray and value.dtype == object:  # what NumPy makes of a list of unknowns
        return any(is_complex(v) for v in value.flat)
    has_dtype: Any = value
    return (type(value) is np.ndarray or scipy.sparse.issparse(value)) and has_dtype.dtype.kind == "c"


def parts(value: Any) -> tuple[Any, Any]:
    """Return real and imaginary part, to compute with; the latter is None for a real value.

    Lists are taken apart as a whole. A part that is known, as the real one of ``1j * x`` is, is a constant array.
    """
    if isinstance(value, (list, tuple)) and is_complex(value):
        pairs = [parts(v) for v in value]
        return [real for real, _ in pairs], [_zeros_like(real) if imag is None else imag for real, imag in pairs]
    if type(value) is np.ndarray and value.dtype == object and is_complex(value):
        value = late.stack_objects(value)
    if type(value) is TracedComplex and not value.is_number and not value.is_constant:
        return _where_known(value.real), _where_known(value.imag)
    return (value.real, value.imag) if is_complex(value) else (value, None)


def _where_known(part: Any) -> Any:
    """Return a part of a complex array; where nothing of it depends on x, an array of its values."""
    ref = part.ref
    if type(ref.node) is not Constant:
        return part
    values = np.empty_like(part.positions, DOUBLE)
    values[...] = ref.node.value.reshape(-1)[ref.index]
    return late.traced(values)


def _zeros_like(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_zeros_like(v) for v in value]
    return np.zeros_like(value)


def call_complex(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Trace a call of a NumPy function (or of a ufunc's method), some of whose arguments are complex."""
    handler = COMPLEX_HANDLERS.get(func)
    if handler is None:
        function, *method = func if isinstance(func, tuple) else (func,)
        module = (getattr(function, "__module__", None) or "numpy").replace("numpy", "np")  # ufuncs have none
        hint = INSTEAD.get(function, OF_MATRICES if module == "np.linalg" else HINT)
        raise unsupported(f"{'.'.join([module, function.__name__, *method])} of complex values", hint)
    bound: Any = UFUNC_METHODS.get(func) if isinstance(func, tuple) else HANDLERS.get(func)
    if hasattr(bound, "with_arrays"):
        args, kwargs = bound.with_arrays(args, kwargs)
    out = kwargs.get("out")
    result = handler(*args, **{name: value for name, value in kwargs.items() if name != "out"})
    if out is not None:
        function = getattr(*func) if isinstance(func, tuple) else func
        check_shape(func, out, result)
        return write_out(out, result, (function, args, kwargs))
    if func in ARRAYS:
        return late.stack_objects(result)
    from_number = func in MOVEMENTS and type(args[0]) is TracedComplex and args[0].is_number
    return result if func in AS_NUMPY and not from_number else late.as_numbers(result)
