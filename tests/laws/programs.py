"""Random programs: compositions of operations over random shapes, with views, in-place writes and constants.

A program is drawn step by step next to its values at one point, so shapes are known and values stay of size one.
It prints as the Python code that it is.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import scipy.sparse
from hypothesis import strategies as st

MAX_SIZE = 24


def point(shape: tuple[int, ...]) -> np.ndarray:
    """Return the point at which programs of x of `shape` are drawn and compared."""
    return np.random.default_rng(5).uniform(0.25, 0.75, shape)


@dataclass
class Program:
    """Statements over the names x, v1, v2, ...; the value is the last of them, or several joined."""

    shape: tuple[int, ...]
    lines: list[str] = field(default_factory=list)
    constants: dict[str, Any] = field(default_factory=dict)
    smooth: bool = True

    def __call__(self, x: Any) -> Any:
        names = {"np": np, "x": x, **self.constants}
        exec(self.code, names)
        return names["y"]

    @functools.cached_property
    def code(self) -> Any:
        return compile("\n".join(self.lines), "<random program>", "exec")

    def __repr__(self) -> str:
        constants = [f"{k} = {v!r}" for k, v in self.constants.items()]
        return "\n".join([f"# x has shape {self.shape}", *constants, *self.lines])


class Writer:
    """Draws the statements of a program and follows the values at one point."""

    def __init__(self, draw: Callable[[Any], Any], shape: tuple[int, ...], smooth: bool) -> None:
        self.draw = draw
        self.program = Program(shape, smooth=smooth)
        self.values: dict[str, np.ndarray] = {"x": point(shape)}

    # -- choices --------------------------------------------------------------------------------------------
    def pick(self, choices: Any) -> Any:
        return self.draw(st.sampled_from(list(choices)))

    def number(self, low: int, high: int) -> int:
        return self.draw(st.integers(low, high))

    def operand(self, ndim: int | None = None) -> str | None:
        """Pick a name, recent ones more often."""
        names = [n for n, v in self.values.items() if ndim is None or v.ndim == ndim]
        return self.pick(names[::-1]) if names else None

    def constant(self, value: Any) -> str:
        name = f"c{len(self.program.constants)}"
        self.program.constants[name] = value
        return name

    def add(self, code: str, after: str | None = None) -> bool:
        """Append ``v = code`` (and a statement after it) unless it does not fit."""
        name = f"v{len(self.values)}"
        lines = [f"{name} = {code}", *([after.format(v=name)] if after else [])]
        names = {"np": np, **self.program.constants, **{k: v.copy() for k, v in self.values.items()}}
        try:
            with np.errstate(all="ignore"):
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
    def unary(self) -> None:
        code = ["np.sin({0})", "np.exp(0.2 * {0})", "np.tanh({0})", "{0} ** 2", "-{0}", "1.0 / (2.0 + {0} ** 2)"]
        code += ["np.sqrt(1.5 + {0} * {0})", "np.log(2.0 + {0} ** 2)", "np.arctan({0})", "{0} ** 3", "2.0 - {0} / 3"]
        rough = ["np.abs({0})", "np.maximum({0}, 0.4)", "np.clip({0}, -0.5, 0.6)", "np.where({0} > 0.35, {0}, 0.0)"]
        self.add(self.pick(code if self.program.smooth else code + 2 * rough).format(self.operand()))

    def binary(self) -> None:
        code = ["{0} + {1}", "{0} - {1}", "{0} * {1}", "{0} / (1.5 + {1} ** 2)", "(1.5 + {0} ** 2) ** {1}"]
        rough = [
            "np.maximum({0}, {1})",
            "np.minimum({0}, {1})",
            "np.where({0} > {1}, {0}, {1} * 2.0)",
            "np.hypot({0}, {1} + 3.0)",
        ]
        self.add(self.pick(code if self.program.smooth else code + rough).format(self.operand(), self.operand()))

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

    def indexing(self) -> None:
        name = self.operand()
        self.add(f"{name}[{self.key(self.values[name].shape)}]")

    def movement(self) -> None:
        name = self.operand()
        ndim = self.values[name].ndim
        axis = self.number(-ndim, ndim - 1) if ndim else 0
        code = [f"np.roll({name}, {self.number(-3, 3)}, axis={axis})", f"{name}.T", f"{name}.reshape(-1)"]
        code += [f"np.flip({name}, axis={axis})", f"np.repeat({name}, 2, axis={axis})", f"np.tile({name}, 2)"]
        code += [f"np.pad({name}, 1, mode={self.pick(['edge', 'wrap', 'constant'])!r})", f"{name}.copy()"]
        code += [f"np.expand_dims({name}, {axis})", f"np.squeeze({name})", f"np.diff({name}, axis={axis})"]
        code += [f"np.tril({name})", f"np.take({name}, [0, -1], axis={axis})", f"{name}.reshape(2, -1)"]
        self.add(self.pick(code))

    def joining(self) -> None:
        a, b, axis = self.operand(), self.operand(), self.number(0, 1)
        zeros = f"np.zeros({self.values[a].shape})"
        code = [
            f"np.concatenate([{a}, {b}], axis={axis})",
            f"np.stack([{a}, {zeros}], axis={axis})",
            f"np.stack([{a}, {b}])",
        ]
        code += [
            f"np.hstack([{a}, {b}, {zeros}])",
            f"np.append({a}, {b})",
            f"np.concatenate([{a}.ravel(), {b}.ravel()])",
        ]
        self.add(self.pick(code))

    def reduction(self) -> None:
        name = self.operand()
        ndim = self.values[name].ndim
        axis = self.pick([None, *range(-ndim, ndim)])
        code = [
            f"np.sum({name}, axis={axis})",
            f"np.mean({name}, axis={axis}, keepdims=True)",
            f"np.prod({name}, axis={axis})",
        ]
        code += [f"np.cumsum({name}, axis={axis})", f"np.add.reduce({name}, axis={axis})"]
        rough = [f"np.max({name}, axis={axis})", f"np.min({name}, axis={axis}, keepdims=True)"]
        self.add(self.pick(code if self.program.smooth else code + rough))

    def writing(self) -> None:
        """Fill (part of) a new array, or a copy, then read it; a write through a view reaches the array."""
        a, b = self.operand(), self.operand()
        shape = self.values[a].shape
        if not shape:  # NumPy's numbers take no assignments
            return
        start = self.pick([f"np.zeros({shape}, dtype=x.dtype)", f"{a}.copy()", f"np.ones_like({a})", f"{a} * 1.0"])
        key, sign = self.key(shape), self.pick(["=", "+=", "*=", "-="])
        value = self.pick([b, f"{b} * 2.0", "1.0", f"{b}.ravel()[0]", f"{{v}}[{key}] * {b}"])
        code = [f"{{v}}[{key}] {sign} {value}", f"w = {{v}}[{key}]; w[...] {sign} {value}"]
        places = [self.number(0, max(shape[0] - 1, 0)) for _ in range(3)]
        code += [f"np.add.at({{v}}, {places}, {b})"]
        code += [f"np.multiply({{v}}, {b}, out={{v}})"]
        self.add(start, after=self.pick(code))

    def product(self) -> None:
        """Products with constant matrices, dense and sparse, and between arrays."""
        name = self.operand()
        shape = self.values[name].shape
        if not shape:
            return
        rng = np.random.default_rng(self.number(0, 99))
        entries = np.round(rng.normal(size=(self.number(1, 4), shape[0])), 1) * (rng.random((1, shape[0])) < 0.6)
        formats = [scipy.sparse.csr_array, scipy.sparse.coo_matrix, scipy.sparse.csc_array, np.array]
        a = self.constant(self.pick(formats)(entries))
        other = self.operand()
        self.add(self.pick([f"{a} @ {name}", f"{name}.T @ {a}.T", f"np.dot({name}, {other})", f"{name} @ {other}"]))

    def finish(self) -> Program:
        names = list(self.values)[-3:]
        self.program.lines.append(f"y = np.concatenate([{', '.join(f'np.ravel({n})' for n in names)}])")
        return self.program


@st.composite
def programs(draw: Any, smooth: bool) -> Program:
    """Draw a program; a `smooth` one is analytic, so that complex steps give its derivative to rounding."""
    shape = tuple(draw(st.lists(st.integers(1, 4), max_size=3)))
    writer = Writer(draw, shape, smooth)
    kinds = [writer.unary, writer.binary, writer.indexing, writer.movement, writer.joining, writer.reduction]
    kinds += [writer.writing, writer.writing, writer.product]
    for _ in range(draw(st.integers(1, 10))):
        writer.pick(kinds)()
    return writer.finish()
