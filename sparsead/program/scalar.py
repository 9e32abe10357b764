"""The record of a scalar operation, and scalar expressions built from it.

A rule is written as a mathematician would: ``elementwise(np.sin, "sin({0})", lambda x: cos(x))``. Rules build
`Expr` objects; a `Pool` keeps one object per distinct expression, so equal subexpressions are found, not searched.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Container, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Rule = Callable[..., Any]

CALL = 20  # cost of a function of the math library, in scalar operations: one number is computed at a time
SHORT = 20  # characters of a shared part that is written without a name
LONG = 200  # characters of a part that gets a name in any case


@dataclass(frozen=True, eq=False)
class Op:
    """A scalar operation: how NumPy spells it, how generated code writes it, its partial derivatives.

    Parameters
    ----------
    name : str
        Unique name.
    numpy : callable
        The NumPy (or SciPy) function with the same value, used to fold constants.
    code : str
        Template of the generated expression, with ``{0}``, ``{1}``, ... for the operands.
    partials : tuple of callable or None
        One rule per operand, from the operands (`Expr`) to the partial derivative; None where it is zero.
    cost : int
        Scalar operations; a transcendental function counts 20.
    boolean : bool
        True where the result is a truth value.
    choice : callable or None
        For operations that return one of two operands: the rule ``operands -> (condition, if_true, if_false)``.
        Derivatives are then chosen, never multiplied by zero; the partials say only where there is one.
    singular : bool
        True where a partial can be infinite at a finite point.
    conditions : tuple of int
        Operands that are truth values.
    jumps : bool
        True where the value jumps at some operands: conditions and steps.
    maker : tuple or None
        For operations that are in no table: the function, and its arguments, that makes it in another process.
    """

    name: str
    numpy: Callable[..., Any]
    code: str
    partials: tuple[Rule | None, ...]
    cost: int = 1
    boolean: bool = False
    choice: Rule | None = None
    singular: bool = False
    conditions: tuple[int, ...] = ()
    jumps: bool = False
    maker: tuple[Callable[..., Op], tuple[Any, ...]] | None = None

    @property
    def arity(self) -> int:
        """Number of operands."""
        return len(self.partials)

    def __call__(self, *operands: Expr | float) -> Expr:
        """Apply to expressions, inside a rule: zeros and ones are folded away."""
        pool = next(e.pool for e in operands if isinstance(e, Expr))
        args = tuple(pool.constant(e) if not isinstance(e, Expr) else e for e in operands)
        return _fold(self, args) or pool.apply(self, args)

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process by name: what an operation is cannot be pickled, it is stated there too."""
        return self.maker or (_of_table, (self.name,))

    def __repr__(self) -> str:
        return f"Op({self.name})"


OPS: dict[str, Op] = {}


def _of_table(name: str) -> Op:
    return OPS[name]


def define(op: Op) -> Op:
    """Add an operation to the table of scalar operations and return it."""
    if op.name in OPS:
        raise ValueError(f"the operation {op.name!r} is already defined")
    OPS[op.name] = op
    return op


@dataclass(eq=False, slots=True, repr=False)  # it would print its pool
class Expr:
    """A scalar expression: a leaf (``value``) or an operation on expressions. Made by a `Pool` only."""

    pool: Pool
    op: Op | None
    args: tuple[Expr, ...]
    value: Any = None
    serial: int = 0

    @property
    def is_constant(self) -> bool:
        """True for a literal number."""
        return self.op is None and isinstance(self.value, float)

    def equals(self, number: float) -> bool:
        """Tell whether this is the literal `number`."""
        return self.is_constant and self.value == number

    def __add__(self, other: Expr | float) -> Expr:
        return OPS["add"](self, other)

    __radd__ = __add__

    def __sub__(self, other: Expr | float) -> Expr:
        return OPS["subtract"](self, other)

    def __rsub__(self, other: float) -> Expr:
        return OPS["subtract"](other, self)

    def __mul__(self, other: Expr | float) -> Expr:
        return OPS["multiply"](self, other)

    def __rmul__(self, other: float) -> Expr:
        return OPS["multiply"](other, self)

    def __truediv__(self, other: Expr | float) -> Expr:
        return OPS["divide"](self, other)

    def __rtruediv__(self, other: float) -> Expr:
        return OPS["divide"](other, self)

    def __pow__(self, other: Expr | float) -> Expr:
        return OPS["power"](self, other)

    def __neg__(self) -> Expr:
        return OPS["negative"](self)

    def __str__(self) -> str:
        lines, (text,) = spelled([self])
        return "\n".join([*lines, text])


def reachable(roots: Iterable[Expr], known: Container[int] = ()) -> list[Expr]:
    """Return all expressions that `roots` need, operands first, without those whose serial numbers are known."""
    found: dict[int, Expr] = {}
    pending = list(roots)
    while pending:
        expr = pending.pop()
        if expr.serial not in found and expr.serial not in known:
            found[expr.serial] = expr
            pending.extend(expr.args)
    return [found[s] for s in sorted(found)]


def having(roots: Iterable[Expr], own: Callable[[Expr], bool]) -> set[int]:
    """Return the serial numbers of the expressions that need one for which `own` holds, or are one."""
    found: set[int] = set()
    for expr in reachable(roots):
        if own(expr) or any(a.serial in found for a in expr.args):
            found.add(expr.serial)
    return found


def spelled(roots: Iterable[Expr]) -> tuple[list[str], list[str]]:
    """Return the lines that give names to parts, in order, and the text of each expression.

    What is shared is written once, by name, so the text is as long as the code.
    """
    roots = list(roots)
    every = reachable(roots)
    used = Counter(e.serial for e in roots) + Counter(a.serial for e in every for a in e.args)
    ends = {e.serial for e in roots}
    lines: list[str] = []
    known: dict[int, tuple[str, bool]] = {}  # text, and whether it stands for itself inside of a product
    for expr in every:
        text = _text(expr, known)
        again = used[expr.serial] > 1 and len(text) > SHORT
        if expr.op is not None and (again or (len(text) > LONG and expr.serial not in ends)):
            name = f"e{len(lines)}"
            lines.append(f"{name} = {text}")
            known[expr.serial] = name, True
        else:
            known[expr.serial] = text, expr.op is None or expr.op.arity < 2
    return lines, [known[root.serial][0] for root in roots]


def _text(expr: Expr, known: dict[int, tuple[str, bool]]) -> str:
    if expr.op is None:
        return f"{expr.value:g}" if expr.is_constant else str(expr.value)
    parts = (known[a.serial] for a in expr.args)
    return expr.op.code.format(*(text if alone else f"({text})" for text, alone in parts))


@dataclass
class Pool:
    """The distinct expressions of one kernel, in the order in which they were made (operands first)."""

    table: dict[Hashable, Expr] = field(default_factory=dict)

    def _intern(self, key: Hashable, op: Op | None, args: tuple[Expr, ...], value: Any = None) -> Expr:
        found = self.table.get(key)
        if found is None:
            found = self.table[key] = Expr(self, op, args, value, len(self.table))
        return found

    def constant(self, number: float) -> Expr:
        """Return the literal `number`."""
        number = float(number)
        return self._intern(("constant", number, math.copysign(1.0, number)), None, (), number)

    def leaf(self, value: Hashable) -> Expr:
        """Return the leaf that stands for `value` (a load from a buffer)."""
        return self._intern(("leaf", value), None, (), value)

    def apply(self, op: Op, args: tuple[Expr, ...]) -> Expr:
        """Return ``op(*args)`` with NumPy's value: only constants, ones and small powers are folded."""
        if all(a.is_constant for a in args):
            with np.errstate(all="ignore"):
                return self.constant(op.numpy(*(a.value for a in args)))
        return _simplify(op, args) or self.simple(op, args)

    def simple(self, op: Op, args: tuple[Expr, ...]) -> Expr:
        """Return ``op(*args)`` that is known to have no simpler form, as it had none in another pool."""
        return self._intern((op.name, *[a.serial for a in args]), op, args)


def _simplify(op: Op, args: tuple[Expr, ...]) -> Expr | None:
    """Rewrites that keep the value for every operand, infinities and NaN included."""
    match op.name:
        case "multiply" if args[0].equals(1.0):
            return args[1]
        case "multiply" | "divide" if args[1].equals(1.0):
            return args[0]
        case "power" if args[1].is_constant:
            return _constant_power(args[0], args[1].value)
        case "select" if args[0].is_constant:
            return args[1] if args[0].value else args[2]
        case "not_equal" if args[1].equals(0.0) and args[0].op is OPS["select"]:
            condition, first, second = args[0].args  # a truth value that was kept as a number
            return condition if first.equals(1.0) and second.equals(0.0) else None
        case "logical_and" | "logical_or" if args[0].is_constant or args[1].is_constant:
            known, other = args if args[0].is_constant else reversed(args)
            return other if bool(known.value) == (op.name == "logical_and") else known
    return None


def _constant_power(base: Expr, exponent: float) -> Expr | None:
    """Write a small constant power with multiplications, as NumPy's fast paths do."""
    pool, times = base.pool, OPS["multiply"]
    match exponent:
        case 0.0:
            return pool.constant(1.0)
        case 1.0:
            return base
        case 2.0:
            return pool.apply(times, (base, base))
        case 3.0:
            return pool.apply(times, (pool.apply(times, (base, base)), base))
        case 4.0:
            square = pool.apply(times, (base, base))
            return pool.apply(times, (square, square))
        case -1.0:
            return pool.apply(OPS["divide"], (pool.constant(1.0), base))
        case 0.5:
            return pool.apply(OPS["sqrt"], (base,))
    return None


def _scaled(factor: Expr, expr: Expr) -> Expr | None:
    """Gather constant factors: ``a * (b * x)`` is ``(a * b) * x``, and a sign goes into the constant."""
    if expr.op is OPS["negative"]:
        return factor.pool.constant(-factor.value) * expr.args[0]
    if expr.op is OPS["multiply"]:
        for known, other in (expr.args, expr.args[::-1]):
            if known.is_constant and not known.equals(0.0):
                return factor.pool.constant(factor.value * known.value) * other
    return None


def _fold(op: Op, args: tuple[Expr, ...]) -> Expr | None:
    """Algebra of derivative coefficients: a structural zero annihilates, whatever it multiplies."""
    zeros = [a.equals(0.0) for a in args]
    if op.name in ("multiply", "divide") and zeros[0]:
        return args[0]
    match op.name:
        case "multiply" if zeros[1]:
            return args[1]
        case "multiply" if args[0].equals(-1.0):
            return -args[1]
        case "multiply" | "divide" if args[1].equals(-1.0):
            return -args[0]
        case "multiply" if args[0].is_constant or args[1].is_constant:
            return _scaled(*args) if args[0].is_constant else _scaled(args[1], args[0])
        case "add" if zeros[0]:
            return args[1]
        case "add" | "subtract" if zeros[1]:
            return args[0]
        case "subtract" if zeros[0]:
            return -args[1]
        case "subtract" if args[0] is args[1]:
            return args[0].pool.constant(0.0)
        case "negative" if args[0].op is op:
            return args[0].args[0]
        case "negative" if args[0].op is OPS["multiply"] and any(a.is_constant for a in args[0].args):
            return _scaled(args[0].pool.constant(-1.0), args[0])
        case "add" if args[0] is args[1]:
            return args[0].pool.constant(2.0) * args[0]
        case "add" if OPS["negative"] in (args[0].op, args[1].op) and (args[0] is -args[1] or args[1] is -args[0]):
            return args[0].pool.constant(0.0)
        case "select" if args[1] is args[2]:
            return args[1]
        case "select" if OPS["select"] in (args[1].op, args[2].op):
            return _asked_once(*args)
    return None


def _asked_once(condition: Expr, chosen: Expr, other: Expr) -> Expr | None:
    """Leave out the sides of inner choices that are never taken, for their condition is that of the outer one."""
    select = OPS["select"]
    known = [e.op is select and e.args[0] is condition for e in (chosen, other)]
    if not any(known):
        return None
    return select(condition, chosen.args[1] if known[0] else chosen, other.args[2] if known[1] else other)
