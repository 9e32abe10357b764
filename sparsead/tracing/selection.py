"""Elements that a traced mask selects: their number differs from call to call, what is done with them need not.

``x[mask]`` stands for the whole array with the mask beside it: elementwise operations act on the whole, reductions
leave out what is not selected, and ``y[mask] = x[mask]`` writes where the mask holds. Nothing else is known of it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from sparsead.program.nodes import Constant, Join, Map, Ref
from sparsead.tracing.decisions import active
from sparsead.tracing.positioned import Traced
from sparsead.tracing.refusals import refuse_value

WHAT = "the number of elements that a traced mask selects"
COUNT_HINT = (
    "Use np.where(condition, a, b), which keeps all elements; sums, maxima and means of x[mask] need no number; or "
    'prepare with guard="record", which records which elements a mask selects.'
)
LOWEST = {np.maximum: -np.inf, np.minimum: np.inf, np.add: 0.0, np.multiply: 1.0}


def refuse_count(what: str, at: Any = None) -> NoReturn:
    """Refuse what needs to know how many elements a mask selects; where branches are recorded, ask for a new trace."""
    decisions = active.get()
    if decisions is not None:
        decisions.wants_masks = True
    refuse_value(what, COUNT_HINT, at)


class Selection(Traced):
    """What a mask selects of an array.

    Parameters
    ----------
    whole : TracedArray
        All elements; what is not selected means nothing.
    mask : TracedArray
        Truth values; along the first axes of `whole`.
    key : TracedArray
        The array that was the index: selections by equal masks fit each other.
    """

    __slots__ = ("key", "mask", "whole")
    is_constant = False
    ndim = 1

    def __init__(self, whole: Any, mask: Any, key: Any) -> None:
        self.whole, self.mask, self.key = whole, mask, key

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64, or bool for a condition on what was selected."""
        return np.dtype(self.whole.dtype)

    def _fits(self, other: Any) -> bool:
        return type(other) is Selection and same(other.key, self.key) and np.shape(other.whole) == np.shape(self.whole)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "reduce":
            return self._reduced(ufunc, **kwargs)
        if method != "__call__" or kwargs or not all(self._fits(i) or np.ndim(i) == 0 for i in inputs):
            refuse_count(f"np.{ufunc.__name__} of a selection with an array of another length")
        whole = ufunc(*(i.whole if type(i) is Selection else i for i in inputs))
        return Selection(whole, self.mask, self.key)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if func in (np.ndim, np.result_type):
            return self.ndim if func is np.ndim else self.dtype
        rule = REDUCTIONS.get(func.__name__) if func.__module__ == "numpy" else None
        if rule is None or args[0] is not self:
            refuse_count(f"{func.__module__.replace('numpy', 'np')}.{func.__name__} of a selection")
        return rule(*args, **kwargs)

    def choice(self, *args: Any) -> Any:
        """Choose between selections by a condition on them."""
        if not all(self._fits(a) or np.ndim(a) == 0 for a in args):
            refuse_count("np.where of a selection with an array of another length")
        return Selection(np.where(*(a.whole if type(a) is Selection else a for a in args)), self.mask, self.key)

    def _reduced(
        self, ufunc: np.ufunc, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: Any = False, **more: Any
    ) -> Any:
        if axis not in (0, None, -1) or ufunc not in LOWEST or keepdims or out is not None or more:
            refuse_count(f"np.{ufunc.__name__}.reduce of a selection in this form")
        whole, mask = np.broadcast_arrays(self.whole, self.mask)
        axes = None if axis is None else tuple(range(self.key.ndim))
        neutral = False if self.dtype == np.bool_ and ufunc is np.add else LOWEST[ufunc]
        return ufunc.reduce(np.where(mask, whole, neutral), axis=axes)

    # -- reductions -----------------------------------------------------------------------------------------
    def sum(self, axis: Any = None, **more: Any) -> Any:
        """Same as ``ndarray.sum``."""
        return self._reduced(np.add, axis, **more)

    def prod(self, axis: Any = None, **more: Any) -> Any:
        """Same as ``ndarray.prod``."""
        return self._reduced(np.multiply, axis, **more)

    def max(self, axis: Any = None, **more: Any) -> Any:
        """Same as ``ndarray.max``."""
        return self._reduced(np.maximum, axis, **more)

    def min(self, axis: Any = None, **more: Any) -> Any:
        """Same as ``ndarray.min``."""
        return self._reduced(np.minimum, axis, **more)

    def mean(self, axis: Any = None, **more: Any) -> Any:
        """Same as ``ndarray.mean``."""
        count = Selection(np.where(self.mask, 1.0, np.zeros(np.shape(self.whole))), self.mask, self.key)
        return self.sum(axis, **more) / count.sum(axis, **more)

    def dot(self, other: Any) -> Any:
        """Same as ``ndarray.dot``, of two selections by one mask."""
        if not self._fits(other) or np.ndim(self.whole) != self.key.ndim:
            refuse_count("a product of a selection with an array of another length")
        return (self * other).sum()

    __matmul__ = dot

    def copy(self, order: str = "C") -> Selection:
        """Same as ``ndarray.copy``; one axis has one order."""
        return Selection(np.copy(self.whole), self.mask, self.key)

    # -- what would need the number of elements -------------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        return refuse_count(f"ndarray.{name} of {WHAT}")

    def __len__(self) -> int:
        return refuse_count(WHAT)

    def __bool__(self) -> bool:
        return refuse_count(WHAT)

    def __iter__(self) -> Any:
        return refuse_count(f"iteration over {WHAT}")

    def _is_condition(self, key: Any) -> bool:
        return self._fits(key) and key.dtype == np.bool_ and np.ndim(self.whole) == self.key.ndim

    def __getitem__(self, key: Any) -> Any:
        """Return all of it, or what a condition on it selects further."""
        if _is_all(key):
            return self
        if not self._is_condition(key):
            return refuse_count(f"an element of {WHAT}")
        both = np.logical_and(self.key, key.whole)
        return Selection(np.copy(self.whole), both, both)

    def _takes(self, key: Any, value: Selection) -> bool:
        """Tell whether a selection has the elements of this one, or those of them for which a condition holds."""
        if _is_all(key):
            return self._fits(value)
        return same(value.key, np.logical_and(self.key, key.whole)) and np.shape(value.whole) == np.shape(self.whole)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write into all of it, or where a condition on it holds."""
        if not _is_all(key) and not self._is_condition(key):
            refuse_count(f"writing to an element of {WHAT}")
        if type(value) is Selection and self._takes(key, value):
            value = value.whole
        elif np.ndim(value):
            refuse_count("writing an array of another length into what a traced mask selects")
        condition = np.ones(np.shape(self.whole), dtype=np.bool_) if _is_all(key) else key.whole
        self.whole = np.where(condition, value, self.whole)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in Selection.__slots__:
            refuse_count(f"ndarray.{name} of {WHAT}")
        object.__setattr__(self, name, value)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return refuse_count(WHAT)


REDUCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(Selection, name) for name in ("sum", "prod", "max", "min", "mean", "dot", "copy")
} | {"amax": Selection.max, "amin": Selection.min}


def _is_all(key: Any) -> bool:
    return key is Ellipsis or (isinstance(key, slice) and key == slice(None))


def _operator(name: str, ufunc: np.ufunc) -> None:
    def method(self: Selection, other: Any) -> Any:
        return self.__array_ufunc__(ufunc, "__call__", self, other)

    def reflected(self: Selection, other: Any) -> Any:
        return self.__array_ufunc__(ufunc, "__call__", other, self)

    def in_place(self: Selection, other: Any) -> Selection:
        result = method(self, other)
        if not np.can_cast(result.dtype, self.dtype, "same_kind"):
            raise TypeError(f"Cannot cast ufunc output from {result.dtype!r} to {self.dtype!r}")
        self.whole = result.whole  # other names of the selection see it, as they do in NumPy
        return self

    setattr(Selection, f"__{name}__", method)
    setattr(Selection, f"__r{name}__", reflected)
    setattr(Selection, f"__i{name}__", in_place)


for _name, _ufunc in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "pow": np.power,
    "mod": np.remainder, "floordiv": np.floor_divide, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
}.items():  # fmt: skip
    _operator(_name, _ufunc)


def _comparison(name: str, ufunc: np.ufunc) -> None:
    setattr(Selection, f"__{name}__", lambda self, other: self.__array_ufunc__(ufunc, "__call__", self, other))


for _name, _ufunc in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    _comparison(_name, _ufunc)
Selection.__hash__ = None  # type: ignore[assignment]  # as of an ndarray


def _unary(name: str, ufunc: np.ufunc) -> None:
    setattr(Selection, f"__{name}__", lambda self: self.__array_ufunc__(ufunc, "__call__", self))


_unary("neg", np.negative)
_unary("pos", np.positive)
_unary("abs", np.absolute)
_unary("invert", np.invert)


class Places(Traced):
    """Where a traced mask of one axis holds: what ``np.flatnonzero(mask)`` gives, to be used as an index."""

    __slots__ = ("mask",)
    is_constant = False
    ndim = 1

    def __init__(self, mask: Any) -> None:
        self.mask = mask

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or not hasattr(np.ndarray, name):
            raise AttributeError(f"'numpy.ndarray' object has no attribute {name!r}")
        return refuse_count(f"ndarray.{name} of places where a traced mask holds")

    def _refused(self, *_: Any) -> Any:
        refuse_count("places where a traced mask holds, used as numbers,")

    __len__ = __bool__ = __iter__ = __getitem__ = __array__ = __index__ = _refused
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __array_ufunc__ = __array_function__ = _refused


def mask_of(key: Any, shape: Sequence[int]) -> Any:
    """Return the traced mask that an index is, if it is nothing else and fits an array of this shape; else None.

    There is none where masks are decided like branches.
    """
    decisions = active.get()
    if decisions is not None and decisions.masks:
        return None
    if isinstance(key, tuple) and len(key) == 1:
        key = key[0]
    if type(key) is Places:
        key = key.mask
    is_mask = hasattr(key, "storage") and not key.is_constant and key.dtype == np.bool_ and key.ndim > 0
    return key if is_mask and tuple(key.shape) == tuple(shape[: key.ndim]) else None


def same(first: Any, second: Any) -> bool:
    """Tell whether two masks are one, or the same condition of the same values, written twice."""
    return first is second or (first.shape == second.shape and _equal(first.ref, second.ref))


def _equal(first: Ref, second: Ref, deep: int = 8) -> bool:
    if not np.array_equal(first.index, second.index):
        return False
    a, b = first.node, second.node
    if a is b:
        return True
    if deep == 0 or type(a) is not type(b) or a.shape != b.shape:
        return False
    match a, b:
        case Constant(), Constant():
            return np.array_equal(a.value, b.value)
        case Map(), Map():
            return a.op is b.op and all(_equal(p, q, deep - 1) for p, q in zip(a.args, b.args, strict=True))
        case Join(), Join():
            alike = np.array_equal(a.owner, b.owner) and np.array_equal(a.offset, b.offset)
            return alike and len(a.pieces) == len(b.pieces) and all(map(operator.is_, a.pieces, b.pieces))
    return False


def selected(array: Any, key: Any) -> Selection:
    """Return ``array[key]`` for a traced mask; a copy, as NumPy makes one."""
    return Selection(np.copy(array), _along(key, array), key)


def written(array: Any, key: Any, value: Any) -> None:
    """Do ``array[key] = value`` for a traced mask."""
    if type(value) is Selection:
        if not same(value.key, key) or np.shape(value.whole) != np.shape(array):
            refuse_count("writing what another mask selected")
        value = value.whole
    elif np.ndim(value) > max(np.ndim(array) - key.ndim, 0):
        refuse_count("writing an array of a fixed length where a traced mask holds")
    array[...] = np.where(_along(key, array), value, array)


def _along(key: Any, array: Any) -> Any:
    """Return a mask with an axis of length 1 for each axis of the array that it does not speak of."""
    return np.reshape(key, key.shape + (1,) * (np.ndim(array) - key.ndim))
