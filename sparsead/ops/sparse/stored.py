"""What a traced sparse matrix stores: SciPy moves, sorts and overwrites the numbers, and the values follow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.sparse.dense import as_matrix
from sparsead.ops.sparse.numbering import Numbered, Numbering, count, is_sparse, numbered, picked, view_of, with_data
from sparsead.ops.sparse.triplets import Triplets
from sparsead.program.room import require_numbers
from sparsead.tracing.conversions import stack_objects, traced

# Attributes and methods of a scipy matrix that ask for structure alone.
STRUCTURE = {
    "blocksize", "col", "coords", "format", "get_shape", "getformat", "getnnz", "has_canonical_format",
    "has_sorted_indices", "indices", "indptr", "ndim", "nnz", "offsets", "row", "shape", "size",
}  # fmt: skip
# Methods that move entries, or give them as arrays.
MOVEMENTS = {
    "asformat", "diagonal", "getH", "getcol", "getrow", "reshape", "toarray", "tobsr", "tocoo", "tocsc", "tocsr",
    "todense", "todia", "todok", "tolil", "transpose",
}  # fmt: skip
# Methods that act on each stored value, and map zero to zero.
ELEMENTWISE = {
    "arcsin", "arcsinh", "arctan", "arctanh", "ceil", "deg2rad", "expm1", "floor", "log1p", "rad2deg", "rint", "sign",
    "sin", "sinh", "sqrt", "tan", "tanh", "trunc",
}  # fmt: skip
SORTING = {"sort_indices", "sum_duplicates", "prune"}
HINT = "Write it with products, sums and slices of the matrix, or with its .data; or use .toarray()."
INSTEAD = {
    "count_nonzero": "Which values are zero differs from call to call; .nnz counts what is stored.",
    "nonzero": "Which values are zero differs from call to call; .coords of the coo form has the places.",
    "max": "Take it of .toarray(), or of .data where all entries are stored.",
    "min": "Take it of .toarray(), or of .data where all entries are stored.",
    "argmax": "Which entry is the largest differs from call to call; np.max of .data gives its value.",
    "argmin": "Which entry is the smallest differs from call to call; np.min of .data gives its value.",
    "maximum": "Use np.maximum of the .toarray() of both.",
    "minimum": "Use np.minimum of the .toarray() of both.",
    "resize": "Slice it, or build a new one of rows, columns and values.",
}


class Stored(Numbered):
    """The entries of a sparse matrix of traced values: where they are, what they are, writing into them."""

    __slots__ = ()
    by_element: ClassVar[Any]  # the class of matrices of lists or keys, as soon as that is defined

    @classmethod
    def of_triplets(
        cls, entries: Triplets, kind: Any = scipy.sparse.csr_array, axes: int = 2, blocksize: Any = None
    ) -> Any:
        """Return a matrix of a class with these entries, equal places summed; the one row of an array of one axis."""
        entries = entries.summed()
        places = (entries.rows, entries.columns)[2 - axes :]
        coo: Any = scipy.sparse.coo_matrix if issubclass(kind, scipy.sparse.spmatrix) else scipy.sparse.coo_array
        made = coo((count(entries.rows.shape), places), shape=entries.shape[2 - axes :])
        made = made.tobsr(blocksize) if kind.__name__[:3] == "bsr" else made.asformat(kind.__name__[:3])
        return cls.made(made, traced(entries.values))

    @classmethod
    def made(cls, numbers: Any, values: Any, stored: Any = None) -> Any:
        """Return a matrix of numbers and values, see `Numbered`; one of lists or keys is filled element by element."""
        if numbers.format not in ("lil", "dok"):
            return cls(numbers, values, stored)
        return cls.by_element(type(numbers), cls(numbers, values))

    @classmethod
    def of_constant(cls, matrix: Any) -> Any:
        """Return a scipy matrix of constants."""
        return cls(*numbered(matrix))

    @property
    def data(self) -> Any:
        """The stored values; writing into them changes the matrix."""
        self._count_all()
        return self.values

    @data.setter
    def data(self, new: Any) -> None:
        if np.shape(new) != np.shape(self.values):
            raise ValueError(f"data has shape {np.shape(new)}, but the matrix stores {np.shape(self.values)} values")
        self._count_all()
        self.values = traced(stack_objects(new))

    def _count_all(self) -> None:
        """Let what is stored without a value have one: it may be written to from outside."""
        if not self.numbers.data.all():
            self.numbers.data[...] = count(self.numbers.data.shape)

    @property
    def entries(self) -> Triplets:
        """Its entries as rows, columns and values; an array of one axis is one row."""
        coo = self.numbers.tocoo()
        if len(coo.shape) > 2:
            raise unsupported(f"a sparse array of {len(coo.shape)} axes", "Reshape it to two.")
        kept = np.flatnonzero(coo.data)
        flat = np.reshape(self.values, -1)
        columns = coo.coords[-1][kept]
        rows = coo.coords[0][kept] if len(coo.shape) == 2 else np.zeros_like(columns)
        return Triplets(rows, columns, flat[coo.data[kept] - 1], (1, *coo.shape)[-2:])

    def _is_unique(self) -> bool:
        """Tell whether no two entries are at one place."""
        if self.numbers.format == "dia" or (self.numbers.format != "bsr" and self.numbers.has_canonical_format):
            return True
        entries = self.entries
        return bool(np.unique(entries.keys).size == entries.keys.size)

    def unique(self) -> Any:
        """Return the same matrix without two entries at one place: those cannot be told by numbers that add up."""
        if self._is_unique():
            return self
        blocksize = getattr(self.numbers, "blocksize", None)
        return self.of_triplets(self.entries, type(self.numbers), self.numbers.ndim, blocksize)

    # -- what SciPy does to the numbers -----------------------------------------------------------------------------
    def asked(self, operation: Callable[[Any], Any]) -> Any:
        """Return what an operation of SciPy makes of the matrix: itself, a view, a copy, an array, or one value."""
        if not self._is_unique():
            return self._asked_of_duplicates(operation)
        before: Any = self.numbers.data
        values: Any = self.values
        found = operation(self.numbers)
        if self.numbers.data is not before or np.any((before != count(before.shape)) & (before > 0)):
            values = np.copy(values)
            self._follow(before, values)  # SciPy has sorted the matrix in place first
        return self if found is self.numbers else self.moved(found, values)

    def _asked_of_duplicates(self, operation: Callable[[Any], Any]) -> Any:
        """Do the same where two entries are at one place: what SciPy moves has both, all else has their sum.

        Labels tell: large random numbers, of which no sum is another one.
        """
        labels = np.random.default_rng(0).choice(2**40, self.numbers.data.size, replace=False) + 2**61
        attempt = self.numbers.copy()
        attempt.data = labels.reshape(self.numbers.data.shape)
        found: Any = operation(attempt)
        if found is attempt:
            return self
        if is_sparse(found):
            view = view_of(self.values, attempt.data, with_data(found).data)
            if view is not None:
                self._count_all()
                return self.made(found, None, view)
            order = np.argsort(labels)
            given = with_data(found).data
            places = order[np.minimum(np.searchsorted(labels[order], given), labels.size - 1)]
            if np.array_equal(labels[places], given) and found.format == "coo":
                found.data = self.numbers.data.reshape(-1)[places]
                return self.made(found, self.values)
        return self.unique().asked(operation)

    def moved(self, numbers: Any, values: Any) -> Any:
        """Return what stands where SciPy moved the numbers of values to."""
        if scipy.sparse.issparse(numbers):
            view = view_of(self.values, self.numbers.data, with_data(numbers).data)
            if view is not None:
                self._count_all()
                return self.made(numbers, None, view)
            moved = self.made(numbers, values)
            return moved.constant() if moved.values.is_constant else moved
        found = picked(values, np.asarray(numbers))
        if np.ndim(numbers) == 0:
            return found.element()
        return as_matrix(found) if isinstance(numbers, np.matrix) else found

    def _written(self, write: Callable[[Any], Any], values: Any) -> None:
        """Let SciPy write into the numbers, which mean `values` from then on, and write those to where they went."""
        before = self.numbers.data
        write(self.numbers)
        self._follow(before, values)

    def _follow(self, before: np.ndarray, values: Any) -> None:
        """Do to the values what was done to their numbers: in the memory of `before`, and in a new one if there is."""
        now, order = self.numbers.data, count(before.shape)
        changed = before != order
        if changed.any():
            self.values[changed] = picked(values, before[changed])
            before[changed & (before > 0)] = order[changed & (before > 0)]
        view = view_of(self.values, before, now)
        if view is not None:
            self.values = view  # SciPy cuts off what it does not need
        else:
            self.values = picked(values, now)
            now[...] = np.where(now > 0, count(now.shape), 0)

    def _turn_into(self, made: Any) -> None:
        """Be the same as another matrix from now on."""
        self.numbers, self.values = made.numbers, made.values

    def _to_be_written(self, *new: Any) -> list[Any]:
        """Make each stored place ready to be written to; return the numbers of new values, and what numbers mean."""
        self._turn_into(self.unique())
        self._count_all()
        numbering = Numbering()
        numbering.number(self)
        return [*map(numbering.number, new), numbering.values]

    def __getitem__(self, key: Any) -> Any:
        return self.asked(lambda numbers: numbers[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        numbers, values = self._to_be_written(value)
        self._written(lambda matrix: matrix.__setitem__(key, numbers), values)

    def setdiag(self, values: Any, k: int = 0) -> None:
        """Same as ``csr_array.setdiag``."""
        numbers, meant = self._to_be_written(values)
        self._written(lambda matrix: matrix.setdiag(numbers, k), meant)

    def eliminate_zeros(self) -> None:
        """Same as ``csr_array.eliminate_zeros``, but entries that may be zero stay."""
        self._turn_into(self.unique())

    # -- attributes and methods that need no more than that ---------------------------------------------------------
    def __getattr__(self, name: str) -> Any:
        if name in STRUCTURE:
            return getattr(self.numbers, name)
        if name == "A" or name == "T":
            return self.asked(lambda numbers: getattr(numbers, name))
        if name in ("toarray", "todense"):
            require_numbers(float(np.prod(self.numbers.shape, dtype=float)), name)
        if name in MOVEMENTS:
            return lambda *args, **kwargs: self.asked(lambda numbers: getattr(numbers, name)(*args, **kwargs))
        if name in ELEMENTWISE:
            return lambda: self.deduped().with_values(getattr(np, name)(self.values))
        if name in SORTING:
            return lambda *args, **kwargs: self._sorted(lambda matrix: getattr(matrix, name)(*args, **kwargs))
        if name.startswith("__") or not hasattr(self.numbers, name):
            raise AttributeError(f"{type(self.numbers).__name__!r} object has no attribute {name!r}")
        instead = INSTEAD.get(name, HINT)
        raise unsupported(f"{type(self.numbers).__name__}.{name} of a matrix that holds traced values", instead)

    def _sorted(self, sort: Callable[[Any], Any]) -> None:
        *_, values = self._to_be_written()
        self._written(sort, values)

    def deduped(self) -> Any:
        """Return the matrix itself after it was sorted and summed by place, as SciPy does in functions of entries."""
        if hasattr(self.numbers, "sum_duplicates"):
            self.sum_duplicates()
        return self

    def with_values(self, values: Any) -> Any:
        """Return a matrix of the same structure."""
        return self.made(self.numbers.copy(), np.reshape(values, -1))

    def conjugate(self, copy: bool = True) -> Any:
        """Same as ``csr_array.conjugate``: of real values."""
        return self.copy() if copy else self

    conj = conjugate

    def copy(self) -> Any:
        """Same as ``csr_array.copy``."""
        return self.with_values(np.copy(self.values))

    def astype(self, dtype: Any, casting: str = "unsafe", copy: bool = True) -> Any:
        """Same as ``csr_array.astype``, to float."""
        if np.dtype(dtype).kind != "f":
            raise unsupported(f"astype({np.dtype(dtype)}) of a traced sparse matrix", "Traced matrices are float64.")
        return self.copy() if copy else self

    def constant(self) -> Any:
        """Return the scipy matrix that a matrix without a traced value is."""
        matrix = self.numbers.copy()
        matrix.data = self.values.plain.copy()
        return matrix
