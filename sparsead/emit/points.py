"""Many small points on a device: a thread for each of them, which runs all that it takes.

Such a thread needs no barrier, and what is kept between loops is its own. Points that lie last in memory are read and
written side by side; where they come first, a block puts the rows of its points into memory that it shares, and writes
them out together. What is added to is not added to in the memory of the device.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence

from sparsead.emit.c import Printer
from sparsead.emit.cuda import ELEMENT, PRELUDE, THREADS, Launch, parameter
from sparsead.emit.lanes import in_threads
from sparsead.emit.layout import Layout
from sparsead.emit.parsing import parse, walk
from sparsead.emit.source import POINT, Source

SMALL = 256  # numbers of a result up to which a point is for one thread
SHARED = 48  # of them that a block has room for, for each of its points: 48 kB, which is what every device has
OWN = 96  # of them that a thread adds up on its own before it writes them
MOST_PRIVATE = 1 << 12  # numbers that a thread keeps
TOTAL = "total"  # the number of points

Sources = Sequence[tuple[Source, dict[str, int]]]


class ThreadOfPoint:
    """The kernel in which each thread computes one point.

    Parameters
    ----------
    sources : sequence of (Source, sizes)
        What a point runs, with the sizes of work arrays.
    layout : Layout
        The arrays with an axis of points.
    output : str
        The one that is written.

    Attributes
    ----------
    text : str
        CUDA C.
    launch : Launch
        Its launch, for any number of points: after the arrays it is given that number.
    fixed : dict
        The tables among the arrays.
    private : int
        How many numbers a thread keeps.
    """

    def __init__(self, sources: Sources, layout: Layout, output: str) -> None:
        self._output, self._size, self._last = output, layout.sizes[output], layout.last
        row = self._row(sources)
        rows = {"block": f"stage[{self._size} * thread + ({{}})]", "thread": "stage[{}]"}
        source = in_threads("points", sources, layout, {output: rows[row]} if row else {})
        (function,) = source.functions
        (procedure,) = function.procedures
        scratch = {name: many for name, many in source.sizes.items() if name in procedure.arrays}
        scratch |= {"stage": self._size} if row == "thread" else {}
        arrays = tuple(dict.fromkeys([*(name for name in procedure.arrays if name not in scratch), output]))
        self.fixed = {name: value for name, value in source.fixed.items() if name in arrays}
        self.private = sum(scratch.values())
        types = {**source.arrays, "stage": "f8"}
        parameters = [*(parameter(ELEMENT[types[a]], a, a == output) for a in arrays), f"long long {TOTAL}"]
        lines = [*self._computing(procedure.text, types, scratch, row), *self._writing(row)]
        text = "\n".join([f"({', '.join(parameters)})", "{", *lines, "}\n"])
        name = f"points_{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
        self.text = f'{PRELUDE}\nextern "C" __global__ void {name}{text}'
        self.launch = Launch(name, 0, (*arrays, TOTAL))

    def _row(self, sources: Sources) -> str:
        """Return who has the row of a point while it is computed: nobody, its thread, or the block."""
        if not self._last:
            return "block" if 1 < self._size <= SHARED else ""
        return "thread" if self._size <= OWN and any(_adds(s, self._output) for s, _ in sources) else ""

    def _computing(self, text: str, types: Mapping[str, str], scratch: Mapping[str, int], row: str) -> list[str]:
        (definition,) = parse(text).body
        assert isinstance(definition, ast.FunctionDef)
        (loop,) = definition.body
        assert isinstance(loop, ast.For)
        printer = Printer(types, {}, "long long")
        printer.block(loop.body, **dict.fromkeys((TOTAL, "thread", POINT), "i"))
        shared = [f"    SHARED(double, stage, {THREADS * self._size});"] if row == "block" else []
        return [
            *shared,
            f"    const long long begin = (long long)blockIdx.x * {THREADS};",
            "    const int thread = (int)threadIdx.x;",
            f"    const long long {POINT} = begin + thread;",
            f"    if (PHASE(0) && {POINT} < {TOTAL}) {{",
            *(f"    PRIVATE({name}, {many});" for name, many in scratch.items()),
            *printer.lines,
            *(self._own_row() if row == "thread" else []),
            "    }",
        ]

    def _own_row(self) -> list[str]:
        store = f"{self._output}[{TOTAL} * k + {POINT}] = stage[k];"
        return ["#pragma unroll", f"    for (int k = 0; k < {self._size}; ++k) {store}"]

    def _writing(self, row: str) -> list[str]:
        """Return how a block writes out the rows of its points: one after the other, by all threads side by side."""
        if row != "block":
            return []
        return [
            "    __syncthreads();",
            "    if (PHASE(1))",
            f"        for (long long q = thread; q < {THREADS * self._size}; q += {THREADS})",
            f"            if ({self._size} * begin + q < {self._size} * {TOTAL})",
            f"                {self._output}[{self._size} * begin + q] = stage[q];",
        ]


def _adds(source: Source, array: str) -> bool:
    """Tell whether a source adds to an array, or reads it."""
    nodes = [node for tree in source.trees for node in walk(tree)]
    touched: list[ast.expr] = [n.target for n in nodes if isinstance(n, ast.AugAssign)]
    touched += [n for n in nodes if isinstance(n, ast.Subscript) and isinstance(n.ctx, ast.Load)]
    return any(isinstance(t, ast.Subscript) and isinstance(t.value, ast.Name) and t.value.id == array for t in touched)
