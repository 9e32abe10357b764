"""Loops written by hand, run as loops and as grids: equal bits."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from unittest import mock

import numpy as np

from sparsead.emit import indices, owners, staging, terms, tiles
from sparsead.emit.grid import Grids
from sparsead.emit.source import Source
from sparsead.emit.sweep import Engine, Sweep
from tests.fuzz.grids import assert_same, on_the_cpu


def with_grids():
    """Have a back end of grids while a test runs: a fixture."""
    with on_the_cpu():
        yield


def for_few_points():
    """Let what is worth it for many points only be done for a few, too: a fixture."""
    limits = [(module, "FEWEST", 2) for module in (indices, owners, staging, tiles)]
    limits += [(terms, "FEWEST_ALIKE", 1), (tiles, "LEFT_OUT", 0), (owners, "LEFT_OUT", 1.5)]
    limits.append((owners, "FEWEST_SHARING", 2))
    with ExitStack() as stack:
        for module, name, value in limits:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


def run_both(write, arrays, work=(), **tables):
    """Run a source in loops and in grids, on arrays by name and size; return its grids.

    Arrays of `work` are nobody's but the source's; the others are compared.
    """
    results = []
    for grid in (False, True):
        source = Source("f", grid=grid)
        for name in arrays:
            source.array(name)
        for name, table in tables.items():
            source.indices(name, np.array(table))
        write(source)
        given = {name: np.linspace(0.1, 1.0, size) ** 3 for name, size in arrays.items() if name not in work}
        sizes = {name: size for name, size in arrays.items() if name in work}
        Sweep(source, sizes, Engine("grid" if grid else "python"))(**given)
        results.append(given)
    for name, found in results[1].items():
        assert_same(found, results[0][name])
    (function,) = source.functions
    return Grids.of(function, source.fixed, work)


@contextmanager
def points(source, count):
    """Write the statements of a loop over points i."""
    with source.loop(), source.block(f"for i in range({count}):"):
        yield
