"""The pattern of a sparse matrix: which entries may be nonzero, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from .cached import cached_property
from .errors import ColoringError
from .sizes import index_dtype

if TYPE_CHECKING:
    from .pictures.figures import Axes

_PART = 1 << 18  # entries of a dense matrix that are looked at at a time


@dataclass(frozen=True, eq=False, repr=False)
class SparsityPattern:
    """Positions of the structural nonzeros of an ``(m, n)`` matrix, in compressed rows.

    Parameters
    ----------
    shape : tuple of int
        Number of rows and of columns ``(m, n)``.
    indptr : ndarray, shape (m + 1,)
        Row ``i`` occupies ``indices[indptr[i]:indptr[i + 1]]``.
    indices : ndarray, shape (nnz,)
        Column indices, increasing within each row.  Both arrays are int32 where they fit.

    Notes
    -----
    The constructor trusts its arguments; `from_scipy` and `from_coo` check theirs.  The arrays must not
    be written to: results and transposes share them.

    Examples
    --------
    >>> A = SparsityPattern.from_coo([0, 1, 1], [0, 0, 2], shape=(2, 3))
    >>> A
    SparsityPattern(2 x 3, nnz=3)
    >>> print(A)
    sparsity pattern: 2 x 3, entries: 3 (0.5 of all), 1 to 2 per row
    [⠃⠂]
    >>> A.T.to_scipy().toarray()
    array([[1., 1.],
           [0., 0.],
           [0., 1.]])
    """

    shape: tuple[int, int]
    indptr: np.ndarray
    indices: np.ndarray

    @classmethod
    def from_csr(cls, indptr: np.ndarray, indices: np.ndarray, shape: tuple[int, int]) -> SparsityPattern:
        """Wrap compressed rows that are known to be sorted and free of duplicates, without a check."""
        m, n = shape
        dtype = index_dtype(m, n, indices.size)
        return cls((int(m), int(n)), _as_contiguous(indptr, dtype), _as_contiguous(indices, dtype))

    @classmethod
    def from_coo(cls, rows: Any, columns: Any, shape: tuple[int, int]) -> SparsityPattern:
        """Build from coordinates in any order; duplicates are merged.

        Two counting sorts, SciPy's: time and memory O(nnz + m + n).

        Parameters
        ----------
        rows, columns : array_like of int, shape (k,)
            Positions of the nonzeros.
        shape : tuple of int
            Shape ``(m, n)`` of the matrix.

        Raises
        ------
        ColoringError
            If the two arrays differ in length or an index lies outside ``shape``.
        """
        m, n = int(shape[0]), int(shape[1])
        rows, columns = np.asarray(rows).ravel(), np.asarray(columns).ravel()
        if rows.size != columns.size:
            raise ColoringError(f"{rows.size} row indices and {columns.size} column indices; expected as many of each")
        _check_range("row", rows, m)
        _check_range("column", columns, n)
        dtype = index_dtype(m, n, rows.size)
        rows, columns = _as_contiguous(rows, dtype), _as_contiguous(columns, dtype)
        transposed = sp.coo_array((_no_values(rows), (columns, rows)), shape=(n, m))
        transposed.has_canonical_format = True  # not yet: duplicates are merged once the rows are sorted
        matrix = transposed.tocsr().T.tocsr()
        matrix.sum_duplicates()
        return cls.from_csr(matrix.indptr, matrix.indices, (m, n))

    @classmethod
    def from_scipy(cls, A: Any, tolerance: float | None = None) -> SparsityPattern:
        """Take the stored entries (explicit zeros too) of a sparse matrix, or the nonzeros of a dense one.

        Parameters
        ----------
        A : sparse matrix or array_like, shape (m, n)
            The matrix.
        tolerance : float, optional
            For values that were measured, by differences for instance: entries of at most this size do not count,
            stored or not.  What is not a number counts.

        Raises
        ------
        ColoringError
            If `A` is not two-dimensional, or the tolerance is negative.

        Examples
        --------
        >>> SparsityPattern.from_scipy([[1.0, 1e-17], [0.0, 2.0]], tolerance=1e-12)
        SparsityPattern(2 x 2, nnz=2)
        """
        is_sparse = bool(sp.issparse(A))
        if not is_sparse:
            A = np.asarray(A)
        if A.ndim != 2:
            raise ColoringError(f"a pattern needs a matrix with 2 dimensions; this one has shape {A.shape}")
        if tolerance is not None:
            return cls._of_large(sp.coo_array(A, copy=True) if is_sparse else A, tolerance)
        if not is_sparse:
            return cls._of_dense(A)
        if A.format == "csr" and A.has_canonical_format:
            return cls.from_csr(A.indptr, A.indices, A.shape)
        A = A.tocoo()
        return cls.from_coo(A.row, A.col, A.shape)

    @classmethod
    def _of_dense(cls, A: np.ndarray) -> SparsityPattern:
        """Return where a dense matrix is not 0, in little more memory than that takes."""
        m, n = A.shape
        flat = np.ascontiguousarray(A != 0).reshape(-1)
        dtype = index_dtype(m, n, nnz := int(np.count_nonzero(flat)))
        indptr, indices, end = np.zeros(m + 1, dtype), np.empty(nnz, dtype), 0
        np.cumsum(np.add.reduce(flat.reshape(m, n), axis=1, dtype=dtype), out=indptr[1:])
        for start in range(0, flat.size, _PART):
            places = np.flatnonzero(flat[start : start + _PART])
            indices[end : end + places.size] = (places + start) % n
            end += places.size
        return cls.from_csr(indptr, indices, (m, n))

    @classmethod
    def _of_large(cls, A: Any, tolerance: float) -> SparsityPattern:
        """Take the entries that are larger than this, or not a number."""
        if not tolerance >= 0:
            raise ColoringError(f"tolerance={tolerance!r}; expected a number that is not negative")
        if isinstance(A, np.ndarray):
            return cls._of_dense(is_above(A, tolerance))
        A.sum_duplicates()
        counts = is_above(A.data, tolerance)
        return cls.from_coo(A.row[counts], A.col[counts], A.shape)

    def __or__(self, other: SparsityPattern) -> SparsityPattern:
        """Return the pattern with the entries of both: what several samples of a matrix have together."""
        if not isinstance(other, SparsityPattern):
            return NotImplemented
        if self.shape != other.shape:
            raise ColoringError(f"{self!r} and {other!r} have no union: their shapes differ")
        rows, columns = (np.concatenate(pair) for pair in ((self.rows, other.rows), (self.indices, other.indices)))
        return type(self).from_coo(rows, columns, self.shape)

    @property
    def nnz(self) -> int:
        """Number of structural nonzeros."""
        return self.indices.size

    @property
    def density(self) -> float:
        """Share of the entries that are structural nonzeros; 0 for an empty matrix."""
        m, n = self.shape
        return self.nnz / (m * n) if m and n else 0.0

    @cached_property
    def T(self) -> SparsityPattern:
        """The transposed pattern (computed once); a symmetric pattern is its own, and is kept once."""
        by_column = self.to_scipy(_no_values(self.indices)).tocsc()
        transposed = SparsityPattern.from_csr(by_column.indptr, by_column.indices, self.shape[::-1])
        if transposed == self:
            return self
        transposed.__dict__["T"] = self
        return transposed

    @cached_property
    def rows(self) -> np.ndarray:
        """Row index of each structural nonzero, shape (nnz,); `indices` holds the columns."""
        m = self.shape[0]
        return np.repeat(np.arange(m, dtype=self.indices.dtype), np.diff(self.indptr))

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether the pattern is square and equal to its transpose."""
        return self.shape[0] == self.shape[1] and self == self.T

    def restrict(self, mask: np.ndarray) -> SparsityPattern:
        """Return the pattern with those entries only where `mask`, shape (nnz,), is True."""
        kept = np.zeros(self.nnz + 1, self.indptr.dtype)
        np.cumsum(mask, out=kept[1:])
        return SparsityPattern(self.shape, kept[self.indptr], self.indices[mask])

    def to_scipy(self, data: np.ndarray | None = None) -> sp.csr_array:
        """Return a `scipy.sparse.csr_array` with this pattern and the given values (ones by default)."""
        if data is None:
            data = np.ones(self.nnz)
        matrix = sp.csr_array((data, self.indices, self.indptr), shape=self.shape)
        matrix.has_canonical_format = True  # by construction: spares scipy a pass over the indices
        return matrix

    def tocsr(self) -> sp.csr_array:
        """Return the pattern as `to_scipy` does without data, by the name that SciPy's sparse matrices have."""
        return self.to_scipy()

    def spy(self, ax: Any = None) -> Axes:
        """Draw the pattern and return the matplotlib axes; large matrices are binned.

        Parameters
        ----------
        ax : matplotlib axes, optional
            Where to draw; a new figure by default (``.figure.savefig(...)`` writes it).
        """
        from .pictures.figures import spy

        return spy(self, ax)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SparsityPattern):
            return NotImplemented
        return self is other or (
            self.shape == other.shape
            and np.array_equal(self.indptr, other.indptr)
            and np.array_equal(self.indices, other.indices)
        )

    __hash__ = None  # type: ignore[assignment]  # as for arrays: compared by content

    def __repr__(self) -> str:
        return f"SparsityPattern({self.shape[0]} x {self.shape[1]}, nnz={self.nnz})"

    def __str__(self) -> str:
        from .pictures.braille import braille

        size, entries = self._in_words()
        return f"sparsity pattern: {size}, entries: {entries}\n{braille(self)}"

    def _repr_html_(self) -> str:
        from .pictures.html import facts
        from .pictures.thumbnail import thumbnail

        size, entries = self._in_words()
        return facts("Sparsity pattern", [("size", size), ("entries", entries)], thumbnail(self))

    def _in_words(self) -> tuple[str, str]:
        """Return what its size is, and how many entries it has."""
        m, n = self.shape
        lengths = np.diff(self.indptr)
        least, most = lengths.min(initial=n), lengths.max(initial=0)
        rows = "none" if not m else f"{most:,}" if least == most else f"{least:,} to {most:,}"
        return f"{m:,} x {n:,}", f"{self.nnz:,} ({self.density:.3g} of all), {rows} per row"


def as_pattern(A: Any, tolerance: float | None = None) -> SparsityPattern:
    """Return `A` if it is a `SparsityPattern`, else the pattern of the matrix `A`."""
    return A if isinstance(A, SparsityPattern) else SparsityPattern.from_scipy(A, tolerance)


def is_above(values: np.ndarray, tolerance: float) -> np.ndarray:
    """Which values are larger than a tolerance, or not a number."""
    return ~(np.abs(values) <= tolerance)


def _no_values(like: np.ndarray) -> np.ndarray:
    """Return values for SciPy to carry along where only positions count."""
    return np.empty(like.size, np.int8)


def _as_contiguous(array: np.ndarray, dtype: type) -> np.ndarray:
    return np.ascontiguousarray(array, dtype)


def _check_range(what: str, index: np.ndarray, size: int) -> None:
    if index.size and not np.issubdtype(index.dtype, np.integer):
        raise ColoringError(f"{what} indices of type {index.dtype}; expected integers")
    if index.size and (index.min() < 0 or index.max() >= size):
        raise ColoringError(f"{what} indices run from {index.min()} to {index.max()}; expected 0 <= index < {size}")
