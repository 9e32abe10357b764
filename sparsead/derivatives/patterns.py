"""Patterns alone: nothing is colored or compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sparsead.ops  # noqa: F401  (fills the tables that tracing reads)
from coloring import SparsityPattern
from sparsead.derivatives.gradient import traced_scalar
from sparsead.derivatives.hessian import second_order
from sparsead.derivatives.preparation import Options
from sparsead.explain.refusal import naming_lines
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.kernels.pattern import detect
from sparsead.stages import Timings
from sparsead.tracing.arguments import Argnum
from sparsead.tracing.order import for_order
from sparsead.tracing.trace import trace


def jacobian_pattern(f: Callable[..., Any], x0: Any, *args: Any, argnum: Argnum = 0) -> SparsityPattern:
    """Return the sparsity pattern of the Jacobian of `f`; nothing is colored or compiled.

    Parameters
    ----------
    f, x0, *args, argnum
        As in `jacobian`.

    Returns
    -------
    SparsityPattern, shape (m, n)

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> sad.jacobian_pattern(lambda x: x[1:] * x[:-1], np.ones(4)).to_scipy().toarray()
    array([[1., 1., 0., 0.],
           [0., 1., 1., 0.],
           [0., 0., 1., 1.]])
    """
    program, _ = trace(f, (x0, *args), argnum)
    linear = linearize(lower(program))
    with naming_lines(program):
        return detect(linear)[linear.target]


def hessian_pattern(f: Callable[..., Any], x0: Any, *args: Any, argnum: Argnum = 0) -> SparsityPattern:
    """Return the sparsity pattern of the Hessian of `f`; nothing is colored or compiled.

    Parameters
    ----------
    f, x0, *args, argnum
        As in `hessian`.

    Returns
    -------
    SparsityPattern, shape (n, n)

    Examples
    --------
    >>> import numpy as np
    >>> import sparsead as sad
    >>> sad.hessian_pattern(lambda x: x[0] * x[1] + x[2], np.ones(3)).to_scipy().toarray()
    array([[0., 1., 0.],
           [1., 0., 0.],
           [0., 0., 0.]])
    """
    options, timings = Options(argnum, loops=False), Timings()
    with for_order(2):
        program, _, _ = traced_scalar(f, (x0, *args), options, timings)
    linear = second_order(program, options, timings).matrix
    with naming_lines(program, symmetric=True):
        return detect(linear)[linear.target]
