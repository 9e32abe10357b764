"""PETSc's SNES and TS, by petsc4py: every rank prepares the rows that it owns, from the same function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.derivatives.jacobian import Jacobian, jacobian
from sparsead.extras import optional
from sparsead.solvers.sundials import shifted_jacobian


class _Rows:
    """A square system over the ranks of a communicator, each with a block of rows and all unknowns at hand."""

    def __init__(self, x0: Any, comm: Any) -> None:
        self._petsc = optional("petsc4py.PETSc")
        self._shape = np.shape(x0)
        self._layout = self._petsc.Vec().createMPI(int(np.size(x0)), comm=comm)
        self.start, self.stop = self._layout.getOwnershipRange()
        self._scatter, _ = self._petsc.Scatter.toAll(self._layout)

    prepared: Jacobian

    def own(self, f: Callable[..., Any]) -> Callable[..., Any]:
        """Return `f` cut to the rows of this rank: of a traced function, only what they need is computed."""

        def rows(*args: Any) -> Any:
            return np.ravel(f(*args))[self.start : self.stop]

        rows.__name__ = f"{getattr(f, '__name__', 'f')}, rows {self.start} to {self.stop}"
        return rows

    def vector(self) -> Any:
        """Return a new vector with the layout of the unknowns."""
        return self._layout.duplicate()

    def matrix(self) -> Any:
        """Return a new AIJ matrix, its structure allocated once and for all."""
        size = (self.stop - self.start, self._layout.getSize())
        structure = (self._index(self.prepared.pattern.indptr), self._index(self.prepared.pattern.indices))
        return self._petsc.Mat().createAIJ((size, size), csr=structure, comm=self._layout.comm)

    def _gathered(self, X: Any) -> np.ndarray:
        """Return all unknowns, in the shape of x0."""
        everything = self._petsc.Vec().createSeq(self._layout.getSize())
        self._scatter.scatter(X, everything)
        return everything.getArray().reshape(self._shape)

    def _fill(self, J: Any, P: Any, values: np.ndarray) -> None:
        pattern = self.prepared.pattern
        P.setValuesCSR(self._index(pattern.indptr), self._index(pattern.indices), values)
        P.assemble()
        if J != P:
            J.assemble()

    def _index(self, array: np.ndarray) -> np.ndarray:
        return array.astype(self._petsc.IntType, copy=False)


class PetscSystem(_Rows):
    """The equations ``f(x, *args) = 0`` for a PETSc SNES.

    Parameters
    ----------
    f : callable
        The whole function, the same on every rank; as many equations as unknowns.
    x0 : array_like
        An example of all unknowns, of any shape.
    *args
        The other arguments of f.
    comm : optional
        The communicator; PETSc's default one (all ranks) if none is given.
    **options
        Those of `sparsead.jacobian`.

    Attributes
    ----------
    start, stop : int
        The rows of this rank.
    prepared : sparsead.Jacobian
        These rows of the Jacobian, with global columns.
    args : tuple
        May be replaced by others of the same shapes.

    Notes
    -----
    All unknowns are gathered on every rank before an evaluation; for grids with more unknowns than a rank can hold,
    a halo exchange is needed instead.
    """

    def __init__(self, f: Callable[..., Any], x0: Any, *args: Any, comm: Any = None, **options: Any) -> None:
        super().__init__(x0, comm)
        self.args = args
        self.prepared = jacobian(self.own(f), x0, *args, **options)

    def set_up(self, snes: Any) -> None:
        """Give a SNES its function and its Jacobian."""
        snes.setFunction(self.function, self.vector())
        matrix = self.matrix()
        snes.setJacobian(self.jacobian, matrix, matrix)

    def function(self, snes: Any, X: Any, F: Any) -> None:
        """Write f(X) to F."""
        F.setArray(self.prepared.value(self._gathered(X), *self.args))

    def jacobian(self, snes: Any, X: Any, J: Any, P: Any) -> None:
        """Write the Jacobian at X to P, and to J if they are the same."""
        self._fill(J, P, self.prepared.values(self._gathered(X), *self.args, order="csr"))


class PetscSteps(_Rows):
    """The implicit equations ``F(t, u, u', *args) = 0`` for a PETSc TS; for rates f they are ``u' - f(t, u)``.

    Parameters
    ----------
    F : callable
        The whole function, the same on every rank.
    t0, u0, *args
        Examples of its arguments; u' is like u.
    comm, **options
        As in `PetscSystem`.

    Attributes
    ----------
    start, stop : int
        The rows of this rank.
    prepared : sparsead.Jacobian
        These rows of ``dF/du + shift dF/du'``, see `shifted_jacobian`.
    """

    def __init__(self, F: Callable[..., Any], t0: float, u0: Any, *args: Any, comm: Any = None, **options: Any) -> None:
        super().__init__(u0, comm)
        self.args = args
        self._w = np.zeros(self._shape)
        self.prepared = shifted_jacobian(self.own(F), t0, u0, u0, *args, **options)

    def set_up(self, ts: Any) -> None:
        """Give a TS its implicit function and Jacobian."""
        ts.setIFunction(self.ifunction, self.vector())
        matrix = self.matrix()
        ts.setIJacobian(self.ijacobian, matrix, matrix)

    def ifunction(self, ts: Any, t: float, U: Any, Udot: Any, F: Any) -> None:
        """Write F(t, U, Udot) to F."""
        F.setArray(self.prepared.value(self._w, 0.0, float(t), self._gathered(U), self._gathered(Udot), *self.args))

    def ijacobian(self, ts: Any, t: float, U: Any, Udot: Any, shift: float, J: Any, P: Any) -> None:
        """Write ``dF/du + shift dF/du'`` to P, and to J if they are the same."""
        u, udot = self._gathered(U), self._gathered(Udot)
        self._fill(J, P, self.prepared.values(self._w, float(shift), float(t), u, udot, *self.args, order="csr"))


class PetscRates(_Rows):
    """The rates ``u' = f(t, u, *args)`` for a PETSc TS, explicit or implicit.

    Parameters
    ----------
    f : callable
        The whole function, the same on every rank.
    t0, u0, *args
        Examples of its arguments.
    comm, **options
        As in `PetscSystem`.

    Attributes
    ----------
    start, stop : int
        The rows of this rank.
    prepared : sparsead.Jacobian
        These rows of ``df/du``; with a diagonal, as PETSc adds the shift of implicit methods to it.
    """

    def __init__(self, f: Callable[..., Any], t0: float, u0: Any, *args: Any, comm: Any = None, **options: Any) -> None:
        super().__init__(u0, comm)
        self.args = args

        def with_diagonal(u: Any, zero: float, t: float, *args: Any) -> Any:
            return np.ravel(f(t, u, *args)) + zero * np.ravel(u)

        with_diagonal.__name__ = getattr(f, "__name__", "f")
        self.prepared = jacobian(self.own(with_diagonal), u0, 0.0, float(t0), *args, **options)

    def set_up(self, ts: Any) -> None:
        """Give a TS its rates and their Jacobian."""
        ts.setRHSFunction(self.function, self.vector())
        matrix = self.matrix()
        ts.setRHSJacobian(self.jacobian, matrix, matrix)

    def function(self, ts: Any, t: float, U: Any, F: Any) -> None:
        """Write f(t, U) to F."""
        F.setArray(self.prepared.value(self._gathered(U), 0.0, float(t), *self.args))

    def jacobian(self, ts: Any, t: float, U: Any, J: Any, P: Any) -> None:
        """Write ``df/du`` to P, and to J if they are the same."""
        self._fill(J, P, self.prepared.values(self._gathered(U), 0.0, float(t), *self.args, order="csr"))
