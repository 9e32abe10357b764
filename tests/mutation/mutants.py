"""Mutants of the operations: every rule changed, one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import scipy.ndimage
import scipy.signal  # noqa: F401

from sparsead.ops.registry import REGISTRY, spelling_of
from sparsead.program.scalar import OPS, Op, Pool
from sparsead.tracing.array import TracedArray
from sparsead.tracing.complex import COMPLEX_HANDLERS, TracedComplex
from sparsead.tracing.late import HANDLERS, UFUNC_METHODS
from sparsead.tracing.replacing.lists import TakesLists
from sparsead.tracing.replacing.methods import METHODS
from sparsead.tracing.replacing.names import PATCHES, patched

#: How users write the methods that are replaced while tracing.
SPELLINGS_OF_METHODS = {
    "AxisConcatenator": ("np.r_", "np.c_"),
    "vectorize": ("np.vectorize",),
    "PPoly": ("PPoly", "CubicSpline", "PchipInterpolator", "Akima1DInterpolator"),
    "BSpline": ("BSpline",),
    "UnivariateSpline": ("UnivariateSpline",),
    "interp1d": ("interp1d",),
    "RegularGridInterpolator": ("RegularGridInterpolator",),
}

#: Changes that change nothing, and why.
EQUIVALENT = {
    ("np.real", "not done"): "the identity on real arrays",
    ("np.conjugate", "not done"): "the identity on real arrays",
    ("np.real_if_close", "not done"): "the identity on real arrays",
    ("np.imag", "other sign"): "zero on real arrays",
    ("np.imag", "twice"): "zero on real arrays",
    ("np.zeros_like", "other sign"): "zeros",
    ("np.zeros_like", "twice"): "zeros",
    ("np.empty_like", "other sign"): "what it holds does not matter",
    ("np.empty_like", "twice"): "what it holds does not matter",
    ("np.imag", "one element lost"): "zero on real arrays",
    ("np.zeros_like", "one element lost"): "zeros",
    ("np.flatnonzero", "not done"): "a condition is an index of the same elements",
    ("scipy.sparse.lil_array", "not done"): "the products of the dense array are the same",
    ("scipy.sparse.dok_array", "not done"): "the products of the dense array are the same",
    ("np.empty_like", "one element lost"): "what it holds does not matter",
}

#: Scalar operations that users have no name for, so no samples; the functions that are made of them are changed whole.
INTERNAL = {"scale", "motion"}


@dataclass(frozen=True)
class Mutant:
    """One change: `name` says to what (a spelling) and which; `active` makes it for a while."""

    spelling: str
    change: str
    active: Callable[[], Any]


def mutants() -> Iterator[Mutant]:
    """Return all mutants: of scalar rules, and of the definitions of everything else."""
    for op in OPS.values():
        yield from scalar_mutants(op) if op.name not in INTERNAL else ()
    for spelling, table, key in definitions():
        yield from (m for m in definition_mutants(spelling, table, key) if (spelling, m.change) not in EQUIVALENT)


# -- scalar operations: their code, and each partial derivative ---------------------------------------------------
def scalar_mutants(op: Op) -> Iterator[Mutant]:
    """Mutants of one scalar operation."""
    spelling = "np.where" if op.name == "select" else spelling_of(op.numpy)
    wrong = f"not ({op.code})" if op.boolean else f"-({op.code})"
    yield Mutant(spelling, "value of the other sign", partial(attribute, op, "code", wrong))
    if op.choice is not None:  # its derivatives are chosen, too: the partials are never asked for
        yield Mutant(spelling, "the other choice", partial(attribute, op, "choice", _swapped(op.choice)))
    if op.boolean or op.choice is not None:  # truth values have no derivative
        return
    for k, rule in enumerate(op.partials):
        if k in op.conditions:
            continue
        for change, other in partial_changes(op, k, rule):
            partials = (*op.partials[:k], other, *op.partials[k + 1 :])
            yield Mutant(spelling, f"partial {k}: {change}", partial(attribute, op, "partials", partials))


def _swapped(choice: Any) -> Any:
    def other(*operands: Any) -> Any:
        condition, if_true, if_false = choice(*operands)
        return condition, if_false, if_true

    return other


def partial_changes(op: Op, k: int, rule: Any) -> Iterator[tuple[str, Any]]:
    """What to put in place of one rule."""
    if rule is None:
        yield "one where there is none", lambda *x: x[0].pool.constant(1.0)
        return
    yield "dropped", None
    yield "other sign", lambda *x: -rule(*x)
    yield "twice", lambda *x: 2.0 * rule(*x)
    stating = [o for o in OPS.values() if o is not op and not o.boolean and o.choice is None]
    others = [o.partials[k] for o in stating if o.arity == op.arity]
    borrowed = [r for r in others if r is not None and not are_equal(r, rule, op.arity)]
    if borrowed:
        yield "rule of another operation", borrowed[len(op.name) % len(borrowed)]
    if op.arity == 2 and op.partials[1 - k] is not None and not are_equal(op.partials[1 - k], rule, 2):
        yield "rule of the other operand", op.partials[1 - k]


def are_equal(rule: Any, other: Any, arity: int) -> bool:
    """Tell whether two rules have the same values at finite operands: then one in place of the other is no mutant."""
    pool = Pool()
    operands = [pool.leaf(k) for k in range(arity)]
    values = dict(
        zip((o.serial for o in operands), np.random.default_rng(0).uniform(0.1, 0.9, (arity, 50)), strict=True)
    )
    with np.errstate(all="ignore"):
        return bool(np.allclose(_value(rule(*operands), values), _value(other(*operands), values)))


def _value(expr: Any, values: dict[int, np.ndarray]) -> Any:
    if expr.serial in values:
        return values[expr.serial]
    return expr.value if expr.op is None else expr.op.numpy(*(_value(a, values) for a in expr.args))


# -- everything else: the definition in terms of other operations -------------------------------------------------
def definitions() -> Iterator[tuple[str, dict[Any, Any], Any]]:
    """Return spelling, table and key of each definition that is not a scalar operation."""
    scalar = {op.numpy for op in OPS.values()}
    known = {e.spelling for e in REGISTRY}
    with patched(len):  # finds the functions of the modules that are imported here
        pass
    takes_lists = {func for func, other in PATCHES.items() if type(other) is TakesLists}  # they go on to the rule
    tables: Any = (
        (HANDLERS, "", scalar), (COMPLEX_HANDLERS, " of complex values", ()),
        (PATCHES, " of unknown ordinates", takes_lists),
    )  # fmt: skip
    for table, suffix, others in tables:
        for func in [f for f in table if callable(f) and f not in others]:
            spelling = spelling_of(func)
            if known & {spelling, spelling + suffix}:
                yield spelling + suffix if spelling + suffix in known else spelling, table, func
    for key in list(METHODS):
        for spelling in SPELLINGS_OF_METHODS.get(key[1], ()):
            yield spelling if spelling in known else f"{key[0]}.{spelling}", METHODS, key
    for table, suffix in ((UFUNC_METHODS, ""), (COMPLEX_HANDLERS, " of complex values")):
        for ufunc, method in [key for key in table if isinstance(key, tuple)]:
            yield f"np.{ufunc.__name__}.{method}{suffix}", table, (ufunc, method)


def definition_mutants(spelling: str, table: dict[Any, Any], key: Any) -> Iterator[Mutant]:
    """Mutants of one definition: of what it returns, or of what it writes, and of whether it does anything."""
    definition = table[key]
    changes: dict[str, Callable[[Any], Any]] = {
        "other sign": lambda y: -y,
        "twice": lambda y: 2.0 * y,
        "one element lost": _without_last,
    }
    for change, function in changes.items():
        yield Mutant(spelling, change, partial(entry, table, key, _changed(definition, function)))
    yield Mutant(spelling, "not done", partial(entry, table, key, lambda *args, **kwargs: args[0] if args else None))


def _changed(definition: Callable[..., Any], function: Callable[[Any], Any]) -> Callable[..., Any]:
    def other(*args: Any, **kwargs: Any) -> Any:
        result = definition(*args, **kwargs)
        if result is None:  # what was written into the first argument is changed
            args[0][...] = function(args[0])
        return _applied(function, result)

    return other


def _applied(function: Callable[[Any], Any], result: Any) -> Any:
    """Change what a definition returned: numbers, arrays, conditions, types, and tuples of them."""
    if result is None:
        return None
    if isinstance(result, (tuple, list)):
        return type(result)(_applied(function, r) for r in result)
    if isinstance(result, np.dtype):
        return np.dtype(np.int8)
    if isinstance(result, (bool, np.bool_)) or getattr(result, "dtype", None) == np.bool_:
        return np.logical_not(result)
    if isinstance(result, (int, np.integer)):
        return result + 1
    return function(result if isinstance(result, (TracedArray, TracedComplex)) else np.asarray(result))


def _without_last(y: Any) -> Any:
    keep = np.ones(np.shape(y))
    keep.flat[-1:] = 0.0
    return y * keep


# -- making a change for a while ----------------------------------------------------------------------------------
@contextmanager
def attribute(op: Op, name: str, value: Any) -> Iterator[None]:
    """Give an operation (frozen otherwise) another attribute."""
    before = getattr(op, name)
    object.__setattr__(op, name, value)
    try:
        yield
    finally:
        object.__setattr__(op, name, before)


@contextmanager
def entry(table: dict[Any, Any], key: Any, value: Any) -> Iterator[None]:
    """Put another definition into a table."""
    before = table[key]
    table[key] = value
    try:
        yield
    finally:
        table[key] = before
