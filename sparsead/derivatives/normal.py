"""The matrix and the right-hand side of normal equations, with a structure that is known before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from coloring import SparsityPattern
from coloring.cached import cached_property
from sparsead.derivatives.nested import composable
from sparsead.derivatives.structure import FixedStructure
from sparsead.derivatives.validation import check_options
from sparsead.derivatives.vectors import new_or_checked
from sparsead.emit.sweep import Engine, Sweep
from sparsead.errors import InputError
from sparsead.sweeps.normal import normal_pattern, normal_sweeps
from sparsead.tracing.arguments import Signature


class NormalEquations:
    """``J.T @ W @ J`` and ``J.T @ W @ r`` of matrices J of one pattern, W diagonal.

    Structures and sweeps are made when they are asked for first.

    Parameters
    ----------
    pattern : SparsityPattern
        Of J.
    engine : Engine
        What runs the generated code.
    """

    def __init__(self, pattern: SparsityPattern, engine: Engine) -> None:
        self.pattern = pattern
        self.engine = engine
        self._structures: dict[str, FixedStructure] = {}
        self._sweeps: dict[tuple[str, bool, bool], list[Sweep]] = {}
        self._local = threading.local()

    def structure(self, triangle: str) -> FixedStructure:
        """Return the structure of the result."""
        check_options(triangle=triangle)
        if triangle not in self._structures:
            self._structures[triangle] = FixedStructure(normal_pattern(self.pattern, triangle))
        return self._structures[triangle]

    def sweeps(self, triangle: str, weighted: bool, right: bool) -> list[Sweep]:
        """Return the compiled products."""
        key = triangle, weighted, right
        if key not in self._sweeps:
            product = self.structure(triangle).pattern
            self._sweeps[key] = normal_sweeps(self.pattern, product, *key, engine=self.engine)
        return self._sweeps[key]

    def values(self) -> np.ndarray:
        """Return room for the values of J, the same for each thread."""
        if not hasattr(self._local, "values"):
            self._local.values = np.empty(self.pattern.nnz)
        return self._local.values

    def __call__(self, values: np.ndarray, r: Any, weights: Any, triangle: str, out: Any) -> Any:
        """Return the matrix, or with r a pair of matrix and vector, given the values of J in row order."""
        m, n = self.pattern.shape
        structure = self.structure(triangle)
        r, weights = _of_rows("r", r, m), _of_rows("weights", weights, m)
        matrix, g = _parts(out, r is not None)
        data = structure.new_or_checked(matrix)
        given = {"v": values, "weights": weights, "r": r}
        outputs = {"data": data} | ({} if r is None else {"g": new_or_checked("normal", g, (n,))})
        for name, array in given.items():
            if array is not None and any(np.may_share_memory(array, written) for written in outputs.values()):
                given[name] = array.copy()
        if r is not None and np.may_share_memory(data, outputs["g"]):
            raise InputError("normal: the two parts of out share memory")
        for sweep in self.sweeps(triangle, weights is not None, r is not None):
            sweep(**{name: array for name, array in given.items() if array is not None}, **outputs)
        matrix = structure.matrix(data) if matrix is None else matrix
        return matrix if r is None else (matrix, outputs["g"] if g is None else g)


def _of_rows(name: str, given: Any, m: int) -> np.ndarray | None:
    """Return a number for each row of J, contiguous, after a look at its shape and type."""
    if given is None:
        return None
    array = np.asarray(given)
    if array.dtype.kind not in "fiub" or array.size != m:
        raise InputError(
            f"normal expects {name} to hold a real number for each of the {m} rows, got {array.dtype} {array.shape}"
        )
    return np.ascontiguousarray(array, dtype=np.float64).reshape(-1)


def _parts(out: Any, pair: bool) -> tuple[Any, Any]:
    """Return the matrix and the vector of `out`; either may be None."""
    if out is None or not pair:
        return out, None
    if not isinstance(out, tuple) or len(out) != 2:
        raise InputError("normal: with r, out must be a pair (matrix, array), as an earlier call returned")
    return out


class WithNormalEquations:
    """The normal equations of a prepared Jacobian; part of it."""

    pattern: SparsityPattern
    signature: Signature
    engine: Engine
    values: Callable[..., np.ndarray]

    @composable
    def normal(
        self,
        x: Any,
        *args: Any,
        r: Any = None,
        weights: Any = None,
        triangle: str = "full",
        out: Any = None,
        **named: Any,
    ) -> scipy.sparse.csr_array | tuple[scipy.sparse.csr_array, np.ndarray]:
        """Return the matrix ``J.T @ W @ J`` of the normal equations at x, and with r also ``J.T @ W @ r``.

        Parameters
        ----------
        x, *args
            As in a call.
        r : array_like, optional
            The residual, a number for each row of J; or built like the function's result.
        weights : array_like, optional
            The diagonal of W, given as r is; without them W is the identity.
        triangle : {"full", "lower", "upper"}
            Which entries to compute; a triangle comes with the diagonal.
        out : optional
            What an earlier call returned, to be overwritten: the matrix, or with r the pair, either part of which may
            be None.

        Returns
        -------
        N : scipy.sparse.csr_array, shape (n, n)
            Symmetric to the bit, if it is not a triangle.
        g : ndarray, shape (n,)
            Only with r; a vector also where x is a container, see `unpack`.

        Raises
        ------
        InputError
            If something does not fit.
        NoRoomError
            If the products would not fit into memory.

        Notes
        -----
        The first call finds the structure of the product and compiles a loop over the values of J; for every
        combination of r, weights and triangle it is another one.

        Examples
        --------
        >>> import numpy as np
        >>> import sparsead as sad
        >>> jac = sad.jacobian(lambda x: np.concatenate([x[1:] - x[:-1] ** 2, x]), np.ones(3))
        >>> N, g = jac.normal(np.ones(3), r=np.ones(5))
        >>> N.toarray()
        array([[ 5., -2.,  0.],
               [-2.,  6., -2.],
               [ 0., -2.,  2.]])
        >>> g
        array([-1.,  0.,  2.])
        """
        signature = self.signature
        r, weights = (signature.flat(v) if signature.is_built(v, result=True) else v for v in (r, weights))
        values = self.values(x, *args, out=self._normal.values(), order="csr", **named)
        return self._normal(values, r, weights, triangle, out)

    @cached_property
    def _normal(self) -> NormalEquations:
        return NormalEquations(self.pattern, self.engine)
