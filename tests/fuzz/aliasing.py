"""Random programs of views, aliasing and writes in place: ``python -m tests.fuzz aliasing --count 100000``.

Each is drawn statement by statement next to its run on plain NumPy, so every statement is one that NumPy accepts, but
for a last one, sometimes, that it does not. Everything that the program still holds at its end is returned: a write
that reached too little or too much shows in the value, at the point at which it was traced and at another one.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

import sparsead as sad
from sparsead.errors import SparseADError
from sparsead.tracing.trace import trace
from tests.reference import assert_close, differences, generic_points
from tests.tracing.compared import value

MOST_ELEMENTS = 60
REJECTED = (AttributeError, ValueError, IndexError, TypeError, ZeroDivisionError)
SHAPES = [(6,), (2, 3), (3, 2), (4,), (2, 2), (2, 1, 3), (1, 4), (2, 3, 2), (), (1,), (3,), (0,), (2, 0)]


def statements(text: str) -> list[str]:
    """Return the templates in a text, which three spaces or a line end."""
    return [part for line in text.splitlines() for part in line.strip().split("   ") if part]


CREATE = statements("""
    np.zeros({shape}, order={order})   np.ones({shape}, order={order})   np.full({shape}, 0.5)
    np.zeros({shape}, complex)   np.zeros({shape}, dtype=complex, order={order})   np.empty({shape}) * 0 + 0.25
    np.arange({size}.0).reshape({shape}, order={order})   np.array([0.5, 1.5, 2.5])   np.eye(2, 3)
    np.linspace(0.0, 1.0, 6).reshape(2, 3)   x[:{size}].reshape({shape}, order={order}) * 1.0   np.asarray([1.0, 2.0])
    np.array(x[:{size}].reshape({shape}), order={order})   np.copy(p)   np.array(p, order={order})
    np.zeros_like({a})   np.empty_like({a}) * 0   np.full_like({a}, 0.75, order={order})   x.copy()
    np.tile([0.5, 0.25], 3)   np.repeat(0.5, {size})   np.diag([1.0, 2.0])   np.concatenate([[1.0], [2.0, 3.0]])
""")

VIEW = statements("""
    {a}.T   {a}.reshape({shape}, order={order})   {a}.reshape(-1)   {a}.ravel({order})   {a}.flatten({order})
    np.ravel({a}, order={order})   np.reshape({a}, {shape}, order={order})   {a}[{key}]   {a}[{key}]   {a}[{key}]
    {a}.copy({order})   np.copy({a})   np.copy({a}, order={order})   np.array({a}, order={order})
    np.array({a}, ndmin=2)   np.asarray({a})   np.asarray({a}, order={order})   np.array({a}, copy=None)
    {a}.astype({a}.dtype, copy=False)   {a}.astype({a}.dtype, order={order}, copy=False)   {a}.astype({a}.dtype)
    {a}.view()   {a}.squeeze()   np.squeeze({a})   np.split({a}, 2)[{bit}]   np.array_split({a}, 3)[{bit}]
    np.hsplit({a}, 2)[{bit}]   np.vsplit({a}, 2)[{bit}]   {a}.swapaxes(0, -1)   np.swapaxes({a}, 0, -1)
    np.moveaxis({a}, 0, -1)   np.rollaxis({a}, -1)   {a}.transpose()   np.flip({a})   np.flipud({a})   np.fliplr({a})
    np.rot90({a})   np.expand_dims({a}, {bit})   np.roll({a}, 1)   np.atleast_1d({a})   np.atleast_2d({a})
    np.atleast_3d({a})   np.unstack({a})[{bit}]   {a}[{bit}]   {a}[..., {bit}]   np.diagonal({a})   {a}.diagonal()
    np.broadcast_to({a}, (2, *np.shape({a})))   np.broadcast_arrays({a}, {b})[{bit}]   {a}.real   {a}.imag
    np.real({a})   np.imag({a})   {a}.conj()   np.conj({a})   {a}.view(float)   {a}.mT   {a}[()]
    np.nan_to_num({a}, copy=False)   np.ascontiguousarray({a})   np.asfortranarray({a})
    np.atleast_1d({a}, {b})[{bit}]   np.meshgrid({a}.ravel()[:3], {b}.ravel()[:2], copy=False)[{bit}]
    np.lib.stride_tricks.sliding_window_view({a}, 2)   np.permute_dims({a})   np.matrix_transpose({a})
    {a}[{a} > 9.0]   np.take({a}, [0, -1])   {a}.repeat(2)
""")

COMPUTE = statements("""
    {a} * 1.0   -{a}   {a} + {b}   {a} * {b}   {a} - 0.5   2.0 * {a}   np.sin({a})   {a} / 2   np.exp(0.1 * {a})
    np.where({a} > 0.4, {a}, 0.5)   np.add.outer({a}.ravel()[:2], {b}.ravel()[:3])   {a} ** 2   +{a}
    np.positive({a})   np.clip({a}, 0.2, 0.7)   ({a} > 0.3) * {b}   ({a} > 0.2) + ({a} < 0.5)   np.cumsum({a})
    np.sum({a}, axis=0)   np.sum({a}, axis=-1, keepdims=True)   np.concatenate([{a}.ravel(), {b}.ravel()])
    np.stack([{a}, {a}])   ({a} > 0.35) | ({a} < 0.1)   ~({a} > 0.3)   np.diff({a} > 0.3)   ({a} > 0.4).astype(int)
    np.einsum("ij,jk->ki", {a}, {b})   np.dot({a}, {b})   np.kron({a}, {b})   np.inner({a}, {b})   np.sort({a}, axis=0)
    np.cumsum({a}, axis=0)   np.einsum("ij,kj", {a}, {b})   np.outer({a}, {b})   {a}.T @ {b}   np.exp({a} * 1j)
    np.diff({a})   {a} @ {b}   ({a} > 0.2) @ ({b} > 0.3)   {a} * 1j   {a} + 1j   np.maximum({a}, {b})   abs({a})
""")

NUMBER = statements("""
    np.sum({a})   {a}.sum()   {a}.ravel() @ {a}.ravel()   np.linalg.norm({a})   {a}.mean()   np.max({a})
    {a}.flat[{bit}]   {a}.ravel()[{bit}]   np.array({a}.ravel()[{bit}])   np.sin(np.sum({a}))
    np.dot({a}.ravel(), {a}.ravel())   np.asarray({a}.ravel()[0])   np.where(True, {a}.ravel()[0], 0.5)
    np.any({a} > 0.5)   np.sum({a} > 0.4)   np.zeros(())   np.any({a} > 0.2) + np.any({b} > 5.0)
    {a}.ravel()[{bit}] > 0.4   {a}.ravel()[0, ...]   {a}.ravel()[:1].reshape(())   np.copy({a}.ravel()[0])
    np.squeeze({a}.ravel()[:1])   np.full((), {a}.ravel()[0])   np.tensordot({a}, {a}, {a}.ndim)
""")

VALUE = statements("""
    {b}   0.5   x[{bit}]   {b} * 2.0   np.sum({b})   x[:{size}].reshape({shape})   [1.0, 2.0]   {a}[{key}]   1   True
    {b} > 0.3   -{b}   x   {a}[::-1]   {a}.T   {b}.real   [x[0], x[1]]   np.float64(2.0)   {b} * 1j
""")

WRITE = statements("""
    {a}[{key}] = {v}   {a}[{key}] = {v}   {a}[...] = {v}   {a}[{key}] += {v}   {a}[{key}] *= {v}   {a} += {v}
    {a} *= {v}   {a} -= {v}   {a} /= 2.0   {a} **= 2   np.add({b}, {v}, out={a})   np.multiply({a}, {v}, {a})
    {a}.fill(x[{bit}])   {a}.flat[{flat}] = {v}   {a}.flat = {v}   np.copyto({a}, {v})
    np.copyto({a}, {v}, where={b} > 0.4)   {a}.sort()   {a}.sort(axis=0)   np.put({a}, [0, -1], {v})
    {a}.put([1, 0], {v})   np.fill_diagonal({a}, {v})   {a}.resize({shape})   np.put({a}.T, [0, 2], {v})
    np.putmask({a}, {a} > 0.5, {v})   {a}.real = {v}   {a}.imag = {v}   {a}.shape = {shape}
    np.add.at({a}, [0, 0], {v})   np.subtract({a}, {v}, out={a}, where={a} < 0.6)   {a}.T[{key}] = {v}
    {a}[{key}] = {a}[{key2}]   np.place({a}, np.ones(np.shape({a}), bool), [x[0], 0.5])   np.sum({b}, axis=0, out={a})
    {a}.clip(0.2, 0.7, out={a})   np.multiply({b}, 0.5, out={a})   {a}[{key}], {b}[{key}] = {b}[{key}], {a}[{key}]
    {a}.setflags(write=False)   {a}[1:] = {a}[:-1]   {a}.real[{key}] = {v}   {a}.imag[...] = {v}
    np.put_along_axis({a}, np.array([[0], [1]]), {v}, 1)   {c} = {a}; {c} += {v}
""")

KEYS = [":", "1:", ":-1", "::-1", "::2", "0", "-1", "1", "...", "None", "[0, 1]", "[1, 0, 1]", "0:2", "1:1"]
OUTSIDE = np.array([0.25, 0.5, 0.75])
STATEMENTS = {"create": CREATE, "view": VIEW, "compute": COMPUTE, "number": NUMBER, "write": WRITE}
WEIGHTS = {"create": 2, "view": 5, "compute": 2, "number": 2, "write": 6}


class Program:
    """A function of x, as text."""

    def __init__(self, lines: list[str], names: list[str]) -> None:
        self.lines = lines
        self.names = names
        kept = ", ".join(f"np.ravel({name})" for name in names)
        body = [
            *lines,
            f"kept = [{kept}]",
            "return np.concatenate([p for v in kept for p in (v.real * 1.0, v.imag * 1.0)])",
        ]
        self.text = "def f(x):\n    " + "\n    ".join(body)

    def function(self) -> Callable[[Any], Any]:
        """Compile the text, with an array p from outside."""
        names: dict[str, Any] = {"np": np, "p": OUTSIDE.copy()}
        exec(self.text, names)
        return names["f"]  # type: ignore[no-any-return]


class Writer:
    """Draws statements and runs them on plain arrays."""

    def __init__(self, random: Random, x: np.ndarray) -> None:
        self.random = random
        self.x = x
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"np": np, "p": OUTSIDE.copy(), "x": x.copy()}
        self.own: list[str] = []
        self.kinds: Counter[str] = Counter()

    def name(self) -> str:
        return self.random.choice(self.own[-4:] + self.own) if self.own else "x"

    def key(self) -> str:
        return ", ".join(self.random.choices(KEYS, k=self.random.choice([1, 1, 2])))

    def drawn(self) -> tuple[str, str]:
        """Draw the kind and the text of a statement."""
        kind = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0] if self.own else "create"
        template, name = self.random.choice(STATEMENTS[kind]), self.name()
        while kind == "write" and template[:4] not in ("{a} ", "{c} ") and type(self.names[name]) is not np.ndarray:
            template, name = self.random.choice(STATEMENTS[kind]), self.name()
        shape = self.random.choice(SHAPES)
        words = {
            "a": name, "b": self.name(), "c": f"v{len(self.own)}", "shape": shape, "size": int(np.prod(shape)),
            "bit": self.random.randint(0, 1), "order": repr(self.random.choice("CFKA")), "key": self.key(),
            "key2": self.key(), "flat": self.random.choice(["1", "::2", "[0, 2]", ":", "-1", "1:3"]),
        }  # fmt: skip
        line = template.format(v=self.random.choice(VALUE).format(**words), **words)
        return kind, line if kind == "write" else f"v{len(self.own)} = {line}"

    def with_statement(self, kind: str, line: str) -> Writer:
        """Return a writer that has run one more statement, on memory of its own; raise what NumPy raises."""
        longer = Writer(self.random, self.x)
        longer.lines, longer.kinds = [*self.lines, line], self.kinds + Counter([kind])
        exec("\n".join(longer.lines), longer.names)
        longer.own = [name for name in longer.names if name[0] == "v"]
        for name in longer.own:
            value = np.asarray(longer.names[name])
            if value.size > MOST_ELEMENTS or value.dtype not in (float, complex, bool, np.int64):
                raise OverflowError
            if not np.isfinite(value).all() or np.abs(value).max(initial=0.0) > 1e6:
                raise OverflowError
        return longer


def random_program(random: Random, x: np.ndarray) -> tuple[Program, bool, Counter[str]]:
    """Return a program, and whether NumPy accepts it all."""
    wanted = random.randint(3, 9)
    writer = Writer(random, x)
    while len(writer.lines) < wanted:
        kind, line = writer.drawn()
        try:
            writer = writer.with_statement(kind, line)
        except OverflowError:
            continue
        except REJECTED as error:
            if type(error) is not AttributeError and len(writer.lines) > 2 and random.random() < 0.02:
                return Program([*writer.lines, line], writer.own), False, writer.kinds
    return Program(writer.lines, writer.own), True, writer.kinds


def attempt(seed: int) -> Counter[str]:
    """Check the program of a seed and return what was counted; raise AssertionError with the program if it is wrong."""
    random = Random(seed)
    points = generic_points(2, (6,), seed=random.getrandbits(16))
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        program, accepted, kinds = random_program(random, points[0])
        counts = Counter({f"statement {kind}": n for kind, n in kinds.items()}, programs=1)
        if "write=False" in program.text and (".real = " in program.text or ".imag = " in program.text):
            return counts  # NumPy writes into the parts of what is read-only
        try:
            outcome = _compared(program, points, accepted, jacobian=random.random() < 0.1)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{program.text}") from None
        counts[outcome] += 1
    return counts


def _compared(program: Program, points: list[np.ndarray], accepted: bool, jacobian: bool) -> str:
    f = program.function()
    try:
        traced, _ = trace(f, (points[0],))
    except SparseADError:
        return "refused" if accepted else "rejected"
    except Exception as error:
        # NumPy adds to what is read-only, and writes into its parts.
        quirk = "read-only" in str(error) and any(w in program.text for w in (".at(", ".real = ", ".imag = "))
        quirk |= "read-only" in str(error) and "np.copyto" in program.text  # of no elements to themselves
        quirk |= "where mask" in str(error)  # which is not looked at where an array is copied to itself
        if accepted and not quirk:
            raise AssertionError(f"{type(error).__name__}: {error}") from error
        return "rejected"
    if not accepted and "write=False" in program.text and "copy=False" in program.text:
        return "rejected"  # a grid of views of memory that became read-only since: NumPy tries to make them writeable
    assert accepted, "accepted, and NumPy raises"
    for x in points:
        expected = f(x.copy())
        actual = value(f, traced, x)
        assert actual.shape == expected.shape, f"shape {actual.shape}, expected {expected.shape}"
        assert np.allclose(actual, expected, rtol=1e-11, atol=1e-11, equal_nan=True), f"{actual}\n{expected}"
    if jacobian and not any(
        word in program.text for word in ("<", ">", "sort", "max", "clip", "abs", "norm", "any", "where")
    ):
        matrix = sad.jacobian(f, points[0], backend="python")(points[0]).toarray()
        slopes = differences(lambda x: f(x.copy()), points[0])
        assert_close(matrix, slopes, 1e-7)
        return "matrices"
    return "values"
