"""Factors that serve many step sizes: systems with ``I - c J`` solved in few iterations on those of another c."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.solvers.factors import Solve, same_pattern

ACCURACY = 0.01  # of a solution; looser ones leave noise that costs steps
ENOUGH = 3  # iterations: beyond, the next matrix is factored
LIMIT = 6  # iterations: beyond, the matrix at hand is factored
SHRINKAGE = 0.5  # of c: below, stiff components would count for less than they are
DIRECTIONS = 20  # kept for each matrix
SINGLE = 0.01  # accuracy asked of factors in single precision


class Combination:
    """``a I + b J``, as SciPy's expression ``I - c * J`` builds it.

    Parameters
    ----------
    a, b : float
        The coefficients.
    J : scipy.sparse.csc_array, optional
        None while b is 0.
    """

    __array_ufunc__ = None  # NumPy's numbers leave products to this class

    def __init__(self, a: float, b: float, J: Any = None) -> None:
        self.a, self.b, self.J = a, b, J

    def __rmul__(self, c: Any) -> Combination:
        return Combination(c * self.a, c * self.b, self.J)

    def __sub__(self, other: Combination) -> Combination:
        return Combination(self.a - other.a, self.b - other.b, other.J if self.J is None else self.J)

    def __matmul__(self, x: np.ndarray) -> np.ndarray:
        return self.a * x + self.b * (self.J @ x)


class Union:
    """The pattern of I and J together, fixed whatever the coefficients are."""

    def __init__(self, J: Any) -> None:
        n = J.shape[0]
        entries = scipy.sparse.csc_array((np.arange(1.0, J.nnz + 1.0), J.indices, J.indptr), shape=J.shape)
        both = scipy.sparse.csc_array(entries + scipy.sparse.diags_array(1j * np.arange(1, n + 1), format="csc"))
        both.sort_indices()
        self.J, self._indices, self._indptr = J, both.indices, both.indptr
        self._entries, self._diagonal = np.flatnonzero(both.data.real), np.flatnonzero(both.data.imag)

    def matrix(self, A: Combination) -> Any:
        """Return A; entries that are zero stay."""
        data = np.zeros(self._indices.size, A.J.dtype)
        data[self._entries] = A.b * A.J.data
        data[self._diagonal] += A.a
        return scipy.sparse.csc_array((data, self._indices, self._indptr), shape=A.J.shape)


class System:
    """Systems with one matrix A, solved on factors M of a similar one; the search directions serve the next ones too.

    Generalised conjugate residuals for ``M A x = M b``: with M close to the inverse, its residual is the error of x.

    Parameters
    ----------
    A : Combination
        The matrix.
    scale : ndarray, shape (n,)
        The size of x that is small; errors are measured in it.

    Notes
    -----
    Eisenstat, Elman and Schultz, Variational iterative methods for nonsymmetric systems of linear equations, SIAM
    Journal on Numerical Analysis 20 (1983), algorithm GCR.
    """

    def __init__(self, A: Combination, scale: np.ndarray) -> None:
        self.A = A
        self._scale = np.where(scale > 0, scale, 1.0)
        self._M: Solve | None = None
        self._directions: list[tuple[np.ndarray, np.ndarray]] = []  # z, and M A z / scale, these orthonormal

    def solve(self, M: Solve, b: np.ndarray) -> tuple[np.ndarray | None, int]:
        """Return x, or None where it is not found soon, and the number of iterations."""
        if M is not self._M:
            self._M, self._directions = M, []
        x, r = np.zeros_like(b), M(b) / self._scale
        target = ACCURACY * np.linalg.norm(r)
        for z, image in self._directions:
            _along(x, r, z, image)
        for iteration in range(LIMIT + 1):
            if np.linalg.norm(r) <= target:
                return x, iteration
            if iteration == LIMIT or not self._search(M, r):
                break
            _along(x, r, *self._directions[-1])
        return None, LIMIT

    def accuracy(self, M: Solve) -> float:
        """Return the largest error of M as the inverse of A, for x of random signs."""
        x = self._scale * np.random.default_rng(0).choice((-1.0, 1.0), self._scale.size)
        return float(np.max(np.abs(M(self.A @ x) - x) / self._scale))

    def _search(self, M: Solve, r: np.ndarray) -> bool:
        """Add the direction of a residual; tell whether it is a new one."""
        z = r * self._scale
        image = M(self.A @ z) / self._scale
        before = np.linalg.norm(image)
        for old, old_image in self._directions:
            overlap = np.vdot(old_image, image)
            z, image = z - overlap * old, image - overlap * old_image
        length = np.linalg.norm(image)
        if not length > 1e-6 * before:  # or not finite
            return False
        self._directions = [*self._directions[1 - DIRECTIONS :], (z / length, image / length)]
        return True


def _along(x: np.ndarray, r: np.ndarray, z: np.ndarray, image: np.ndarray) -> None:
    """Go along a direction as far as the residual falls."""
    size = np.vdot(image, r)
    x += size * z
    r -= size * image


class KeptFactors:
    """Solves systems with ``I - c J`` on factors that are computed anew when they no longer fit.

    Parameters
    ----------
    factor : callable
        From a matrix to a function that solves.
    single : bool
        Whether `factor` takes matrices in single precision. Such factors have half the size; they are used where they
        solve well enough.

    Attributes
    ----------
    count : int
        Factorisations so far.
    """

    def __init__(self, factor: Callable[[Any], Solve], single: bool) -> None:
        self.count = 0
        self._factor, self._single = factor, single
        self._union: Union | None = None
        self._factored: Combination | None = None
        self._solve: Solve = np.copy
        self._iterations = 0  # the most that a system took with these factors

    def system(self, A: Combination, scale: np.ndarray) -> System:
        """Prepare to solve with A."""
        system = System(A, scale)
        if not self._fit(A):
            self._renew(system)
        return system

    def solve(self, system: System, b: np.ndarray) -> np.ndarray:
        """Solve with the matrix of a system."""
        if self._factored is not system.A:
            x, iterations = system.solve(self._solve, b)
            self._iterations = max(self._iterations, iterations)
            if x is not None:
                return x
            self._renew(system)
        return self._solve(b)

    def _fit(self, A: Combination) -> bool:
        kept = self._factored
        return kept is not None and kept.J is A.J and abs(A.b) >= SHRINKAGE * abs(kept.b) and self._iterations <= ENOUGH

    def _renew(self, system: System) -> None:
        A = system.A
        if self._union is None or not same_pattern(self._union.J, A.J):
            self._union = Union(A.J)
        matrix = self._union.matrix(A)
        self._factored, self._iterations = A, 0
        single = self._in_single(matrix, system) if self._single else None
        self._single = single is not None
        self._solve = single if single is not None else self._factor(matrix)
        self.count += 1

    def _in_single(self, matrix: Any, system: System) -> Solve | None:
        """Factor in single precision, where the numbers, the pivots and the condition allow it."""
        with np.errstate(over="ignore"):
            narrow = matrix.astype(np.complex64 if np.iscomplexobj(matrix.data) else np.float32)
        if not np.all(np.isfinite(narrow.data)):
            return None
        try:
            solve = partial(_scaled, self._factor(narrow))
        except RuntimeError:  # exactly singular, after rounding
            return None
        return solve if system.accuracy(solve) <= SINGLE else None


def _scaled(solve: Solve, b: np.ndarray) -> np.ndarray:
    """Solve within the range of single precision."""
    size = np.max(np.abs(b), initial=0.0)
    return size * solve(b / size).astype(b.dtype) if size > 0.0 else np.zeros_like(b)
