"""How a scalar program is differentiated twice: for its Hessian, and for the Jacobian of its gradient."""

from __future__ import annotations

from dataclasses import replace

from sparsead.derivatives.of_cell import Lowered
from sparsead.derivatives.preparation import Options
from sparsead.kernels.gradient import gradient as gradient_kernels
from sparsead.kernels.kernel import Kernels
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.cells import VALUE


def second_order(program: Program, _: Options, timings: Timings, output: str = VALUE) -> Lowered:
    """Lower a program, and differentiate it twice: the matrix is the Hessian."""
    with timings.stage("lower"):
        kernels = lower(program, output)
    with timings.stage("linearize"):
        gradients = gradient_kernels(kernels, again=True)
        curvature = _curvature(gradients)
    return Lowered({"value": kernels, "gradient": gradients}, curvature)


def of_gradient(program: Program, _: Options, timings: Timings, output: str = VALUE) -> Lowered:
    """Lower the gradient of a program, and differentiate it: the matrix is the Hessian."""
    with timings.stage("lower"):
        kernels = gradient_kernels(lower(program, output), again=True, output=VALUE)
    with timings.stage("linearize"):
        curvature = _curvature(kernels)
    return Lowered({"value": kernels}, curvature)


def _curvature(gradients: Kernels) -> LinearProgram:
    return replace(linearize(gradients), symmetric=True)
