"""Generated calls of NumPy's functions: ``python -m tests.fuzz calls``, for ``make allocations`` above all.

A call is drawn without asking whether it makes sense: any function, arguments of any kinds and shapes. NumPy may reject
it and sparsead refuse it; else the values are equal, without the check that a preparation makes of itself. Neither may
write where it should not.
"""

from __future__ import annotations

import copy
import inspect
import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache
from random import Random
from typing import Any

import numpy as np
import scipy.special

import sparsead as sad

X = np.linspace(0.15, 0.85, 6)
SHAPES = [(6,), (2, 3), (3, 2), (1, 6), (6, 1), (2, 1, 3), ()]
OPTIONS: dict[str, list[Any]] = {
    "axis": [0, 1, -1, None, (0, 1), 5], "keepdims": [True, False], "order": ["F", "C", "K", "A"], "ddof": [1, 0],
    "initial": [0.5], "copy": [True, None], "axes": [None, (1, 0), (0, 1)], "offset": [1, -1], "k": [1, -1],
    "mode": ["clip", "wrap", "reflect", "full", "same", "valid", "edge"], "n": [2, 0, 1], "norm": ["ortho"],
    "ord": [None, 1, 2, np.inf, "fro", "nuc"], "decimals": [1], "prepend": [0.0], "append": [1.0], "dx": [0.5],
    "edge_order": [2], "method": ["lower", "linear"], "indexing": ["ij"], "dtype": [float, int, complex],
    "shape": [(6,), (3, 2), -1], "side": ["right"], "include_initial": [True], "left": [0.0], "period": [1.0],
    "where": [np.array(True)], "weights": [X], "rowvar": [False], "equal_nan": [True],
}  # fmt: skip
REFUSALS = (sad.SparseADError, MemoryError, np.linalg.LinAlgError)
OTHERS: list[Any] = [
    2, 0.5, -1, 0, True, None, [0, 1], [1, 0, 1], (2, 3), (1, 0), np.array([0, 1]), X[::-1].copy(), X[:3],
    np.array([True, False, True, False, True, True]), np.ones((3, 2)), np.array(0.3), [1.0, 2.0], "ij,j->i", 7,
]  # fmt: skip
# Functions about files, text, dates and the like, and those that change NumPy or ask the user.
LEFT_OUT = """
    test info source who show_config show_runtime get_include save savez savez_compressed savetxt load loadtxt fromfile
    genfromtxt fromregex memmap errstate seterr seterrcall setbufsize set_printoptions printoptions DataSource busday
    datetime frombuffer fromstring fromiter from_dlpack frompyfunc nditer nested_iters vectorize require ufunc dtype
    broadcast flatiter ndarray generic empty_like base_repr binary_repr typename mintypecode put_along_axis asmatrix
    bmat matrix
""".split()  # noqa: SIM905
# `where` is no mask: scipy.special.gammaln([x, x * x], where=x > 0.4) alone damages the heap.
LEFT_OUT += ["mathieu_modcem", "mathieu_modsem"]  # thousands of plain calls of these alone end the process
CUMULATIVE = ("cum", "accumulate")  # NumPy writes past the end of an `out` that is too small for these


@cache
def functions() -> list[tuple[str, Callable[..., Any]]]:
    """Return public functions of NumPy, by name."""
    found = {}
    for place, module in {"np": np, "np.linalg": np.linalg, "np.fft": np.fft, "special": scipy.special}.items():
        for name, value in sorted(vars(module).items()):
            plain = callable(value) and not isinstance(value, type) and not name.startswith(("_", *LEFT_OUT))
            if plain and (place != "special" or isinstance(value, np.ufunc)):
                found[f"{place}.{name}"] = value
    for name in ("add", "multiply", "maximum", "subtract", "logaddexp", "hypot"):
        for method in ("reduce", "accumulate", "reduceat", "outer"):
            found[f"np.{name}.{method}"] = getattr(getattr(np, name), method)
    return list(found.items())


@cache
def parameters(function: Callable[..., Any]) -> frozenset[str]:
    """Return the names that a function takes."""
    try:
        return frozenset(inspect.signature(function).parameters)
    except (ValueError, TypeError):
        return frozenset({"axis", "dtype", "keepdims", "order"})


def drawn(random: Random) -> tuple[str, Callable[[Any], Any]]:
    """Return a call by name, as a function of six numbers."""
    name, function = random.choice(functions())
    shape = random.choice(SHAPES)
    known = [k for k in OPTIONS if k in parameters(function)]
    options = {k: random.choice(OPTIONS[k]) for k in known if random.random() < 2.0 / (len(known) + 1)}
    others = [copy.copy(random.choice(OTHERS)) for _ in range(random.choice((0, 0, 1, 1, 2)))]
    form = random.randrange(6)
    out = np.zeros(random.choice(SHAPES)) if random.random() < 0.1 and not any(w in name for w in CUMULATIVE) else None

    def call(x: Any) -> Any:
        a = x[:1].reshape(()) if shape == () else x.reshape(shape)
        a = (a, a.T, a[::-1] if shape else a, 2.0 * a, a, a)[form]
        first = [a, *others] if form < 4 else [[a, a * a], *others] if form == 4 else [*others[:1], a, *others[1:]]
        kept = {} if out is None else {"out": out.copy()}
        result = function(*first, **options, **kept)
        return result[0] if isinstance(result, (tuple, list)) else result

    return f"{name}, form {form}, shape {shape}, {others}, {options}, out {None if out is None else out.shape}", call


def attempt(seed: int) -> Counter[str]:
    """Make the call of a seed with NumPy and through a trace, evaluate it, and count what became of it."""
    name, call = drawn(Random(seed))
    warnings.simplefilter("ignore")
    with np.errstate(all="ignore"):
        try:
            expected = np.asarray(call(X.copy()))
        except Exception:  # whatever NumPy raises
            return Counter(calls=1, rejected=1)
        try:
            value, _ = sad.jacobian(call, X, check=False).value_and_jacobian(X)
        except REFUSALS:
            return Counter(calls=1, refused=1)
    same = np.shape(value) == expected.shape and np.allclose(value, expected, rtol=1e-9, atol=1e-12, equal_nan=True)
    assert same, f"{name}: {value} instead of {expected}"
    return Counter(calls=1, same=1)
