"""Values made of float arrays and numbers: dicts, lists, tuples, named tuples and dataclasses of them, nested.

`structure` looks at an example: its branches, its leaves (floats), and what is fixed (all else). By this structure
other values are taken apart into their leaves, and built of other leaves.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from sparsead.errors import InputError
from sparsead.program.index import IndexArray
from sparsead.tracing import layout
from sparsead.tracing.fixed import Parts, attributes, class_data, snapshot
from sparsead.tracing.foreign import has_units

Path = tuple[str, ...]
Tree = TypeVar("Tree")


@dataclasses.dataclass(frozen=True)
class Leaf:
    """A float array, or a number: then the shape is ``()`` and `number` true.

    Attributes
    ----------
    order : tuple of int, optional
        The axes from the slowest to the fastest, where the example does not lie in C order.
    """

    shape: tuple[int, ...]
    number: bool
    order: tuple[int, ...] | None = dataclasses.field(default=None, compare=False)

    @classmethod
    def of_array(cls, array: np.ndarray) -> Leaf:
        """Return the leaf that an array is, in the memory order of a copy of it."""
        dense = array.ndim < 2 or array.flags.c_contiguous
        return cls(array.shape, False, None if dense else layout.axes(np.empty_like(array, subok=False)))

    def placed(self, values: np.ndarray) -> np.ndarray:
        """Return an array of this shape in the memory order of the leaf; one of unknowns as it is."""
        if self.order is None or type(values) is not np.ndarray:
            return values
        new = self.positions().astype(values.dtype, order="K")
        new[...] = values
        return new

    def positions(self) -> IndexArray:
        """Return the positions of a new array in the memory order of the leaf."""
        if self.order is None:
            return layout.memory(self.shape)
        return layout.memory(tuple(self.shape[k] for k in self.order)).transpose(np.argsort(self.order))

    @property
    def size(self) -> int:
        """How many floats it holds."""
        return int(np.prod(self.shape, dtype=np.int64))


@dataclasses.dataclass(frozen=True)
class Fixed:
    """What is neither a branch nor a float, and what it was when it was looked at."""

    value: Any
    known: Parts = dataclasses.field(default_factory=dict, compare=False, repr=False)


@dataclasses.dataclass(frozen=True)
class Branch:
    """A container, an example of it, and the structures of its children by name."""

    like: Any
    children: dict[str, Structure]


class _NotThere:
    """Stands for an attribute that is missing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "not there"


NOT_THERE = _NotThere()
Structure = Leaf | Fixed | Branch
Asked = Callable[[Any], Leaf | None]


def float_leaf(value: Any) -> Leaf | None:
    """Return the leaf that a float or a float array is; None for all else."""
    if isinstance(value, np.ndarray):
        return Leaf.of_array(value) if value.dtype.kind == "f" and not has_units(value) else None
    return Leaf((), True) if isinstance(value, (float, np.floating)) else None


def parts_of(value: Any) -> dict[str, Any] | None:
    """Return the children of a container by name; None for what is none."""
    if type(value) in (dict, OrderedDict):
        return {str(key): child for key, child in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return dict(zip(value._fields, value, strict=True))
    if type(value) in (list, tuple):
        return {str(k): child for k, child in enumerate(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def held(value: Any) -> Iterator[Any]:
    """Yield what is held by a container, and by those in it; anything else is yielded itself."""
    parts = parts_of(value)
    if parts is None:
        yield value
    else:
        for part in parts.values():
            yield from held(part)


def _parts_like(value: Any, of: Branch) -> dict[str, Any] | None:
    """Return the children of a container that is of the type of another one."""
    if hasattr(type(value), "__dataclass_fields__"):  # then it has the same fields
        return {name: getattr(value, name, NOT_THERE) for name in of.children}
    return parts_of(value)


def structure(value: Any, leaf: Asked = float_leaf) -> Structure:
    """Return how a value is built; `leaf` tells what is a leaf and of which shape."""
    found = leaf(value)
    if found is not None:
        return found
    parts = parts_of(value)
    if parts is None:
        return Fixed(value, snapshot(value))
    branches = {name: structure(child, leaf) for name, child in parts.items()}
    return Branch(value, branches | {name: Fixed(held, snapshot(held)) for name, held in _beside(value).items()})


def _beside(value: Any) -> dict[str, Any]:
    """Return the attributes of a dataclass that are no fields: a function reads them as they are there."""
    if not dataclasses.is_dataclass(value):
        return {}
    fields = {field.name for field in dataclasses.fields(value)}
    beside = class_data(type(value)) | (attributes(value) or {})
    return {name: held for name, held in beside.items() if name not in fields}


def emptied(of: Structure) -> Structure:
    """Return a structure whose examples hold nothing."""
    if not isinstance(of, Branch):
        return of
    children = {name: emptied(child) for name, child in of.children.items()}
    fields = len(parts_of(of.like) or ())
    return Branch(_container(of.like, [None] * fields), dict(itertools.islice(children.items(), fields)))


def with_fixed(of: Structure, changed: Callable[[Any], Any]) -> Structure:
    """Return a structure with ``changed(value)`` in place of each fixed value."""
    if isinstance(of, Branch):
        return Branch(of.like, {name: with_fixed(child, changed) for name, child in of.children.items()})
    return Fixed(changed(of.value), of.known) if isinstance(of, Fixed) else of


def leaves(of: Structure, path: Path = ()) -> Iterator[tuple[Path, Leaf]]:
    """Yield the leaves in order, each with the names on the way to it."""
    if isinstance(of, Leaf):
        yield path, of
    elif isinstance(of, Branch):
        for name, child in of.children.items():
            yield from leaves(child, (*path, name))


def taken_apart(
    of: Structure, value: Any, path: Path = (), ordered: bool = False
) -> Iterator[tuple[Path, Structure, Any]]:
    """Yield what stands in `value` where the structure has leaves and fixed parts, with the names on the way to it.

    With `ordered`, dicts must have their keys in the order of the structure: a function may have walked over them.

    Raises
    ------
    InputError
        If a container is of another kind, or has other names.
    """
    if not isinstance(of, Branch):
        yield path, of, value
        return
    parts = _parts_like(value, of) if type(value) is type(of.like) else None
    if ordered and parts is not None and parts.keys() == of.children.keys() and [*parts] != [*of.children]:
        raise InputError(
            f"{spelled(path) or 'an argument'} has its keys in the order {', '.join(parts)}; it was "
            f"{', '.join(of.children)} when the derivative was prepared, and the function may walk over them: pass "
            "them in that order, or prepare again"
        )
    if parts is None or parts.keys() != of.children.keys():
        met = type(value).__name__ if parts is None else f"{type(value).__name__} of {', '.join(parts)}"
        raise InputError(
            f"{spelled(path) or 'an argument'} was a {type(of.like).__name__} of {', '.join(of.children)} when the "
            f"derivative was prepared, got a {met}; prepare again for another structure"
        )
    for name, child in of.children.items():
        yield from taken_apart(child, parts[name], (*path, name), ordered)


def built(of: Structure, new: Iterator[Any]) -> Any:
    """Return a value of this structure whose leaves are taken from `new`, in order; what is fixed is shared."""
    if isinstance(of, Leaf):
        return next(new)
    if isinstance(of, Fixed):
        return of.value
    return _container(of.like, [built(child, new) for child in of.children.values()])


def _container(like: Any, children: Sequence[Any]) -> Any:
    """Return a container like another one with other children; a dataclass is copied, not initialised again."""
    if isinstance(like, dict):
        return type(like)(zip(like, children, strict=True))
    if hasattr(like, "_make"):  # a named tuple
        return like._make(children)
    if isinstance(like, tuple):
        return tuple(children)
    if isinstance(like, list):
        return list(children)
    new = copy.copy(like)
    for field, child in zip(dataclasses.fields(like), children, strict=False):  # what is no field has been copied
        object.__setattr__(new, field.name, child)  # frozen ones as well
    return new


def is_tree(value: Any) -> bool:
    """Tell whether a value is a container that NumPy does not take for an array: not numbers alone."""
    parts = parts_of(value)
    if parts is None:
        return False
    if type(value) not in (list, tuple):
        return True
    return not all(_of_numbers(child) for child in parts.values())


def _of_numbers(value: Any) -> bool:
    """Tell whether a value is a number, or nested lists of numbers."""
    if type(value) in (list, tuple):
        return all(map(_of_numbers, value))
    return isinstance(value, (int, float, np.integer, np.floating))


def spelled(path: Path) -> str:
    """Return the name of a leaf as users write it: the names on the way, joined by dots."""
    return ".".join(path)


def split(vector: np.ndarray, of: Structure) -> Iterator[Any]:
    """Yield the shares of a vector that belong to the leaves of a structure, in their shapes; numbers as floats."""
    start = 0
    for _, leaf in leaves(of):
        share = vector[start : start + leaf.size]
        yield share[0].item() if leaf.number else share.reshape(leaf.shape)
        start += leaf.size


def pack(tree: Any) -> np.ndarray:
    """Return the float leaves of a tree, one after the other, as one vector.

    Parameters
    ----------
    tree : dict, list, tuple, named tuple, dataclass, array or float
        Float arrays and floats, nested in any way. What is neither a container nor a float is left out.

    Returns
    -------
    ndarray of float64, shape (n,)
        The leaves in order, each in C order.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> sad.pack({"u": np.array([1.0, 2.0]), "p": 3.0})
    array([1., 2., 3.])
    """
    of = structure(tree)
    parts = [np.ravel(value) for _, part, value in taken_apart(of, tree) if isinstance(part, Leaf)]
    return np.concatenate(parts, dtype=np.float64) if parts else np.empty(0)


def unpack(vector: Any, like: Tree) -> Tree:
    """Return a tree like another one, with float leaves from a vector: the inverse of `pack`.

    Parameters
    ----------
    vector : array_like, shape (n,)
        The values of all float leaves, in order; inside a function to differentiate also unknowns.
    like : dict, list, tuple, named tuple, dataclass, array or float
        What the result is built like; what it holds beside floats is shared.

    Returns
    -------
    tree
        With arrays of its own.

    Raises
    ------
    InputError
        If the vector is not as long as the leaves together.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> sad.unpack([1.0, 2.0, 3.0], like={"u": np.zeros(2), "p": 0.0})
    {'u': array([1., 2.]), 'p': 3.0}
    """
    of, vector = structure(like), np.copy(vector).astype(np.float64, copy=False)  # of unknowns too: both dispatch
    size = sum(leaf.size for _, leaf in leaves(of))
    if vector.shape != (size,):
        raise InputError(f"the leaves hold {size} floats together, got a vector of shape {vector.shape}")
    made: Tree = built(of, split(vector, of))
    return made
