"""Grids as CUDA C: a kernel for all that runs at once, whose blocks share the grids among them.

The statements are those of the C export, printed by the same printer. The text is also C++ for whoever gives a meaning
to ``__global__``, ``threadIdx`` and the like: so the tests run it on the CPU.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sparsead.emit.c import Printer
from sparsead.emit.grid import Grids
from sparsead.emit.loop_fission import TIMES
from sparsead.emit.parsing import parse
from sparsead.emit.threads import Grid

THREADS = 128  # threads of a block
LONG = 250  # lines of a loop whose registers would be too many for others: a call takes some, too
MOST_ARRAYS = 400  # of a kernel: its parameters fit into 4096 bytes, which is the least that a device takes
OPTIONS = ("--fmad=false", "--std=c++14")  # no contraction: the bits are those of the CPU
ELEMENT = {"f8": "double", "i1": "signed char", "i2": "short", "i4": "int", "i8": "long long"}

PRELUDE = f"""#ifndef PRIVATE
#define PRIVATE(name, size) double name[size]
#define SHARED(type, name, size) __shared__ type name[size]
#define PHASE(number) true
#endif
#ifndef INFINITY
#define INFINITY __longlong_as_double(0x7ff0000000000000LL)
#endif
#ifndef NAN
#define NAN __longlong_as_double(0x7ff8000000000000LL)
#endif

/* Write out what a block has staged: a stretch of `size` numbers for each of its points, one after the other in memory,
   by threads that begin where a line of memory does. */
template <int size>
static __device__ void write_on(double *target, const double *stage, int points)
{{
    const int before = (int)((unsigned long long)target / 8 % 16);
    for (int k = 0; k <= size; ++k) {{
        const int q = {THREADS} * k + (int)threadIdx.x - before;
        if (q >= 0 && q < size * points) target[q] = stage[q];
    }}
}}

/* The same for stretches that lie elsewhere; those of some blocks do follow each other, which the first and the last
   tell if they are in the order of the points. */
template <int size, bool in_order, class Index>
static __device__ void write_out(double *target, const double *stage, const Index *near, int points)
{{
    if (in_order && near[0] == near[points - 1]) {{
        write_on<size>(target + near[0], stage, points);
        return;
    }}
    const int before = (int)(((unsigned long long)target / 8 + near[0]) % 16);
    for (int k = 0; k <= size; ++k) {{
        const int q = {THREADS} * k + (int)threadIdx.x - before;
        if (q >= 0 && q < size * points) target[near[q / size] + q] = stage[q];
    }}
}}
"""


@dataclass(frozen=True)
class Launch:
    """A kernel to launch: its name, how many blocks, and the names of the arrays that it is given."""

    kernel: str
    blocks: int
    arrays: tuple[str, ...]


class Module:
    """CUDA C being collected: kernels, each once, and what they call."""

    def __init__(self) -> None:
        self._loops: dict[str, str] = {}
        self._kernels: dict[str, str] = {}

    @property
    def text(self) -> str:
        """The text of all."""
        return "\n".join([PRELUDE, *self._loops.values(), *self._kernels.values()])

    def launches(self, grids: Grids, rows: Mapping[str, int] | None = None) -> list[Launch]:
        """Add the kernels of a function; return their launches, in order.

        A kernel may run for many points, each of which has a row of blocks: `rows` holds how far apart these have their
        shares of an array.
        """
        return [self._launch(part, grids.arrays, rows or {}) for level in grids.levels for part in _parts(level)]

    def _launch(self, level: Sequence[Grid], types: Mapping[str, str], rows: Mapping[str, int]) -> Launch:
        """Add the kernel of grids that run at once: each has a range of blocks."""
        level = sorted(level, key=lambda grid: grid.points)  # few points that take long each come first
        arrays = _arrays(level)
        written = {a for grid in level for a in grid.writes}
        place = {a: f"a{k}" for k, a in enumerate(arrays)}
        lines, first = _shared(level), 0
        lines += [f"    {place[a]} += {rows[a]}LL * blockIdx.y;" for a in arrays if a in rows]
        for grid in level:
            last = first + -(-grid.points // _points(grid))
            apart = TIMES * grid.points < level[-1].points and len(grid.procedure.lines) > LONG
            lines.append(f"    if (blockIdx.x >= {first} && blockIdx.x < {last}) {{")
            lines += [f"        {line}" for line in self._block(grid, first, place, apart)]
            lines.append("    }")
            first = last
        parameters = [parameter(ELEMENT[types[a]], place[a], a in written) for a in arrays]
        text = "\n".join([f"({', '.join(parameters)})", "{", *lines, "}\n"])
        name = f"level_{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
        self._kernels[name] = f'extern "C" __global__ void {name}{text}'
        return Launch(name, first, tuple(arrays))

    def _block(self, grid: Grid, first: int, place: Mapping[str, str], apart: bool) -> list[str]:
        """Return what a block of a grid does: compute at its points, then write out what has been staged."""
        stages, shared, begin = [], [], 0
        for number, stretch in enumerate(grid.stretches):
            stage, near = f"stage + {THREADS * begin}", f"{'far' if grid.wide else 'near'} + {THREADS * number}"
            stages.append((stretch, stage, near))
            shared += [stage] if stretch.start is not None else [stage, near]
            begin += stretch.size
        points, layer, phase = _points(grid), grid.layer, 0
        lines = [f"const {_index(grid)} begin = ({_index(grid)})(blockIdx.x - {first}) * {points};"]
        if layer is not None:
            given = [*(place[a] for a in layer.grid.given.values()), *map(str, layer.grid.numbers), "tile"]
            given += ["(int)threadIdx.x", f"{_printed(layer.first, _index(grid))} + (int)threadIdx.x"]
            name = self._loop(replace(layer.grid, wide=grid.wide), False, "tile")
            lines += [f"if (PHASE(0)) {name}({', '.join(given)});", "__syncthreads();"]
            shared, phase = ["tile", *shared], 1
        given = [*(place[a] for a in grid.given.values()), *map(str, grid.numbers), *shared]
        given += ["(int)threadIdx.x"] if shared else []
        name = self._loop(grid, apart, "const tile" if layer else "")
        guard = f"PHASE({phase})" + (f" && (int)threadIdx.x < {points}" if layer else "")
        lines.append(f"if ({guard}) {name}({', '.join([*given, 'begin + (int)threadIdx.x'])});")
        if stages:
            many = f"(int)(begin + {points} < {grid.points} ? {points} : {grid.points} - begin)"
            lines.append("__syncthreads();")
            for stretch, stage, near in stages:
                target, size, start = place[grid.given[stretch.array]], stretch.size, stretch.start
                code = f"write_out<{size}, {str(stretch.order).lower()}>({target}, {stage}, {near}, {many})"
                if start is not None:
                    code = f"write_on<{size}>({target} + ({start} + {size} * begin), {stage}, {many})"
                lines.append(f"if (PHASE({phase + 1})) {code};")
        return lines

    def _loop(self, grid: Grid, apart: bool, tile: str) -> str:
        """Add what one thread of a grid does; return its name. What is kept `apart` takes no registers of others."""
        procedure, index = grid.procedure, _index(grid)
        (function,) = parse(procedure.text).body
        (loop,) = function.body
        assert isinstance(loop.target, ast.Name)
        parameters = [parameter(ELEMENT[procedure.arrays[p]], p, a in grid.writes) for p, a in grid.given.items()]
        parameters += [f"{index} {name}" for name in procedure.numbers]
        parameters += [f"{tile.replace('tile', 'double *tile')}"] if tile else []
        staged = range(len(grid.stretches))
        for k, stretch in enumerate(grid.stretches):
            parameters += [f"double *stage{k}", *([f"{index} *near{k}"] if stretch.start is None else [])]
        parameters += ["int thread"] if grid.stretches or tile else []
        parameters += [f"{index} {loop.target.id}"]
        shared = {f"stage{k}": "f8" for k in staged} | {f"near{k}": "i8" for k in staged} | {"tile": "f8"}
        printer = Printer({**procedure.arrays, **shared}, {}, index)
        printer.block(loop.body, **dict.fromkeys((*procedure.numbers, "thread", loop.target.id), "i"))
        head = [f"    if ({loop.target.id} < 0 || {loop.target.id} >= {grid.points}) return;"]
        head += [f"    PRIVATE({p}, {size});" for p, size in grid.private.items()]
        text = "\n".join([f"({', '.join(parameters)})", "{", *head, *printer.lines, "}\n"])
        name = f"point_{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"
        self._loops[name] = f"static __device__ {'__noinline__' if apart else '__forceinline__'} void {name}{text}"
        return name


def _printed(code: str, index: str) -> str:
    """Return arithmetic on ``begin`` as C."""
    printer = Printer({}, {}, index)
    printer.scopes.append({"begin": "i"})
    return printer.expression(parse(code, "eval").body)[0]


def _points(grid: Grid) -> int:
    """Return how many points a block has."""
    return THREADS - (grid.layer.reach if grid.layer else 0)


def _index(grid: Grid) -> str:
    return "long long" if grid.wide else "int"


def _shared(level: Sequence[Grid]) -> list[str]:
    """Return what the threads of a block share: the same memory for all grids, each of which has its own blocks."""
    sizes = {
        "double tile": max(grid.layer.size if grid.layer else 0 for grid in level),
        "double stage": max(sum(s.size for s in grid.stretches) for grid in level),
        "int near": max((len(grid.stretches) for grid in level if not grid.wide), default=0),
        "long long far": max((len(grid.stretches) for grid in level if grid.wide), default=0),
    }
    return [
        f"    SHARED({what.rpartition(' ')[0]}, {what.rpartition(' ')[2]}, {THREADS * size});"
        for what, size in sizes.items()
        if size
    ]


def _arrays(level: Sequence[Grid]) -> list[str]:
    """Return the names of all arrays of some grids."""
    grids = [one for grid in level for one in (grid, grid.layer and grid.layer.grid) if one]
    return list(dict.fromkeys(a for grid in grids for a in grid.given.values()))


def parameter(element: str, name: str, written: bool) -> str:
    """Return an array as a parameter of a kernel."""
    return f"{element} *{name}" if written else f"const {element} *__restrict__ {name}"


def _parts(level: Sequence[Grid]) -> Iterator[list[Grid]]:
    """Yield the grids of a level in parts whose arrays one kernel can be given."""
    part: list[Grid] = []
    for grid in level:
        if part and len(_arrays([*part, grid])) > MOST_ARRAYS:
            yield part
            part = []
        part.append(grid)
    yield part
