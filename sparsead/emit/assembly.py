"""Generated source as assembly of LLVM.

Generated source assigns each variable once and has no branches but loops and guarded stores, so its syntax tree
translates to LLVM's single-assignment form one node at a time.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence

from sparsead.emit.exact_division import (
    declared_quotients,
    quotient_name,
    reciprocal,
    waits_for_divisions,
    written,
)
from sparsead.emit.line_starts import to_line_start
from sparsead.emit.parsing import parse, walk
from sparsead.emit.parts import called, parts, used
from sparsead.emit.sequence import entry
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import LANE, PAST, POINT, Function
from sparsead.emit.staged_additions import in_turns
from sparsead.emit.staged_stores import by_fours, scatters
from sparsead.emit.vector_math import has_wide, vector_width, wide_definitions, width_attribute

SHORT_LOOP = 16  # statements that an innermost loop comes to when it is written out, and
SHORT_CODE = 1024  # operations in them: one statement may be long
INTRINSICS = {"sqrt", "floor", "ceil", "trunc", "rint", "copysign"}
LIBM = {
    "cbrt": 1, "exp": 1, "exp2": 1, "expm1": 1, "log": 1, "log2": 1, "log10": 1, "log1p": 1, "sin": 1, "cos": 1,
    "tan": 1, "asin": 1, "acos": 1, "atan": 1, "atan2": 2, "hypot": 2, "sinh": 1, "cosh": 1, "tanh": 1, "asinh": 1,
    "acosh": 1, "atanh": 1, "erf": 1, "erfc": 1, "fmod": 2, "lgamma": 1, "tgamma": 1, "pow": 2,
}  # fmt: skip
ARITHMETIC = {ast.Add: "add", ast.Sub: "sub", ast.Mult: "mul", ast.Div: "div"}
INTEGER_DIVISION = "sdiv"  # only ever of nonnegative numbers
COMPARE = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge", ast.Eq: "eq", ast.NotEq: "ne"}
OPERATIONS = (ast.BinOp, ast.Call, ast.Compare, ast.IfExp, ast.Subscript, ast.UnaryOp)
ADVICE = {  # to LLVM, about loops: unroll them; leave alone what would scatter its stores; turns are independent
    "short": '!"llvm.loop.unroll.full"', "points": '!"llvm.loop.vectorize.enable", i1 false',
    "lanes": '!"llvm.loop.parallel_accesses", !3',
}  # fmt: skip
IN_LANES = ", !llvm.access.group !3"  # marks what loops over lanes load and store
PAST_CACHES = ", !nontemporal !4"
FIRST_MARK = len(ADVICE) + 2
TO_WRITE_SOON = "i32 1, i32 3, i32 1"
ELEMENT = {"f8": "double", "i1": "i8", "i2": "i16", "i4": "i32", "i8": "i64"}

Value = tuple[str, str]  # an LLVM operand and its type: double, i64 or i1


class _Module:
    """What the functions of one module share: procedures, functions of several numbers, loops to be unrolled."""

    def __init__(self, procedures: Sequence[Procedure]) -> None:
        self.procedures = {p.name: p for p in procedures}
        self.wide: set[tuple[str, int]] = set()
        self.divisors: set[float] = set()
        self.marked: list[str] = []

    def mark(self, advice: str) -> str:
        """Return what marks one more loop."""
        self.marked.append(advice)
        return f", !llvm.loop !{FIRST_MARK + len(self.marked) - 1}"

    def defined(self) -> list[str]:
        """Return the functions of several numbers."""
        return [*wide_definitions(self.wide), *declared_quotients(self.divisors, vector_width())]

    def metadata(self) -> list[str]:
        """Return the definitions of the metadata: each loop has a node of its own."""
        numbers = {advice: number for number, advice in enumerate(ADVICE)}
        loops = [f"!{k} = distinct !{{!{k}, !{numbers[a]}}}" for k, a in enumerate(self.marked, FIRST_MARK)]
        kinds = [f"!{number} = !{{{ADVICE[advice]}}}" for advice, number in numbers.items()]
        return [*kinds, f"!{len(ADVICE)} = distinct !{{}}", f"!{len(ADVICE) + 1} = !{{i32 1}}", *loops]


class _Translator:
    """Translate one body; `lines` is the body in LLVM assembly."""

    def __init__(self, code: Procedure, module: _Module) -> None:
        self.arrays = code.arrays
        self.env: dict[str, Value] = {name: (f"%{name}", "i64") for name in code.numbers}
        self.lines: list[str] = []
        self.module = module
        self.block = "entry"
        self.count = 0
        self.outside: set[str] | None = None  # names that are known before the innermost loop
        self.indices: dict[str, ast.expr] = {}  # what names stand for
        self.access = ""  # what marks loads and stores
        self.multiplies = False  # in place of divisions by constants

    # -- bookkeeping ----------------------------------------------------------------------------------------
    def fresh(self) -> str:
        self.count += 1
        return f"%v{self.count}"

    def emit(self, code: str, kind: str) -> Value:
        name = self.fresh()
        self.lines.append(f"  {name} = {code}")
        return name, kind

    def write(self, code: str) -> None:
        self.lines.append(f"  {code}")

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")
        self.block = name

    # -- statements -----------------------------------------------------------------------------------------
    def statements(self, nodes: Sequence[ast.stmt]) -> None:
        for node in nodes:
            self.statement(node)

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self.env[name] = self.expression(value)
                self.indices[name] = value
            case ast.Assign(targets=[ast.Subscript() as target], value=value):
                stored = self.as_double(self.expression(value))
                self.store(self.address(target), stored)
            case ast.AugAssign(target=ast.Subscript() as target, op=ast.Add(), value=value):
                added = self.as_double(self.expression(value))
                address = self.address(target)
                old, _ = self.emit(f"load double, ptr {address}{self.access}", "double")
                flags = "reassoc " if self.is_sum(target.slice) else ""
                total = self.emit(f"fadd {flags}double {old}, {added}", "double")
                self.store(address, total[0])
            case ast.For():
                self.loop(node)
            case ast.If(orelse=[]):
                self.guard(node)
            case ast.Expr(value=ast.Call(func=ast.Name(id="prefetch"), args=[ast.Name(id=name), at])):
                place = self.emit(f"getelementptr double, ptr %array.{name}, i64 {self.expression(at)[0]}", "ptr")
                self.lines.append(f"  call void @llvm.prefetch.p0(ptr {place[0]}, {TO_WRITE_SOON})")
            case ast.Expr(value=ast.Call(func=ast.Name(id=name), args=args)) if name in self.module.procedures:
                self.lines.append(f"  call void @{name}({self.passed(self.module.procedures[name], args)})")
            case ast.Pass():
                pass
            case _:
                raise AssertionError(f"not in the generated language: {ast.dump(node)}")

    def passed(self, procedure: Procedure, args: list[ast.expr]) -> str:
        """Return the arguments of a call: arrays first, then whole numbers."""
        names = [a.id for a in args if isinstance(a, ast.Name)]
        count = len(procedure.arrays)
        arrays, numbers = names[:count], names[count:]
        return ", ".join([*(f"ptr %array.{n}" for n in arrays), *(f"i64 {self.env[n][0]}" for n in numbers)])

    def store(self, address: str, value: str) -> None:
        kind = "double"
        if self.access == PAST_CACHES:  # whole numbers: processors store these past the caches wherever they are
            value, kind = self.emit(f"bitcast double {value} to i64", "i64")
        self.write(f"store {kind} {value}, ptr {address}, align 8{self.access}")

    def loop(self, node: ast.For) -> None:
        assert isinstance(node.target, ast.Name) and isinstance(node.iter, ast.Call)
        bounds = [self.expression(a)[0] for a in node.iter.args]
        start, stop = bounds if len(bounds) == 2 else ["0", *bounds]
        self.multiplies = vector_width() > 0 and waits_for_divisions(node)
        start = in_turns(self, node, start, stop)
        start = by_fours(self, node, start, stop)
        start = to_line_start(self, node, start, stop)
        scattered = node.target.id == POINT or scatters(node)
        advice = "lanes" if node.target.id == LANE else "points" if scattered else "short" if _is_short(node) else ""
        self.counted(node.target.id, start, stop, 1, lambda: self.statements(node.body), advice)
        self.multiplies = False

    def counted(self, name: str, start: str, stop: str, step: int, body: Callable[[], None], advice: str) -> None:
        """Write a loop."""
        self.count += 1
        head, inside, done = (f"L{self.count}.{part}" for part in ("head", "body", "done"))
        counter, following, before = self.fresh(), self.fresh(), self.block
        self.write(f"br label %{head}")
        self.label(head)
        phi_at = len(self.lines)
        self.lines.append("")  # the phi needs the name of the last block of the body
        test = self.emit(f"icmp slt i64 {counter}, {stop}", "i1")[0]
        self.write(f"br i1 {test}, label %{inside}, label %{done}")
        self.label(inside)
        before_it, self.outside = self.outside, set(self.env)
        self.env[name] = (counter, "i64")
        self.access = {LANE: IN_LANES, PAST: PAST_CACHES}.get(name, "")
        body()
        self.outside, self.access = before_it, ""
        self.write(f"{following} = add nuw nsw i64 {counter}, {step}")
        marked = self.module.mark(advice) if advice else ""
        self.write(f"br label %{head}{marked}")
        self.lines[phi_at] = f"  {counter} = phi i64 [ {start}, %{before} ], [ {following}, %{self.block} ]"
        self.label(done)

    def is_sum(self, place: ast.expr) -> bool:
        """Tell whether all points of the innermost loop add to one place: then several partial sums may be made."""
        if self.outside is None:
            return False
        names = {n.id for n in walk(place) if isinstance(n, ast.Name)}
        return names <= self.outside and not any(isinstance(n, ast.Subscript) for n in walk(place))

    def guard(self, node: ast.If) -> None:
        test = self.expression(node.test)[0]
        self.count += 1
        then, done = f"G{self.count}.then", f"G{self.count}.done"
        self.lines.append(f"  br i1 {test}, label %{then}, label %{done}")
        self.label(then)
        self.statements(node.body)
        self.write(f"br label %{done}")
        self.label(done)

    # -- expressions ----------------------------------------------------------------------------------------
    def expression(self, node: ast.expr) -> Value:
        match node:
            case ast.Name(id="inf" | "nan" as name):
                return written(float(name)), "double"
            case ast.Name(id=name):
                return self.env[name]
            case ast.Constant(value=float(value)):
                return written(value), "double"
            case ast.Constant(value=int(value)):
                return str(value), "i64"
            case ast.Subscript(value=ast.Name(id=name)):
                return self.load(name, self.address(node))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self.negated(self.expression(operand))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return self.emit(f"xor i1 {self.expression(operand)[0]}, true", "i1")
            case ast.BinOp(left=left, op=ast.Div(), right=ast.Constant(value=float(divisor))) if self.multiplies_for(
                divisor
            ):
                divided = self.as_double(self.expression(left))
                return self.emit(f"call double @{quotient_name(divisor)}(double {divided})", "double")
            case ast.BinOp(left=left, op=op, right=right):
                return self.binary(op, self.expression(left), self.expression(right))
            case ast.BoolOp(op=op, values=values):
                word = "and" if isinstance(op, ast.And) else "or"
                operands = [self.expression(v)[0] for v in values]
                return functools.reduce(
                    lambda a, b: self.emit(f"{word} i1 {a[0]}, {b[0]}", "i1"), [(o, "i1") for o in operands]
                )
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self.compared(left, ops, others)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                chosen, other = self.as_double(self.expression(body)), self.as_double(self.expression(orelse))
                return self.emit(f"select i1 {self.expression(test)[0]}, double {chosen}, double {other}", "double")
            case ast.Call(func=ast.Name(id="min" | "max" as name), args=[first, second]):
                return self.extreme(name, self.expression(first)[0], self.expression(second)[0])
            case ast.Call(func=ast.Name(id=name), args=args):
                return self.called(name, [self.as_double(self.expression(a)) for a in args])
        raise AssertionError(f"not in the generated language: {ast.dump(node)}")

    def multiplies_for(self, divisor: float) -> bool:
        """Tell whether what is divided by a number is to be multiplied instead; the module then defines how."""
        if not self.multiplies or reciprocal(divisor) is None:
            return False
        self.module.divisors.add(divisor)
        return True

    def address(self, node: ast.Subscript) -> str:
        assert isinstance(node.value, ast.Name)
        element = ELEMENT[self.arrays[node.value.id]]
        index = self.expression(node.slice)[0]
        return self.emit(f"getelementptr inbounds {element}, ptr %array.{node.value.id}, i64 {index}", "ptr")[0]

    def load(self, name: str, address: str) -> Value:
        if self.arrays[name] == "f8":
            return self.emit(f"load double, ptr {address}{self.access}", "double")
        element = ELEMENT[self.arrays[name]]
        index = self.emit(f"load {element}, ptr {address}{self.access}", element)
        return index if element == "i64" else self.emit(f"sext {element} {index[0]} to i64", "i64")

    def negated(self, value: Value) -> Value:
        if value[1] == "i64":
            return self.emit(f"sub i64 0, {value[0]}", "i64")
        return self.emit(f"fneg double {self.as_double(value)}", "double")

    def binary(self, op: ast.operator, left: Value, right: Value) -> Value:
        if isinstance(op, ast.Pow):
            return self.called("pow", [self.as_double(left), self.as_double(right)])
        if isinstance(op, ast.FloorDiv):
            return self.emit(f"{INTEGER_DIVISION} i64 {left[0]}, {right[0]}", "i64")
        word = ARITHMETIC[type(op)]
        if left[1] == right[1] == "i64":
            return self.emit(f"{word} nsw i64 {left[0]}, {right[0]}", "i64")
        return self.emit(f"f{word} double {self.as_double(left)}, {self.as_double(right)}", "double")

    def compared(self, left: ast.expr, ops: list[ast.cmpop], others: list[ast.expr]) -> Value:
        values = [self.expression(e) for e in (left, *others)]
        tests = [self.compare(op, a, b) for op, a, b in zip(ops, values[:-1], values[1:], strict=True)]
        return functools.reduce(lambda a, b: self.emit(f"and i1 {a[0]}, {b[0]}", "i1"), tests)

    def compare(self, op: ast.cmpop, left: Value, right: Value) -> Value:
        word = COMPARE[type(op)]
        if left[1] == right[1] == "i64":
            code = word if word in ("eq", "ne") else f"s{word}"
            return self.emit(f"icmp {code} i64 {left[0]}, {right[0]}", "i1")
        code = "une" if word == "ne" else f"o{word}"  # a comparison with NaN is false, except !=
        return self.emit(f"fcmp {code} double {self.as_double(left)}, {self.as_double(right)}", "i1")

    def extreme(self, name: str, first: str, second: str) -> Value:
        test = self.emit(f"icmp {'slt' if name == 'min' else 'sgt'} i64 {first}, {second}", "i1")[0]
        return self.emit(f"select i1 {test}, i64 {first}, i64 {second}", "i64")

    def called(self, name: str, args: list[str]) -> Value:
        operands = ", ".join(f"double {a}" for a in args)
        if name == "abs" or name in INTRINSICS:
            return self.emit(f"call double @llvm.{'fabs' if name == 'abs' else name}.f64({operands})", "double")
        if has_wide(name, len(args)):
            self.module.wide.add((name, len(args)))
            name = f"wide_{name}"
        return self.emit(f"call double @{name}({operands})", "double")

    def as_double(self, value: Value) -> str:
        match value:
            case name, "double":
                return name
            case name, "i1":
                return self.emit(f"uitofp i1 {name} to double", "double")[0]
        return self.emit(f"sitofp i64 {value[0]} to double", "double")[0]


def _is_short(loop: ast.For) -> bool:
    """Tell whether a loop, such as one over lanes, is to be unrolled: a few simple statements, a few times."""
    match loop.iter:
        case ast.Call(args=[ast.Constant(value=int(times))]):
            simple = not any(isinstance(node, (ast.For, ast.If)) for node in loop.body)
            if not simple or times * len(loop.body) > SHORT_LOOP:
                return False
            return times * sum(isinstance(node, OPERATIONS) for node in ast.walk(loop)) <= SHORT_CODE
    return False


def assembly(functions: Sequence[Function]) -> str:
    """Return LLVM assembly: each ``entry`` takes one pointer to the array of array pointers.

    A long function is cut between loops into several bodies: LLVM's time grows faster than the length of a function.
    """
    procedures = {p.name: p for function in functions for p in function.procedures}
    module = _Module(list(procedures.values()))
    shared = [_body(p, _statements(p), module) for p in procedures.values()]
    entries = [_entry(function, number, module) for number, function in enumerate(functions)]
    return "\n".join([*_declarations(), *module.defined(), *shared, *entries, *module.metadata()])


def _statements(code: Function | Procedure) -> list[ast.stmt]:
    function = parse(code.text).body[0]
    assert isinstance(function, ast.FunctionDef)
    return function.body


def _entry(source: Function, number: int, module: _Module) -> str:
    """Translate one function: its parts, and what takes the arrays of each from the table and calls it.

    A call of a procedure is a part of its own.
    """
    place = {name: k for k, name in enumerate(source.arrays)}
    bodies: list[str] = []
    calls: list[tuple[str, list[str]]] = []
    for statements in parts(_statements(source), module.procedures):
        procedure = called(statements[0], module.procedures) if statements else None
        if procedure is None:
            name, arrays = f"body{number}.{len(bodies)}", used(statements, source.arrays)
            part = Procedure(name, {a: source.arrays[a] for a in arrays}, (), [])
            bodies.append(_body(part, statements, module))
        else:
            name, arrays = procedure
        calls.append((name, arrays))
    return "\n".join([*bodies, entry(f"entry{number}", calls, place)])


def _declarations() -> list[str]:
    """Declare the functions that generated code may call."""
    declared = [
        f"declare double @llvm.{n}.f64(double{', double' if n == 'copysign' else ''})" for n in sorted(INTRINSICS)
    ]
    declared.append("declare double @llvm.fabs.f64(double)")
    declared.append("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
    pure = "memory(none) nounwind willreturn"
    return declared + [f"declare double @{n}({', '.join(['double'] * k)}) {pure}" for n, k in LIBM.items()]


def _body(code: Procedure, statements: list[ast.stmt], module: _Module) -> str:
    """Translate statements to a function; not inlined, so that `noalias` costs no metadata."""
    translator = _Translator(code, module)
    translator.statements(statements)
    if any(PAST_CACHES in line for line in translator.lines):  # for other threads, which may read them then
        translator.write("fence seq_cst")
    parameters = [*(f"ptr noalias %array.{n}" for n in code.arrays), *(f"i64 %{n}" for n in code.numbers)]
    head = f"define internal void @{code.name}({', '.join(parameters)}) noinline nounwind{width_attribute()} {{"
    return "\n".join([head, "entry:", *translator.lines, "  ret void", "}"])
