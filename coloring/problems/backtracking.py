"""Backtracking in sets of bits: for so few steps that compiled code would take longer to load than they take."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..kernels.backtracking import FOUND, GIVEN_UP, IMPOSSIBLE


def find(
    neighbors: Sequence[Iterable[int]], side: Sequence[int], weights: tuple[int, int], most: int, most_steps: int
) -> int:
    """Whether a graph has a proper coloring that costs at most so much.

    What `kernels.backtracking.find` returns for colorings at distance one in which every vertex has a color, in the
    same steps. A color is the set of the vertices that have it, so that one operation tells whether a vertex fits.
    """
    around = [sum(1 << w for w in near) for near in neighbors]
    n, depth = len(around), 0
    choice, used = [0] * (n + 1), [(0, 0)] * (n + 1)
    members: list[list[int]] = [[0] * (n + 1), [0] * (n + 1)]  # by side and color
    for _ in range(most_steps):
        if depth == n:
            return FOUND
        in_use, s, color = used[depth], side[depth], choice[depth]
        colors, itself = members[s], 1 << depth
        if color:  # the one before is not its color any more
            colors[color - 1] &= ~itself
        free = weights[0] * in_use[0] + weights[1] * in_use[1] + weights[s] <= most
        if color >= in_use[s] + free:
            if not depth:
                return IMPOSSIBLE
            depth -= 1
            continue
        choice[depth] = color + 1
        if not colors[color] & around[depth]:
            colors[color] |= itself
            depth += 1
            used[depth] = in_use if color < in_use[s] else (in_use[0] + (s == 0), in_use[1] + (s == 1))
            choice[depth] = 0
    return GIVEN_UP
