"""How a scalar program is differentiated twice: for its Hessian, and for the Jacobian of its gradient."""

from __future__ import annotations

from dataclasses import replace

from sparsead.derivatives.of_cell import Lowered
from sparsead.derivatives.preparation import Options
from sparsead.derivatives.rerolling import few_products, may_roll, rerolled
from sparsead.kernels.gradient import gradient as gradient_kernels
from sparsead.kernels.kernel import Kernels
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.kernels.straight_line import straightened
from sparsead.program.nodes import Program
from sparsead.stages import Timings
from sparsead.sweeps.cells import VALUE

LONG = 1000  # operations that are too many to be written out and differentiated twice


def second_order(
    program: Program, options: Options, timings: Timings, output: str = VALUE, gradient: str = "g"
) -> Lowered:
    """Lower a program, and differentiate it twice: the matrix is the Hessian.

    Its equal turns are loops where few products with the Hessian give all of it.
    """
    with timings.stage("lower"):
        short = rerolled(program, options.engine, products=True, long=LONG) if may_roll(options) else program
        kernels = lower(short, output)
    with timings.stage("linearize"):
        if short is program:
            gradients = gradient_kernels(kernels, again=True, output=gradient)
            linear = replace(linearize(gradients), symmetric=True)
            return Lowered({"value": kernels, "gradient": gradients}, linear)
        found = _through_loops(straightened(kernels), gradient)
    return found or second_order(program, replace(options, loops=False), timings, output, gradient)


def _through_loops(kernels: Kernels, gradient: str) -> Lowered | None:
    """Differentiate a program with loops twice; None where the Hessian takes many products."""
    gradients = straightened(gradient_kernels(kernels, again=True, whole=True, output=gradient))
    linear = replace(linearize(gradients, products=True, whole=True), symmetric=True)
    return Lowered({"value": kernels, "gradient": gradients}, linear, loops=True) if few_products(linear) else None


def of_gradient(program: Program, options: Options, timings: Timings, _: str = VALUE) -> Lowered:
    """Lower the gradient of a program, and differentiate it: the value is the gradient, the matrix the Hessian."""
    found = second_order(program, options, timings, "potential", gradient=VALUE)
    return replace(found, functions={"value": found.functions["gradient"]})
