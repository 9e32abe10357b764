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

FUNCTIONS: dict[str, Callable[..., None]] = {
    "arange": lambda start_or_stop, /, stop=None, step=1, *, dtype=None, device=None, like=None: None,
    "array": lambda object, dtype=None, *, copy=True, order="K", subok=False, ndmin=0, ndmax=0, like=None: None,
    "asarray": lambda a, dtype=None, order=None, *, device=None, copy=None, like=None: None,
    "bincount": lambda x, /, weights=None, minlength=0: None,
    "can_cast": lambda from_, to, casting="safe": None,
    "concatenate": lambda arrays, /, axis=0, out=None, *, dtype=None, casting="same_kind": None,
    "copyto": lambda dst, src, casting="same_kind", where=True: None,
    "dot": lambda a, b, out=None: None,
    "empty": lambda shape, dtype=None, order="C", *, device=None, like=None: None,
    "empty_like": lambda prototype, /, dtype=None, order="K", subok=True, shape=None, *, device=None: None,
    "inner": lambda a, b, /: None,
    "lexsort": lambda keys, axis=-1: None,
    "may_share_memory": lambda a, b, /, max_work=0: None,
    "min_scalar_type": lambda a, /: None,
    "putmask": lambda a, /, mask, values: None,
    "result_type": lambda *arrays_and_dtypes: None,
    "shares_memory": lambda a, b, /, max_work=-1: None,
    "vdot": lambda a, b, /: None,
    "where": lambda condition, x=None, y=None, /: None,
    "zeros": lambda shape, dtype=None, order="C", *, device=None, like=None: None,
}
UFUNC_METHODS: dict[str, Callable[..., None]] = {
    "accumulate": lambda array, /, axis=0, dtype=None, out=None: None,
    "at": lambda a, indices, b=None, /: None,
    "outer": lambda A, B, /, **kwargs: None,
    "reduce": lambda array, /, axis=0, dtype=None, out=None, keepdims=False, initial=OMITTED, where=True: None,
    "reduceat": lambda array, /, indices, axis=0, dtype=None, out=None: None,
}


def _of_ufunc(
    out: Any = None, *, where: Any = True, casting: str = "same_kind", order: str = "K", dtype: Any = None,
    subok: bool = True, signature: Any = None,
) -> None: ...  # fmt: skip


def _of_generalized_ufunc(
    out: Any = None, *, casting: str = "same_kind", order: str = "K", dtype: Any = None, subok: bool = True,
    signature: Any = None, axes: Any = OMITTED, axis: Any = OMITTED, keepdims: bool = False,
) -> None: ...  # fmt: skip


@cache
def signature_of(func: Callable[..., Any], method: str | None = None) -> Signature:
    """Return the signature of a function of NumPy or SciPy, of a ufunc, or of a ufunc's method."""
    if method is not None:
        return inspect.signature(UFUNC_METHODS[method])
    if isinstance(func, np.ufunc):
        operands = [Parameter(f"x{k + 1}", Parameter.POSITIONAL_ONLY) for k in range(func.nin)]
        settings = inspect.signature(_of_ufunc if func.signature is None else _of_generalized_ufunc)
        return Signature([*operands, *settings.parameters.values()])
    if func.__module__ == "numpy" and func.__name__ in FUNCTIONS:  # np.where may be a stand-in now, `func` is not
        return inspect.signature(FUNCTIONS[func.__name__])
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
