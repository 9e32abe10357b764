"""CasADi: a graph of scalars (SX) or of matrices (MX), called through buffers, without Python objects in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from benchmarks.peers.built import Built
from sparsead.problems import Problem

Expression = Callable[[Problem, Any], Any]


def sx(write: Expression, problem: Problem) -> Built:
    import casadi as ca

    return _built(ca.SX, write, problem)


def mx(write: Expression, problem: Problem) -> Built:
    import casadi as ca

    return _built(ca.MX, write, problem)


def _built(kind: Any, write: Expression, problem: Problem) -> Built:
    import casadi as ca

    x = kind.sym("x", problem.x0.size)
    y = write(problem, x)
    derivative = ca.jacobian(y, x) if problem.derivative == "jacobian" else ca.hessian(y, x)[0]
    function = ca.Function("derivative", [x], [derivative])
    found = function.sparsity_out(0)
    indptr, indices = np.array(found.colind()), np.array(found.row())
    point, data = problem.x0.ravel().copy(), np.empty(function.nnz_out(0))
    buffer, trigger = function.buffer()
    buffer.set_arg(0, memoryview(point))
    buffer.set_res(0, memoryview(data))
    keep = (point, buffer)  # the buffer holds no reference to its memory

    def matrix() -> scipy.sparse.csc_array:
        assert keep
        return scipy.sparse.csc_array((data, indices, indptr), shape=function.size_out(0))

    return trigger, matrix
