"""Old faults of the border to NumPy, planted one at a time: ``make mutate-border``.

Each is what the code once did: a wrong value and no error. The check that every preparation makes of itself must raise
on a function that meets the fault, and must not without it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

import sparsead as sad
from sparsead.ops import binding
from sparsead.tracing import array, calls, known, layout, trace
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.late import HANDLERS
from sparsead.tracing.replacing import types
from sparsead.tracing.selection import Selection

PAD = HANDLERS[np.pad]
X = np.array([0.7, -0.4, 1.3, -0.9])
Function = Callable[[Any], Any]


@dataclass(frozen=True)
class Fault:
    """A fault, in words; what is put in place of what; and a function that meets it."""

    words: str
    plant: Callable[[], Any]
    function: Function


FAULTS: list[Fault] = []


def fault(words: str, target: Any, name: Any, instead: Any) -> Callable[[Function], Function]:
    """State a fault, and the function that meets it (used as a decorator)."""

    def register(function: Function) -> Function:
        is_table = isinstance(target, dict)
        put = (lambda: mock.patch.dict(target, {name: instead})) if is_table else (
            lambda: mock.patch.object(target, name, instead)
        )  # fmt: skip
        FAULTS.append(Fault(words, put, function))
        return function

    return register


@contextmanager
def forgotten() -> Iterator[list[Any]]:
    """Remember no refusal."""
    yield []


def in_c_order(shape: Any, operands: Any) -> Any:
    """Lay out every result in C order."""
    return layout.memory(shape)


def copied(result: Any, held: Any) -> Any:
    """Return copies of what a function of constants returned."""
    if isinstance(result, (list, tuple)):
        return [copied(r, held) for r in result]
    return known.adopted(result.copy())


@fault("views of constants are copies", known, "wrapped", copied)
def _(x: Any) -> Any:
    out = np.zeros(4)
    first, last = np.split(out, 2)
    first[:] = x[2:]
    last[:] = -np.sin(x[:2])
    return out


@fault("a copy where a slice is a view", TracedArray, "moved", lambda self, p: TracedArray.of_ref(self.storage.read(p)))
def _(x: Any) -> Any:
    y = x * 1.0
    y.reshape(2, 2)[0] = 3.0
    return y


@fault("numbers are mutable", calls, "as_numbers", lambda result: result)
def _(x: Any) -> Any:
    s = np.sum(x)
    t = s
    t += x[0]
    return np.array([s, t])


@fault("sort in place does nothing", TracedArray, "sort", lambda self, *args: None)
def _(x: Any) -> Any:
    y = x.copy()
    y.sort()
    return y


@fault("results are in C order", sys.modules["sparsead.ops.arrays"], "elementwise_layout", in_c_order)
def _(x: Any) -> Any:
    turned = x.reshape(2, 2).T * 1.0
    flat = turned.ravel("K")
    flat *= np.arange(4.0)
    return flat


@fault("truth values are numbers", sys.modules["sparsead.ops.arrays"], "result_type", lambda *_: np.dtype(float))
def _(x: Any) -> Any:
    return ((x > 0) + (x < 1)) * x


@fault("keywords that are not known are dropped", binding, "_changes_nothing", lambda *_: True)
def _(x: Any) -> Any:
    return np.cumprod(x, dtype=int) + x


@fault("type tells the truth", types, "type_of", type)
def _(x: Any) -> Any:
    return 2.0 * x if type(x) is np.ndarray else x


@fault("__class__ is not ndarray", array, "is_users", lambda file: False)
def _(x: Any) -> Any:
    return 2.0 * x if x.__class__ is np.ndarray else x


@fault("a refusal that is caught is forgotten", trace, "remembered", forgotten)
def _(x: Any) -> Any:
    try:
        k = int(x[0] * 10)
    except TypeError:
        k = 1
    return x * k


@fault("integers are taken for positions", HANDLERS, np.atleast_1d, lambda a, b: (a, a.moved(a.positions[b])))
def _(x: Any) -> Any:
    return np.atleast_1d(x, np.array([2, 0, 1, 3]))[1] * x


@fault("out= is not written", calls, "write_out", lambda out, result, call: result)
def _(x: Any) -> Any:
    y = np.zeros(4) * x
    np.sin(x, out=y)
    return y


@fault("any of one element is the element", HANDLERS, np.any, lambda a: a[0])
def _(x: Any) -> Any:
    return np.any(x[:1]) * x


@fault("conj copies", TracedArray, "conj", lambda self: self * 1.0)
def _(x: Any) -> Any:
    y = x * 1.0
    y.conj()[0] = 5.0
    return y


@fault("astype copies", TracedArray, "astype", lambda self, dtype, copy: self * 1.0)
def _(x: Any) -> Any:
    y = x * 1.0
    y.astype(float, copy=False)[1:] *= 2.0
    return y


@fault("imag is a copy", TracedComplex, "imag", property(lambda self: self._part(1) * 1.0))
def _(x: Any) -> Any:
    z = np.zeros(4, complex)
    z[:] = x
    z.imag[1:] += x[0]
    return np.abs(z) ** 2


@fault("pad drops reflect_type", HANDLERS, np.pad, lambda *a, reflect_type, **more: PAD(*a, **more))
def _(x: Any) -> Any:
    return np.pad(x, 2, mode="reflect", reflect_type="odd")


@fault("selections change under one name only", Selection, "__iadd__", Selection.__add__)
def _(x: Any) -> Any:
    kept = x[x > 0]
    other = kept
    kept += 1.0
    return other.sum() * x


def raises(planted: Fault) -> bool:
    """Tell whether the self-check raises on a fault."""
    try:
        with planted.plant():
            sad.jacobian(planted.function, X, backend="python")
    except sad.CheckFailed:
        return True
    return False


def main() -> int:
    """Plant all faults, and list those that are not noticed."""
    missed = [planted.words for planted in FAULTS if not raises(planted)]
    print(f"{len(FAULTS)} faults, {len(missed)} not noticed", *missed, sep="\n")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
