"""A C library of sweeps: one source file and one header, standard C99, nothing beyond the mathematical functions.

Work arrays are the caller's, so the functions may run in several threads. Tables that repeat themselves are written in
short (see `sparsead.emit.packing`) and spread out once, in static memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparsead.emit.c import ELEMENT, Printed, c_function, c_procedure
from sparsead.emit.packing import repeats
from sparsead.emit.sharing import Procedure
from sparsead.emit.source import PART
from sparsead.emit.sweep import Sweep

FEW = 32  # elements of a table that is written out in any case
PER_LINE = 12


@dataclass(frozen=True)
class Parameter:
    """An array of a C function: the name of the sweep's array, its name and size in C, whether it is written."""

    array: str
    name: str
    size: str
    written: bool = False

    def __str__(self) -> str:
        return f"{'' if self.written else 'const '}double *{self.name}"


class Library:
    """C code being collected.

    Parameters
    ----------
    name : str
        How all names of the library begin.
    title : str
        What it computes, for the comment on top.
    """

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.work = 0
        self._sizes: list[str] = []
        self._tables: dict[bytes, str] = {}
        self._declared: list[str] = []
        self._spread: list[str] = []
        self._functions: list[str] = []
        self._prototypes: list[str] = []
        self._called: dict[str, Printed] = {}

    def size(self, name: str, value: int, meaning: str) -> None:
        """Add a size to the header."""
        self._sizes.append(f"#define {self.name.upper()}_{name} {value} /* {meaning} */")

    def function(self, name: str, meaning: str, parameters: Sequence[Parameter], sweeps: Sequence[Sweep]) -> None:
        """Add a function that runs sweeps one after the other."""
        calls = []
        for sweep in sweeps:
            for source in sweep.source.functions:
                made = c_function(source, f"part{len(self._functions)}", self._procedures(source.procedures))
                self._functions.append(made.text)
                places = self._places(sweep, parameters)
                calls.append(f"    {made.name}({', '.join(places[array] for array in made.arrays)});")
        head = f"void {self.name}_{name}({', '.join([*map(str, parameters), 'double *work'])})"
        sizes = ", ".join(f"{p.name}[{p.size}]" for p in parameters)
        self._prototypes.append(f"/* {meaning}\n   {sizes} */\n{head};\n")
        unused = [f"    (void){name};" for name in (*(p.name for p in parameters), "work")]
        self._functions.append("\n".join([head, "{", *unused, "    tables();", *calls, "}"]))

    def _procedures(self, sources: Sequence[Procedure]) -> dict[str, Printed]:
        """Return procedures by name; each is added once, before what calls it."""
        for source in sources:
            if source.name not in self._called:
                self._called[source.name] = c_procedure(source)
                self._functions.append(self._called[source.name].text)
        return self._called

    def structure(self, indptr: np.ndarray, indices: np.ndarray) -> None:
        """Add a function that writes the structure of the matrix."""
        head = f"void {self.name}_structure(int *indptr, int *indices)"
        copies = []
        for target, values in (("indptr", indptr), ("indices", indices)):
            code = repeats(np.diff(values, prepend=0))
            if code is None:
                self._declared.append(f"static const int {target}_of[] = {_listed(values)};")
                loop = f"for (long long k = 0; k < {values.size}; ++k) {target}[k] = {target}_of[k];"
                copies.append(f"    {loop}")
            else:
                self._declared.append(f"static const int {target}_of[] = {_listed(code)};")
                copies.append(f"    spread_steps({target}_of, {target});")
        self._prototypes.append(f"/* rows are indices[indptr[r] .. indptr[r + 1]], sorted */\n{head};\n")
        self._functions.append("\n".join([head, "{", *copies, "}"]))

    def _places(self, sweep: Sweep, parameters: Sequence[Parameter]) -> dict[str, str]:
        """Return what a call passes for each array of a sweep; find room for its work arrays."""
        places = {p.array: p.name for p in parameters}
        places |= {name: f"{places[whole]} + {part.start}" for name, (whole, part) in sweep.source.parts.items()}
        offset = 0
        for name, size in (sweep.sizes | sweep.source.sizes).items():
            places[name] = f"work + {offset}"
            offset += size
        self.work = max(self.work, offset)
        share = {PART: np.array([0, 1])} if PART in sweep.source.arrays else {}
        for name, value in (sweep.source.fixed | share).items():
            if name in sweep.source.arrays:
                places[name] = self._table(value)
        return places

    def _table(self, values: np.ndarray) -> str:
        """Return the name of a table of this content."""
        key = hashlib.blake2b(values.dtype.str.encode() + np.ascontiguousarray(values).tobytes()).digest()
        if key not in self._tables:
            name = self._tables[key] = f"table{len(self._tables)}"
            (self._numbers if values.dtype.kind == "f" else self._indices)(name, values)
        return self._tables[key]

    def _indices(self, name: str, values: np.ndarray) -> None:
        wide = values.dtype.itemsize == 8
        code = repeats(np.diff(values.astype(np.int64), prepend=0)) if values.size > FEW and not wide else None
        if code is None:
            kind = ELEMENT[values.dtype.str[1:]]
            self._declared.append(f"static const {kind} {name}[] = {_listed(values)};")
            return
        self._declared += [f"static const int {name}_of[] = {_listed(code)};", f"static int {name}[{values.size}];"]
        self._spread.append(f"spread_steps({name}_of, {name});")

    def _numbers(self, name: str, values: np.ndarray) -> None:
        bits, number_of = np.unique(np.ascontiguousarray(values).view(np.int64), return_inverse=True)
        code = repeats(number_of) if values.size > FEW and 2 * bits.size < values.size else None
        if code is None:
            self._declared.append(f"static const double {name}[] = {_listed(values)};")
            return
        self._declared += [
            f"static const double {name}_values[] = {_listed(bits.view(np.float64))};",
            f"static const int {name}_of[] = {_listed(code)};",
            f"static double {name}[{values.size}];",
        ]
        self._spread.append(f"spread_numbers({name}_of, {name}_values, {name});")

    def source(self) -> str:
        """Return the text of the C file."""
        spread = "\n".join(f"    {line}" for line in self._spread)
        tables = TABLES.format(spread=spread) if spread else "static void tables(void) {}\n"
        text = "\n\n".join(["\n".join(self._declared), tables, *self._functions])
        helpers = "".join(code for name, code in SPREADERS.items() if f"{name}(" in text)
        return f'/* {self.title}. {ORIGIN}. */\n#include <math.h>\n#include "{self.name}.h"\n\n{helpers}{text}\n'

    def header(self) -> str:
        """Return the text of the header."""
        self.size("WORK", max(self.work, 1), "doubles of work that every function takes")
        sizes, self._sizes = self._sizes, self._sizes[:-1]
        guard = f"{self.name.upper()}_H"
        return HEADER.format(
            title=self.title, origin=ORIGIN, guard=guard, sizes="\n".join(sizes), prototypes="\n".join(self._prototypes)
        )


def _listed(values: Sequence[float] | np.ndarray) -> str:
    """Return an initialiser; numbers read back exactly."""
    texts = [_literal(v) for v in (values.tolist() if isinstance(values, np.ndarray) else values)] or ["0"]
    lines = [", ".join(texts[k : k + PER_LINE]) for k in range(0, len(texts), PER_LINE)]
    return "{" + ",\n    ".join(lines) + "}"


def _literal(value: float) -> str:
    if value != value:
        return "NAN"
    return str(value).replace("inf", "INFINITY")


ORIGIN = "Generated by sparsead; C99, to be linked with the mathematical library"

SPREADERS = {
    "spread_steps": """/* Write sums of steps: k, then k steps; or -distance, length: a copy of earlier ones; 0 ends. */
static void spread_steps(const int *code, int *out)
{
    int *next = out;
    for (int count; (count = *code++) != 0;) {
        if (count > 0)
            while (count--) *next++ = *code++;
        else
            for (int length = *code++; length--; ++next) *next = next[count];
    }
    for (int *at = out + 1; at < next; ++at) *at += at[-1];
}

""",
    "spread_numbers": """/* Write numbers: k, then k places in a list; or -distance, length: a copy; 0 ends. */
static void spread_numbers(const int *code, const double *values, double *out)
{
    for (int count; (count = *code++) != 0;) {
        if (count > 0)
            while (count--) *out++ = values[*code++];
        else
            for (int length = *code++; length--; ++out) *out = out[count];
    }
}

""",
}

TABLES = """/* Spread the tables, once; call any function before several threads do. */
static void tables(void)
{{
    static int done;
    if (done) return;
{spread}
    done = 1;
}}
"""

HEADER = """/* {title}. {origin}.
   Arrays have the sizes in brackets and must not overlap.
   `work` is memory of the caller, of any content; several threads need one each. */
#ifndef {guard}
#define {guard}

{sizes}

#ifdef __cplusplus
extern "C" {{
#endif

{prototypes}
#ifdef __cplusplus
}}
#endif
#endif
"""
