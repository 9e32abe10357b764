"""The signatures of NumPy's functions: their own where Python can be asked, stated here for those written in C.

Before NumPy 2.4 a function written in C does not tell its signature, so it is spelled out; a test compares the two
where both can be had.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature
from typing import Any

import numpy as np

OMITTED: Any = np._NoValue  # what NumPy writes for an argument that is left out

FUNCTIONS = {
    "arange": "start_or_stop, /, stop=None, step=1, *, dtype=None, device=None, like=None",
    "array": "object, dtype=None, *, copy=True, order='K', subok=False, ndmin=0, ndmax=0, like=None",
    "asarray": "a, dtype=None, order=None, *, device=None, copy=None, like=None",
    "bincount": "x, /, weights=None, minlength=0",
    "can_cast": "from_, to, casting='safe'",
    "concatenate": "arrays, /, axis=0, out=None, *, dtype=None, casting='same_kind'",
    "copyto": "dst, src, casting='same_kind', where=True",
    "dot": "a, b, out=None",
    "empty": "shape, dtype=None, order='C', *, device=None, like=None",
    "empty_like": "prototype, /, dtype=None, order='K', subok=True, shape=None, *, device=None",
    "inner": "a, b, /",
    "lexsort": "keys, axis=-1",
    "may_share_memory": "a, b, /, max_work=0",
    "min_scalar_type": "a, /",
    "putmask": "a, /, mask, values",
    "result_type": "*arrays_and_dtypes",
    "shares_memory": "a, b, /, max_work=-1",
    "vdot": "a, b, /",
    "where": "condition, x=None, y=None, /",
    "zeros": "shape, dtype=None, order='C', *, device=None, like=None",
}
UFUNC_METHODS = {
    "accumulate": "array, /, axis=0, dtype=None, out=None",
    "at": "a, indices, b=None, /",
    "outer": "A, B, /, **kwargs",
    "reduce": "array, /, axis=0, dtype=None, out=None, keepdims=False, initial=omitted, where=True",
    "reduceat": "array, /, indices, axis=0, dtype=None, out=None",
}
UFUNCS = "out=None, *, where=True, casting='same_kind', order='K', dtype=None, subok=True, signature=None"


def signature_of_text(text: str) -> Signature:
    """Return the signature of a function with this list of arguments."""
    names: dict[str, Any] = {"omitted": OMITTED}
    exec(f"def function({text}): ...", names)
    return inspect.signature(names["function"])


@cache
def signature_of(func: Callable[..., Any], method: str | None = None) -> Signature:
    """Return the signature of a function of NumPy or SciPy, of a ufunc, or of a ufunc's method."""
    if method is not None:
        return signature_of_text(UFUNC_METHODS[method])
    if isinstance(func, np.ufunc):
        operands = ", ".join(f"x{k + 1}" for k in range(func.nin))
        generalized = ", axes=omitted, axis=omitted, keepdims=False" if func.signature is not None else ""
        return signature_of_text(f"{operands}, /, {UFUNCS}{generalized}")
    if getattr(np, func.__name__, None) is func and func.__name__ in FUNCTIONS:
        return signature_of_text(FUNCTIONS[func.__name__])
    return inspect.signature(func)


def unlike(rule: Callable[..., Any], signature: Signature) -> list[str]:
    """Return how a rule's parameters differ from those of the function that it states; nothing if all is well."""
    faults = []
    theirs = list(signature.parameters.values())
    known = {p.name: p for p in theirs}
    places = [p for p in theirs if p.kind is Parameter.POSITIONAL_ONLY]
    for ours in inspect.signature(rule).parameters.values():
        place = places.pop(0) if places else None
        if place is None and ours.name not in known:
            faults.append(f"{ours.name} is no parameter of the function")
            continue
        their = known[ours.name] if place is None else place
        if OMITTED not in (their.default, ours.default) and not _same(ours.default, their.default):
            faults.append(f"{their.name} is {ours.default!r} by default, NumPy's is {their.default!r}")
    return faults


def _same(ours: Any, theirs: Any) -> bool:
    return ours is theirs or (type(ours) is type(theirs) and ours == theirs)
