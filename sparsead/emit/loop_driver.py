"""A loop around compiled functions, in machine code: at every turn some arrays move on by a row."""

from __future__ import annotations

import ctypes
import functools
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sparsead.emit.address import address
from sparsead.emit.frame import Frame

# moves: address of a slot, what to write there, by how much that grows, and the factor of that for the turn after;
# calls: machine code and its table
ASSEMBLY = """
define void @drive(i64 %turns, i64 %moves, ptr %move, i64 %calls, ptr %call) nounwind {
entry:
  br label %turn
turn:
  %k = phi i64 [ 0, %entry ], [ %k.next, %done ]
  %more = icmp slt i64 %k, %turns
  br i1 %more, label %moving, label %end
moving:
  %m = phi i64 [ 0, %turn ], [ %m.next, %shift ]
  %m.more = icmp slt i64 %m, %moves
  br i1 %m.more, label %shift, label %calling
shift:
  %m.first = mul i64 %m, 4
  %slot.at = getelementptr i64, ptr %move, i64 %m.first
  %slot.address = load i64, ptr %slot.at
  %slot = inttoptr i64 %slot.address to ptr
  %value.at = getelementptr i64, ptr %slot.at, i64 1
  %value = load i64, ptr %value.at
  %step.at = getelementptr i64, ptr %slot.at, i64 2
  %step = load i64, ptr %step.at
  store i64 %value, ptr %slot
  %value.next = add i64 %value, %step
  store i64 %value.next, ptr %value.at
  %factor.at = getelementptr i64, ptr %slot.at, i64 3
  %factor = load i64, ptr %factor.at
  %step.next = mul i64 %step, %factor
  store i64 %step.next, ptr %step.at
  %m.next = add i64 %m, 1
  br label %moving
calling:
  %c = phi i64 [ 0, %moving ], [ %c.next, %run ]
  %c.more = icmp slt i64 %c, %calls
  br i1 %c.more, label %run, label %done
run:
  %c.first = mul i64 %c, 2
  %code.at = getelementptr i64, ptr %call, i64 %c.first
  %code.address = load i64, ptr %code.at
  %code = inttoptr i64 %code.address to ptr
  %table.at = getelementptr i64, ptr %code.at, i64 1
  %table.address = load i64, ptr %table.at
  %table = inttoptr i64 %table.address to ptr
  call void %code(ptr %table)
  %c.next = add i64 %c, 1
  br label %calling
done:
  %k.next = add i64 %k, 1
  br label %turn
end:
  ret void
}
"""


@functools.cache
def _machine_code() -> tuple[Callable[..., None], Any]:
    from sparsead.emit.llvm import code_of  # llvmlite takes a moment to import

    code = code_of(ASSEMBLY)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)
    return kind(code.address_of("drive")), code


def driver(frames: Sequence[Frame]) -> Callable[[int, Sequence[np.ndarray], Sequence[int], Sequence[int]], None]:
    """Return ``run(turns, arrays, strides, factors)``: call compiled functions so many times.

    Parameters
    ----------
    frames : sequence of Frame
        The functions of a sweep, called one after the other at every turn.

    Returns
    -------
    callable
        It takes the arrays that the sweep is given, in order, as they are at the first turn, by how many bytes each
        moves on to the next turn, and the factor of this from turn to turn: 1, or -1 to go there and back.
    """
    drive, _ = _machine_code()
    slots = [address(f.table) + 8 * place for f in frames for place in f.places]
    calls = array("q", [number for f in frames for number in (f.entry, address(f.table))])
    calls_at, _ = calls.buffer_info()

    def run(turns: int, arrays: Sequence[np.ndarray], strides: Sequence[int], factors: Sequence[int]) -> None:
        given = [*zip(map(address, arrays), strides, factors, strict=True)] * len(frames)
        moves = array("q", [number for slot, row in zip(slots, given, strict=True) for number in (slot, *row)])
        drive(turns, len(slots), moves.buffer_info()[0], len(frames), calls_at)

    run.alive = frames, calls  # type: ignore[attr-defined]  # what the addresses point to
    return run
