"""PETSc's SNES, TS and TAO, by petsc4py: every rank prepares the rows that it owns, and receives what they read."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsead.extras import optional
from sparsead.ranks import (
    DistributedJacobian,
    Partition,
    gradient,
    hessian,
    jacobian,
    local_gradient,
    local_hessian,
    local_jacobian,
)
from sparsead.ranks.agreement import partitions_of
from sparsead.ranks.collective import agree, communicator, together
from sparsead.ranks.rows import own_places
from sparsead.solvers.blocked import Stored, require_blocks
from sparsead.solvers.dmda import Grid
from sparsead.solvers.sundials import along_shift

if TYPE_CHECKING:
    from petsc4py import PETSc


class _Rows:
    """A square system over the ranks of a communicator, each with a block of rows and what they read."""

    prepared: DistributedJacobian

    def __init__(self, args: tuple[Any, ...], comm: Any, dm: Any, reads: Any, owned: int | None, block: int) -> None:
        self._petsc = optional("petsc4py.PETSc")
        comm = comm if dm is None else dm.getComm()
        self._comm = self._petsc.COMM_WORLD if comm is None else comm
        self._ours = communicator(self._comm.tompi4py())
        self.grid = together(self._ours, lambda: Grid.of(dm, reads, owned, block), type(self).__name__)
        self.args = args
        self._shells: list[_Products] = []

    def _prepare(
        self, f: Callable[..., Any], x0: Any, *args: Any, spread: tuple[int, ...] = (), at_zero: bool = False,
        **options: Any,
    ) -> None:  # fmt: skip
        """Prepare the rows of a function of all unknowns, or of one of the block that the grid describes."""
        kept = {"spread": spread, "at_zero": at_zero, **options}
        layout = self._lay_out(x0)
        square = {"rows": layout["columns"]} if "columns" in layout else {}
        self.prepared = (local_jacobian if self.grid.blocks else jacobian)(f, x0, *args, **layout, **square, **kept)

    def _lay_out(self, x0: Any) -> dict[str, Any]:
        """Lay the unknowns out as PETSc does; return how a preparation is told of it."""
        comm, blocks = self._ours, self.grid.blocks
        agree(comm, lambda: {"block": self.grid.block} | ({} if blocks else {"the shape of x0": np.shape(x0)}))
        partitions_of(comm, "", self.grid.owned)  # PETSc would fail on some ranks only
        size = (self.grid.owned, None) if blocks else int(np.size(x0))
        together(comm, lambda: require_blocks(size[0] if isinstance(size, tuple) else size, self.grid.block))
        self._layout = self._petsc.Vec().createMPI(size, bsize=self.grid.block, comm=self._comm)
        self.start, self.stop = self._layout.getOwnershipRange()
        if blocks:
            return {"comm": comm, "reads": self.grid.reads, "owned": self.grid.owned}
        return {"comm": comm, "columns": Partition(np.asarray(self._layout.getOwnershipRanges()))}

    def vector(self) -> PETSc.Vec:
        """Return a new vector with the layout of the unknowns."""
        return self._layout.duplicate()

    def matrix(self) -> PETSc.Mat:
        """Return a new matrix, AIJ or of dense blocks, its structure allocated once and for all."""
        size = (self.stop - self.start, self._layout.getSize())
        structure = [self._index(array) for array in self._stored.structure]
        if self.grid.block == 1:
            return self._petsc.Mat().createAIJ((size, size), csr=structure, comm=self._comm)
        return self._petsc.Mat().createBAIJ((size, size), self.grid.block, csr=structure, comm=self._comm)

    @cached_property
    def _stored(self) -> Stored:
        return Stored(self.prepared.own.indptr, self.prepared.own.indices, self.grid.block)

    def operator(self) -> PETSc.Mat:
        """Return a new matrix that is never formed: products with the Jacobian, and with its transpose.

        Give it to a solver as J beside a matrix P; `jacobian` moves it to the point where the solver is.
        """
        size = (self.stop - self.start, self._layout.getSize())
        products = _Products(self.prepared)
        self._shells.append(products)
        return self._petsc.Mat().createPython((size, size), products, comm=self._comm)

    def _fill(self, J: Any, P: Any, *args: Any) -> None:
        for products in self._shells:
            products.args = args
        structure = [self._index(array) for array in self._stored.structure]
        values = self._stored.placed(self.prepared.values(*args))
        (P.setValuesCSR if self.grid.block == 1 else P.setValuesBlockedCSR)(*structure, values)
        P.assemble()
        if J != P:
            J.assemble()

    def _index(self, array: np.ndarray) -> np.ndarray:
        return array.astype(self._petsc.IntType, copy=False)


class _Products:
    """The context of a matrix that is never formed."""

    def __init__(self, prepared: DistributedJacobian) -> None:
        self.prepared = prepared
        self.args: tuple[Any, ...] | None = None

    def _at(self) -> tuple[Any, ...]:
        if self.args is None:
            raise RuntimeError("the operator has no point yet: it is moved when the solver asks for the Jacobian")
        return self.args

    def mult(self, matrix: Any, v: Any, out: Any) -> None:
        """Write ``J @ v``."""
        x, *args = self._at()
        out.setArray(self.prepared.jvp(x, v.getArray(readonly=True), *args))

    def multTranspose(self, matrix: Any, w: Any, out: Any) -> None:
        """Write ``J.T @ w``."""
        x, *args = self._at()
        out.setArray(self.prepared.vjp(x, w.getArray(readonly=True), *args))


def _own(X: Any) -> np.ndarray:
    """Return a copy of the own part of a vector."""
    return np.array(X.getArray(readonly=True))


class PetscSystem(_Rows):
    """The equations ``f(x, *args) = 0`` for a PETSc SNES. Collective, as are all its methods.

    Parameters
    ----------
    f : callable
        The whole function, the same on every rank; as many equations as unknowns.
    x0 : array_like
        An example of all unknowns, of any shape; its values are read on rank 0 only, which traces.
    *args
        The other arguments of f.
    comm : optional
        The communicator; PETSc's default one (all ranks) if none is given.
    dm : petsc4py.PETSc.DMDA, optional
        A grid. `f` is then a function of the local array with ghosts, with the axes that ``dm.getVecArray`` has, and
        returns the own part; x0 is an example of that array.
    reads, owned : optional
        The same for other layouts: `f` is a function of the unknowns with the numbers `reads`, in their shape (a
        local-to-global map), and returns the `owned` rows of this rank.
    block : int
        Unknowns that belong together, numbered one after the other, as those at a point of a DMDA are: matrices are
        then MPIBAIJ, of dense blocks of this size. By default MPIAIJ.
    **options
        ``mode``, ``order``, ``threads``, ``backend``, ``check``: as in `sparsead.jacobian`.

    Attributes
    ----------
    start, stop : int
        The rows of this rank.
    prepared : sparsead.ranks.DistributedJacobian
        The rows, the ghosts that they read, and the messages that bring them.
    args : tuple
        May be replaced by others of the same shapes.
    """

    def __init__(
        self, f: Callable[..., Any], x0: Any, *args: Any, comm: Any = None, dm: Any = None, reads: Any = None,
        owned: int | None = None, block: int = 1, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(args, comm, dm, reads, owned, block)
        self._prepare(self.grid.in_rows(f), x0, *args, **options)

    def set_up(self, snes: Any, products: bool = False) -> None:
        """Give a SNES its function and its Jacobian.

        With ``products=True`` the Jacobian is an operator, and the matrix is for the preconditioner only.
        """
        snes.setFunction(self.function, self.vector())
        matrix = self.matrix()
        snes.setJacobian(self.jacobian, self.operator() if products else matrix, matrix)

    def function(self, snes: Any, X: Any, F: Any) -> None:
        """Write f(X) to F."""
        F.setArray(self.prepared.value(_own(X), *self.args))

    def jacobian(self, snes: Any, X: Any, J: Any, P: Any) -> None:
        """Write the Jacobian at X to P, and move the operators there."""
        self._fill(J, P, _own(X), *self.args)


class PetscSteps(_Rows):
    """The implicit equations ``F(t, u, u', *args) = 0`` for a PETSc TS; for rates f they are ``u' - f(t, u)``.

    Parameters
    ----------
    F : callable
        The whole function, the same on every rank.
    t0, u0, *args
        Examples of its arguments; u' is like u.
    comm, dm, reads, owned, block, **options
        As in `PetscSystem`.

    Attributes
    ----------
    start, stop : int
        The rows of this rank.
    prepared : sparsead.ranks.DistributedJacobian
        The rows of ``dF/du + shift dF/du'``, see `shifted_jacobian`.
    """

    def __init__(
        self, F: Callable[..., Any], t0: float, u0: Any, *args: Any, comm: Any = None, dm: Any = None,
        reads: Any = None, owned: int | None = None, block: int = 1, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(args, comm, dm, reads, owned, block)
        kept = {"spread": (3, 4), "at_zero": True, **options}
        self._prepare(along_shift(self.grid.in_rows(F)), np.zeros(np.shape(u0)), 1.0, float(t0), u0, u0, *args, **kept)

    def set_up(self, ts: Any) -> None:
        """Give a TS its implicit function and Jacobian."""
        ts.setIFunction(self.ifunction, self.vector())
        matrix = self.matrix()
        ts.setIJacobian(self.ijacobian, matrix, matrix)

    def ifunction(self, ts: Any, t: float, U: Any, Udot: Any, F: Any) -> None:
        """Write F(t, U, Udot) to F."""
        F.setArray(self.prepared.value(None, 0.0, float(t), _own(U), _own(Udot), *self.args))

    def ijacobian(self, ts: Any, t: float, U: Any, Udot: Any, shift: float, J: Any, P: Any) -> None:
        """Write ``dF/du + shift dF/du'`` to P, and to J if they are the same."""
        self._fill(J, P, None, float(shift), float(t), _own(U), _own(Udot), *self.args)


class PetscRates(_Rows):
    """The rates ``u' = f(t, u, *args)`` for a PETSc TS, explicit or implicit.

    Parameters
    ----------
    f : callable
        The whole function, the same on every rank.
    t0, u0, *args
        Examples of its arguments.
    comm, dm, reads, owned, block, **options
        As in `PetscSystem`.

    Attributes
    ----------
    start, stop : int
        The rows of this rank.
    prepared : sparsead.ranks.DistributedJacobian
        The rows of ``df/du``; with a diagonal, as PETSc adds the shift of implicit methods to it.
    """

    def __init__(
        self, f: Callable[..., Any], t0: float, u0: Any, *args: Any, comm: Any = None, dm: Any = None,
        reads: Any = None, owned: int | None = None, block: int = 1, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(args, comm, dm, reads, owned, block)
        rates, own = self.grid.in_rows(f), self._own_places()

        def with_diagonal(u: Any, zero: float, t: float, *args: Any) -> Any:
            return np.ravel(rates(t, u, *args)) + zero * np.ravel(u)[own]

        with_diagonal.__name__ = getattr(f, "__name__", "f")
        self._prepare(with_diagonal, u0, 0.0, float(t0), *args, **options)

    def _own_places(self) -> Any:
        """Return where the array that the function takes has the unknowns of its rows."""
        if not self.grid.blocks:
            return slice(None)
        (columns,) = partitions_of(self._ours, "", self.grid.owned)
        own = columns.own(self._ours.rank)
        return together(self._ours, lambda: own_places(self.grid.reads, own, columns.size))

    def set_up(self, ts: Any) -> None:
        """Give a TS its rates and their Jacobian."""
        ts.setRHSFunction(self.function, self.vector())
        matrix = self.matrix()
        ts.setRHSJacobian(self.jacobian, matrix, matrix)

    def function(self, ts: Any, t: float, U: Any, F: Any) -> None:
        """Write f(t, U) to F."""
        F.setArray(self.prepared.value(_own(U), 0.0, float(t), *self.args))

    def jacobian(self, ts: Any, t: float, U: Any, J: Any, P: Any) -> None:
        """Write ``df/du`` to P, and to J if they are the same."""
        self._fill(J, P, _own(U), 0.0, float(t), *self.args)


class PetscEnergy(_Rows):
    """A sum of terms for a PETSc TAO to minimize, with its gradient and Hessian.

    Parameters
    ----------
    terms : callable
        ``terms(x, *args)``: an array whose sum is minimized. With a block, all terms in which unknowns of this rank
        appear; one that stands in several blocks is counted once, see `sparsead.ranks.local_gradient`.
    x0, *args
        Examples of its arguments.
    comm, dm, reads, owned, block
        As in `PetscSystem`.
    **options
        ``mode``, ``order``, ``threads``, ``backend``, ``check``: as in `sparsead.hessian`.

    Attributes
    ----------
    start, stop : int
        The unknowns of this rank.
    prepared : sparsead.ranks.DistributedJacobian
        The rows of the Hessian.
    total : sparsead.ranks.DistributedGradient
        The sum and its gradient.
    args : tuple
        May be replaced by others of the same shapes.
    """

    def __init__(
        self, terms: Callable[..., Any], x0: Any, *args: Any, comm: Any = None, dm: Any = None, reads: Any = None,
        owned: int | None = None, block: int = 1, **options: Any,
    ) -> None:  # fmt: skip
        super().__init__(args, comm, dm, reads, owned, block)
        layout = self._lay_out(x0)
        first = {k: v for k, v in options.items() if k in ("threads", "backend", "check")}
        self.total = (local_gradient if self.grid.blocks else gradient)(terms, x0, *args, **layout, **first)
        self.prepared = (local_hessian if self.grid.blocks else hessian)(terms, x0, *args, **layout, **options)

    def set_up(self, tao: Any, products: bool = False) -> None:
        """Give a TAO its objective, gradient and Hessian.

        With ``products=True`` the Hessian is an operator, and the matrix is for the preconditioner only.
        """
        tao.setObjectiveGradient(self.objective_gradient, self.vector())
        tao.setObjective(self.objective)
        matrix = self.matrix()
        tao.setHessian(self.hessian, self.operator() if products else matrix, matrix)

    def objective(self, tao: Any, X: Any) -> float:
        """Return the sum."""
        return self.total.value(_own(X), *self.args)

    def objective_gradient(self, tao: Any, X: Any, G: Any) -> float:
        """Write the gradient to G; return the sum."""
        value, slope = self.total.value_and_gradient(_own(X), *self.args)
        G.setArray(slope)
        return value

    def hessian(self, tao: Any, X: Any, H: Any, P: Any) -> None:
        """Write the Hessian at X to P, and move the operators there."""
        self._fill(H, P, _own(X), *self.args)
