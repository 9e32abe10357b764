"""What a prepared Jacobian or Hessian says of itself, in numbers and in words."""

from __future__ import annotations

from coloring import ColoringResult, SparsityPattern
from coloring.pictures.thumbnail import thumbnail
from coloring.words import dimensions, several
from sparsead.derivatives.prepared import Prepared
from sparsead.kernels.kernel import CallKernel
from sparsead.kernels.linear import LinearProgram
from sparsead.sweeps.assembly import Assembly
from sparsead.tracing.trees import Leaf


class MatrixSummary(Prepared):
    """Sizes, passes and generated code of a prepared matrix, and what it prints; part of `PreparedMatrix`."""

    pattern: SparsityPattern
    coloring: ColoringResult | None
    linear: LinearProgram
    mode: str
    reasons: tuple[str, ...]
    _assembly: Assembly
    _title = "sparse matrix"

    @property
    def nnz(self) -> int:
        """How many entries the matrix has; explicit zeros are entries."""
        return self.pattern.nnz

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pattern.shape

    @property
    def passes(self) -> dict[str, int]:
        """The products with the matrix or its transpose that one evaluation costs; 0 in direct mode."""
        return {product.name: count for product, count in zip(self._products, self._assembly.passes, strict=False)}

    @property
    def source(self) -> str:
        """The generated code of the sweeps that compute the matrix."""
        return "\n".join(sweep.source.text for sweep in self._assembly.sweeps())

    def _heading(self) -> str:
        entries = several(self.pattern.nnz, "nonzero")
        return f"{self.title}: {dimensions(self.shape)}, {entries} ({self.pattern.density:.3g} of all)"

    def _facts(self) -> list[tuple[str, str]]:
        linear = self.linear if self.of_cell is None else self.of_cell.lowered.matrix
        kernels, arrays = len(linear.kernels), len(linear.work)
        return [
            *self._number_in_words(),
            *self._cells_in_words(),
            ("mode", f"{self.mode}: {self._passes_in_words()}"),
            *(("", reason) for reason in self.reasons),
            *self._calls_in_words(),
            ("kernels", f"{kernels} linear, {several(arrays, 'intermediate array')}"),
            *(("", sweep.note) for sweep in self._assembly.sweeps() if sweep.note),
            ("prepared", f"in {self.timings.total:.3g} s ({self.timings})"),
        ]

    def _picture(self) -> str:
        return thumbnail(self.pattern)

    @property
    def title(self) -> str:
        """What it is, in words: ``sparse Jacobian of f``."""
        return f"{self._title} of {self.program.name}"

    def _number_in_words(self) -> list[tuple[str, str]]:
        """Tell what x is where it is a number beside arrays, as in f(t, y), and others may be meant."""
        names, arguments, k = self.signature.names, self.signature.arguments, self.signature.argnum
        arrays = [name for name, a in zip(names, arguments, strict=True) if isinstance(a, Leaf) and not a.number]
        x = arguments[k]
        if not arrays or not self.signature.plain or not isinstance(x, Leaf) or not x.number:
            return []
        return [("by", f"the number {names[k]}; argnum={names.index(arrays[0])} is by {arrays[0]}")]

    def _calls_in_words(self) -> list[tuple[str, str]]:
        """Tell what the derivatives of loops and of the user's operations take: passes of their own."""
        if self.of_cell is not None:
            return []
        calls = [step for step in self.linear.primal.kernels if isinstance(step, CallKernel) and step.passes]
        words = (" and ".join(f"{count:,} {kind}" for kind, count in call.passes.items()) for call in calls)
        lines = [
            f"{call.operation.name}: {passes} passes through it" for call, passes in zip(calls, words, strict=True)
        ]
        return [("calls" if k == 0 else "", line) for k, line in enumerate(lines)]

    def _passes_in_words(self) -> str:
        if self.coloring is None:
            but = " but those of calls" if self._calls_in_words() else ""
            return f"no passes{but} (instead of {self.shape[1]:,}); coefficients are added to their entries"
        used = [f"{k:,} {kind.upper()}" for kind, k in self.passes.items() if k]
        passes = f"{' and '.join(used) or '0'} {'pass' if sum(self.passes.values()) == 1 else 'passes'}"
        bound = "optimal" if self.coloring.is_optimal else f"lower bound {self.coloring.lower_bound}"
        return f"{passes} instead of {self.shape[1]:,} ({bound})"

    def __repr__(self) -> str:
        entries = several(self.pattern.nnz, "nonzero")
        return f"<{self._title}, {dimensions(self.shape)}, {entries}, {self.mode}, passes {self.passes}>"
