"""The prepared sparse Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
import scipy.sparse.linalg

import coloring as graph
import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring import ColoringResult, SparsityPattern
from sparsead.detect.jacobian import detect
from sparsead.emit.sweep import DEFAULT_BACKEND, Sweep
from sparsead.errors import InputError, UnsupportedOperationError
from sparsead.kernels.kernel import Kernels, LinearProgram
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.compressed import compressed_sweep
from sparsead.sweeps.vector import apply_columns, product_sweep, value_sweep
from sparsead.tracing.trace import Signature, trace

MODES = ("auto", "compressed", "forward")
LATER = ("reverse", "bidirectional", "direct")


@dataclass(frozen=True, eq=False)
class GivenColors:
    """A column coloring that the user gave."""

    colors: np.ndarray
    num_colors: int
    lower_bound: int


class Jacobian:
    """A Jacobian prepared once, evaluated many times. Made by `jacobian`.

    Attributes
    ----------
    shape : tuple of int
        ``(m, n)``: the sizes of ``f(x)`` and of x; rows and columns follow their C order.
    pattern : coloring.SparsityPattern
        Where entries can be nonzero, for any x.
    coloring
        The column coloring: which columns share a pass.
    mode : str
        ``"forward"``.
    program, kernels, linear
        What was traced; what it was lowered to; the derivative. All print themselves.
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
        colored: ColoringResult | GivenColors,
        timings: Timings,
        backend: str,
    ) -> None:
        self.program = program
        self.kernels = kernels
        self.linear = linear
        self.pattern = pattern
        self.coloring = colored
        self.mode = "forward"
        self.timings = timings
        self.backend = backend
        self._signature = signature
        self._output_shape = program.output.shape
        self._indices = _read_only(pattern.indices)
        self._indptr = _read_only(pattern.indptr)
        colors = np.ascontiguousarray(colored.colors, dtype=np.int32)
        self._structure = {
            "colors": colors,
            "color_of": np.ascontiguousarray(colors[pattern.indices], dtype=np.int32),
            "indptr": np.ascontiguousarray(pattern.indptr, dtype=np.int32),
        }
        self._sweeps: dict[str, Sweep] = {}

    # -- what was prepared ----------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, int]:
        """``(m, n)``."""
        return self.pattern.shape

    @property
    def passes(self) -> dict[str, int]:
        """The products with J or its transpose that one evaluation costs."""
        return {"jvp": int(self.coloring.num_colors), "vjp": 0}

    @property
    def source(self) -> str:
        """The generated code of the sweep that computes the matrix."""
        return self._sweep("jacobian").source.text

    def __str__(self) -> str:
        m, n = self.shape
        nnz, colors, bound = self.pattern.nnz, self.coloring.num_colors, self.coloring.lower_bound
        density = nnz / (m * n) if m * n else 0.0
        optimal = "optimal" if colors == bound else f"lower bound {bound}"
        return "\n".join(
            [
                f"sparse Jacobian of {self.program.name}: {m} x {n}, {nnz} nonzeros ({density:.3g} of all)",
                f"  mode      {self.mode}: {colors} JVP passes instead of {n} ({optimal})",
                f"  kernels   {len(self.linear.kernels)} linear, {len(self.linear.work)} intermediate arrays",
                f"  prepared  in {self.timings.total:.3g} s ({self.timings})",
            ]
        )

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<sparse Jacobian, {m} x {n}, {self.pattern.nnz} nonzeros, {self.mode}, passes {self.passes}>"

    # -- evaluation -----------------------------------------------------------------------------------------
    def __call__(self, x: Any, *args: Any, out: scipy.sparse.csr_array | None = None) -> scipy.sparse.csr_array:
        """Return the Jacobian at x.

        Parameters
        ----------
        x : array_like
            The point, of the shape that was prepared.
        *args
            The other arguments of the function.
        out : scipy.sparse.csr_array, optional
            A result of an earlier call. Its data are overwritten, every entry, and it is returned; nothing that
            grows with the problem is allocated.

        Returns
        -------
        scipy.sparse.csr_array, shape (m, n)
            Sorted indices; explicit zeros are kept, so the structure is the same at every call. The index arrays
            are shared between results and read-only; ``J.copy()`` has its own.

        Raises
        ------
        InputError
            If a shape differs from the prepared one, or `out` has another structure.
        """
        inputs = self._inputs((x, *args))
        data = np.empty(self.pattern.nnz) if out is None else self._checked(out)
        self._sweep("jacobian")(**inputs, **self._structure, data=data)
        return self._matrix(data) if out is None else out

    def value_and_jacobian(self, x: Any, *args: Any) -> tuple[np.ndarray, scipy.sparse.csr_array]:
        """Return ``f(x, *args)`` and its Jacobian, from one sweep."""
        inputs = self._inputs((x, *args))
        y, data = np.empty(self.shape[0]), np.empty(self.pattern.nnz)
        self._sweep("value_and_jacobian")(**inputs, **self._structure, data=data, y=y)
        return y.reshape(self._output_shape), self._matrix(data)

    def values(self, x: Any, *args: Any, out: np.ndarray | None = None, order: str = "csr") -> np.ndarray:
        """Return the values of the entries alone, (nnz,), in a fixed order.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray, shape (nnz,), optional
            Where to write them.
        order : {"csr", "coo", "csc", "lower"}
            By rows (``"coo"`` is the same), by columns, or the lower triangle by rows (``row >= column``).
        """
        place = self._order(order)
        data = out if out is not None and place is None else np.empty(self.pattern.nnz)
        if out is not None:
            expected = self.pattern.nnz if place is None else len(place)
            if out.shape != (expected,) or out.dtype != np.float64 or not out.flags.c_contiguous:
                raise InputError(f"out must be a contiguous float64 array of shape ({expected},)")
        self._sweep("jacobian")(**self._inputs((x, *args)), **self._structure, data=data)
        if place is None:
            return data
        return np.take(data, place, out=out)

    def jvp(self, x: Any, v: Any, *args: Any) -> np.ndarray:
        """Return ``J @ v`` without forming J; v (n,) or (n, k) gives (m,) or (m, k)."""
        return self._product("jvp", (x, *args), v, 1, "dx", "dy")

    def vjp(self, x: Any, w: Any, *args: Any) -> np.ndarray:
        """Return ``J.T @ w`` without forming J; w (m,) or (m, k) gives (n,) or (n, k)."""
        return self._product("vjp", (x, *args), w, 0, "dy", "dx")

    def value(self, x: Any, *args: Any) -> np.ndarray:
        """Return ``f(x, *args)``, from the compiled kernels."""
        y = np.empty(self.shape[0])
        self._sweep("value")(**self._inputs((x, *args)), y=y)
        return y.reshape(self._output_shape)

    def linear_operator(self, x: Any, *args: Any) -> scipy.sparse.linalg.LinearOperator:
        """Return J at x as a ``scipy.sparse.linalg.LinearOperator`` (products only, no matrix)."""
        x = np.array(x, dtype=np.float64)
        return scipy.sparse.linalg.LinearOperator(
            self.shape,
            matvec=lambda v: self.jvp(x, np.ravel(v), *args),
            rmatvec=lambda w: self.vjp(x, np.ravel(w), *args),
            matmat=lambda v: self.jvp(x, v, *args),
            rmatmat=lambda w: self.vjp(x, w, *args),
            dtype=np.dtype(np.float64),
        )

    # -- parts ----------------------------------------------------------------------------------------------
    def _inputs(self, args: tuple[Any, ...]) -> dict[str, np.ndarray]:
        arrays = self._signature.convert(args)
        return {node.name: array for node, array in zip(self.program.inputs, arrays, strict=True)}

    def _product(self, name: str, args: tuple[Any, ...], v: Any, axis: int, source: str, target: str) -> np.ndarray:
        v = np.asarray(v, dtype=np.float64)
        size = self.shape[axis]
        if v.ndim not in (1, 2) or v.shape[0] != size:
            raise InputError(f"{name} expects a vector of shape ({size},) or ({size}, k), got {v.shape}")
        return apply_columns(self._sweep(name), self._inputs(args), source, target, v, self.shape[1 - axis])

    def _sweep(self, name: str) -> Sweep:
        if name not in self._sweeps:
            self._sweeps[name] = self._build(name)
        return self._sweeps[name]

    def _build(self, name: str) -> Sweep:
        match name:
            case "value":
                return value_sweep(self.kernels, self.backend)
            case "jvp":
                return product_sweep(self.linear, name, self.backend)
            case "vjp":
                return product_sweep(self.linear.transposed(), name, self.backend)
        with_value = name == "value_and_jacobian"
        program = LinearProgram(self.linear.source, self.linear.target, self.linear.kernels, self.kernels)
        return compressed_sweep(
            program if with_value else self.linear,
            self.coloring.num_colors,
            with_value=with_value,
            backend=self.backend,
        )

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
                "out must be a float64 csr_array as returned by an earlier call, with the pattern of this Jacobian "
                f"({self.shape[0]} x {self.shape[1]}, {self.pattern.nnz} entries)"
            )
        return out.data

    def _order(self, order: str) -> np.ndarray | None:
        """Return which CSR entries make up an order; None for all, as they are."""
        if order in ("csr", "coo"):
            return None
        if order == "csc":
            return np.argsort(self.pattern.indices, kind="stable")
        if order == "lower":
            rows = np.repeat(np.arange(self.shape[0]), np.diff(self.pattern.indptr))
            return np.flatnonzero(self.pattern.indices <= rows)
        raise InputError(f"unknown order {order!r}; expected csr, csc, coo or lower")


def _read_only(array: np.ndarray) -> np.ndarray:
    view = array.view()
    view.setflags(write=False)
    return view


def _equal(a: np.ndarray, b: np.ndarray) -> bool:
    same = a.__array_interface__["data"][0] == b.__array_interface__["data"][0] and a.shape == b.shape
    return same or np.array_equal(a, b)


def jacobian(
    f: Callable[..., Any],
    x0: Any,
    *args: Any,
    argnum: int = 0,
    mode: str = "auto",
    pattern: Any = None,
    coloring: Any = None,
    order: Any = "auto",
    method: str = "ad",
    threads: int | None = None,
    backend: str = DEFAULT_BACKEND,
) -> Jacobian:
    """Prepare the sparse Jacobian of a NumPy function.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``: NumPy code that returns an array, a number, or a list of them.
    x0 : array_like
        An example of x. Only its shape matters; integers are converted to float64.
    *args
        Examples of the other arguments. Floats and float arrays are runtime values: new ones need no new
        preparation. Everything else (integers, sparse matrices, objects) is fixed here.
    argnum : int
        The argument to differentiate with respect to.
    mode : str
        ``"forward"``: column coloring and JVP sweeps; ``"auto"`` and ``"compressed"`` choose it.
    pattern : SparsityPattern or scipy.sparse matrix, optional
        A pattern to use instead of the detected one. It may be larger, never smaller.
    coloring : optional
        A result of `coloring.color`, an array of colors (checked), or ``"none"``: one pass per column.
    order : str, callable or list
        The order of the coloring, see `coloring.color`.
    method : str
        ``"ad"``.
    threads : int, optional
        1 (the default) for now.
    backend : str
        ``"llvm"``, ``"numba"`` or ``"python"``: what compiles the generated code.

    Returns
    -------
    Jacobian

    Raises
    ------
    UnsupportedOperationError
        `f` uses something that is not supported; the message has the place in the user's file.
    TracedBranchError
        `f` branches in Python on a traced value.
    InputError
        An argument, or the value of `f`, cannot be used.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> jac = sad.jacobian(lambda x: x[1:] ** 2 - x[:-1], np.ones(4))
    >>> jac(np.array([1.0, 2.0, 3.0, 4.0])).toarray()
    array([[-1.,  4.,  0.,  0.],
           [ 0., -1.,  6.,  0.],
           [ 0.,  0., -1.,  8.]])
    >>> jac.passes
    {'jvp': 2, 'vjp': 0}
    """
    _check_options(mode, method, threads)
    timings = Timings()
    with timings.stage("trace"):
        program, signature = trace(f, (x0, *args), argnum)
    with timings.stage("lower"):
        kernels = lower(program)
    with timings.stage("linearize"):
        linear = linearize(kernels)
    with timings.stage("detect"):
        found = detect(linear)
        found = found if pattern is None else _given_pattern(pattern, found)
    with timings.stage("color"):
        colored = _colored(found, coloring, order)
    prepared = Jacobian(program, signature, kernels, linear, found, colored, timings, backend)
    with timings.stage("compile"):
        prepared._sweep("jacobian").compile()
    return prepared


def jacobian_pattern(f: Callable[..., Any], x0: Any, *args: Any, argnum: int = 0) -> SparsityPattern:
    """Return the sparsity pattern of the Jacobian of `f` alone; see `jacobian` for the arguments.

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> sad.jacobian_pattern(lambda x: x[1:] * x[:-1], np.ones(4)).to_scipy().toarray()
    array([[1., 1., 0., 0.],
           [0., 1., 1., 0.],
           [0., 0., 1., 1.]])
    """
    program, _ = trace(f, (x0, *args), argnum)
    return detect(linearize(lower(program)))


def _check_options(mode: str, method: str, threads: int | None) -> None:
    if mode in LATER:
        raise UnsupportedOperationError(f"mode={mode!r} is not available yet; use mode='forward'")
    if mode not in MODES:
        raise InputError(f"unknown mode {mode!r}; expected one of {', '.join((*MODES, *LATER))}")
    if method != "ad":
        raise UnsupportedOperationError(f"method={method!r} is not available yet; use method='ad'")
    if threads not in (None, 1):
        raise UnsupportedOperationError(f"threads={threads} is not available yet; use threads=1")


def _given_pattern(pattern: Any, found: SparsityPattern) -> SparsityPattern:
    """Return a user's pattern after checking that it has room for every entry that was found."""
    given = pattern if isinstance(pattern, SparsityPattern) else SparsityPattern.from_scipy(pattern)
    if given.shape != found.shape:
        raise InputError(f"pattern has shape {given.shape}, but the Jacobian is {found.shape[0]} x {found.shape[1]}")
    missing = (found.to_scipy() - found.to_scipy().multiply(given.to_scipy())).tocoo()
    missing.eliminate_zeros()
    if missing.nnz:
        raise InputError(
            f"pattern misses {missing.nnz} entries of the Jacobian, the first at row {missing.row[0]}, column "
            f"{missing.col[0]}; leave pattern out to have it detected"
        )
    return given


def _colored(pattern: SparsityPattern, given: Any, order: Any) -> ColoringResult | GivenColors:
    """Return the coloring to use: computed, or the user's after a check."""
    if given is None:
        return graph.color(pattern, partition="column", order=order)
    if isinstance(given, ColoringResult):
        if given.partition != "column" or given.colors.size != pattern.shape[1]:
            raise InputError(f"coloring must be a column coloring of {pattern.shape[1]} columns")
        given = given.colors
    if isinstance(given, str):
        if given != "none":
            raise InputError(f"unknown coloring {given!r}; expected 'none', a coloring result, or an array of colors")
        given = np.arange(pattern.shape[1], dtype=np.int32)
    return _checked_colors(pattern, np.asarray(given))


def _checked_colors(pattern: SparsityPattern, colors: np.ndarray) -> GivenColors:
    """Wrap an array of colors after checking that no row meets a color twice."""
    n = pattern.shape[1]
    if colors.shape != (n,) or colors.dtype.kind not in "iu" or (n and colors.min() < 0):
        raise InputError(f"coloring must be an array of {n} nonnegative integers, got {colors.dtype} {colors.shape}")
    met = pattern.rows.astype(np.int64) * (int(colors.max(initial=0)) + 1) + colors[pattern.indices]
    met.sort()
    if (met[1:] == met[:-1]).any():
        twice = int(met[:-1][met[1:] == met[:-1]][0])
        row, color = divmod(twice, int(colors.max()) + 1)
        raise InputError(f"coloring is not valid: row {row} has two columns of color {color}")
    bound = int(np.diff(pattern.indptr).max(initial=0))
    return GivenColors(colors.astype(np.int32), int(colors.max(initial=-1)) + 1, bound)
