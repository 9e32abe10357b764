"""What prepared Jacobians and Hessians share: a fixed structure, and values written into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse.linalg

from coloring.cached import cached_property
from sparsead.checking.check import verify
from sparsead.checking.plain import copied
from sparsead.contract import Matrix
from sparsead.derivatives import constant_entries
from sparsead.derivatives.batch import Batch, WithBatches
from sparsead.derivatives.blocks import Blocks, blocks_of
from sparsead.derivatives.calls import refuse_out
from sparsead.derivatives.fast_calls import Outputs, fast_entry, never
from sparsead.derivatives.machine_code import WithMachineCode
from sparsead.derivatives.nested import are_traced, composable
from sparsead.derivatives.products import Product
from sparsead.derivatives.record import Filled, Preparation
from sparsead.derivatives.summary import MatrixSummary
from sparsead.derivatives.validation import check_options
from sparsead.derivatives.vectors import apart, as_operator, checked_vector, new_or_checked
from sparsead.emit.sweep import Engine, Sweep
from sparsead.errors import InputError
from sparsead.keeping.pickling import Recipe, with_coloring
from sparsead.keeping.saving import save
from sparsead.kernels.kernel import Kernels
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.linearize import for_products
from sparsead.kernels.pattern import detect
from sparsead.sweeps.assembly import Assembly, direct_assembly
from sparsead.sweeps.storage import Storage
from sparsead.sweeps.vector import apply_columns, product_sweep

if TYPE_CHECKING:
    from sparsead.explain.explanation import Explanation, Overview


class PreparedMatrix(MatrixSummary, WithBatches, WithMachineCode, Matrix):
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
    structure : FixedStructure
        The pattern as scipy matrices share it.
    linear : LinearProgram
        The linear program of the matrix. It prints itself.

    See Also
    --------
    sparsead.derivatives.prepared.Prepared : for the other attributes.
    """

    _symmetric = False

    def __init__(self, made: Preparation, filled: Filled) -> None:
        super().__init__(made)
        self.pattern, self.coloring = filled.pattern, filled.coloring
        self.mode, self.reasons = filled.mode, filled.reasons
        self._assembly = filled.assembly
        self.structure = filled.structure
        self._assemble = filled.assemble

    @cached_property
    def linear(self) -> LinearProgram:
        """The linear program of the matrix."""
        return self._lowered().matrix

    # -- what was prepared ----------------------------------------------------------------------------------
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
        return blocks_of(matrix, self.shape, self.signature, self._symmetric)

    def explain(self, row: int | None = None, column: int | None = None) -> Explanation | Overview:
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

        check_options(row=row, column=column)

        return explain(self, row, column)

    def save(self, path: Any) -> None:
        """Write pattern, mode and coloring to an ``.npz`` file; `sparsead.load` reads it."""
        check_options(path=path)
        save(self, path)

    def _to_send(self) -> Recipe:
        return with_coloring(self.recipe, self)

    # -- evaluation -----------------------------------------------------------------------------------------
    def _evaluated_matrix(self, args: tuple[Any, ...], out: Any, keep_constants: bool, verify: bool | str) -> Any:
        """Return the matrix at a point, as it was prepared."""
        if keep_constants is not False or verify is not False:
            check_options(self.signature, keep_constants=keep_constants, verify=verify)
        if not (keep_constants or verify) and (data := self.structure.known_room(out)) is not None:
            constant_entries.forget(data)
            if self._fast(*args, data):
                return self.structure.matrix(data) if out is None else out
        if are_traced(args):
            return self._nested_matrix(args, out)
        inputs = self._inputs(args)
        data = self.structure.new_or_checked(out)
        self._fill(data, inputs, keep_constants)
        self._verify(data, verify, args)
        return self.structure.matrix(data) if out is None else out

    def _nested_matrix(self, args: tuple[Any, ...], out: Any) -> Any:
        """Return the matrix inside a function that is traced: of unknowns, in no format; or dense."""
        refuse_out(out)
        if self.structure.triangle != "full":
            raise InputError(
                "inside a function that is differentiated a matrix is whole; prepare one without triangle="
            )
        matrix = self._nested(*args)
        return matrix.toarray() if self.structure.format == "dense" else matrix

    def diagonal(self, x: Any, *args: Any, out: np.ndarray | None = None, **named: Any) -> np.ndarray:
        """Return the diagonal of the matrix at x, at its own cost: nothing else is computed.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray of float64, shape (min(m, n),), optional
            Where to write it.

        Returns
        -------
        ndarray, shape (min(m, n),)

        Raises
        ------
        InputError
            If a shape does not fit.

        Notes
        -----
        Its code is compiled at the first call. Values may differ from those of the matrix by rounding, where these are
        sums.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> jac = sad.jacobian(lambda x: x**2 * np.roll(x, 1), np.ones(3))
        >>> jac.diagonal(np.array([1.0, 2.0, 3.0]))
        array([ 6.,  4., 12.])
        """
        args = self._args(x, args, named)
        if are_traced(args):
            refuse_out(out)
            return self._nested.diagonal(*args)
        data = new_or_checked("diagonal", out, (min(self.shape),))
        if self.linear.has_calls:  # no part of the matrix is known without the rest
            rows, columns = self.pattern.rows, self.pattern.indices
            data[...] = 0.0
            data[rows[rows == columns]] = self.values(*args, order="csr")[rows == columns]
        else:
            self._diagonal.fill(data, apart(self._inputs(args), data))
        return data if out is None else out

    @cached_property
    def _matrix_batch(self) -> Batch:
        output = ("data", (self.structure.size,))
        return Batch(self.program, self.signature, self.engine, output, self._assembly.sweeps_of_points, self.values)

    @cached_property
    def _diagonal(self) -> Assembly:
        patterns = detect(self.linear)
        storage = Storage.of_diagonal(patterns[self.linear.target])
        return direct_assembly(self.linear, patterns, "diagonal", self.engine, storage)

    def values(
        self,
        x: Any,
        *args: Any,
        out: np.ndarray | None = None,
        order: str | None = None,
        keep_constants: bool = False,
        verify: bool | str = False,
        **named: Any,
    ) -> np.ndarray:
        """Return the values of the entries alone, in a fixed order; explicit zeros are kept.

        Parameters
        ----------
        x, *args
            As in a call.
        out : ndarray of float64, optional
            Where to write them.
        order : {"csr", "coo", "csc", "lower", "upper"}, optional
            By rows (``"coo"`` is the same), by columns, or one triangle by rows (with the diagonal). By default as the
            matrix holds them that a call returns; any other order takes a copy.
        keep_constants, verify
            As in a call.

        Raises
        ------
        InputError
            If `out` does not fit or the order is not known.
        """
        args = self._args(x, args, named)
        if order is not None or keep_constants is not False or verify is not False:
            check_options(self.signature, values_order=order, keep_constants=keep_constants, verify=verify)
        if not (keep_constants or verify) and self.structure.is_order(order):
            room = np.empty(self.structure.size) if out is None else out
            constant_entries.forget(room)
            if self._fast(*args, room):
                return room
        if are_traced(args):
            return self._nested.values(*args)
        inputs = self._inputs(args)

        def fill(data: np.ndarray) -> None:
            self._fill(data, inputs, keep_constants)
            self._verify(data, verify, args)

        return self.structure.values(fill, out, order)

    @composable
    def linear_operator(self, x: Any, *args: Any, **named: Any) -> scipy.sparse.linalg.LinearOperator:
        """Return the matrix at x as an operator: products only, no matrix.

        Parameters
        ----------
        x, *args
            As in a call; x is copied.

        Returns
        -------
        scipy.sparse.linalg.LinearOperator, shape (m, n)
            With products by the matrix and by its transpose.
        """
        args = tuple(map(copied, self._args(x, args, named)))
        products = [lambda v, p=p: self._product(p, v, args) for p in (self._products[0], self._products[-1])]
        return as_operator(self.shape, *products)

    def _product(self, product: Product, v: Any, args: tuple[Any, ...]) -> Any:
        """Return a product with a vector, or with columns; one that is built as x or as the result is, in kind."""
        given, returned = product.sizes(self.shape)
        of_rows = product.transposed and not self._symmetric  # those of a Hessian are built like x, too
        built = self.signature.is_built(v, result=of_rows)
        if built:
            v = self.signature.flat_rows(v) if of_rows else self.signature.flat_x(v)
        v = checked_vector(product.name, v, given)
        inputs = self._inputs(args)
        found = apply_columns(self._sweep(product.name), inputs, product.source, product.target, v, returned)
        if not built:
            return found
        to_rows = not product.transposed and not self._symmetric
        return self.signature.shaped(found) if to_rows else self.signature.like_x(found)

    def _new_sweep(self, name: str, engine: Engine) -> Sweep:
        product = next((p for p in self._products if p.name == name), None)
        if product is None:
            return super()._new_sweep(name, engine)
        linear = self._linear_for_products
        return product_sweep(linear.transposed() if product.transposed else linear, name, engine)

    @cached_property
    def _linear_for_products(self) -> LinearProgram:
        return self.linear if self.linear.has_calls else for_products(self.linear, self._differentiated)

    @property
    def _differentiated(self) -> Kernels:
        """The kernels whose derivative the matrix is."""
        return self.kernels

    def _filled(
        self, name: str, args: tuple[Any, ...], outs: dict[str, np.ndarray], matrix: Any, how: bool | str
    ) -> Any:
        """Return the matrix at a point, from the sweep that also computes all functions, in the arrays `outs`."""
        check_options(self.signature, verify=how)
        data = self.structure.new_or_checked(matrix)
        constant_entries.forget(data)
        inputs = apart(self._inputs(args), *outs.values(), data)
        self._assembly.fill(data, inputs | outs, values=self._both)
        self._verify(data, how, args)
        return self.structure.matrix(data) if matrix is None else matrix

    @cached_property
    def _fast(self) -> Callable[..., bool]:
        """What takes fast calls ``(x, *args, data)`` and tells whether it did."""
        return self._fast_entry({})

    def _fast_entry(self, outputs: Outputs, values: Kernels | None = None) -> Callable[..., bool]:
        """Return what takes fast calls ``(x, *args, *outputs, data)``, where `values` compute the outputs."""
        sweeps = self._assembly.all_sweeps(values)
        outputs = {**outputs, "data": (self.structure.size,)}
        return never if sweeps is None else fast_entry(self.signature, sweeps, outputs)

    def _fast_filled(
        self, args: tuple[Any, ...], outs: tuple[np.ndarray, ...], matrix: Any, how: bool | str
    ) -> Any | None:
        """Return the matrix at a point, and fill `outs`, by machine code; None where that did not take the call."""
        if how is not False or (data := self.structure.known_room(matrix)) is None:
            return None
        constant_entries.forget(data)
        if not self._fast_both(*args, *outs, data):
            return None
        return self.structure.matrix(data) if matrix is None else matrix

    @cached_property
    def _fast_both(self) -> Callable[..., bool]:
        """What takes fast calls ``(x, *args, *outs, data)`` of all functions and the matrix."""
        raise NotImplementedError

    def _fill(self, data: np.ndarray, inputs: dict[str, np.ndarray], keep_constants: bool) -> None:
        """Compute all values, but for entries without x where the caller says that `data` holds them."""
        if any(np.may_share_memory(data, given) for given in inputs.values()):
            raise InputError("out shares memory with x or another argument, which would change as it is read")
        if not keep_constants:
            constant_entries.forget(data)
            self._assembly.fill(data, inputs)
            return
        arguments = {name: array for name, array in inputs.items() if name != self.program.wrt.name}
        varying = constant_entries.holds(data, self, arguments)
        constant_entries.forget(data)  # until it is filled
        self._assembly.fill(data, inputs, varying=varying)
        constant_entries.note(data, self, arguments)

    def _verify(self, data: np.ndarray, how: bool | str, args: tuple[Any, ...]) -> None:
        """Compare values that were just computed along a random vector, if that is asked for."""
        if how:
            verify(self, how, self.structure.by_rows(data), args)
