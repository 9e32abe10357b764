"""Compiled functions with their arrays, ready to be called by machine code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """A compiled function and the table of array addresses that it takes.

    Attributes
    ----------
    entry : int
        Address of the machine code: ``void entry(void **table)``.
    table : ndarray of intp
        Addresses of the arrays, 0 where a caller has to put one.
    places : tuple of int
        Where in the table the arrays go that change from call to call, in the order in which a sweep is given them.
    alive : Any
        What the addresses point to.
    """

    entry: int
    table: np.ndarray
    places: tuple[int, ...]
    alive: Any
