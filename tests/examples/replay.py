"""A program as a function of one of its arrays: the rest is done with unknowns in its place, and compared.

The function runs all statements. Right after the one that makes the array, its name is bound to the unknowns instead.
Its value is everything that later statements make of floats: their results, and what all names stand for at the end.
Statements that fail on plain arrays are left out, and so is one that sparsead refuses, until the rest can be traced.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import io
import signal
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import sparsead as sad
from tests.examples.programs import Program

LARGEST, MOST, TRIES = 600, 5, 8  # elements of an array, arrays of a program, statements that are left out
SECONDS = 20
STEPS = (1e-4, 1e-5, 1e-6)
AGREE, FLAT = 1e-4, 1e-7  # of differences, relative and absolute
Label = tuple[int, str]  # of a value: the statement that made it, and the name
random_numbers = np.random.default_rng


@dataclass(frozen=True)
class Outcome:
    """What became of a program with one of its arrays unknown.

    The results are "same", "refused", "different", "crash" (an error that is no refusal), "failed" (nothing to
    compare, or other values at each call) and "slow".
    """

    result: str
    where: str
    message: str = ""


class DifferentError(Exception):
    """Something is not what it is on plain arrays."""


class SlowError(BaseException):
    """A time limit was reached."""


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    """Raise SlowError after some seconds, and keep what is printed to itself."""

    def ring(*_: Any) -> None:
        raise SlowError

    previous = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def seeded(seed: Any = None) -> Any:
    """Return a generator of the same numbers at every run."""
    return random_numbers(0 if seed is None else seed)


def _code(statement: str, number: int) -> tuple[types.CodeType, bool, list[str]]:
    """Return compiled code, whether it is an expression, and the names that it binds."""
    file, tree = f"/example/{number}.py", ast.parse(statement)
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        return compile(ast.Expression(tree.body[0].value), file, "eval"), True, []
    bound = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return compile(tree, file, "exec"), False, list(dict.fromkeys(bound))


def _leaves(value: Any) -> Iterator[Any]:
    for item in value if isinstance(value, (list, tuple)) and len(value) < 20 else ():
        yield from _leaves(item)
    if not isinstance(value, (list, tuple)):
        is_array = hasattr(value, "strides") and not isinstance(value, type)
        yield value.copy() if is_array else value


def _is_number(value: Any) -> bool:
    """Tell whether a value is made of floats, complex numbers or truth values."""
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value) is not np.matrix and value.dtype.kind in "fcb" and 0 < value.size < 10 * LARGEST
    return isinstance(value, (float, complex))


class Replay:
    """A program; the numbers of statements that are left out are `omitted`, `at` is the one that runs."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.codes = [_code(statement, number) for number, statement in enumerate(program.statements)]
        self.omitted: set[int] = set()
        self.at = 0

    def outcomes(self) -> Iterator[Outcome]:
        """Yield what becomes of the program, with each of some arrays unknown."""
        try:
            with limited(SECONDS):
                arrays = self.arrays()
        except SlowError:
            yield Outcome("slow", self.program.name)
            return
        failing = set(self.omitted)
        for number, name, values in arrays[:MOST]:
            for _ in range(TRIES):
                where = f"{self.program.name} [{number}:{name}]"
                try:
                    with limited(SECONDS):
                        result, message = self.compare(number, name, values)
                except SlowError:
                    yield Outcome("slow", where, self.text((self.at, "")))
                    return
                yield Outcome(result, where, message)
                if result not in ("refused", "crash", "different") or self.at <= number:
                    break
                self.omitted.add(self.at)
            self.omitted = set(failing)

    def run(self, swap: Callable[[int, Any], None], see: Callable[[Label, Any], None], forgiving: bool) -> None:
        """Do all statements; `swap` may bind other values after each, `see` is shown values."""
        names: dict[str, Any] = {"__name__": "__main__"}
        np.random.seed(0)  # noqa: NPY002  (programs draw from it)
        np.random.default_rng = seeded
        try:
            for number, (code, is_expression, bound) in enumerate(self.codes):
                if number in self.omitted:
                    continue
                self.at = number
                try:
                    value = eval(code, names) if is_expression else exec(code, names)
                except Exception:
                    if not forgiving:
                        raise
                    self.omitted.add(number)
                    continue
                swap(number, names)
                if is_expression:
                    see((number, ""), value)
                for name in bound:
                    see((number, name), names.get(name))
        finally:
            np.random.default_rng = random_numbers
        for name in sorted(n for n in names if not n.startswith("_")):
            see((len(self.codes), name), names[name])

    def arrays(self) -> list[tuple[int, str, np.ndarray]]:
        """Run on plain arrays; return those that may be unknowns: number of the statement, name, values."""
        found: list[tuple[int, str, np.ndarray]] = []

        def swap(number: int, names: dict[str, Any]) -> None:
            for name in self.codes[number][2]:
                value = names.get(name)
                is_plain = type(value) in (np.ndarray, float, np.float64) and np.asarray(value).dtype.kind in "fi"
                if is_plain and 0 < np.size(value) <= LARGEST:
                    found.append((number, name, np.array(value, dtype=float)))

        self.run(swap, lambda *_: None, forgiving=True)
        return found

    def seen(
        self, number: int, name: str, x: Any, shape: tuple[int, ...], wanted: Any = None
    ) -> dict[Label, list[Any]]:
        """Return the values that come after a statement, with the elements of x in place of an array that it made."""
        held: dict[Label, list[Any]] = {}

        def swap(at: int, names: dict[str, Any]) -> None:
            if at == number:
                names[name] = x.reshape(shape) if shape else x[0]

        def see(label: Label, value: Any) -> None:
            if label[0] >= number and (wanted is None or label in wanted):
                held[label] = list(_leaves(value))

        self.run(swap, see, forgiving=wanted is None)
        return held

    def flat(self, label: Label, theirs: list[Any], ours: list[Any]) -> Iterator[Any]:
        """Yield the numbers among some values; they are of the shapes and kinds that they were of."""
        if len(ours) != len(theirs):
            raise DifferentError(f"{self.text(label)}: {len(theirs)} values, now {len(ours)}")
        for was, now in zip(theirs, ours, strict=True):
            if _is_number(was):
                kinds = [
                    getattr(getattr(v, "dtype", None), "kind", None) or np.asarray(v).dtype.kind for v in (was, now)
                ]
                if np.shape(was) != np.shape(now) or kinds[0] != kinds[1]:
                    words = f"{kinds[0]} {np.shape(was)}, now {kinds[1]} {np.shape(now)}"
                    raise DifferentError(f"{self.text(label)}: {words}")
                yield np.ravel(np.real(now)) * 1.0
                if kinds[0] == "c":
                    yield np.ravel(np.imag(now)) * 1.0

    def text(self, label: Label) -> str:
        """Return the statement that made a value, and its name."""
        number, name = label
        return (
            f"{name} at the end" if number == len(self.codes) else f"{self.program.statements[number][:150]!r} {name}"
        )

    def compare(self, number: int, name: str, values: np.ndarray) -> tuple[str, str]:
        """Return what becomes of the program with one array unknown, and words."""
        x0, shape = values.ravel(), values.shape
        first = self.seen(number, name, x0.copy(), shape)
        wanted = {label: held for label, held in first.items() if any(map(_is_number, held))}

        def f(x: Any) -> Any:
            held = self.seen(number, name, x, shape, wanted)
            return np.concatenate(
                [part for label, was in wanted.items() for part in self.flat(label, was, held[label])]
            )

        try:
            same = wanted and np.array_equal(f(x0.copy()), f(x0.copy()), equal_nan=True)
        except Exception as error:
            return "failed", f"{builtins.type(error).__name__}: {error}"
        if not same:
            self.at = number
            return "failed", "other values at each call" if wanted else "nothing to compare"
        try:
            jac = sad.jacobian(f, x0.copy())
        except (sad.CheckFailed, DifferentError) as error:
            self.at = number if isinstance(error, sad.CheckFailed) else self.at
            return "different", str(error)
        except sad.SparseADError as error:
            return "refused", f"{self.text((self.at, ''))}\n{error}"
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            words = f"{builtins.type(error).__name__}: {error} ({last.filename}, line {last.lineno})"
            return "crash", f"{self.text((self.at, ''))} {words}"
        self.at = number
        words = against_differences(f, jac, x0)
        return ("different", words) if words else ("same", "")


def against_differences(f: Callable[[Any], Any], jac: Callable[[Any], Any], x0: np.ndarray) -> str:
    """Compare the matrix along a direction with differences at two points; return what is wrong.

    Rows are left out in which differences at several steps, or to both sides, are not the same.
    """
    rng = np.random.default_rng(5)
    for shift in (0.0, 1e-2):
        x = x0 + shift * np.where(x0 == 0.0, 1.0, np.abs(x0)) * rng.uniform(0.5, 1.0, x0.size)
        d = np.where(np.isfinite(x), rng.uniform(0.5, 1.0, x0.size) * (np.abs(x) + 0.1), 0.0)
        try:
            large, middle, small = ((f(x + h * d) - f(x - h * d)) / (2.0 * h) for h in STEPS)
            right, left = ((f(x + h * d) - f(x.copy())) / h for h in (STEPS[-1], -STEPS[-1]))
        except Exception:  # whatever a program may raise
            continue
        ours = jac(x) @ d
        spread = np.abs(large - middle) + np.abs(middle - small) + np.abs(right - left)
        allowed = AGREE * np.abs(middle) + FLAT
        bad = (spread <= allowed) & ~(np.abs(ours - middle) <= 20.0 * spread + allowed)
        if bad.any():
            k = int(np.argmax(bad))
            return f"row {k}: {ours[k]}, differences {middle[k]}; {np.count_nonzero(bad)} rows"
    return ""
