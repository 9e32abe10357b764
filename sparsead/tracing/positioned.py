"""The attributes and methods of every ndarray, on positions where they look at or move elements only.

Nothing is forwarded by its name alone: each method of ndarray is one of those below, or refused with a reason.
"""

from __future__ import annotations

import sys
import types
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Self

import numpy as np

from sparsead.errors import package_of, unsupported
from sparsead.program.index import IndexArray, Shape
from sparsead.program.nodes import Ref
from sparsead.tracing.flat import FlatIterator
from sparsead.tracing.texts import Written

# Methods that are the NumPy function of their name, with the array as its first argument.
FUNCTIONS = (
    "all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "cumprod", "cumsum", "diagonal",
    "dot", "max", "mean", "min", "nonzero", "prod", "put", "repeat", "round", "searchsorted", "squeeze", "std", "sum",
    "swapaxes", "take", "trace", "var",
)  # fmt: skip
MEMORY = "It reads or writes the memory of the array, and a traced array has none."
SHARED = "np.shares_memory(a, b) tells whether one is a view of the other."
ASKING = ("pandas",)  # asks for the base to warn where what is written into a row may not reach the table
OF_MEMORY = ("byteswap", "ctypes", "data", "dump", "dumps", "getfield", "setfield", "tobytes", "tofile")
REFUSED = {"base": SHARED, **dict.fromkeys(OF_MEMORY, MEMORY)}


class Traced:
    """What else stands for values that are traced: an operation with an array is its own, not the array's."""

    __slots__ = ()


class Flags:
    """What ``array.flags`` says of the memory, by the positions, which have the same order."""

    __slots__ = ("_flags",)

    def __init__(self, positions: IndexArray) -> None:
        object.__setattr__(self, "_flags", positions.flags)

    def __getattr__(self, name: str) -> Any:
        if name == "owndata":
            raise unsupported("ndarray.flags.owndata", SHARED)
        return getattr(self._flags, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._flags, name, value)

    def __getitem__(self, name: str) -> Any:
        return self.__getattr__("owndata") if name in ("O", "OWNDATA") else self._flags[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._flags[name] = value


class ArrayMethods:
    """Methods that NumPy states by its functions, the same for real and complex arrays."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # as of an ndarray

    def compress(self, condition: Any, axis: Any = None, out: Any = None) -> Any:
        """Same as ``ndarray.compress``."""
        return np.compress(condition, self, axis, **({} if out is None else {"out": out}))  # type: ignore[call-overload]

    def clip(self, min: Any = None, max: Any = None, out: Any = None, **kwargs: Any) -> Any:
        """Same as ``ndarray.clip``, whose bounds had names before those of ``np.clip`` had the same (NumPy 2.1)."""
        return np.clip(self, min, max, **({} if out is None else {"out": out}), **kwargs)  # type: ignore[call-overload]

    def sort(self, axis: int = -1, kind: Any = None, order: Any = None, *, stable: Any = None) -> None:
        """Same as ``ndarray.sort``: in place."""
        self[...] = np.sort(self, axis, kind, order, stable=stable)  # type: ignore[index,call-overload]

    def partition(self, kth: Any, axis: int = -1, kind: str = "introselect", order: Any = None) -> None:
        """Same as ``ndarray.partition``: in place."""
        self[...] = np.partition(self, kth, axis, kind, order)  # type: ignore[index,call-overload]

    def __imatmul__(self, other: Any) -> Any:
        if np.ndim(self) < 1 or np.ndim(other) < 2:  # type: ignore[arg-type]
            raise ValueError(
                "inplace matrix multiplication requires the first operand to have at least one and the second at least "
                "two dimensions."
            )
        return np.matmul(self, other, out=(self,))  # type: ignore[call-overload]

    def fill(self, value: Any) -> None:
        """Same as ``ndarray.fill``."""
        if np.ndim(value):
            raise ValueError("setting an array element with a sequence.")
        self[...] = value  # type: ignore[index]

    @property
    def flat(self) -> FlatIterator:
        """Iterator over the elements in C order."""
        return FlatIterator(self)

    @flat.setter
    def flat(self, value: Any) -> None:
        FlatIterator(self)[:] = value

    def item(self, *index: Any) -> Any:
        """Return one element (itself traced)."""
        if not index and self.size != 1:  # type: ignore[attr-defined]
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        if len(index) == 1 and not isinstance(index[0], tuple):
            found = FlatIterator(self)[index[0]]
        else:
            key = index[0] if len(index) == 1 else index or (0,) * self.ndim  # type: ignore[attr-defined]
            found = self[key]  # type: ignore[index]
        return found.item() if issubclass(type(found), np.generic) else found

    def tolist(self) -> Any:
        """Return the elements as nested lists."""
        return [e.tolist() for e in self] if self.ndim else self.item()  # type: ignore[attr-defined]

    def __array_namespace__(self, *, api_version: str | None = None) -> types.ModuleType:
        """Same as ``ndarray.__array_namespace__``: NumPy."""
        return np.ones(1).__array_namespace__(api_version=api_version)  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:  # type: ignore[attr-defined]
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))  # type: ignore[index,arg-type]

    def __contains__(self, value: Any) -> bool:
        return bool(np.any(np.equal(self, value)))  # type: ignore[call-overload]

    def __reduce_ex__(self, protocol: Any) -> Any:
        if getattr(self, "is_constant", False):
            return self.plain.__reduce_ex__(protocol)  # type: ignore[attr-defined]
        raise unsupported("pickling an array", MEMORY)


def _function(name: str) -> Callable[..., Any]:
    func = getattr(np, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        return func(self, *args, **kwargs)

    method.__name__, method.__doc__ = name, f"Same as ``ndarray.{name}``."
    return method


def _refused(name: str, reason: str) -> property:
    def refuse(self: Any, *value: Any) -> None:
        if name != "base" or package_of(sys._getframe(1).f_code.co_filename) not in ASKING:
            raise unsupported(f"ndarray.{name}", reason)

    return property(refuse, refuse)


for _name in FUNCTIONS:
    setattr(ArrayMethods, _name, _function(_name))
for _name, _reason in REFUSED.items():
    setattr(ArrayMethods, _name, _refused(_name, _reason))


class Positioned(ArrayMethods, Written):
    """An array that is known by the positions of its elements in some memory."""

    __slots__ = ()
    storage: Any

    @property
    @abstractmethod
    def positions(self) -> IndexArray:
        """Where the elements are in the memory."""

    @positions.setter
    @abstractmethod
    def positions(self, positions: IndexArray) -> None: ...

    @abstractmethod
    def __getitem__(self, key: Any) -> Any: ...

    @abstractmethod
    def moved(self, positions: IndexArray) -> Self:
        """Return the elements at `positions`: a view where NumPy made one of the positions, else a copy."""

    def of_its_class(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers as an array of the class that this one stands for."""
        return numbers

    @abstractmethod
    def in_order(self, positions: IndexArray) -> Self:
        """Return a new array of the same elements, whose memory has the order of `positions`."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """The type of the elements."""

    # -- shape and memory -----------------------------------------------------------------------------------
    @property
    def shape(self) -> Shape:
        """Shape, as of the ndarray it stands for."""
        return self.positions.shape

    @shape.setter
    def shape(self, shape: Any) -> None:
        positions = self.positions.view()
        positions.shape = shape
        self.positions = positions

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.positions.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.positions.size

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.itemsize

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next along each axis."""
        return tuple(step // self.positions.itemsize * self.itemsize for step in self.positions.strides)

    @strides.setter
    def strides(self, value: Any) -> None:
        raise unsupported("assigning to ndarray.strides", "Take the view by indexing, reshape or transpose.")

    @property
    def flags(self) -> Flags:
        """How the array lies in memory."""
        return Flags(self.positions)

    def setflags(self, write: Any = None, align: Any = None, uic: Any = None) -> None:
        """Same as ``ndarray.setflags``."""
        self.positions.setflags(write=write, align=align, uic=uic)

    @property
    def device(self) -> str:
        """Where the array is: "cpu"."""
        return "cpu"

    def to_device(self, device: Any, /, *, stream: Any = None) -> Self:
        """Return the array itself, which is on the only device."""
        return self.moved(self.positions.to_device(device, stream=stream))

    # -- movements ------------------------------------------------------------------------------------------
    @property
    def T(self) -> Self:
        """View with the axes reversed."""
        return self.moved(self.positions.T)

    @property
    def mT(self) -> Self:
        """View with the last two axes exchanged."""
        return self.moved(self.positions.mT)

    def __len__(self) -> int:
        return len(self.positions)

    def reshape(self, *shape: Any, **kwargs: Any) -> Self:
        """Same as ``ndarray.reshape``."""
        return self.moved(self.positions.reshape(*shape, **kwargs))

    def transpose(self, *axes: Any) -> Self:
        """Same as ``ndarray.transpose``."""
        return self.moved(self.positions.transpose(*axes))

    def ravel(self, order: Any = "C") -> Self:
        """Same as ``ndarray.ravel``."""
        return self.moved(self.positions.ravel(order))

    def flatten(self, order: Any = "C") -> Self:
        """Same as ``ndarray.flatten``."""
        return self.moved(self.positions.flatten(order))

    def copy(self, order: Any = "C") -> Self:
        """Same as ``ndarray.copy``."""
        return self.moved(self.positions.copy(order))

    def __copy__(self) -> Self:
        return self.copy("K")

    def __deepcopy__(self, memo: Any) -> Self:
        return self.copy("K")

    def resize(self, *shape: Any, refcheck: bool = True) -> None:
        """Same as ``ndarray.resize`` where the number of elements stays."""
        new = np.empty(self.size, np.bool_)
        new.resize(*shape)
        if new.size != self.size:
            raise unsupported("ndarray.resize to another number of elements", "Use np.resize or np.concatenate.")
        flags = self.positions.flags
        if not flags.c_contiguous and not flags.f_contiguous:
            raise ValueError("resize only works on single-segment arrays")
        order: Any = "C" if flags.c_contiguous else "F"
        self.positions = self.positions.ravel(order).reshape(new.shape, order=order)


class RealArray(Positioned):
    """An array of real numbers, as operations read it."""

    __slots__ = ()

    @property
    @abstractmethod
    def ref(self) -> Ref:
        """The reading of all its elements."""
