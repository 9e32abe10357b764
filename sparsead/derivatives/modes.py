"""Which mode fills a matrix: the one that the user names, or the cheapest; patterns and colorings of users, checked."""

from __future__ import annotations

from typing import Any

import numpy as np

import coloring as graph
from coloring import ColoringResult, SparsityPattern
from coloring.words import several
from sparsead.derivatives.colorings import HESSIAN_COLORINGS, JACOBIAN_COLORINGS, SUBSTITUTES
from sparsead.derivatives.validation import check_options
from sparsead.emit.pool import default_threads
from sparsead.emit.sweep import Engine
from sparsead.errors import InputError
from sparsead.kernels.kernel import Buffer
from sparsead.kernels.linear import LinearCall, LinearProgram
from sparsead.sweeps.cost import Work, direct_cost
from sparsead.sweeps.repeated.operation import Repeated

BESIDE = 0.25  # of the cost of a product through a loop: what one of many side by side costs

Choice = tuple[str, ColoringResult | None, tuple[str, ...]]  # mode, coloring, reasons


def chosen_engine(backend: str, threads: int | None) -> Engine:
    """Return what runs the generated code."""
    check_options(backend=backend, threads=threads)
    threads = default_threads() if threads is None else threads
    return Engine(backend, int(threads))


def given_pattern(pattern: Any, found: SparsityPattern) -> SparsityPattern:
    """Return a user's pattern after checking that it has room for every entry that was found."""
    given = pattern if isinstance(pattern, SparsityPattern) else SparsityPattern.from_scipy(pattern)
    if given.shape != found.shape:
        raise InputError(f"pattern has shape {given.shape}, but the matrix is {found.shape[0]} x {found.shape[1]}")
    present = found.to_scipy()
    missing = (present - present.multiply(given.to_scipy())).tocoo()
    missing.eliminate_zeros()
    if missing.nnz:
        raise InputError(
            f"pattern misses {missing.nnz} entries, the first at row {missing.row[0]}, column {missing.col[0]}; "
            "leave pattern out to have it detected"
        )
    return given


def given_coloring(pattern: SparsityPattern, given: Any, partition: str, symmetric: bool = False) -> ColoringResult:
    """Return a user's coloring (a result, an array of colors, or ``"none"``) after a check against the pattern."""
    if isinstance(given, ColoringResult):
        if given.pattern != pattern:
            raise InputError("coloring is of another pattern; color jac.pattern, or leave coloring out")
        if given.structure == "symmetric" and not symmetric:
            raise InputError(
                "coloring is for symmetric matrices: it leaves out what is mirrored, which a Jacobian is not; color "
                "without structure='symmetric', or leave coloring out"
            )
        if given.partition != partition:
            raise InputError(f"coloring is of the partition {given.partition!r}; expected {partition!r}")
        return given
    size = pattern.shape[1 if partition == "column" else 0]
    if isinstance(given, str):
        if given != "none":
            raise InputError(f"unknown coloring {given!r}; expected 'none', a coloring result, or an array of colors")
        given = np.arange(size)
    colors = np.asarray(given)
    if colors.shape != (size,) or colors.dtype.kind not in "iu":
        raise InputError(f"coloring must be an array of {size} integers, got {colors.dtype} {colors.shape}")
    try:
        return graph.from_colors(pattern, colors, partition=partition)
    except graph.ColoringError as error:
        raise InputError(f"coloring is not valid: {error}") from error


def choose(linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], mode: str, given: Any, order: Any) -> Choice:
    """Return the mode of a Jacobian or a Hessian, its coloring, and the reasons."""
    if linear.has_calls:
        return fewest_products(patterns[linear.target], linear.symmetric, order, lanes=in_lanes(linear))
    of_kind = _choose_hessian if linear.symmetric else _choose_jacobian
    return of_kind(linear, patterns, mode, given, order)


def in_lanes(linear: LinearProgram) -> bool:
    """Tell whether tangents go through all loops of a program side by side."""
    calls = [kernel for kernel in linear.kernels if isinstance(kernel, LinearCall)]
    return all(isinstance(c.call.operation, Repeated) and c.call.operation.simple(c.numbers) for c in calls)


def fewest_products(pattern: SparsityPattern, symmetric: bool, order: Any, lanes: bool = False) -> Choice:
    """Return the mode that takes the fewest products, for a matrix that is known by these alone.

    Those forward are cheap where they go through loops in `lanes`.
    """
    modes = HESSIAN_COLORINGS if symmetric else {k: v for k, v in JACOBIAN_COLORINGS.items() if k != "bidirectional"}
    found = {
        name: graph.color(pattern, order=order, **colored) for name, colored in modes.items() if name not in SUBSTITUTES
    }
    beside = {name: lanes and name == "forward" for name in found}
    best = min(found, key=lambda name: found[name].num_colors * (BESIDE if beside[name] else 1))
    listed = ", ".join(
        f"{name} {colored.num_colors}{' (side by side, so cheaper)' * beside[name]}" for name, colored in found.items()
    )
    return best, found[best], (f"chosen by products through loops: {listed}",)


def _choose_jacobian(
    linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], mode: str, given: Any, order: Any
) -> Choice:
    pattern = patterns[linear.target]
    if given is not None:
        return _with_given(pattern, mode, given)
    if mode == "direct":
        return "direct", None, ()
    if mode in JACOBIAN_COLORINGS:
        return mode, graph.color(pattern, order=order, **JACOBIAN_COLORINGS[mode]), ()
    return cheapest_jacobian(linear, patterns, order, allow_direct=mode == "auto")


def _with_given(pattern: SparsityPattern, mode: str, given: Any) -> Choice:
    partitions = {name: colored["partition"] for name, colored in JACOBIAN_COLORINGS.items()}
    if isinstance(given, ColoringResult):
        found = next(name for name, partition in partitions.items() if partition == given.partition)
    elif mode in ("auto", "compressed", "forward", "reverse"):
        found = "reverse" if mode == "reverse" else "forward"
    else:
        raise InputError(f"an array of colors goes with mode='forward' or 'reverse', not {mode!r}")
    if mode not in (found, "auto", "compressed"):
        raise InputError(f"mode={mode!r} does not fit a {found} coloring")
    return found, given_coloring(pattern, given, partitions[found]), ()


def cheapest_jacobian(
    linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], order: Any, *, allow_direct: bool
) -> Choice:
    """Weigh the modes by counted costs; color only what can still win."""
    pattern = patterns[linear.target]
    jvp, vjp = Work.of(linear), Work.of(linear.transposed())
    row_bound = _longest_row(pattern)
    if allow_direct:
        direct = direct_cost(linear, patterns)
        for bound in (_mean_column, _longest_column):  # the first is often enough, and costs nothing
            column_bound = bound(pattern)
            least = min(jvp.compressed(row_bound, pattern.nnz), vjp.compressed(column_bound, pattern.nnz))
            if direct <= least:
                at_least = f"forward takes at least {several(row_bound, 'pass')}, reverse {column_bound:,}"
                return "direct", None, (f"chosen: {direct:.3g} operations; compressed needs {least:.3g} ({at_least})",)
    column_bound = _longest_column(pattern)
    columns = graph.color(pattern, partition="column", order=order)
    costs: dict[str, tuple[float, ColoringResult | None]] = {
        "forward": (jvp.compressed(columns.num_colors, pattern.nnz), columns)
    }
    if vjp.compressed(column_bound, pattern.nnz) < costs["forward"][0]:
        rows = graph.color(pattern, partition="row", order=order)
        costs["reverse"] = (vjp.compressed(rows.num_colors, pattern.nnz), rows)
    if _has_dense_cross(pattern):
        both = graph.color(pattern, partition="bidirectional", order=order)
        cost = jvp.compressed(both.num_column_colors, pattern.nnz) + vjp.compressed(both.num_row_colors, pattern.nnz)
        costs["bidirectional"] = (cost, both)
    if allow_direct:
        costs["direct"] = (direct, None)
    mode = min(costs, key=lambda name: costs[name][0])
    listed = ", ".join(f"{name} {cost:.3g}" for name, (cost, _) in costs.items())
    return mode, costs[mode][1], (f"chosen by operations: {listed}",)


def _longest_row(pattern: SparsityPattern) -> int:
    return int(np.diff(pattern.indptr).max(initial=0))


def _longest_column(pattern: SparsityPattern) -> int:
    return _longest_row(pattern.T)


def _mean_column(pattern: SparsityPattern) -> int:
    return -(-pattern.nnz // max(pattern.shape[1], 1))


def _has_dense_cross(pattern: SparsityPattern) -> bool:
    """Tell whether some rows and some columns are much longer than most: where a bicoloring can win."""
    longest = []
    for p in (pattern, pattern.T):
        lengths = np.diff(p.indptr)
        longest.append(int(lengths.max(initial=0)) > 4 * max(float(np.mean(lengths)) if lengths.size else 0.0, 2.0))
    return all(longest)


def _choose_hessian(
    linear: LinearProgram, patterns: dict[Buffer, SparsityPattern], mode: str, given: Any, order: Any
) -> Choice:
    pattern = patterns[linear.target]
    if given is not None:
        colored = given_coloring(pattern, given, "column", symmetric=True)
        names = {("symmetric", "direct"): "star", ("symmetric", "substitution"): "acyclic"}
        return names.get((colored.structure, colored.decompression), "column"), colored, ()
    if mode == "direct":
        return "direct", None, ()
    if mode in HESSIAN_COLORINGS:
        return mode, graph.color(pattern, order=order, **HESSIAN_COLORINGS[mode]), ()
    work, direct = Work.of(linear), direct_cost(linear, patterns)
    least = work.compressed(1 if pattern.nnz else 0, pattern.nnz)
    if mode == "auto" and direct <= least:
        return "direct", None, (f"chosen: {direct:.3g} operations; one compressed pass needs {least:.3g}",)
    tried = [name for name in HESSIAN_COLORINGS if mode != "auto" or name not in SUBSTITUTES]
    found = {name: graph.color(pattern, order=order, **HESSIAN_COLORINGS[name]) for name in tried}
    costs = {name: work.compressed(c.num_colors, pattern.nnz) for name, c in found.items()}
    if mode == "auto":
        costs["direct"] = direct
    best = min(costs, key=lambda name: costs[name])
    listed = ", ".join(f"{name} {cost:.3g}" for name, cost in costs.items())
    return best, found.get(best), (f"chosen by operations: {listed}",)
