"""Small stiff systems, as E. Hairer and G. Wanner give them (Solving ODEs II, section IV.10)."""

from __future__ import annotations

import numpy as np


def hires(y: np.ndarray) -> np.ndarray:
    """The High Irradiance RESponse of photomorphogenesis."""
    light = 280.0 * y[5] * y[7]
    return np.stack([
        -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
        1.71 * y[0] - 8.75 * y[1],
        -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
        8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
        -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
        -light + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
        light - 1.81 * y[6],
        -light + 1.81 * y[6],
    ])  # fmt: skip


def robertson(y: np.ndarray) -> np.ndarray:
    """Robertson's three species."""
    slow, fast, square = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return np.stack([fast - slow, slow - fast - square, square])
