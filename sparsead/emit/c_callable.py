"""Compiled sweeps as functions of C: one pointer for each array, no Python in between."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sparsead.emit.frame import Frame


@dataclass(frozen=True, eq=False)
class CFunction:
    """Machine code that takes pointers to doubles and returns nothing. It lives as long as this object.

    Attributes
    ----------
    address : int
        Where it begins.
    signature : str
        Its declaration in C; the arrays must be contiguous, of the sizes in the comment, and not overlap.
    reentrant : bool
        True if several threads may run it at a time; else it has work arrays of its own, and each thread needs a
        function of its own.
    """

    address: int
    signature: str
    reentrant: bool
    _alive: Any = field(repr=False)

    @property
    def ctypes(self) -> Callable[..., None]:
        """The function for `ctypes`, and for compiled functions of numba, which pass ``array.ctypes``."""
        count = self.signature.count("*", 0, self.signature.index(")"))
        function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)(self.address)
        function.alive = self  # type: ignore[attr-defined]
        return function


def c_callable(
    name: str,
    parameters: Sequence[tuple[str, int, bool]],
    sweeps: Sequence[tuple[Sequence[Frame], Sequence[int]]],
    reentrant: bool,
    parts: Sequence[tuple[int, int]] = (),
) -> CFunction:
    """Make a function of C that runs sweeps one after the other.

    Parameters
    ----------
    name : str
        What the signature calls it.
    parameters : sequence of (name, size, written)
        Its parameters.
    sweeps : sequence of (frames, positions)
        What to run: the functions of a sweep, and which parameters are the arrays that it is given.
    reentrant : bool
        True if the sweeps have no work arrays.
    parts : sequence of (parameter, start)
        Parts of parameters, which have the positions after all parameters.
    """
    from sparsead.emit.llvm import Code

    count = len(parameters)
    lines = [f"  %a{count + k} = getelementptr double, ptr %a{of}, i64 {start}" for k, (of, start) in enumerate(parts)]
    steps = [(frame, positions) for frames, positions in sweeps for frame in frames]
    for number, (frame, positions) in enumerate(steps):
        table = f"%table{number}"
        given = dict(zip(frame.places, positions, strict=True))
        lines.append(f"  {table} = alloca [{frame.table.size} x ptr]")
        for place, known in enumerate(frame.table.tolist()):
            value = f"%a{given[place]}" if place in given else f"inttoptr (i64 {known} to ptr)"
            at = f"{table}.{place}"
            lines += [f"  {at} = getelementptr ptr, ptr {table}, i64 {place}", f"  store ptr {value}, ptr {at}"]
        lines.append(f"  call void inttoptr (i64 {frame.entry} to ptr)(ptr {table})")
    arguments = ", ".join(f"ptr %a{k}" for k in range(count))
    text = "\n".join([f"define void @call({arguments}) nounwind {{", *lines, "  ret void", "}"])
    code = Code(text)  # kept nowhere: the addresses are those of this process
    declared = ", ".join(f"{'' if written else 'const '}double *{p}" for p, _, written in parameters)
    sizes = ", ".join(f"{p}[{size}]" for p, size, _ in parameters)
    return CFunction(code.address_of("call"), f"void {name}({declared}); /* {sizes} */", reentrant, (code, steps))
