"""Patterns reduced to a grid of bins: what pictures of any size of matrix are drawn from."""

from __future__ import annotations

import numpy as np

from .protocols import Entries

CHUNK = 1 << 20  # entries that are looked at together: bounds the memory


def binned_counts(pattern: Entries, most: int) -> np.ndarray:
    """Return the number of entries in each bin of a grid of at most `most` x `most` bins."""
    (m, n), (R, C) = pattern.shape, bins_of(pattern.shape, most)
    counts = np.zeros((R, C), np.int64)
    edges = pattern.indptr[-(-np.arange(R + 1) * m // R)] if m else np.zeros(R + 1, np.int64)
    for row, (first, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        for start in range(first, end, CHUNK):
            counts[row] += np.bincount(bin_of(pattern.indices[start : min(start + CHUNK, end)], n, C), minlength=C)
    return counts


def counted_in(rows: np.ndarray, columns: np.ndarray, shape: tuple[int, int], most: int) -> np.ndarray:
    """Return the number of points ``(rows, columns)`` in each bin of a grid over a matrix of `shape`."""
    R, C = bins_of(shape, most)
    counts = np.zeros(R * C, np.int64)
    for start in range(0, rows.size, CHUNK):
        part = slice(start, start + CHUNK)
        place = bin_of(rows[part], shape[0], R) * C + bin_of(columns[part], shape[1], C)
        counts += np.bincount(place, minlength=R * C)
    return counts.reshape(R, C)


def bins_of(shape: tuple[int, int], most: int) -> tuple[int, int]:
    """Return rows and columns of the grid: one bin for each of a matrix up to `most`."""
    m, n = (max(1, min(size, most)) for size in shape)
    return m, n


def bin_of(index: np.ndarray, size: int, bins: int) -> np.ndarray:
    """Return the bin of each of `size` rows or columns; int64."""
    return index.astype(np.int64) if size <= bins else index.astype(np.int64) * bins // size


def shade(counts: np.ndarray) -> np.ndarray:
    """Return how dark a bin is, 0 to 1: nothing is white, the rest is spaced by the logarithm of the count."""
    most = int(counts.max(initial=0))
    if most <= 1:
        return (counts > 0).astype(float)
    return np.where(counts > 0, 0.35 + 0.65 * np.log(np.maximum(counts, 1)) / np.log(most), 0.0)
