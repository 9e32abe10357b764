"""What prepared Jacobians and Hessians share: a fixed structure, and values written into it."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

from coloring import ColoringResult, SparsityPattern
from sparsead.emit.sweep import Sweep
from sparsead.errors import InputError
from sparsead.kernels.kernel import Kernels, LinearProgram
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.assembly import Assembly
from sparsead.tracing.trace import Signature


class PreparedMatrix:
    """A sparse matrix that depends on x, prepared once, evaluated many times.

    Attributes
    ----------
    pattern : coloring.SparsityPattern
        Where entries can be nonzero, for any x.
    coloring : coloring.ColoringResult or None
        Which columns (or rows) share a pass; None in direct mode.
    mode : str
        How the values are computed.
    reasons : tuple of str
        Why this mode, a line each.
    program, kernels, linear
        What was traced; what it was lowered to; the linear program of the matrix. All print themselves.
    timings : Timings
        Seconds of each stage of the preparation.
    """

    def __init__(
        self,
        program: Program,
        signature: Signature,
        kernels: Kernels,
        linear: LinearProgram,
        pattern: SparsityPattern,
        mode: str,
        colored: ColoringResult | None,
        assembly: Assembly,
        timings: Timings,
        backend: str,
        reasons: tuple[str, ...] = (),
    ) -> None:
        self.program = program
        self.kernels = kernels
        self.linear = linear
        self.pattern = pattern
        self.mode = mode
        self.coloring = colored
        self.timings = timings
        self.backend = backend
        self.reasons = reasons
        self._assembly = assembly
        self._signature = signature
        self._indices = _read_only(pattern.indices)
        self._indptr = _read_only(pattern.indptr)
        self._orders: dict[str, np.ndarray | None] = {"csr": None, "coo": None}
        self._sweeps: dict[str, Sweep] = {}

    # -- what was prepared ----------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pattern.shape

    @property
    def passes(self) -> dict[str, int]:
        """The products with the matrix or its transpose that one evaluation costs; 0 in direct mode."""
        return dict(self._assembly.passes)

    @property
    def source(self) -> str:
        """The generated code of the sweeps that compute the matrix."""
        return "\n".join(sweep.source.text for sweep in self._assembly.sweeps())

    def __str__(self) -> str:
        m, n = self.shape
        kernels, arrays = len(self.linear.kernels), len(self.linear.work)
        return "\n".join(
            [
                f"{self._title} of {self.program.name}: {m} x {n}, {self.pattern.nnz} nonzeros "
                f"({self.pattern.density:.3g} of all)",
                f"  mode      {self.mode}: {self._passes_in_words()}",
                *(f"            {reason}" for reason in self.reasons),
                f"  kernels   {kernels} linear, {arrays} intermediate arrays",
                f"  prepared  in {self.timings.total:.3g} s ({self.timings})",
            ]
        )

    _title = "sparse matrix"

    def _passes_in_words(self) -> str:
        if self.coloring is None:
            return f"no passes (instead of {self.shape[1]}); coefficients go straight to their entries"
        passes = " and ".join(f"{k} {kind.upper()}" for kind, k in self.passes.items() if k) or "0"
        bound = "optimal" if self.coloring.is_optimal else f"lower bound {self.coloring.lower_bound}"
        return f"{passes} passes instead of {self.shape[1]} ({bound})"

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<{self._title}, {m} x {n}, {self.pattern.nnz} nonzeros, {self.mode}, passes {self.passes}>"

    # -- evaluation -----------------------------------------------------------------------------------------
    def values(self, x: Any, *args: Any, out: np.ndarray | None = None, order: str = "csr") -> np.ndarray:
        """Return the values of the entries alone, in a fixed order; explicit zeros are kept.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray of float64, optional
            Where to write them.
        order : {"csr", "coo", "csc", "lower"}
            By rows (``"coo"`` is the same), by columns, or the lower triangle by rows (``row >= column``).

        Raises
        ------
        InputError
            If `out` does not fit or the order is not known.
        """
        place = self._order(order)
        size = self.pattern.nnz if place is None else len(place)
        if out is not None and (out.shape != (size,) or out.dtype != np.float64 or not out.flags.c_contiguous):
            raise InputError(f"out must be a contiguous float64 array of shape ({size},) for order {order!r}")
        data = out if out is not None and place is None else np.empty(self.pattern.nnz)
        self._assembly.fill(data, self._inputs((x, *args)))
        return data if place is None else np.take(data, place, out=out)

    def _inputs(self, args: tuple[Any, ...]) -> dict[str, np.ndarray]:
        arrays = self._signature.convert(args)
        return {node.name: array for node, array in zip(self.program.inputs, arrays, strict=True)}

    def _matrix(self, data: np.ndarray) -> scipy.sparse.csr_array:
        matrix = scipy.sparse.csr_array((data, self._indices, self._indptr), shape=self.shape, copy=False)
        matrix.has_canonical_format = True
        return matrix

    def _checked(self, out: Any) -> np.ndarray:
        """Return the data of a matrix to be refilled, after a look at its structure."""
        same = (
            isinstance(out, (scipy.sparse.csr_array, scipy.sparse.csr_matrix))
            and out.shape == self.shape
            and out.data.dtype == np.float64
            and out.data.flags.c_contiguous
            and out.data.size == self.pattern.nnz
            and _equal(out.indices, self._indices)
            and _equal(out.indptr, self._indptr)
        )
        if not same:
            raise InputError(
                "out must be a float64 csr_array as returned by an earlier call, with the same pattern "
                f"({self.shape[0]} x {self.shape[1]}, {self.pattern.nnz} entries)"
            )
        return out.data

    def _order(self, order: str) -> np.ndarray | None:
        """Return which CSR entries make up an order; None for all, as they are."""
        if order not in self._orders:
            match order:
                case "csc":
                    self._orders[order] = np.argsort(self.pattern.indices, kind="stable")
                case "lower":
                    self._orders[order] = np.flatnonzero(self.pattern.indices <= self.pattern.rows)
                case "upper":
                    self._orders[order] = np.flatnonzero(self.pattern.indices >= self.pattern.rows)
                case _:
                    raise InputError(f"unknown order {order!r}; expected csr, csc, coo, lower or upper")
        return self._orders[order]


def checked_vector(name: str, v: Any, size: int) -> np.ndarray:
    """Return a vector, (size,) or (size, k), as float64."""
    v = np.asarray(v, dtype=np.float64)
    if v.ndim not in (1, 2) or v.shape[0] != size:
        raise InputError(f"{name} expects a vector of shape ({size},) or ({size}, k), got {v.shape}")
    return v


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.setflags(write=False)
    return view


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    same = a.__array_interface__["data"][0] == b.__array_interface__["data"][0] and a.shape == b.shape
    return same or np.array_equal(a, b)
