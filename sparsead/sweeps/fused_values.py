"""Values in the loops of their derivatives: what both need is computed once, and x is read once."""

from __future__ import annotations

from sparsead.kernels.kernel import Buffer, Kernel, Load, Step, filled_by, reachable, read_by
from sparsead.kernels.linear import LinearKernel, LinearProgram
from sparsead.kernels.merging import WORTH, shared_cost
from sparsead.program.scalar import Pool


def fused(linear: LinearProgram) -> dict[int, Kernel]:
    """Return the primal kernels that may run in the loop of a linear kernel, by the number of that one.

    Such a kernel shares domain and costly expressions with the linear one, stores each element once, or is the last one
    that adds to it, and nothing reads what it stores: it computes the value of a function whose Jacobian is wanted too.
    """
    read = _buffers_read(linear)
    last = {buffer: step for step in linear.primal.kernels for buffer in filled_by(step)}

    def joins(buffer: Buffer, step: Step) -> bool:
        return last[buffer] is step and buffer.size > 1  # a single number is added up in registers

    numbers = {(k.domain, id(_pool(k))): number for number, k in enumerate(linear.kernels) if not k.ordered}
    found: dict[int, Kernel] = {}
    for step in linear.primal.kernels:
        if not isinstance(step, Kernel) or step.ordered:
            continue
        if any(s.buffer in read or (s.adds and not joins(s.buffer, step)) for s in step.stores):
            continue
        number = numbers.get((step.domain, id(step.stores[0].value.pool)))
        if number is not None and number not in found and _shared_cost(step, linear.kernels[number]) >= WORTH:
            found[number] = step
    return found


def _buffers_read(linear: LinearProgram) -> set[Buffer]:
    """Return the buffers whose values a primal kernel or a coefficient reads."""
    read = {buffer for step in linear.primal.kernels for buffer in read_by(step)}
    for kernel in linear.kernels:  # one by one: serial numbers are those of one kernel's expressions
        coefficients = reachable(t.coefficient for t in kernel.terms)
        read |= {e.value.buffer for e in coefficients if isinstance(e.value, Load)}
    return read


def _shared_cost(kernel: Kernel, linear: LinearKernel) -> float:
    """Return the cost of the operations that values and coefficients have in common."""
    return shared_cost((s.value for s in kernel.stores), (t.coefficient for t in linear.terms))


def _pool(kernel: LinearKernel) -> Pool | None:
    """Return the expressions that the coefficients of a kernel were built on."""
    return next((t.coefficient.pool for t in kernel.terms), None)
