"""Patterns drawn with characters, for terminals: a braille character has two by four dots."""

from __future__ import annotations

import numpy as np

from .binning import binned_counts
from .protocols import Entries

DOTS = 96  # of the longer side: 48 characters wide, 24 lines high
WEIGHTS = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])  # of the dots, as Unicode numbers them
BLANK = 0x2800


def braille(pattern: Entries) -> str:
    """Return the pattern in brackets, a dot for each entry; of large matrices for each bin that has any."""
    filled = binned_counts(pattern, DOTS) > 0
    rows, columns = filled.shape
    cells = np.pad(filled, ((0, -rows % 4), (0, -columns % 2))).reshape(-(-rows // 4), 4, -(-columns // 2), 2)
    characters = BLANK + np.einsum("iajb,ab->ij", cells, WEIGHTS)
    lines = ["".join(map(chr, line)) for line in characters.tolist()]
    if len(lines) == 1:
        return f"[{lines[0]}]"
    inner = len(lines) - 2
    left, right = f"⎡{'⎢' * inner}⎣", f"⎤{'⎥' * inner}⎦"
    return "\n".join(a + line + b for a, line, b in zip(left, lines, right, strict=True))
