"""What a traced array has in common with every ndarray: attributes and methods that look at or move positions only."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any, Self

from sparsead.program.index import IndexArray, Shape


class Traced:
    """What else stands for values that are traced: an operation with an array is its own, not the array's."""

    __slots__ = ()


class Positioned:
    """An array that is known by the positions of its elements in some memory."""

    __slots__ = ()
    positions: IndexArray

    @abstractmethod
    def moved(self, positions: IndexArray) -> Self:
        """Return the elements at `positions`: a view where NumPy made one of the positions, else a copy."""

    @abstractmethod
    def __getitem__(self, key: Any) -> Any: ...

    @abstractmethod
    def __setitem__(self, key: Any, value: Any) -> None: ...

    @property
    def shape(self) -> Shape:
        """Shape, as of the ndarray it stands for."""
        return self.positions.shape

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self.positions.ndim

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.positions.size

    @property
    def T(self) -> Self:
        """View with the axes reversed."""
        return self.moved(self.positions.T)

    @property
    def flat(self) -> Iterator[Any]:
        """Iterator over the elements in C order."""
        return iter(self.ravel())

    def __len__(self) -> int:
        return len(self.positions)

    def __iter__(self) -> Iterator[Any]:
        if self.ndim == 0:
            raise TypeError("iteration over a 0-d array")
        return (self[k] for k in range(len(self)))

    def reshape(self, *shape: Any, order: str = "C", **kwargs: Any) -> Self:
        """Same as ``ndarray.reshape``."""
        return self.moved(self.positions.reshape(*shape, order=order, **kwargs))  # type: ignore[call-overload]

    def transpose(self, *axes: Any) -> Self:
        """Same as ``ndarray.transpose``."""
        return self.moved(self.positions.transpose(*axes))

    def ravel(self, order: Any = "C") -> Self:
        """Same as ``ndarray.ravel``."""
        return self.moved(self.positions.ravel(order))

    def flatten(self, order: Any = "C") -> Self:
        """Same as ``ndarray.flatten``."""
        return self.moved(self.positions.flatten(order))

    def fill(self, value: Any) -> None:
        """Same as ``ndarray.fill``."""
        self[...] = value

    def item(self, *index: Any) -> Any:
        """Return one element (itself traced)."""
        return self.reshape(-1)[index[0] if index else 0] if len(index) < 2 else self[index]

    def tolist(self) -> list[Any]:
        """Return the elements as nested lists."""
        return [e.tolist() if e.ndim else e for e in self]
