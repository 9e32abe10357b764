"""Values moved between a matrix and its compressed form: by kernels, and by NumPy where those do not know the type."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from . import kernels
from .targets import is_compiled


def compress_columns(A: sp.csr_array, colors: np.ndarray, num_colors: int) -> np.ndarray:
    """Return ``B = A S``: the columns of one color added up; neutral ones are left out."""
    B = np.zeros((A.shape[0], num_colors), A.dtype)
    if is_compiled(B):
        kernels.recovery.compress_columns(A.indptr, A.indices, A.data, colors, B)
    else:
        rows, color = np.repeat(np.arange(A.shape[0]), np.diff(A.indptr)), colors[A.indices]
        np.add.at(B, (rows[color >= 0], color[color >= 0]), A.data[color >= 0])
    return B


def compress_rows(A: sp.csr_array, colors: np.ndarray, num_colors: int) -> np.ndarray:
    """Return ``B = Sᵀ A``: the rows of one color added up; neutral ones are left out."""
    B = np.zeros((num_colors, A.shape[1]), A.dtype)
    if is_compiled(B):
        kernels.recovery.compress_rows(A.indptr, A.indices, A.data, colors, B)
    else:
        color = np.repeat(colors, np.diff(A.indptr))
        np.add.at(B, (color[color >= 0], A.indices[color >= 0]), A.data[color >= 0])
    return B


def gather(line: np.ndarray, color: np.ndarray, B_column: np.ndarray, B_row: np.ndarray, out: np.ndarray) -> None:
    """Read each stored entry at its place in one of the two compressed matrices."""
    if is_compiled(B_column, B_row, out):
        kernels.recovery.gather(line, color, B_column, B_row, out)
        return
    of_column = color >= 0
    out[of_column] = B_column[line[of_column], color[of_column]]
    out[~of_column] = B_row[~color[~of_column], line[~of_column]]


def gather_block(
    start: np.ndarray, entry: np.ndarray, line: np.ndarray, B: np.ndarray, first_color: int, out: np.ndarray
) -> None:
    """Read the entries whose color lies in the block ``first_color + range(B.shape[1])``."""
    if is_compiled(B, out):
        kernels.recovery.gather_block(start, entry, line, B, first_color, out)
        return
    for c in range(B.shape[1]):
        of_color = entry[start[first_color + c] : start[first_color + c + 1]]
        out[of_color] = B[line[of_color], c]


def substitute(taken: np.ndarray, feeds: np.ndarray, out: np.ndarray) -> None:
    """Take each value, once it is final, from the value that was read together with it."""
    if is_compiled(out):
        kernels.recovery.substitute(taken, feeds, out)
        return
    level = kernels.recovery.substitution_levels(taken, feeds, out.size)
    for k in range(int(level.max(initial=-1)) + 1):
        now = (level == k) & (feeds >= 0)
        np.subtract.at(out, feeds[now], out[taken[now]])
