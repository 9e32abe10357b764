"""Generated source as C99, for programs without Python.

The generated language has assignments, arithmetic, loops and guards, and each name is set before what reads it, so a
function is printed statement by statement. What is printed computes what the other back ends compute, in the same
order; functions such as ``exp`` are those of the C library.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sparsead.emit.parsing import parse, walk
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import Function

TYPES = {"i": "long long", "d": "double", "b": "int"}  # of indices, numbers and conditions
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "/"}
COMPARE = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!="}
CONSTANTS = {"inf": "INFINITY", "nan": "NAN"}
ELEMENT = {"f8": "double", "i1": "int", "i2": "int", "i4": "int", "i8": "long long"}

Typed = tuple[str, str]  # C code and the letter of its type


@dataclass(frozen=True)
class Printed:
    """A static function of C: its text, and what it takes of its source, which is all that it uses.

    Attributes
    ----------
    name, text : str
        How it is called, and the definition.
    arrays, numbers : tuple of str
        The arrays and whole numbers that it takes, by their names in the source, in this order.
    places : tuple of int
        Where these stand among all arrays and numbers of the source.
    written : frozenset of int
        Which of them are arrays that it writes, counted in the C function.
    """

    name: str
    text: str
    arrays: tuple[str, ...]
    numbers: tuple[str, ...]
    places: tuple[int, ...]
    written: frozenset[int]

    def passed(self, call: ast.Call) -> list[ast.expr]:
        """Return what a call of the source passes to the C function."""
        return [call.args[place] for place in self.places]


Called = Mapping[str, Printed]


def c_function(source: Function, name: str, called: Called | None = None) -> Printed:
    """Return a function of the source as C; it may call procedures, `called` by their names."""
    return _printed(source.text, name, source.arrays, (), called or {})


def c_procedure(source: Procedure) -> Printed:
    """Return code that several loops share as a function of C."""
    return _printed(source.text, source.name, source.arrays, source.numbers, {})


def _printed(text: str, name: str, arrays: Mapping[str, str], numbers: tuple[str, ...], called: Called) -> Printed:
    function = parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    read = _read(function.body, called)
    taken = tuple(array for array in arrays if array in read)
    counts = tuple(number for number in numbers if number in read)
    printer = Printer(arrays, called)
    printer.block(function.body, **dict.fromkeys(counts, "i"))
    written = _written(function, called)
    kinds = [f"{'' if array in written else 'const '}{ELEMENT[arrays[array]]} *restrict {array}" for array in taken]
    head = f"static void {name}({', '.join([*kinds, *(f'long long {number}' for number in counts)])})"
    every = [*arrays, *numbers]
    places = tuple(every.index(one) for one in (*taken, *counts))
    stores = frozenset(k for k, array in enumerate(taken) if array in written)
    return Printed(name, "\n".join([head, *printer.lines]), taken, counts, places, stores)


def _written(function: ast.FunctionDef, called: Called) -> set[str]:
    """Return the arrays that a function stores to, itself or in what it calls."""
    stores = [n.value for n in walk(function) if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Store)]
    for node in walk(function):
        if isinstance(node, ast.Call) and (made := _callee(node, called)) is not None:
            stores += [arg for k, arg in enumerate(made.passed(node)) if k in made.written]
    return {array.id for array in stores if isinstance(array, ast.Name)}


def _callee(node: ast.Call, called: Called) -> Printed | None:
    return called.get(node.func.id) if isinstance(node.func, ast.Name) else None


def _read(statements: list[ast.stmt], called: Called) -> set[str]:
    """Return the names that what is stored, or runs, depends on; the others need not be set."""
    needs: dict[str, set[str]] = defaultdict(set)
    pending: set[str] = set()
    for node in (n for statement in statements for n in walk(statement)):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                needs[name] |= _names(value)
            case ast.Assign(targets=[target], value=value) | ast.AugAssign(target=target, value=value):
                pending |= _names(target) | _names(value)
            case ast.For(iter=test) | ast.If(test=test):
                pending |= _names(test)
            case ast.Expr(value=ast.Call() as call) if (made := _callee(call, called)) is not None:
                pending |= set().union(*(_names(arg) for arg in made.passed(call)))
    read: set[str] = set()
    while pending:
        read |= pending
        pending = set().union(*(needs[name] for name in pending)) - read
    return read


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in walk(node) if isinstance(n, ast.Name)}


def _number(value: Typed) -> Typed:
    """Return a truth value as a float: it would be a whole number in arithmetic."""
    code, kind = value
    return (f"(double){code}", "d") if kind == "b" else value


class Printer:
    """Prints statements of one function; whole numbers are of the type `index`."""

    def __init__(self, arrays: Mapping[str, str], called: Called, index: str = TYPES["i"]) -> None:
        self.types = {**TYPES, "i": index}
        self.arrays = arrays
        self.called = called
        self.lines: list[str] = []
        self.scopes: list[dict[str, str]] = []  # names that are known in each block, with their types
        self.read: list[set[str]] = []  # names that are needed in each block

    def write(self, line: str) -> None:
        """Add a line at the current depth."""
        self.lines.append("    " * len(self.scopes) + line)

    def block(self, statements: list[ast.stmt], **names: str) -> None:
        """Print statements in braces; `names` are known in there."""
        self.write("{")
        self.scopes.append(names)
        self.read.append(_read(statements, self.called))
        for statement in statements:
            self.statement(statement)
        self.read.pop()
        self.scopes.pop()
        self.write("}")

    def statement(self, node: ast.stmt) -> None:
        """Print a statement."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if name in self.read[-1]:
                    self.define(name, *self.expression(value))
            case ast.Assign(targets=[ast.Subscript() as target], value=value):
                self.write(f"{self.element(target)} = {self.expression(value)[0]};")
            case ast.AugAssign(target=ast.Subscript() as target, op=ast.Add(), value=value):
                self.write(f"{self.element(target)} += {self.expression(value)[0]};")
            case ast.For(target=ast.Name(id=name), iter=ast.Call(args=bounds), body=body):
                *start, stop = (self.expression(b)[0] for b in bounds)
                self.write(f"for ({self.types['i']} {name} = {start[0] if start else 0}; {name} < {stop}; ++{name})")
                self.block(body, **{name: "i"})
            case ast.If(test=test, body=body, orelse=[]):
                self.write(f"if ({self.expression(test)[0]})")
                self.block(body)
            case ast.Pass() | ast.Expr(value=ast.Call(func=ast.Name(id="prefetch"))):
                pass
            case ast.Expr(value=ast.Call() as call) if (made := _callee(call, self.called)) is not None:
                self.write(f"{made.name}({', '.join(self.argument(arg) for arg in made.passed(call))});")
            case _:
                raise AssertionError(f"not in the generated language: {ast.dump(node)}")

    def define(self, name: str, code: str, kind: str) -> None:
        """Set a variable; declare it where it is new."""
        known = name in self.scopes[-1]
        self.scopes[-1][name] = kind
        self.write(f"{'' if known else self.types[kind] + ' '}{name} = {code};")

    def element(self, node: ast.Subscript) -> str:
        """Return an element of an array."""
        assert isinstance(node.value, ast.Name)
        return f"{node.value.id}[{self.expression(node.slice)[0]}]"

    def argument(self, node: ast.expr) -> str:
        """Return what is passed to a procedure: an array, or a whole number."""
        return node.id if isinstance(node, ast.Name) and node.id in self.arrays else self.expression(node)[0]

    def expression(self, node: ast.expr) -> Typed:
        """Return the code of an expression, and its type."""
        match node:
            case ast.Name(id=name) if name in CONSTANTS:
                return CONSTANTS[name], "d"
            case ast.Name(id=name):
                return name, next(scope[name] for scope in reversed(self.scopes) if name in scope)
            case ast.Constant(value=float(value)):
                return repr(value), "d"
            case ast.Constant(value=int(value)):
                return str(value), "i"
            case ast.Subscript(value=ast.Name(id=name)):
                code = self.element(node)
                return (code, "d") if self.arrays[name] == "f8" else (f"({self.types['i']}){code}", "i")
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                code, kind = _number(self.expression(operand))
                return f"(-{code})", kind
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return f"!{self.expression(operand)[0]}", "b"
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return f"pow({self.expression(left)[0]}, {self.expression(right)[0]})", "d"
            case ast.BinOp(left=left, op=op, right=right):
                (a, kind), (b, other) = _number(self.expression(left)), _number(self.expression(right))
                return f"({a} {OPERATORS[type(op)]} {b})", "i" if kind == other == "i" else "d"
            case ast.BoolOp(op=op, values=values):
                word = " && " if isinstance(op, ast.And) else " || "
                return f"({word.join(self.expression(v)[0] for v in values)})", "b"
            case ast.Compare(left=left, ops=ops, comparators=others):
                codes = [self.expression(e)[0] for e in (left, *others)]
                tests = [f"{a} {COMPARE[type(op)]} {b}" for op, a, b in zip(ops, codes[:-1], codes[1:], strict=True)]
                return f"({' && '.join(tests)})", "b"
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen, other_code = self.expression(body)[0], self.expression(orelse)[0]
                return f"({self.expression(test)[0]} ? (double){chosen} : (double){other_code})", "d"
            case ast.Call(func=ast.Name(id="min" | "max" as name), args=[first, second]):
                a, b = self.expression(first)[0], self.expression(second)[0]
                return f"({a} {'<' if name == 'min' else '>'} {b} ? {a} : {b})", "i"
            case ast.Call(func=ast.Name(id=name), args=args):
                name = "fabs" if name == "abs" else name
                return f"{name}({', '.join(self.expression(a)[0] for a in args)})", "d"
        raise AssertionError(f"not in the generated language: {ast.dump(node)}")
