"""Arrays as short texts: what repeats is written once.

The tables of a regular problem (the structure of its matrix, the ends of its grid lines) grow with it, but say the same
over and over. They are written as literals and copies of what came before, as in LZ77, so that the text has one length
for all sizes of a grid; irregular tables are written out.
"""

from __future__ import annotations

import numpy as np

KEY = 3  # elements by which earlier occurrences are found
SHORTEST = 4  # elements of a copy
REMEMBERED = 8  # places at the end of a copy by which it is found again
MOST = 50_000  # numbers of a code: where it would be longer, the array is written out


def repeats(values: np.ndarray) -> list[int] | None:
    """Return a code of nonnegative or negative integers; None if it would not be shorter by half.

    The code is a list of runs: ``k, v1, .., vk`` for k elements, or ``-distance, length`` for a copy of what lies so
    far before; 0 ends it. A copy may overlap with what it writes.
    """
    values = np.ascontiguousarray(values, dtype=np.int64)
    most = min(values.size // 2, MOST)
    known: dict[bytes, int] = {}
    code: list[int] = []
    run: list[int] = []
    place = 0
    while place < values.size:
        key = values[place : place + KEY].tobytes()
        before = known.get(key)
        known[key] = place
        length = 0 if before is None else _common(values, before, place)
        if before is not None and length >= SHORTEST:
            code += [len(run), *run] if run else []
            code += [before - place, length]
            run = []
            for k in range(max(place + 1, place + length - REMEMBERED), place + length):
                known[values[k : k + KEY].tobytes()] = k
            place += length
        else:
            run.append(int(values[place]))
            place += 1
        if len(code) + len(run) > most:
            return None
    return [*code, *([len(run), *run] if run else []), 0]


def _common(values: np.ndarray, before: int, place: int) -> int:
    """Return how many elements from two places on are equal, looking at ever larger parts."""
    length, part = 0, 16
    while place + length < values.size:
        stop = min(part, values.size - place - length)
        differ = values[before + length :][:stop] != values[place + length :][:stop]
        if differ.any():
            return length + int(differ.argmax())
        length, part = length + stop, 2 * part
    return length


def unpacked(code: list[int]) -> np.ndarray:
    """Return the values of a code: what the C function does, in Python."""
    values: list[int] = []
    rest = iter(code)
    while count := next(rest):
        if count > 0:
            values += [next(rest) for _ in range(count)]
        else:
            for _ in range(next(rest)):
                values.append(values[count])
    return np.array(values, dtype=np.int64)
