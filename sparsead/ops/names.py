"""Every public name of NumPy's and SciPy's modules of functions: what a traced function may do with it.

Nothing is left open: what no rule states is refused, names of versions to come too.
"""

from __future__ import annotations

import importlib
import types
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.special

import sparsead.ops  # noqa: F401  (fills the registry)
from sparsead.ops.registry import REFUSED, REGISTRY, spelling_of
from sparsead.tracing import positioned
from sparsead.tracing.array import TracedArray
from sparsead.tracing.late import HANDLERS

MODULES = ("numpy", "numpy.linalg", "numpy.fft", "scipy.special", "scipy.ndimage")

# Functions that need no rule: they take no array of unknowns, or call functions that have one.
NEEDS_NONE = {
    "makes arrays of what is known": """
        arange array asanyarray asarray ascontiguousarray asfortranarray bartlett blackman diag_indices empty eye
        fft.fftfreq fft.rfftfreq fromfile fromfunction fromregex fromstring full genfromtxt hamming hanning identity
        indices kaiser load loadtxt mask_indices ones tri tril_indices triu_indices zeros
        """,
    "asks about types, shapes and settings": """
        base_repr binary_repr broadcast_shapes datetime_data format_float_positional format_float_scientific
        frompyfunc get_include get_printoptions getbufsize geterr geterrcall info isdtype isfortran isscalar
        issubdtype iterable mintypecode nested_iters printoptions promote_types set_printoptions setbufsize seterr
        seterrcall show_config show_runtime test typename
        """,
    "calls functions that have rules": "row_stack"
    + "".join(f" scipy.special.{n}" for n in ["softplus", "jvp", "yvp", "ivp", "kvp", "assoc_laguerre"]),
    "is about whole numbers": "".join(
        f" scipy.special.{name}"
        for name in dir(scipy.special)
        if name.endswith(("_roots", "_zeros", "_seq", "_coef"))
        or name.startswith(
            ("roots_", "factorial2", "factorialk", "stirling2", "bernoulli", "euler", "geterr", "seterr")
        )
    ),
}
# What a module has no rule for, and why.
REASONS = {
    "numpy": "No rule is stated for it.",
    "numpy.linalg": "No rule is stated for it.",
    "numpy.fft": "No rule is stated for it.",
    "scipy.special": "Its derivative is not stated; register it with sparsead.extend.",
    "scipy.ndimage": "It chooses by value, or interpolates; the linear filters have rules.",
}


@dataclass(frozen=True)
class Answer:
    """What becomes of a public name in a traced function: "handled", "answered", "plain" or "refused", and why."""

    spelling: str
    kind: str
    reason: str = ""


def answers(module: str) -> list[Answer]:
    """Return the answer for every public name of a module."""
    home = importlib.import_module(module)
    names = set(getattr(home, "__all__", ())) | ({n for n in dir(home) if module == "numpy"})
    return [answer(module, name, getattr(home, name)) for name in sorted(names) if not name.startswith("_")]


def attributes() -> list[Answer]:
    """Return the answer for every public attribute and method of ndarray."""
    answered = []
    for name in [n for n in dir(np.ndarray) if not n.startswith("_")]:
        reason = positioned.REFUSED.get(name, "" if hasattr(TracedArray, name) else "No rule is stated for it.")
        answered.append(Answer(f"ndarray.{name}", "refused" if reason else "handled", reason))
    return answered


def answer(module: str, name: str, value: Any) -> Answer:
    """Return what becomes of one name, which stands for `value`."""
    spelling = f"{module}.{name}".replace("numpy", "np")
    if isinstance(value, (type, types.ModuleType)) or not callable(value):
        special = spelling in _families()
        return Answer(spelling, "handled" if special else "plain", "" if special else "a type, a module or a constant")
    known = spelling_of(value) if isinstance(value, np.ufunc) or value in HANDLERS else spelling
    if known in REFUSED:
        return Answer(spelling, "refused", REFUSED[known])
    for each in (known, spelling):
        if each in _families():
            return Answer(spelling, "answered" if _families()[each] == "query" else "handled")
    if value in HANDLERS:  # another name of a function with a rule
        return Answer(spelling, "handled")
    for reason, names in NEEDS_NONE.items():
        if spelling.removeprefix("np.") in names.split():
            return Answer(spelling, "plain", reason)
    return Answer(spelling, "refused", REASONS[module])


def _families() -> dict[str, str]:
    return {entry.spelling: entry.family for entry in REGISTRY}
