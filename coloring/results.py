"""What `color` returns: colors, and the way from a matrix to its compressed form and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sp

from .cached import cached_property
from .errors import ColoringError
from .orientation import orient
from .pattern import SparsityPattern
from .problems import Bidirectional, DistanceTwo, Problem, Symmetric
from .recovery import RecoveryPlan, bidirectional_plan, column_plan, row_plan, symmetric_plan
from .targets import Target, inside
from .values import compress_columns, compress_rows
from .words import dimensions, several

if TYPE_CHECKING:
    from .pictures.figures import Figure

Groups = list[np.ndarray]  # the members of each color

Compressed = Any  # ndarray, or a pair of them for a bidirectional coloring


class ColoringResult(ABC):
    """A coloring of a pattern, ready to compress and decompress.

    Attributes
    ----------
    pattern : SparsityPattern
        The pattern that was colored.
    row_colors, column_colors : ndarray of int32 or None
        Color of each row and of each column, -1 for neutral; None for a side that is not colored.
    num_row_colors, num_column_colors : int
        Number of colors on either side: products with the transpose, and products, per evaluation.
    order : str
        The order (and variant of the algorithm) that gave these colors.
    tried : tuple of (str, int)
        What was tried, and the number of colors that it gave.
    stopped : str
        Why the search ended.
    """

    structure: str
    partition: str
    decompression: str
    problem: Problem

    def __init__(
        self,
        problem: Problem,
        row_colors: np.ndarray | None,
        column_colors: np.ndarray | None,
        *,
        order: str = "given",
        tried: tuple[tuple[str, int], ...] = (),
        stopped: str = "",
    ) -> None:
        self.problem = problem
        self.pattern: SparsityPattern = problem.pattern
        self.row_colors, self.column_colors = row_colors, column_colors
        self.num_row_colors, self.num_column_colors = _count(row_colors), _count(column_colors)
        self.order, self.tried, self.stopped = order, tried, stopped

    @property
    def num_colors(self) -> int:
        """Number of matrix products that one evaluation costs."""
        return self.num_row_colors + self.num_column_colors

    @property
    def cost(self) -> int:
        """What the products cost together, by the weights that were given; by default, their number."""
        row, column = self.problem.weights
        return row * self.num_row_colors + column * self.num_column_colors

    @property
    def lower_bound(self) -> int:
        """Proven lower bound on `cost` (for colorings of this kind)."""
        return self.problem.bound_against(self.cost)

    @property
    def certificate(self) -> str:
        """What proves the lower bound, in words."""
        bound = self.lower_bound
        return self.problem.certificate if bound > self.problem.quick_bound else self.problem.quick_certificate

    @property
    def is_optimal(self) -> bool:
        """Whether the number of colors, or their cost, meets the proven lower bound."""
        return self.cost == self.lower_bound

    @property
    def colors(self) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Color of each vertex: columns, or rows; the pair (rows, columns) for a bidirectional coloring."""
        sides = self._sides
        return sides[0] if len(sides) == 1 else (sides[0], sides[1])

    @property
    def _sides(self) -> list[np.ndarray]:
        """The colors of rows, and of columns, as far as these are colored."""
        return [colors for colors in (self.row_colors, self.column_colors) if colors is not None]

    def groups(self) -> Groups | tuple[Groups, Groups]:
        """Return the members of each color.

        Returns
        -------
        list of ndarray
            For each color, the columns (rows) that have it; if bidirectional, the pair (of rows, of columns).
        """
        return self._per_side(_groups)

    def seed_matrix(self) -> np.ndarray | tuple[np.ndarray, np.ndarray]:
        """Return the 0-1 seed matrix S: ``B = A @ S``, or ``S.T @ A`` where rows are colored.

        Returns
        -------
        ndarray, shape (n, num_colors) or (m, num_colors)
            If bidirectional, the pair (of rows, of columns).
        """
        return self._per_side(_seed_matrix)

    def _per_side(self, function: Any) -> Any:
        sides = [function(colors) for colors in self._sides]
        return sides[0] if len(sides) == 1 else tuple(sides)

    @cached_property
    def plan(self) -> RecoveryPlan:
        """The recovery plan: plain arrays, usable block by block; built at first use."""
        return self._make_plan()

    @abstractmethod
    def _make_plan(self) -> RecoveryPlan: ...

    def compress(self, A: Any, tolerance: float = 0.0) -> Compressed:
        """Return the compressed matrix ``B = A S`` (columns) or ``B = Sᵀ A`` (rows), or the pair of both.

        Parameters
        ----------
        A : sparse matrix or array_like, shape (m, n)
            A matrix with this pattern, or part of it.
        tolerance : float
            Values of at most this size outside the pattern are left out; larger ones are refused.

        Returns
        -------
        ndarray or pair of ndarray
            Shape (m, num_colors), or (num_colors, n) for a row coloring; bidirectional: the pair
            ``(B_row, B_column)``.

        Raises
        ------
        ColoringError
            If the shape of `A` is not that of the pattern, or if it has a larger value outside the pattern.

        Notes
        -----
        Boolean matrices are compressed as integers, since several entries may be added up.
        """
        A = sp.csr_array(A)
        if A.dtype.kind == "b":
            A = A.astype(np.int64)
        if A.shape != self.pattern.shape:
            raise ColoringError(f"a matrix of shape {A.shape}; this coloring is for {self.pattern.shape}")
        A = inside(A, self.pattern, tolerance)
        sides = []
        if self.row_colors is not None:
            sides.append(compress_rows(A, self.row_colors, self.num_row_colors))
        if self.column_colors is not None:
            sides.append(compress_columns(A, self.column_colors, self.num_column_colors))
        return sides[0] if len(sides) == 1 else tuple(sides)

    def decompress(self, B: Compressed, out: sp.csr_array | None = None, triangle: str = "full") -> sp.csr_array:
        """Return the matrix whose compressed form is `B`.

        Parameters
        ----------
        B : ndarray or pair of ndarray
            As `compress` returns it.
        out : csr_array or ndarray, optional
            A matrix returned by an earlier call with the same `triangle`, whose values are overwritten; or any
            other csr_array with at least these entries, or a dense array, which are 0 elsewhere afterwards.
        triangle : {"full", "lower", "upper"}
            Part of the matrix to return, the diagonal included.

        Returns
        -------
        scipy.sparse.csr_array, shape (m, n)

        Raises
        ------
        ColoringError
            If `B` or `out` has another shape than this coloring needs; if `out` has no place for an entry,
            cannot hold the type of `B`, is read-only, or shares memory with `B`.
        """
        sides = self._checked(B)
        pattern, chosen = self._part(triangle)
        dtype = _dtype(sides)
        if out is None:
            own = SparsityPattern(pattern.shape, pattern.indptr.copy(), pattern.indices.copy())
            out = own.to_scipy(np.empty(pattern.nnz, dtype))  # whose indices the user may change
        target = Target.of(out, pattern, dtype, (side for side in sides if side is not None))
        in_place = chosen is None and target.holds(dtype)
        values = target.data if in_place else np.empty(self.pattern.nnz, dtype)
        self.plan.decompress(sides[1], sides[0], values)
        if not in_place:
            target.write(values if chosen is None else values[chosen])
        return out

    def spy(self, axes: Any = None) -> Figure:
        """Draw the matrix colored by group and the compressed matrix beside it; large matrices are binned.

        Parameters
        ----------
        axes : sequence of matplotlib axes, optional
            One for the matrix and one for each compressed matrix; a new figure by default.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from .pictures.figures import spy_coloring

        return spy_coloring(self, axes)

    def _checked(self, B: Compressed) -> tuple[np.ndarray | None, np.ndarray | None]:
        """The pair (B_row, B_column), None for a side that is not colored."""
        m, n = self.pattern.shape
        rows, columns = self.row_colors is not None, self.column_colors is not None
        given = B if rows and columns else (B, None) if rows else (None, B)
        shapes = (self.num_row_colors, n), (m, self.num_column_colors)
        for part, shape in zip(given, shapes, strict=True):
            if part is not None and np.shape(part) != shape:
                raise ColoringError(f"a compressed matrix of shape {np.shape(part)}; expected {shape}")
        row, column = (None if part is None else np.asarray(part) for part in given)
        return row, column

    def _part(self, triangle: str) -> tuple[SparsityPattern, np.ndarray | None]:
        """The pattern of a triangle, and the positions of its entries (None: all)."""
        if triangle == "full":
            return self.pattern, None
        if triangle not in self._triangles:
            raise ColoringError(f"unknown triangle {triangle!r}; expected 'full', 'lower' or 'upper'")
        return self._triangles[triangle]

    @cached_property
    def _triangles(self) -> dict[str, tuple[SparsityPattern, np.ndarray]]:
        A = self.pattern
        masks = {"lower": A.rows >= A.indices, "upper": A.rows <= A.indices}
        return {name: (A.restrict(mask), np.flatnonzero(mask)) for name, mask in masks.items()}

    def __repr__(self) -> str:
        bound = "optimal" if self.is_optimal else f"at least {self.lower_bound:,}"
        return (
            f"<{self.structure} {self.partition} coloring of {dimensions(self.pattern.shape)} for {self.decompression} "
            f"recovery: {several(self.num_colors, 'color')}{self._weighted()} ({bound}), order {self.order}>"
        )

    def _weighted(self) -> str:
        return f", cost {self.cost:,}" if self.problem.weights != (1, 1) else ""

    def _repr_html_(self) -> str:
        from .pictures.html import facts
        from .pictures.thumbnail import colored_thumbnail

        bound = "optimal" if self.is_optimal else f"proven lower bound {self.lower_bound:,}"
        sides = zip(("row", "column"), (self.row_colors, self.column_colors), strict=True)
        largest = [f"{np.bincount(c[c >= 0]).max(initial=0):,} ({side}s)" for side, c in sides if c is not None]
        named = [
            ("size", f"{dimensions(self.pattern.shape)}, {several(self.pattern.nnz, 'entry')}"),
            ("colors", f"{self.num_colors:,}{self._weighted()} ({bound})"),
            ("recovery", self.decompression),
            ("order", self.order),
            ("largest group", ", ".join(largest)),
        ]
        return facts(f"{self.structure} {self.partition} coloring".capitalize(), named, colored_thumbnail(self))


class PartitionColoring(ColoringResult):
    """Column or row coloring for direct recovery: members of a color are structurally orthogonal."""

    structure = "nonsymmetric"
    decompression = "direct"

    def __init__(self, problem: DistanceTwo, colors: np.ndarray, **found: Any) -> None:
        self.partition = problem.partition
        sides = (None, colors) if self.partition == "column" else (colors, None)
        super().__init__(problem, *sides, **found)

    def _make_plan(self) -> RecoveryPlan:
        if self.partition == "column":
            return column_plan(self.pattern, self._sides[0], self.num_colors)
        return row_plan(self.pattern, self._sides[0], self.num_colors)


class SymmetricColoring(ColoringResult):
    """Star coloring (direct recovery) or acyclic coloring (substitution) of a symmetric pattern."""

    structure = "symmetric"
    partition = "column"
    problem: Symmetric

    def __init__(self, problem: Symmetric, colors: np.ndarray, **found: Any) -> None:
        self.decompression = "substitution" if problem.substitution else "direct"
        super().__init__(problem, None, colors, **found)

    def _make_plan(self) -> RecoveryPlan:
        p = self.problem
        (colors,) = self._sides
        orientation = orient(p.graph, colors, p.substitution, p.diagonal)
        return symmetric_plan(self.pattern, p.graph, colors, orientation, self.num_colors)


class Bicoloring(ColoringResult):
    """Star or acyclic bicoloring: some entries are recovered from column colors, some from row colors."""

    structure = "nonsymmetric"
    partition = "bidirectional"
    problem: Bidirectional

    def __init__(self, problem: Bidirectional, colors: np.ndarray, **found: Any) -> None:
        self.decompression = "substitution" if problem.substitution else "direct"
        n = problem.pattern.shape[1]
        super().__init__(problem, colors[n:], colors[:n], **found)

    def _make_plan(self) -> RecoveryPlan:
        p = self.problem
        colors = np.concatenate([self.column_colors, self.row_colors])
        return bidirectional_plan(self.pattern, p.graph, colors, orient(p.graph, colors, p.substitution, p.diagonal))


def colored(problem: Problem, colors: np.ndarray, **found: Any) -> ColoringResult:
    """Wrap the colors of a problem's vertices; `found` tells how they were found."""
    match problem:
        case DistanceTwo():
            return PartitionColoring(problem, colors, **found)
        case Symmetric():
            return SymmetricColoring(problem, colors, **found)
        case Bidirectional():
            return Bicoloring(problem, colors, **found)
    raise TypeError(f"no coloring of a {type(problem).__name__} is known")


def _count(colors: np.ndarray | None) -> int:
    return 0 if colors is None else int(colors.max(initial=-1)) + 1


def _dtype(sides: tuple[np.ndarray | None, np.ndarray | None]) -> np.dtype:
    return np.result_type(*(side for side in sides if side is not None))


def _groups(colors: np.ndarray) -> list[np.ndarray]:
    by_color = np.argsort(colors, kind="stable")
    counts = np.bincount(colors + 1, minlength=_count(colors) + 1)
    return np.split(by_color, np.cumsum(counts)[:-1])[1:]


def _seed_matrix(colors: np.ndarray) -> np.ndarray:
    seeds = np.zeros((colors.size, _count(colors)))
    colored = np.flatnonzero(colors >= 0)
    seeds[colored, colors[colored]] = 1
    return seeds
