"""Derivatives that are evaluated on a CUDA device, through CuPy: arrays of the device in and out.

Everything is prepared on the CPU, checked there against the function, and then written once more as grids of threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from sparsead.contract import Kind
from sparsead.derivatives.on_device import OnDevice, usable_cupy
from sparsead.derivatives.products import Product
from sparsead.derivatives.vectors import checked_pair
from sparsead.errors import InputError
from sparsead.extras import optional
from sparsead.tracing.floats import DOUBLE


class MatrixOnDevice(OnDevice):
    """A Jacobian or Hessian on a device."""

    def __init__(self, prepared: Any, cupy: Any) -> None:
        super().__init__(prepared, cupy)
        self.pattern, self.shape, self.mode = prepared.pattern, prepared.shape, prepared.mode
        self._csr = optional("cupyx.scipy.sparse").csr_matrix
        self._indices = [self._tables[a] for a in (self.pattern.indices, self.pattern.indptr)]
        self._sweeps("matrix")

    @property
    def source(self) -> str:
        """The CUDA C that computes the matrix."""
        return self._sweeps("matrix").text

    def __call__(self, x: Any, *args: Any, out: Any = None) -> Any:
        """Return the matrix at x.

        Parameters
        ----------
        x, *args
            As in `value`.
        out : cupyx.scipy.sparse.csr_matrix, optional
            A result of an earlier call, to be overwritten.

        Returns
        -------
        cupyx.scipy.sparse.csr_matrix, shape (m, n)
            Its index arrays are shared between results; explicit zeros are kept.
        """
        data = self.values(x, *args, out=self._data(out))
        return self._matrix(data) if out is None else out

    def values(self, x: Any, *args: Any, out: Any = None) -> Any:
        """Return the values of the entries alone, by rows.

        Parameters
        ----------
        x, *args
            As in `value`.
        out : cupy.ndarray, shape (nnz,), optional
            Where to write them.
        """
        if out is not None and self._again("matrix", (x, *args, out)):
            return out
        data = self._room("values", out, (self.pattern.nnz,))
        self._run("matrix", (x, *args), {"data": data})
        return data

    def batch(self, X: Any, *args: Any, out: Any = None, axis: int = 0) -> Any:
        """Return the values of the matrices at many points.

        Parameters
        ----------
        X, *args, out, axis
            As in `value_batch`.

        Returns
        -------
        cupy.ndarray, shape (points, nnz) or (nnz, points)
            By rows of the matrix, as `values` returns them.

        Notes
        -----
        It is compiled at the first call, for any number of points. A small point is computed by one thread, a large one
        by a row of blocks; with ``axis=-1`` a large one is computed with its numbers side by side, and turned round.
        """
        return self._at_many("matrix", (X, *args), out, axis)

    def linear_operator(self, x: Any, *args: Any) -> Any:
        """Return the matrix at x as an operator: products only, no matrix.

        Parameters
        ----------
        x, *args
            As in `value`; arrays are copied.

        Returns
        -------
        cupyx.scipy.sparse.linalg.LinearOperator, shape (m, n)
            With products by the matrix and by its transpose.
        """
        at = tuple(a.copy() if isinstance(a, self._ndarray) else a for a in self.put(x, *args))

        def product(product: Product) -> Callable[[Any], Any]:
            return lambda v: self._product(product, at[0], v.reshape(-1), at[1:], None)

        matvec, rmatvec = (product(p) for p in (self.prepared._products[0], self.prepared._products[-1]))
        operator = optional("cupyx.scipy.sparse.linalg").LinearOperator
        return operator(self.shape, matvec=matvec, rmatvec=rmatvec, dtype=DOUBLE)

    def _matrix(self, data: Any) -> Any:
        matrix = self._csr((data, *self._indices), shape=self.shape)
        matrix.has_canonical_format = True  # known, so that it need not be looked up on the device
        self._indices = [matrix.indices, matrix.indptr]  # of the type that CuPy chose
        return matrix

    def _data(self, out: Any) -> Any:
        """Return the values of a matrix that is given to be overwritten."""
        if out is None:
            return None
        same = isinstance(out, self._csr) and out.shape == self.shape
        if not same or [a.data.ptr for a in (out.indices, out.indptr)] != [a.data.ptr for a in self._indices]:
            raise InputError("out must be a matrix that an earlier call returned, with the index arrays of that")
        return out.data

    def _product(self, product: Product, x: Any, v: Any, args: tuple[Any, ...], out: Any) -> Any:
        if out is not None and self._again(product.name, (x, *args, v, out)):
            return out
        given, returned = product.sizes(self.shape)
        room = self._room(product.name, out, (returned,))
        vector = self._arguments.leaf(v, (given,), product.vector)
        self._run(product.name, (x, *args), {product.target: room}, (product.source, vector))
        return room

    def _all(self, args: tuple[Any, ...], out: Any, names: tuple[str, ...]) -> tuple[Any, ...]:
        """Return functions and the matrix, from one sweep."""
        functions = [self.prepared._functions[name] for name in names]
        *outs, matrix = out or [None] * (len(names) + 1)
        rooms = [self._room(n, o, f.shape) for n, o, f in zip(names, outs, functions, strict=True)]
        data = self._room("values", self._data(matrix), (self.pattern.nnz,))
        written = {f.array: room for f, room in zip(functions, rooms, strict=True)} | {"data": data}
        self._run("all", args, written)
        return (*rooms, self._matrix(data) if matrix is None else matrix)


class JacobianOnDevice(MatrixOnDevice):
    """A Jacobian on a device. Made by ``sparsead.jacobian(f, x0, device="cuda")``."""

    def jvp(self, x: Any, v: Any, *args: Any, out: Any = None) -> Any:
        """Return ``J @ v`` without forming J; arrays as in `value`."""
        return self._product(self.prepared._products[0], x, v, args, out)

    def vjp(self, x: Any, w: Any, *args: Any, out: Any = None) -> Any:
        """Return ``J.T @ w`` without forming J; arrays as in `value`."""
        return self._product(self.prepared._products[1], x, w, args, out)

    def value_and_jacobian(self, x: Any, *args: Any, out: Any = None) -> tuple[Any, Any]:
        """Return the value and the Jacobian from one sweep; `out` is a pair of earlier results, or None."""
        y, matrix = self._all((x, *args), checked_pair("value_and_jacobian", out), ("value",))
        return y, matrix


class HessianOnDevice(MatrixOnDevice):
    """A Hessian on a device. Made by ``sparsead.hessian(f, x0, device="cuda")``."""

    def hvp(self, x: Any, v: Any, *args: Any, out: Any = None) -> Any:
        """Return ``H @ v`` without forming H; arrays as in `value`."""
        return self._product(self.prepared._products[0], x, v, args, out)

    def gradient(self, x: Any, *args: Any, out: Any = None) -> Any:
        """Return the gradient; arrays as in `value`."""
        return self._function("gradient", (x, *args), out)

    def gradient_batch(self, X: Any, *args: Any, out: Any = None, axis: int = 0) -> Any:
        """Return the gradients at many points, in the shape of X; arrays as in `value_batch`."""
        return self._at_many("gradient", (X, *args), out, axis)

    def value_gradient_and_hessian(self, x: Any, *args: Any, out: Any = None) -> tuple[Any, Any, Any]:
        """Return the value, the gradient and the Hessian from one sweep; `out` is what an earlier call returned."""
        if out is not None and (not isinstance(out, tuple) or len(out) != 3):
            raise InputError("value_gradient_and_hessian: out must be (value, gradient, Hessian) of an earlier call")
        value, gradient, matrix = self._all((x, *args), out, ("value", "gradient"))
        return value, gradient, matrix


class GradientOnDevice(OnDevice):
    """A gradient on a device. Made by ``sparsead.gradient(f, x0, device="cuda")``."""

    def __init__(self, prepared: Any, cupy: Any) -> None:
        super().__init__(prepared, cupy)
        self._sweeps("gradient")

    @property
    def source(self) -> str:
        """The CUDA C that computes the gradient."""
        return self._sweeps("gradient").text

    def __call__(self, x: Any, *args: Any, out: Any = None) -> Any:
        """Return the gradient, in the shape of x; arrays as in `value`."""
        return self._function("gradient", (x, *args), out)

    def batch(self, X: Any, *args: Any, out: Any = None, axis: int = 0) -> Any:
        """Return the gradients at many points, in the shape of X; arrays as in `value_batch`."""
        return self._at_many("gradient", (X, *args), out, axis)


KINDS: dict[Kind, type[OnDevice]] = {
    "jacobian": JacobianOnDevice,
    "hessian": HessianOnDevice,
    "gradient": GradientOnDevice,
}


def on_device(
    kind: Kind, method: str, guard: str, format: str, triangle: str, has_aux: bool
) -> Callable[[Any], OnDevice]:
    """Return what makes a derivative on a device of a prepared one, if the options go with it and there is a device."""
    return partial(KINDS[kind], cupy=usable_cupy(method, guard, format, triangle, has_aux))
