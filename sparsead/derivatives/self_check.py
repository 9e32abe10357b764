"""What the check of a preparation asks of it: values of the program, slopes of the matrix, plain calls of f."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

from sparsead.checking.plain import copied, plain, real
from sparsead.checking.preparation import HUGE, check_preparation
from sparsead.checking.report import CheckFailed, Comparison, Report
from sparsead.checking.rows import ALL, largest
from sparsead.checking.staircase import FEWEST, may_search
from sparsead.checking.subject import Product
from sparsead.derivatives.prepared import Prepared
from sparsead.program.evaluate import EPS, Values, can_run, evaluate, run
from sparsead.program.nodes import Map, Node, Program, serial_from_now
from sparsead.stages import Timings
from sparsead.tracing.decisions import Decisions
from sparsead.tracing.trace import trace
from sparsead.tracing.trees import Leaf

MOST_LINES = 4  # lines of code that an error names
MOST_TURNS = 100_000  # of recurrences that are done by Python to see what rounding does
LARGE = 1 << 17  # numbers that an operation computes, from which on compiling it takes less time than NumPy twice
TO_COMPILE = 100  # as many operations take as long to compile as beginning to compile does

Made = TypeVar("Made", bound=Prepared)


def checked(
    prepared: Made, args: tuple[Any, ...], wanted: bool, timings: Timings, decisions: Decisions | None = None
) -> Made:
    """Check what was prepared, if that is wanted, and return it; `prepared.checked` says what was compared."""
    if wanted:
        with timings.stage("check"):
            prepared.checked = check_preparation(Subject(prepared, args, decisions))
    return prepared


class Subject:
    """A prepared Jacobian, Hessian or gradient, as its check sees it."""

    def __init__(self, prepared: Any, args: tuple[Any, ...], decisions: Decisions | None) -> None:
        self.prepared, self.decisions = prepared, decisions
        self.signature = prepared.signature
        self.title = f"{prepared.program.name}, as it was traced"
        self.order = 2 if prepared.derivative == "hessian" else 1
        self.args = self.signature.as_traced(args)
        self.start = self.signature.vector(args)
        searches = decisions is not None and may_search(decisions.origins)
        self.may_search = (searches or _chooses_in_turn(prepared.program)) and not _has_steps(prepared.program)
        self._runs = can_run(prepared.program)
        self._is_matrix = prepared.derivative != "gradient"
        self._data: Any = None

    def function(self, x: np.ndarray) -> Any:
        """Call the user's function on plain arrays; what numba compiled is called as the Python that was traced."""
        f = self.prepared.recipe.function
        return getattr(f, "py_func", f)(*map(copied, self._at(x)))

    def flat(self, value: Any) -> np.ndarray:
        """Return a value of the function as one vector; raise CheckFailed if it has another shape than was traced."""
        flat, result = real(self.signature.flat(plain(value))), self.signature.result
        if isinstance(result, Leaf) and np.shape(value) != result.shape and flat.size == result.size:
            words = f"{np.shape(value)} on plain arrays, {result.shape} as it was traced"
            raise CheckFailed(Report(self.title, [Comparison("the shape of the value", np.inf, 0.0, words)]))
        return flat

    def value(self, x: np.ndarray, rounding: np.random.Generator | None = None) -> np.ndarray:
        """Return the value of the program; with rounding disturbed, by what it does to results of any size inside."""
        program = self.prepared.program
        if self._runs or (rounding is not None and can_run(program, MOST_TURNS)):
            return run(program, self._inputs(x), rounding).reshape(-1)
        if rounding is None:
            return self._by_sweep(x)
        y = self._by_sweep(x * (1.0 + 4 * EPS * rounding.uniform(-1.0, 1.0, x.size)))
        return y + 4 * EPS * largest(y) * rounding.uniform(-1.0, 1.0, y.size)

    def compiled_value(self, x: np.ndarray) -> np.ndarray | None:
        """Return the value by compiled code, where operations compute so many numbers that NumPy takes longer."""
        prepared, nodes = self.prepared, self.prepared.program.nodes
        if not self._runs or prepared.engine.backend != "llvm":
            return None
        return self._by_sweep(x) if sum(n.size for n in nodes) >= LARGE * (len(nodes) + TO_COMPILE) else None

    def _by_sweep(self, x: np.ndarray) -> np.ndarray:
        y = np.empty(self.prepared.program.output.index.size)
        self.prepared._sweep("value").once(**self.prepared._inputs(self._at(x)), y=y)
        return y

    def slope(self, x: np.ndarray, d: np.ndarray) -> np.ndarray:
        """Return ``J @ d`` or ``d @ H @ d``."""
        self._fill(x)
        return self._product(d)

    def _fill(self, x: np.ndarray) -> None:
        if self._is_matrix:
            self._data = self.prepared.values(*self._at(x), out=self._data)
        else:
            self._data = self.signature.flat_x(self.prepared(*self._at(x)))

    def _product(self, d: np.ndarray) -> np.ndarray:
        if not self._is_matrix:
            return np.atleast_1d(self._data @ d)
        product = self.prepared.structure.by_rows(self._data) @ d
        return product if self.order == 1 else np.atleast_1d(d @ product)

    def terms(self, rows: Any, d: np.ndarray) -> np.ndarray:
        """Return the sums of the sizes of the terms of ``J @ d`` in some rows, where the slope was asked for last."""
        if not self._is_matrix:
            return np.atleast_1d(np.abs(self._data) @ np.abs(d))
        return np.asarray(abs(self.prepared.structure.by_rows(self._data)[rows]) @ np.abs(d))

    def sizes(self, x: np.ndarray) -> Callable[[Any, np.ndarray], np.ndarray]:
        """Return `terms` of the matrix at x."""
        self._fill(x)
        return self.terms

    def belongs(self, x: np.ndarray) -> bool:
        """Tell whether the recorded branches are taken at x."""
        if self.decisions is None or not self.decisions.taken:
            return True
        inputs = self._inputs(x)
        known: Values = {}
        pairs = zip(self.decisions.conditions, self.decisions.taken, strict=True)
        return all(bool(evaluate(condition, inputs, known)) == taken for condition, taken in pairs)

    def is_finite(self, x: np.ndarray) -> bool:
        """Tell whether all that the function computes at x stands in the program, and is far from infinity.

        Products with zeros are left out of programs, also where NumPy makes NaN of them.
        """
        if not self._runs or self.decisions is not None:
            return False
        before = serial_from_now()
        try:
            program, signature = trace(self.prepared.recipe.function, self.args, self.signature.argnum)
        except Exception:  # whatever a function may raise that is run once more
            return False
        made = serial_from_now() - before - 1
        if made > sum(node.serial > before for node in program.nodes):
            return False
        arrays = signature.convert(self._at(x))
        known: Values = {}
        evaluate(program.output, {n.serial: a for n, a in zip(program.inputs, arrays, strict=True)}, known)
        return all(bool((np.abs(values) < HUGE).all()) for values in known.values())

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Return the compiled gradient."""
        return self.signature.flat_x(self.prepared.gradient(*self._at(x)))

    def times(self, x: np.ndarray, rows: Any = ALL) -> tuple[Product, Product]:
        """Return the products of the matrix at x, and of the matrix of the sizes of its entries; in some rows."""
        self._fill(x)
        if not self._is_matrix:
            gradient = self._data
            return (
                lambda d: np.atleast_1d(gradient @ d),
                lambda d: np.atleast_1d(np.abs(gradient) @ np.abs(d)),
            )
        structure = self.prepared.structure  # what is filled next must leave the matrix as it is
        matrix = structure.by_rows(self._data.copy()) if rows is ALL else structure.by_rows(self._data)[rows]
        sizes = type(matrix)((np.abs(matrix.data), matrix.indices, matrix.indptr), shape=matrix.shape)
        return lambda d: matrix @ d, lambda d: sizes @ np.abs(d)

    def lines(self, row: int) -> str:
        """Name the lines of the user's code that bring the entries of a row in."""
        from sparsead.explain.blame import row_lines  # imported only where a check fails

        return _listed(row_lines(self.prepared.program, row))

    def couplings(self, row: int) -> str:
        """Name the lines that bring in the entries of a row of the Hessian."""
        from sparsead.explain.blame import coupling_lines  # imported only where a check fails

        return _listed(coupling_lines(self.prepared.program, row))

    def _at(self, x: np.ndarray) -> tuple[Any, ...]:
        """Return the arguments with another x, in the memory order of the example."""
        return self.signature.with_x(self.args, x)

    def _inputs(self, x: np.ndarray) -> dict[int, np.ndarray]:
        arrays = self.signature.convert(self._at(x))
        return {node.serial: array for node, array in zip(self.prepared.program.inputs, arrays, strict=True)}


def _has_steps(program: Program) -> bool:
    """Tell whether a program has steps of its own, as those of np.floor."""
    return any(isinstance(n, Map) and n.op.jumps and not n.boolean for n in program.nodes)


def _chooses_in_turn(program: Program) -> bool:
    """Tell whether choices by value are decided by one another, turn after turn."""
    turns: dict[int, int] = {}

    def of(nodes: Iterable[Node]) -> int:
        return max((turns[node.serial] for node in nodes), default=0)

    for node in program.nodes:
        turns[node.serial] = of(ref.node for ref in node.operands)
        if isinstance(node, Map) and not node.boolean:
            decided = [1 + of([node.operands[k].node]) for k in node.op.conditions]
            turns[node.serial] = max(turns[node.serial], *decided, 0)
    return of([program.output.node]) >= FEWEST


def _listed(lines: Any) -> str:
    return "\n".join(f"       {line.where}{line.text}" for line in lines[:MOST_LINES])
