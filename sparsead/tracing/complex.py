"""Complex arithmetic inside real functions: a complex array is a pair of real traced arrays.

Everything below tracing sees the two parts only. What a function does to the pair is stated in `sparsead.ops.complex`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import numpy as np
import scipy.sparse
from numpy.lib.mixins import NDArrayOperatorsMixin

from sparsead.errors import unsupported
from sparsead.program.index import Shape

# What NumPy function (or ufunc and method) -> what it does to complex operands. `sparsead.ops.complex` fills it.
COMPLEX_HANDLERS: dict[Callable[..., Any] | tuple[Callable[..., Any], str], Callable[..., Any]] = {}

HINT = (
    "Complex numbers take part in sums, products, quotients, exp, log, sqrt, the trigonometric and hyperbolic "
    "functions, abs, angle, conj, real and imag."
)


class TracedComplex(NDArrayOperatorsMixin):
    """An array of traced complex values: two real traced arrays of one shape."""

    __slots__ = ("imag", "real")
    __array_priority__ = 1001.0
    is_constant = False

    def __init__(self, real: Any, imag: Any) -> None:
        self.real = real
        self.imag = imag

    @property
    def shape(self) -> Shape:
        """Shape, as of the ndarray it stands for."""
        return self.real.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.real.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.real.size

    @property
    def dtype(self) -> np.dtype[Any]:
        """complex128."""
        return np.dtype(np.complex128)

    @property
    def T(self) -> TracedComplex:
        """View with the axes reversed."""
        return TracedComplex(self.real.T, self.imag.T)

    def __len__(self) -> int:
        return len(self.real)

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<traced complex array, shape {self.shape}>"

    def __getitem__(self, key: Any) -> Any:
        return TracedComplex(self.real[key], self.imag[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        real, imag = parts(value)
        self.real[key] = real
        self.imag[key] = 0.0 if imag is None else imag

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, out: Any = None, **kwargs: Any) -> Any:
        return call_complex_ufunc(ufunc, method, inputs, out, kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        return call_complex(func, args, kwargs)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """Give scipy.sparse a 0-d object array, so that it defers; refuse everybody else."""
        held = held_for_sparse(self)
        if held is not None:
            return held
        raise unsupported("turning a traced complex array into a plain ndarray", HINT)

    def __matmul__(self, other: Any) -> Any:
        return call_complex(np.matmul, (self, other), {})

    def __rmatmul__(self, other: Any) -> Any:
        return call_complex(np.matmul, (other, self), {})

    def __mul__(self, other: Any) -> Any:
        return call_complex(np.matmul if scipy.sparse.isspmatrix(other) else np.multiply, (self, other), {})

    def __rmul__(self, other: Any) -> Any:
        return call_complex(np.matmul if scipy.sparse.isspmatrix(other) else np.multiply, (other, self), {})

    def copy(self) -> TracedComplex:
        """Same as ``ndarray.copy``."""
        return TracedComplex(self.real.copy(), self.imag.copy())

    def reshape(self, *shape: Any, **kwargs: Any) -> TracedComplex:
        """Same as ``ndarray.reshape``."""
        return TracedComplex(self.real.reshape(*shape, **kwargs), self.imag.reshape(*shape, **kwargs))

    def flatten(self, order: Any = "C") -> TracedComplex:
        """Same as ``ndarray.flatten``."""
        return TracedComplex(self.real.flatten(order), self.imag.flatten(order))

    def _refuse(self, *args: Any) -> NoReturn:
        raise unsupported("a Python branch on, or a conversion of, a traced complex value", HINT)

    __bool__ = __float__ = __int__ = __complex__ = _refuse

    def __getattr__(self, name: str) -> Any:
        """Methods that NumPy also has as functions: ``z.conj()``, ``z.sum()``."""
        func = getattr(np, name, None)
        if name.startswith("_") or not (callable(func) and hasattr(np.ndarray, name)):
            raise AttributeError(f"'TracedComplex' object has no attribute {name!r}")
        return lambda *args, **kwargs: func(self, *args, **kwargs)


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
        zeros = [np.zeros(np.shape(real)) if imag is None else imag for real, imag in pairs]
        return [real for real, _ in pairs], zeros
    return (value.real, value.imag) if is_complex(value) else (value, None)


def call_complex_ufunc(ufunc: np.ufunc, method: str, inputs: Any, out: Any, kwargs: dict[str, Any]) -> Any:
    """Trace a call of a ufunc, some of whose operands are complex."""
    called = kwargs | ({} if out is None else {"out": out[0]})
    return call_complex(ufunc if method == "__call__" else (ufunc, method), inputs, called)


def call_complex(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    """Trace a call of a NumPy function (or of a ufunc's method), some of whose arguments are complex."""
    handler = COMPLEX_HANDLERS.get(func)
    if handler is None:
        function, *method = func if isinstance(func, tuple) else (func,)
        raise unsupported(f"np.{'.'.join([function.__name__, *method])} of complex values", HINT)
    out = kwargs.pop("out", None)
    result = handler(*args, **kwargs)
    if out is None:
        return result
    (out[0] if isinstance(out, tuple) else out)[...] = result
    return out[0] if isinstance(out, tuple) else out
