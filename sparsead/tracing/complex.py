"""Complex arithmetic inside real functions: a complex array is a pair of real traced arrays.

Everything below tracing sees the two parts only. What a function does to the pair is stated in `sparsead.ops.complex`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
import scipy.sparse
from numpy.lib.mixins import NDArrayOperatorsMixin

from sparsead.errors import unsupported
from sparsead.program.index import IndexArray
from sparsead.tracing import layout
from sparsead.tracing.asking import check_shape, write_out
from sparsead.tracing.late import AS_NUMPY, HANDLERS, MOVEMENTS, UFUNC_METHODS, late
from sparsead.tracing.positioned import Positioned
from sparsead.tracing.scalar import refuse_array

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


class TracedComplex(Positioned, NDArrayOperatorsMixin):
    """An array of traced complex values: two real traced arrays of one shape, or two traced numbers.

    The parts of an array that the function allocated lie in one memory, in turn, as NumPy has them; those of a
    computed one have memory of their own, with the same positions.
    """

    __slots__ = ("imag_part", "real_part")
    __array_priority__ = 1001.0
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, real: Any, imag: Any) -> None:
        self.real_part = real
        self.imag_part = imag

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return np.complex128 if self.is_number else _ComplexLookalike

    @property
    def is_number(self) -> bool:
        """True for a number, which never changes; an array of shape () is none."""
        return not hasattr(type(self.real_part), "storage")

    @property
    def _is_one_memory(self) -> bool:
        return not self.is_number and self.real_part.storage is self.imag_part.storage

    @property
    def is_constant(self) -> bool:
        """True as long as no traced value was written to the memory."""
        return self._is_one_memory and self.real_part.is_constant

    @property
    def plain(self) -> np.ndarray:
        """The ndarray that a constant array stands for: its memory itself."""
        return layout.viewed(self.real_part.storage.values.view(np.complex128), self.positions)

    @property
    def positions(self) -> IndexArray:
        """Where the elements are, counted in complex numbers."""
        if self.is_number:
            return layout.memory(())
        positions = self.real_part.positions
        if not self._is_one_memory:
            return positions
        first = int(positions[(0,) * positions.ndim]) // 2 if positions.size else 0
        steps = (step // 2 for step in layout.steps(positions))
        halved = layout.placed(self.real_part.storage.size // 2, positions.shape, first, steps)
        halved.flags.writeable = positions.flags.writeable
        return halved

    @positions.setter
    def positions(self, positions: IndexArray) -> None:
        moved = self.moved(positions)
        self.real_part, self.imag_part = moved.real_part, moved.imag_part

    def moved(self, positions: IndexArray) -> TracedComplex:
        """Return the elements at `positions`: a view where NumPy made one of the positions, else a copy."""
        if positions is self.positions:
            return self
        if self.is_number or not self._is_one_memory:
            arrays = (late.traced(late.stack_objects(part)) for part in (self.real_part, self.imag_part))
            return TracedComplex(*(array.moved(positions) for array in arrays))
        if not np.may_share_memory(positions, self.positions):
            doubled = np.asarray(2 * positions)  # of one number it is a number, which cannot be written to
            return TracedComplex(self.real_part.moved(doubled), self.imag_part.moved(np.asarray(doubled + 1)))
        first = 2 * int(positions[(0,) * positions.ndim]) if positions.size else 0
        steps = [2 * step for step in layout.steps(positions)]
        views = [layout.placed(self.real_part.storage.size, positions.shape, first + k, steps) for k in (0, 1)]
        for view in views:
            view.flags.writeable = positions.flags.writeable
        return TracedComplex(self.real_part.moved(views[0]), self.imag_part.moved(views[1]))

    def setflags(self, write: Any = None, align: Any = None, uic: Any = None) -> None:
        """Same as ``ndarray.setflags``."""
        if not self.is_number:  # views that were taken of the parts keep their own flags
            self.real_part, self.imag_part = (part.moved(part.positions.view()) for part in self._parts())
            self.real_part.setflags(write, align, uic)
            self.imag_part.setflags(write, align, uic)

    @property
    def real(self) -> Any:
        """The real part: a view."""
        return self.real_part

    @real.setter
    def real(self, value: Any) -> None:
        self.real_part[...] = value

    @property
    def imag(self) -> Any:
        """The imaginary part: a view."""
        return self.imag_part

    @imag.setter
    def imag(self, value: Any) -> None:
        self.imag_part[...] = value

    @property
    def dtype(self) -> np.dtype[Any]:
        """complex128."""
        return np.dtype(np.complex128)

    def __repr__(self) -> str:
        return f"<traced complex array, shape {self.shape}>"

    def __getitem__(self, key: Any) -> Any:
        if self.is_number:
            return self if key == () else self.moved(self.positions)[key]
        if self.is_constant:
            plain = self.plain
            return late.wrapped(plain[key], [(self, plain)])
        return TracedComplex(self.real_part[key], self.imag_part[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        if self.is_number:
            raise TypeError("'numpy.complex128' object does not support item assignment")
        real, imag = parts(value)
        self.real_part[key] = real
        self.imag_part[key] = 0.0 if imag is None else imag

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
        refuse_array(sys._getframe(1))

    def __matmul__(self, other: Any) -> Any:
        return call_complex(np.matmul, (self, other), {})

    def __rmatmul__(self, other: Any) -> Any:
        return call_complex(np.matmul, (other, self), {})

    def __mul__(self, other: Any) -> Any:
        return (
            call_complex(np.matmul, (self, other), {}) if scipy.sparse.isspmatrix(other) else np.multiply(self, other)
        )

    def __rmul__(self, other: Any) -> Any:
        return (
            call_complex(np.matmul, (other, self), {}) if scipy.sparse.isspmatrix(other) else np.multiply(other, self)
        )

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
        if not self._is_one_memory:
            self._join_memory()
        positions = self.real_part.positions
        if self.size and self.shape[-1:] != (1,) and self.positions.strides[-1:] != (self.positions.itemsize,):
            raise ValueError("To change to a dtype of a different size, the last axis must be contiguous")
        steps = [*layout.steps(positions)[:-1], 1]
        shape = (*self.shape[:-1], 2 * self.shape[-1])
        first = int(positions[(0,) * positions.ndim]) if positions.size else 0
        return self.real_part.moved(layout.placed(self.real_part.storage.size, shape, first, steps))

    def _join_memory(self) -> None:
        """Put computed parts into one memory, in turn, as NumPy has them; nobody else may hold that of the parts."""
        alone = all(sys.getrefcount(part) == 3 == 1 + sys.getrefcount(part.storage) for part in self._parts())
        if not alone or self.real_part.storage.size != self.size:
            raise unsupported(
                "ndarray.view(float) of complex values that were computed, and of which there are other views",
                "Copy them first: z.copy().view(float).",
            )
        whole = late.complex_of_values(np.zeros_like(self.positions, np.complex128))
        whole[...] = self
        self.real_part, self.imag_part = whole.real_part, whole.imag_part

    def _parts(self) -> Iterator[Any]:
        yield self.real_part
        yield self.imag_part

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
    if not caller.startswith("scipy.sparse") or caller.startswith("scipy.sparse.linalg"):
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
    has_dtype: Any = value
    return (type(value) is np.ndarray or scipy.sparse.issparse(value)) and has_dtype.dtype.kind == "c"


def parts(value: Any) -> tuple[Any, Any]:
    """Return real and imaginary part; the latter is None for a real value. Lists are taken apart as a whole."""
    if isinstance(value, (list, tuple)) and is_complex(value):
        pairs = [parts(v) for v in value]
        return [real for real, _ in pairs], [_zeros_like(real) if imag is None else imag for real, imag in pairs]
    return (value.real, value.imag) if is_complex(value) else (value, None)


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
        hint = OF_MATRICES if module == "np.linalg" else HINT
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
    from_number = func in MOVEMENTS and type(args[0]) is TracedComplex and args[0].is_number
    return result if func in AS_NUMPY and not from_number else late.as_numbers(result)
