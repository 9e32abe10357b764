"""The traced scalar: an element of a traced array, and what loop code computes from elements.

It stands for a NumPy float and is light: an operation adds one record to the tape. Where an array is needed, `array`
gives one of shape ().
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from sparsead.errors import SparseADError, user_origin
from sparsead.program.index import Shape
from sparsead.program.scalar import OPS, Op
from sparsead.tracing.decisions import active
from sparsead.tracing.foreign import acts_in_operators
from sparsead.tracing.late import MOVEMENTS, late
from sparsead.tracing.loops.tape import Tape
from sparsead.tracing.positioned import RealArray
from sparsead.tracing.promotion import is_float, kind_of
from sparsead.tracing.refusals import (
    BRANCH_HINT,
    CHOICE_HINT,
    CONVERSION,
    INDEX,
    KEY_HINT,
    METHOD_HINT,
    refuse_branch,
    refuse_conversion,
    refuse_value,
)
from sparsead.tracing.texts import Written

WHERE = np.where  # the function itself: its name is bound to another one while a function is traced
SEQUENCES = (list, tuple, str, bytes)
REAL = (float, int, np.floating, np.integer, np.bool_)


def is_number(value: Any) -> bool:
    """Tell whether a value is a plain real number (a traced one claims to be a float)."""
    return issubclass(type(value), REAL)


def _refuse_to_repeat(number: TracedScalar) -> NoReturn:
    """Refuse a number times a list, which is no product: an integer of NumPy's repeats the list, others raise this."""
    if number.dtype.kind != "i":
        raise TypeError(f"can't multiply sequence by non-int of type 'numpy.{number.dtype}'")
    refuse_value("repeating a list", BRANCH_HINT)


def _binary(name: str, ufunc: np.ufunc) -> Callable[[TracedScalar, Any], Any]:
    def method(self: TracedScalar, other: Any) -> Any:
        tape, kind = self.tape, type(other)
        if kind is TracedScalar:
            record = other.entry if other.tape is tape else refuse_foreign("number")
        elif kind is float:
            record = tape.literal(other)
        elif is_number(other):
            record = tape.literal(other)
            if tape.is_exact(self.entry) and not is_float(kind_of(other)):
                kinds = (tape.dtype(self.entry), kind_of(other))
                return TracedScalar(tape, tape.apply_exact(OPS[name], (self.entry, record), kinds))
        elif acts_in_operators(other):
            return NotImplemented
        elif ufunc is np.multiply and kind in SEQUENCES:
            _refuse_to_repeat(self)
        else:
            return ufunc(self.array, other)
        return TracedScalar(tape, tape.apply(OPS[name], self.entry, record))

    return method


def _reflected(name: str, ufunc: np.ufunc) -> Callable[[TracedScalar, Any], Any]:
    def method(self: TracedScalar, other: Any) -> Any:
        tape, kind = self.tape, type(other)
        if kind is not float:
            if ufunc is np.multiply and kind in SEQUENCES:
                _refuse_to_repeat(self)
            if not is_number(other):
                return ufunc(other, self.array)
            if tape.is_exact(self.entry) and not is_float(kind_of(other)):
                kinds = (kind_of(other), tape.dtype(self.entry))
                return TracedScalar(tape, tape.apply_exact(OPS[name], (tape.literal(other), self.entry), kinds))
        return TracedScalar(tape, tape.apply(OPS[name], tape.literal(other), self.entry))

    return method


def _logical(name: str, ufunc: np.ufunc) -> tuple[Callable[[TracedScalar, Any], Any], ...]:
    """Return ``&`` or ``|`` and its reflection: logic of truth values."""

    def method(self: TracedScalar, other: Any) -> Any:
        tape = self.tape
        both = type(other) is TracedScalar and tape is other.tape and tape.is_boolean(other.entry)
        if both and tape.is_boolean(self.entry):
            return TracedScalar(tape, tape.apply(OPS[name], self.entry, other.entry))
        return ufunc(self, other)

    return method, lambda self, other: ufunc(other, self)


def refuse_foreign(what: str) -> NoReturn:
    """Refuse a value that a function kept from an earlier run."""
    raise SparseADError(
        f"a traced {what} from another run of the function was used.\n"
        f"  {user_origin()}\n  Do not keep values between calls (in globals, attributes or default arguments)."
    )


class TracedScalar(Written):
    """A traced float (or truth value, or integer): a record on a tape. It never changes, as a NumPy number."""

    __slots__ = ("entry", "tape")
    __iter__ = None  # what has __getitem__ is iterable, unless it says no
    __array_priority__ = 999.0
    is_constant = False
    ndim = 0
    size = 1
    shape: Shape = ()

    def __init__(self, tape: Tape, entry: int) -> None:
        self.tape = tape
        self.entry = entry

    # -- arithmetic -----------------------------------------------------------------------------------------
    __add__, __radd__ = _binary("add", np.add), _reflected("add", np.add)
    __sub__, __rsub__ = _binary("subtract", np.subtract), _reflected("subtract", np.subtract)
    __mul__, __rmul__ = _binary("multiply", np.multiply), _reflected("multiply", np.multiply)
    __truediv__, __rtruediv__ = _binary("divide", np.divide), _reflected("divide", np.divide)
    __lt__, __gt__ = _binary("less", np.less), _binary("greater", np.greater)
    __le__, __ge__ = _binary("less_equal", np.less_equal), _binary("greater_equal", np.greater_equal)
    __eq__ = _binary("equal", np.equal)
    __ne__ = _binary("not_equal", np.not_equal)
    __and__, __rand__ = _logical("logical_and", np.bitwise_and)
    __or__, __ror__ = _logical("logical_or", np.bitwise_or)
    __rpow__ = _reflected("power", np.power)

    def __xor__(self, other: Any) -> Any:
        return np.bitwise_xor(self, other)

    def __rxor__(self, other: Any) -> Any:
        return np.bitwise_xor(other, self)

    def __divmod__(self, other: Any) -> Any:
        return np.divmod(self, other)

    def __rdivmod__(self, other: Any) -> Any:
        return np.divmod(other, self)

    def __pow__(self, other: Any) -> Any:
        if is_number(other) and not self.tape.is_exact(self.entry):
            return TracedScalar(self.tape, self.tape.apply(OPS["power"], self.entry, self.tape.exact(other)))
        return np.power(self, other)

    def __neg__(self) -> TracedScalar:
        return TracedScalar(self.tape, self.tape.apply(OPS["negative"], self.entry))

    def __pos__(self) -> Any:
        return np.positive(self) if self.tape.is_boolean(self.entry) else self

    def __abs__(self) -> TracedScalar:
        return TracedScalar(self.tape, self.tape.apply(OPS["absolute"], self.entry))

    def __invert__(self) -> Any:
        if not self.tape.is_boolean(self.entry):
            return np.invert(self)
        return TracedScalar(self.tape, self.tape.apply(OPS["logical_not"], self.entry))

    def __mod__(self, other: Any) -> Any:
        return np.remainder(self, other)

    def __rmod__(self, other: Any) -> Any:
        return np.remainder(other, self)

    def __floordiv__(self, other: Any) -> Any:
        return np.floor_divide(self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return np.floor_divide(other, self)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        return self.dtype.type

    def __hash__(self) -> int:
        refuse_value("hash() (a key of a dict, a member of a set, an argument of a cached function)", KEY_HINT)

    # -- as an array ----------------------------------------------------------------------------------------
    @property
    def array(self) -> RealArray:
        """A traced array of shape () that holds it, and goes on as a number where nothing asks for arrays."""
        return late.of_number(self)

    @property
    def dtype(self) -> np.dtype[Any]:
        """float64, or bool for a condition, or int64 for a count of conditions."""
        return self.tape.dtype(self.entry)

    @property
    def real(self) -> TracedScalar:
        """The number itself."""
        return self

    @property
    def imag(self) -> np.generic:
        """Zero."""
        return self.dtype.type(0)

    def copy(self, order: Any = "C") -> TracedScalar:
        """Return the number itself: it never changes."""
        return self

    def tolist(self) -> TracedScalar:
        """Return the number itself, as its value would be."""
        return self

    conj = conjugate = __copy__ = tolist

    def __deepcopy__(self, memo: Any) -> TracedScalar:
        return self

    def __getitem__(self, key: Any) -> Any:
        return self.array[key]  # only () and ... and np.newaxis are in range, as for a NumPy float

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any) -> Any:
        if method == "__call__" and not kwargs:
            result = of_numbers(ufunc, inputs)
            if result is not None:
                return result
        return late.call_ufunc(ufunc, method, tuple(map(late.with_arrays, inputs)), kwargs)

    def __array_function__(self, func: Callable[..., Any], types: Any, args: Any, kwargs: Any) -> Any:
        if func in MOVEMENTS:
            return late.call_function(func, args, kwargs)

        if func is WHERE and len(args) == 3 and not kwargs:
            chosen = of_numbers(WHERE, args)
            if chosen is not None:
                return late.of_number(chosen)
        return late.call_function(func, *late.arguments_of(func, args, kwargs))

    def __getattr__(self, name: str) -> Any:
        """Methods and attributes of arrays (``t.sum()``, and ``t.sin()`` for object arrays)."""
        if name.startswith("_"):
            raise AttributeError(name)
        ufunc = getattr(np, name, None)
        if isinstance(ufunc, np.ufunc):
            return lambda *others: ufunc(self, *others)
        if not hasattr(np.float64, name):
            raise AttributeError(f"'numpy.float64' object has no attribute {name!r}")
        if not hasattr(np.ndarray, name):
            refuse_value(f"np.float64.{name}", METHOD_HINT)
        found = getattr(self.array, name)
        as_numbers = late.as_numbers
        return (lambda *args, **kwargs: as_numbers(found(*args, **kwargs))) if callable(found) else as_numbers(found)

    # -- what would need the value --------------------------------------------------------------------------
    def __bool__(self) -> bool:
        decisions = active.get()
        if decisions is not None:
            return decisions.decide(self.array.ref)
        refuse_branch(sys._getframe(1), f"{BRANCH_HINT}\n  {CHOICE_HINT}")

    def __float__(self) -> float:
        refuse_conversion(CONVERSION, sys._getframe(1))

    def _recorded(self, rounded: Callable[..., Any]) -> int | None:
        """Return the whole number that this rounds to, as a recorded branch; None where no branches are recorded."""
        decisions = active.get()
        if decisions is None:
            return None
        whole = self if self.tape.is_exact(self.entry) else rounded(self)
        value = int(decisions.example(whole.array.ref))
        decisions.decide((whole == value).array.ref)
        return value

    def __int__(self) -> int:
        value = self._recorded(np.trunc)
        return refuse_conversion("int()", sys._getframe(1)) if value is None else value

    def __floor__(self) -> int:
        value = self._recorded(np.floor)
        return refuse_conversion("math.floor()", sys._getframe(1)) if value is None else value

    def __ceil__(self) -> int:
        value = self._recorded(np.ceil)
        return refuse_conversion("math.ceil()", sys._getframe(1)) if value is None else value

    __trunc__ = __int__

    def __index__(self) -> int:
        value = self._recorded(np.trunc) if self.tape.is_exact(self.entry) else None
        return refuse_conversion(INDEX, sys._getframe(1), BRANCH_HINT) if value is None else value

    def __complex__(self) -> complex:
        refuse_conversion("complex()", sys._getframe(1))

    def __round__(self, ndigits: Any = None) -> Any:
        return np.round(self, ndigits or 0)


def of_numbers(func: Callable[..., Any], values: Sequence[Any]) -> TracedScalar | None:
    """Return an operation on traced numbers and plain ones; None if there is anything else, or it is no operation.

    Plain integers and truth values are taken for floats, which they are beside floats only.
    """
    op = _ops().get(func)
    if op is not None and len(values) == 1 and type(values[0]) is TracedScalar:
        number = values[0]
        return TracedScalar(number.tape, number.tape.apply(op, number.entry))
    return None if op is None else applied(op, values)


def applied(op: Op, values: Sequence[Any]) -> TracedScalar | None:
    """Return a scalar operation on traced numbers and plain ones; None as of `of_numbers`."""
    tape, records, exact, real = None, [], False, False
    for value in values:
        if type(value) is TracedScalar:
            if tape is not None and value.tape is not tape:
                refuse_foreign("number")
            tape = value.tape
            records.append(value.entry)
            real = real or not tape.is_exact(value.entry)
        elif is_number(value):
            records.append(-1)
            real, exact = real or is_float(kind_of(value)), exact or not is_float(kind_of(value))
        else:
            return None
    if tape is None or (exact and not real):
        return None
    number = tape.exact if op is OPS["power"] else tape.literal
    typed = [number(v) if r < 0 else r for r, v in zip(records, values, strict=True)]
    return TracedScalar(tape, tape.apply_to(op, typed))


_by_numpy: dict[Callable[..., Any], Op] = {}


def _ops() -> dict[Callable[..., Any], Op]:
    """Return the scalar operations by their NumPy spelling."""
    if len(_by_numpy) < len(OPS):
        _by_numpy.update((op.numpy, op) for op in OPS.values())
    return _by_numpy
