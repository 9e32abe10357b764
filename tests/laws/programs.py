"""Random programs: compositions of all registered operations over random shapes, with views, writes, loops, constants.

A program is drawn step by step next to its values at one point, so shapes are known and values stay of size one.
"""

from __future__ import annotations

import functools
from random import Random
from typing import Any

import numpy as np
import scipy.sparse

from tests.laws.program import HELPERS, Program, point
from tests.laws.samples import ANCHORS, CALLS

MAX_SIZE = 24

UNARY = ["np.sin({0})", "np.exp(0.2 * {0})", "np.tanh({0})", "{0} ** 2", "-{0}", "1.0 / (2.0 + {0} ** 2)"]
UNARY += ["np.sqrt(1.5 + {0} * {0})", "np.log(2.0 + {0} ** 2)", "np.arctan({0})", "{0} ** 3", "2.0 - {0} / 3"]
UNARY_ROUGH = ["np.abs({0})", "np.maximum({0}, 0.4)", "np.clip({0}, -0.5, 0.6)", "np.where({0} > 0.35, {0}, 0.0)"]

BINARY = ["{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / (1.5 + {1} ** 2)", "(1.5 + {0} ** 2) ** {1}"]
BINARY_ROUGH = ["np.maximum({0}, {1})", "np.minimum({0}, {1})", "np.where({0} > {1}, {0}, {1} * 2.0)"]
BINARY_ROUGH += ["np.hypot({0}, {1} + 3.0)"]

REDUCTION = ["np.sum({0}, axis={1})", "np.mean({0}, axis={1}, keepdims=True)", "np.prod({0}, axis={1})"]
REDUCTION += ["np.cumsum({0}, axis={1})", "np.add.reduce({0}, axis={1})", "np.cumprod({0}, axis={1})"]
REDUCTION_ROUGH = ["np.max({0}, axis={1})", "np.min({0}, axis={1}, keepdims=True)"]

MOVEMENT = ["np.roll({0}, {shift}, axis={axis})", "{0}.T", "{0}.reshape(-1)", "np.flip({0}, axis={axis})"]
MOVEMENT += ["np.repeat({0}, 2, axis={axis})", "np.tile({0}, 2)", "{0}.copy()", "np.expand_dims({0}, {axis})"]
MOVEMENT += ["np.pad({0}, 1, mode={mode!r})", "np.squeeze({0})", "np.diff({0}, axis={axis})", "np.tril({0})"]
MOVEMENT += ["np.take({0}, [0, -1], axis={axis})", "{0}.reshape(2, -1)", "np.moveaxis({0}, {axis}, 0)"]
MOVEMENT += ["np.broadcast_to({0}, (2, *np.shape({0})))", "np.delete({0}, 0, axis={axis})"]

JOINING = ["np.concatenate([{0}, {1}], axis={axis})", "np.stack([{0}, {zeros}], axis={axis})"]
JOINING += ["np.stack([{0}, {1}])", "np.hstack([{0}, {1}, {zeros}])", "np.append({0}, {1})"]
JOINING += ["np.concatenate([{0}.ravel(), {1}.ravel()])", "np.outer({0}, {1})", "np.array([{0}, {1}])"]

STEP = ["0.5 * np.sin({last}) * {next}", "0.3 * {last} + 0.2 * {next} * {next}", "{last} * {next} - 0.1 * {last}"]
STEP += ["0.5 * np.exp(-{last} * {last}) + {next}", "0.4 * {last} + 0.1 * i"]


@functools.cache
def callable_names(smooth: bool) -> list[str]:
    """Return the names of the sample calls that a program may hold."""
    return [name for name, call in CALLS.items() if not smooth or call.is_analytic]


class Writer:
    """Draws the statements of a program and follows the values at one point."""

    def __init__(self, random: Random, shape: tuple[int, ...], smooth: bool) -> None:
        self.random = random
        self.program = Program(shape, smooth=smooth)
        self.values: dict[str, np.ndarray] = {"x": point(shape), "p": point(shape, 6)}

    # -- choices --------------------------------------------------------------------------------------------
    def pick(self, choices: Any) -> Any:
        return self.random.choice(list(choices))

    def number(self, low: int, high: int) -> int:
        return self.random.randint(low, high)

    def formula(self, smooth: list[str], rough: list[str]) -> str:
        return self.pick(smooth if self.program.smooth else smooth + rough)

    def operand(self) -> str:
        """Pick a name; the argument p less often than the others, the last value more often."""
        names = list(self.values)
        return self.pick(["x", *names[2:] * 2, names[-1] if len(names) > 2 else "x", "p"])

    def constant(self, value: Any) -> str:
        name = f"c{len(self.program.constants)}"
        self.program.constants[name] = value
        return name

    def add(self, code: str, after: str | None = None) -> bool:
        """Append ``v = code`` (and statements after it) unless that does not fit."""
        name = f"v{len(self.values)}"
        lines = [f"{name} = {code}", *([after.format(v=name)] if after else [])]
        names = {**HELPERS, **self.program.constants, **{k: v.copy() for k, v in self.values.items()}}
        try:
            exec("\n".join(lines), names)
        except (ValueError, IndexError, TypeError):
            return False
        value = np.asarray(names[name])
        if value.size > MAX_SIZE or value.dtype != np.float64 or not np.isfinite(value).all():
            return False
        if np.abs(value).max(initial=0.0) > 10.0:
            lines.append(f"{name} = np.tanh({name} / 10.0)")
            value = np.tanh(value / 10.0)
        self.program.lines += lines
        self.values[name] = value
        return True

    # -- statements -----------------------------------------------------------------------------------------
    def unary(self) -> bool:
        return self.add(self.formula(UNARY, UNARY_ROUGH).format(self.operand()))

    def binary(self) -> bool:
        return self.add(self.formula(BINARY, BINARY_ROUGH).format(self.operand(), self.operand()))

    def calling(self) -> bool:
        """Call any registered operation."""
        name = self.pick(callable_names(self.program.smooth))
        argument = f"fitted({self.operand()}, {self.number(0, len(ANCHORS) - 1)})"
        key = self.pick(["", "", "[..., ::2]", ".ravel()[:9]"])
        fits = self.add(f"np.asarray(ops[{name!r}]({argument})){key}")
        self.program.spellings[CALLS[name].spelling] += fits
        return fits

    def slice_of(self, n: int) -> str:
        start, stop = self.number(-n, n), self.number(-n, n)
        return self.pick(
            [":", f"{start}:", f":{stop}", f"{start}:{stop}", "::-1", "::2", f"{start}::-1", "None", "..."]
        )

    def key(self, shape: tuple[int, ...]) -> str:
        parts = []
        for n in shape:
            fancy = [self.number(-n, n - 1) for _ in range(self.number(1, 4))] if n else []
            mask = [bool(self.number(0, 1)) for _ in range(n)]
            single = [str(self.number(-n, n - 1))] if n else []
            parts.append(self.pick([self.slice_of(n)] * 4 + single + ([str(fancy), str(mask)] if fancy else [])))
        return ", ".join(parts[: self.number(1, len(parts))]) if parts else "..."

    def indexing(self) -> bool:
        name = self.operand()
        return self.add(f"{name}[{self.key(self.values[name].shape)}]")

    def axis(self, name: str) -> int:
        ndim = self.values[name].ndim
        return self.number(-ndim, ndim - 1) if ndim else 0

    def movement(self) -> bool:
        name = self.operand()
        mode = self.pick(["edge", "wrap", "constant", "reflect", "symmetric"])
        shift = self.number(-3, 3)
        return self.add(self.pick(MOVEMENT).format(name, axis=self.axis(name), shift=shift, mode=mode))

    def joining(self) -> bool:
        a, b = self.operand(), self.operand()
        zeros = f"np.zeros({self.values[a].shape})"
        return self.add(self.pick(JOINING).format(a, b, axis=self.number(0, 1), zeros=zeros))

    def reduction(self) -> bool:
        name = self.operand()
        ndim = self.values[name].ndim
        axis = self.pick([None, *range(-ndim, ndim)])
        return self.add(self.formula(REDUCTION, REDUCTION_ROUGH).format(name, axis))

    def writing(self) -> bool:
        """Fill (part of) a new array, or a copy, then read it; a write through a view reaches the array."""
        a, b = self.operand(), self.operand()
        shape = self.values[a].shape
        if not shape:  # NumPy's numbers take no assignments
            return False
        copies = [f"{a}.astype(x.dtype)", f"np.ones_like({a}, x.dtype)", f"{a} + np.zeros({shape}, x.dtype)"]
        start = self.pick([f"np.zeros({shape}, dtype=x.dtype)", *copies])  # complex where the reference is
        key, sign = self.key(shape), self.pick(["=", "+=", "*=", "-="])
        value = self.pick([b, f"{b} * 2.0", "1.0", f"{b}.ravel()[0]", f"{{v}}[{key}] * {b}"])
        code = [f"{{v}}[{key}] {sign} {value}", f"w = {{v}}[{key}]; w[...] {sign} {value}"]
        places = [self.number(0, max(shape[0] - 1, 0)) for _ in range(3)]
        code += [f"np.add.at({{v}}, {places}, {b})", f"np.multiply({{v}}, {b}, out={{v}})"]
        mask = self.constant(np.random.default_rng(self.number(0, 99)).random(shape) < 0.5)
        code += [f"{{v}}[{mask}] {sign} {b}.ravel()[0]", f"{{v}}.T[{key}] {sign} {value}"]
        return self.add(start, after=self.pick(code))

    def product(self) -> bool:
        """Products with constant matrices, dense and sparse, and between arrays."""
        name, other = self.operand(), self.operand()
        shape = self.values[name].shape
        if not shape:
            return False
        rng = np.random.default_rng(self.number(0, 99))
        entries = np.round(rng.normal(size=(self.number(1, 4), shape[0])), 1) * (rng.random((1, shape[0])) < 0.6)
        formats = [scipy.sparse.csr_array, scipy.sparse.coo_matrix, scipy.sparse.csc_array, np.array]
        a = self.constant(self.pick(formats)(entries))
        code = [f"{a} @ {name}", f"{name}.T @ {a}.T", f"np.dot({name}, {other})", f"{name} @ {other}"]
        code += [f"np.einsum('...i,...i->...', {name}, {other})", f"np.einsum('i...->...', {name})"]
        return self.add(self.pick(code))

    def loop(self) -> bool:
        """Loop over elements: a recurrence, an accumulation, a list; short ones, and some that are grouped."""
        name = self.operand()
        n = self.pick([*range(2, 16), 40])
        stride, lag, formula = self.number(0, 3), self.number(1, 2), self.pick(STEP)
        following = f"a[({stride} * i + {self.number(0, 3)}) % a.size]"
        start = f"a = np.ravel({name}); {{v}}[:{lag}] = a[0]\nfor i in range({lag}, {n}):\n    "
        step = formula.format(last=f"{{v}}[i - {lag}]", next=following)
        bodies = [f"{{v}}[i] = {step}", f"{{v}}[i] += {step}", f"{{v}}[i] = {step} if i % 3 else {following}"]
        short = f"\n{{v}} = {{v}}[{self.number(0, 6)}::9]" if n > MAX_SIZE else ""
        if self.number(0, 3):
            return self.add(f"np.zeros({n}, dtype=x.dtype)", after=start + self.pick(bodies) + short)
        scalar = formula.format(last="{v}", next=following)
        gather = f"a = np.ravel({name}); {{v}} = a[0]\nfor i in range({n}):\n    {{v}} = {scalar}"
        return self.add("0.0", after=gather + "\n{v} = np.array([{v}, a[-1]])")

    def write(self, statements: int) -> Program:
        kinds = [self.unary, self.binary, self.indexing, self.movement, self.joining, self.reduction, self.writing]
        kinds += [self.writing, self.product, self.calling, self.calling, self.loop]
        with np.errstate(all="ignore"):
            for _ in range(statements):
                kind = self.pick(kinds)
                self.program.kinds[kind.__name__] += kind()
        names = list(self.values)[-3:]
        self.program.lines.append(f"y = np.concatenate([{', '.join(f'np.ravel({n})' for n in names)}])")
        return self.program


def random_program(random: Random, smooth: bool) -> Program:
    """Draw a program; a `smooth` one is analytic, so that complex steps give its derivative to rounding."""
    shape = tuple(random.randint(1, 4) for _ in range(random.randint(0, 3)))
    while np.prod(shape) > 2 * MAX_SIZE // 3:
        shape = shape[1:]
    return Writer(random, shape, smooth).write(random.randint(1, 8))
