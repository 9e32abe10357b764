"""Vectors that users hand in."""

from __future__ import annotations

from typing import Any

import numpy as np

from sparsead.errors import InputError


def checked_vector(name: str, v: Any, size: int) -> np.ndarray:
    """Return a vector, (size,) or (size, k), as float64; raise InputError, naming the caller, if it does not fit."""
    v = np.asarray(v, dtype=np.float64)
    if v.ndim not in (1, 2) or v.shape[0] != size:
        raise InputError(f"{name} expects a vector of shape ({size},) or ({size}, k), got {v.shape}")
    return v
