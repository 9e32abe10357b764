"""What prepared Jacobians and Hessians share: a fixed structure, and values written into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from coloring import ColoringResult, SparsityPattern
from coloring.cached import cached_property
from coloring.pictures.thumbnail import thumbnail
from sparsead.checking.check import verify
from sparsead.checking.report import unchecked
from sparsead.derivatives import constants
from sparsead.derivatives.batch import OfManyPoints
from sparsead.derivatives.blocks import Blocks
from sparsead.derivatives.described import Described
from sparsead.derivatives.plain import Outputs, c_function, kept_arguments, never, plain_entry, repeated_call
from sparsead.derivatives.structure import FixedStructure
from sparsead.emit.pointer import CFunction
from sparsead.emit.sweep import Engine, Sweep
from sparsead.errors import InputError
from sparsead.keeping.pickling import Recipe, Sendable, with_coloring
from sparsead.keeping.saving import save
from sparsead.kernels.kernel import Kernels, LinearProgram
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.assembly import Assembly
from sparsead.tracing.arguments import Signature


class PreparedMatrix(OfManyPoints, Described, Sendable):
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
    function : callable
        What was differentiated.
    recipe : Recipe
        How it was prepared, for other processes.
    structure : FixedStructure
        The pattern as scipy matrices share it.
    program, kernels, linear
        What was traced; what it was lowered to; the linear program of the matrix. All print themselves.
    timings : Timings
        Seconds of each stage of the preparation.
    checked : Report
        What was compared with `function` before this was returned; its notes say what could not be, and why.
    """

    _symmetric = False

    def __init__(
        self,
        recipe: Recipe,
        program: Program,
        signature: Signature,
        kernels: Kernels,
        linear: LinearProgram,
        pattern: SparsityPattern,
        mode: str,
        colored: ColoringResult | None,
        assembly: Assembly,
        timings: Timings,
        engine: Engine,
        reasons: tuple[str, ...] = (),
    ) -> None:
        self.function = recipe.function
        self.recipe = recipe
        self.program = program
        self.kernels = kernels
        self.linear = linear
        self.pattern = pattern
        self.mode = mode
        self.coloring = colored
        self.timings = timings
        self.engine = engine
        self.reasons = reasons
        self._assembly = assembly
        self.signature = signature
        self._names = [node.name for node in program.inputs]
        self.structure = FixedStructure(pattern)
        self._sweeps: dict[str, Sweep] = {}
        self.checked = unchecked()

    # -- what was prepared ----------------------------------------------------------------------------------
    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pattern.shape

    def blocks(self, matrix: Any) -> Blocks:
        """Return the blocks of this matrix, computed at some x, by the names of rows and columns.

        Columns are named as the parts of x, where x is a dict, a dataclass or several arguments; rows as the parts of
        the value of the function. An array without a name of its own is called as the argument of the function, and
        ``"f"`` among the rows.

        Parameters
        ----------
        matrix : scipy.sparse.csr_array, shape (m, n)
            What a call returned.

        Returns
        -------
        Blocks
            Indexed by a row name and a column name.
        """
        if matrix.shape != self.shape:
            raise InputError(f"expected a matrix of shape {self.shape}, as a call returns it, got {matrix.shape}")
        rows = self.signature.columns() if self._symmetric else self.signature.rows()
        return Blocks(matrix, rows, self.signature.columns())

    @property
    def argnum(self) -> int:
        """Which argument x is."""
        return self.signature.argnum

    @property
    def passes(self) -> dict[str, int]:
        """The products with the matrix or its transpose that one evaluation costs; 0 in direct mode."""
        return dict(self._assembly.passes)

    @property
    def source(self) -> str:
        """The generated code of the sweeps that compute the matrix."""
        return "\n".join(sweep.source.text for sweep in self._assembly.sweeps())

    def _heading(self) -> str:
        m, n = self.shape
        return f"{self.title}: {m} x {n}, {self.pattern.nnz} nonzeros ({self.pattern.density:.3g} of all)"

    def _facts(self) -> list[tuple[str, str]]:
        kernels, arrays = len(self.linear.kernels), len(self.linear.work)
        return [
            ("mode", f"{self.mode}: {self._passes_in_words()}"),
            *(("", reason) for reason in self.reasons),
            ("kernels", f"{kernels} linear, {arrays} intermediate arrays"),
            ("prepared", f"in {self.timings.total:.3g} s ({self.timings})"),
        ]

    def _picture(self) -> str:
        return thumbnail(self.pattern)

    _title = "sparse matrix"

    @property
    def title(self) -> str:
        """What it is, in words: ``sparse Jacobian of f``."""
        return f"{self._title} of {self.program.name}"

    def _passes_in_words(self) -> str:
        if self.coloring is None:
            return f"no passes (instead of {self.shape[1]}); coefficients go straight to their entries"
        passes = " and ".join(f"{k} {kind.upper()}" for kind, k in self.passes.items() if k) or "0"
        bound = "optimal" if self.coloring.is_optimal else f"lower bound {self.coloring.lower_bound}"
        return f"{passes} passes instead of {self.shape[1]} ({bound})"

    def __repr__(self) -> str:
        m, n = self.shape
        return f"<{self._title}, {m} x {n}, {self.pattern.nnz} nonzeros, {self.mode}, passes {self.passes}>"

    def explain(self, row: int | None = None, column: int | None = None) -> Any:
        """Tell which lines of the function bring the entries of a row or column in.

        Parameters
        ----------
        row, column : int, optional
            Which row, or which column, in C order; with neither, the longest ones, and what would help.

        Returns
        -------
        Explanation or Overview
            Prints itself, and has the figures as attributes: for each line of the user's code the entries that come in
            there, how many of them through no other line, and the operations from the function's value to x.

        Raises
        ------
        InputError
            If there is no such row or column.

        Notes
        -----
        An entry belongs to the operation, on its way to x, that reads the most values for one of its own, such as a
        sum; for a Hessian, to the nonlinear operation in which two x's meet. In loop code, lines that do the same
        with the same arrays are told under the first of them.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> jac = sad.jacobian(lambda x: x - np.mean(x), np.ones(50))
        >>> print(jac.explain(row=3))  # doctest: +ELLIPSIS
        row 3 of the sparse Jacobian of <lambda>: 50 of 50 entries are nonzero (a typical row has 50)
            entries  only here  line
        ...
        """
        from sparsead.explain.blame import explain

        return explain(self, row, column)

    def save(self, path: Any) -> None:
        """Write pattern, mode and coloring to an ``.npz`` file; `sparsead.load` reads it."""
        save(self, path)

    def _to_send(self) -> Recipe:
        return with_coloring(self.recipe, self)

    # -- evaluation -----------------------------------------------------------------------------------------
    def values(
        self,
        x: Any,
        *args: Any,
        out: np.ndarray | None = None,
        order: str = "csr",
        keep_constants: bool = False,
        verify: bool | str = False,
    ) -> np.ndarray:
        """Return the values of the entries alone, in a fixed order; explicit zeros are kept.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray of float64, optional
            Where to write them.
        order : {"csr", "coo", "csc", "lower", "upper"}
            By rows (``"coo"`` is the same), by columns, or one triangle by rows (with the diagonal).
        keep_constants, verify
            As in a call.

        Raises
        ------
        InputError
            If `out` does not fit or the order is not known.
        """
        if not (keep_constants or verify) and order == "csr":
            room = np.empty(self.pattern.nnz) if out is None else out
            constants.forget(room)
            if self._plain(x, *args, room):
                return room
        inputs = self._inputs((x, *args))

        def fill(data: np.ndarray) -> None:
            self._fill(data, inputs, keep_constants)
            if verify:
                self._verified(self.structure.matrix(data), verify, (x, *args))

        return self.structure.values(fill, out, order)

    def prepared_call(self, x: np.ndarray, *args: Any, out: Any) -> Callable[[], None]:
        """Return a function without arguments that evaluates at what these arrays hold when it is called.

        Parameters
        ----------
        x : ndarray of float64
            The point, C-contiguous: read anew at every call.
        *args
            The other arguments of the function. Arrays are read anew as well and must be contiguous float64;
            numbers stay what they are now.
        out : scipy.sparse.csr_array or ndarray of float64
            A matrix of an earlier call, or an array for its values in row order: overwritten at every call.

        Returns
        -------
        callable
            For a small system it is machine code that Python calls, 0.1 microseconds beside the loops. Nothing is
            checked any more: the arrays must not be resized. Not to be called from several threads at a time.

        Raises
        ------
        InputError
            If something does not fit, would have to be converted, or shares memory with `out`.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> x = np.array([1.0, 2.0])
        >>> jac = sad.jacobian(lambda x: x**2, x)
        >>> v = np.empty(2)
        >>> evaluate = jac.prepared_call(x, out=v)
        >>> x[:] = [3.0, 4.0]
        >>> evaluate()
        >>> v
        array([6., 8.])
        """
        data = self.structure.values(lambda _: None, out, "csr") if isinstance(out, np.ndarray) else None
        data = self.structure.new_or_checked(out) if data is None else data
        if out is None or not data.flags.writeable:
            raise InputError("out must be a matrix of an earlier call or an array for its values, to be written to")
        kept = kept_arguments(self.signature, (x, *args), data)
        constants.leave_out(data)
        if (sweeps := self._assembly.all_sweeps()) is not None:
            call = repeated_call(self.program, self.signature, sweeps, kept, {"data": data})
            if call is not None:
                return call
        inputs = self._inputs(tuple(kept))
        return lambda: self._assembly.fill(data, inputs)

    def compile(self, *names: str) -> None:
        """Compile now what else is compiled at its first use: ``"value"``, ``"gradient"``, ``"jvp"``, .."""
        for name in names:
            self._sweep(name).compile()

    @cached_property
    def address(self) -> int:
        """Address of the compiled values: ``void (const double *x, .., double *values)``; see `c_function`."""
        return self._c_values.address

    @cached_property
    def _c_values(self) -> CFunction:
        return self.c_function()

    def c_function(self, what: str = "values") -> CFunction:
        """Return compiled code as a function of C, for numba, C libraries and whoever calls pointers.

        Parameters
        ----------
        what : str
            ``"values"``: of the matrix, in row order; ``"value"`` of the function; or a product, ``"jvp"`` and
            ``"vjp"`` of a Jacobian, ``"hvp"`` of a Hessian, which also has ``"gradient"``.

        Returns
        -------
        CFunction
            Its ``address``, its ``signature`` in C, and ``ctypes``, which compiled functions of numba can call. Every
            function has work arrays of its own; where it is not ``reentrant``, get one for each thread.

        Raises
        ------
        InputError
            If `what` is not known, or Python takes part in the evaluation.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> jac = sad.jacobian(lambda x: x**2, np.ones(2))
        >>> f = jac.c_function()
        >>> f.signature
        'void values(const double *x, double *values); /* x[2], values[2] */'
        >>> x, v = np.array([1.0, 2.0]), np.empty(2)
        >>> f.ctypes(x.ctypes, v.ctypes)
        >>> v
        array([2., 4.])
        """
        if what == "values":
            sweeps, outputs = self._assembly.all_sweeps(), {"data": ("values", self.pattern.nnz, True)}
        elif what in (known := self._arrays_in_c()):
            sweeps, outputs = [self._sweep(what)], known[what]
        else:
            raise InputError(f"unknown function {what!r}; expected 'values', {', '.join(map(repr, known))}")
        return c_function(what, self.program, sweeps, outputs)

    def _arrays_in_c(self) -> dict[str, dict[str, tuple[str, int, bool]]]:
        """Return the functions beside the values: for each array of a sweep its name in C, size, if it is written."""
        raise NotImplementedError

    def _sweep(self, name: str) -> Sweep:
        raise NotImplementedError

    @cached_property
    def _plain(self) -> Callable[..., bool]:
        """What takes plain calls ``(x, *args, data)`` and tells whether it did."""
        return self._plain_entry({})

    def _plain_entry(self, outputs: Outputs, values: Kernels | None = None) -> Callable[..., bool]:
        """Return what takes plain calls ``(x, *args, *outputs, data)``, where `values` compute the outputs."""
        sweeps = self._assembly.all_sweeps(values)
        outputs = outputs | {"data": (self.pattern.nnz,)}
        return never if sweeps is None else plain_entry(self.program, self.signature, sweeps, outputs)

    def _fill(self, data: np.ndarray, inputs: dict[str, np.ndarray], keep_constants: bool) -> None:
        """Compute all values, but for entries without x where the caller says that `data` holds them."""
        if any(np.may_share_memory(data, given) for given in inputs.values()):
            raise InputError("out shares memory with x or another argument, which would change as it is read")
        if not keep_constants:
            constants.forget(data)
            self._assembly.fill(data, inputs)
            return
        arguments = {name: array for name, array in inputs.items() if name != self.program.wrt.name}
        varying = constants.holds(data, self, arguments)
        constants.forget(data)  # until it is filled
        self._assembly.fill(data, inputs, varying=varying)
        constants.note(data, self, arguments)

    def _verified(self, matrix: Any, how: bool | str, args: tuple[Any, ...]) -> Any:
        """Return a matrix that was just computed; if asked for, compare it along a random vector before."""
        if how:
            verify(self, how, matrix, args)
        return matrix

    def _inputs(self, args: tuple[Any, ...]) -> dict[str, np.ndarray]:
        return dict(zip(self._names, self.signature.convert(args), strict=True))
