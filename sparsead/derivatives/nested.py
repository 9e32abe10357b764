"""Prepared derivatives called on traced values: their kernels run on traced arrays, and become part of the program.

The kernel form is closed under differentiation: what computes a derivative is one more program to differentiate.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, Self, TypeVar

import numpy as np

from sparsead.contract import ROUNDING, Kind, Partial
from sparsead.derivatives.blocks import Blocks, blocks_of
from sparsead.derivatives.calls import arranged
from sparsead.errors import InputError, UnsupportedOperationError, unsupported, user_origin
from sparsead.kernels.gradient import gradient as gradient_kernels
from sparsead.kernels.indexmap import IndexMap
from sparsead.kernels.kernel import Buffer, CallKernel, Kernel, Kernels, LinearProgram, Load, Meeting, reachable
from sparsead.kernels.linearize import linearize, restatements
from sparsead.kernels.lower import lower
from sparsead.ops.registry import apply, scatter_sum, traced
from sparsead.ops.sparse import triplets
from sparsead.ops.sparse.matrix import TracedSparse
from sparsead.ops.sparse.triplets import Triplets
from sparsead.program.nodes import Call, Program
from sparsead.program.scalar import Expr
from sparsead.tracing import trees
from sparsead.tracing.arguments import Argnum, Signature
from sparsead.tracing.array import TracedArray, reading, stack_objects, traced_in
from sparsead.tracing.loops.tape import is_tracing
from sparsead.tracing.order import for_order, order_wanted
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.trace import trace
from sparsead.tracing.trees import Leaf

Arrays = dict[Buffer, Any]
Method = TypeVar("Method", bound=Callable[..., Any])


def is_asked(args: Sequence[Any]) -> bool:
    """Tell whether arguments hold traced values, inside a function that is being traced."""
    return is_tracing() and any(True for _ in traced_in(args))


def composes(method: Method) -> Method:
    """Let a method of a prepared derivative, called on traced values, be part of the program (a decorator)."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        if is_tracing() and is_asked((*args, *options.values())):
            return _inside(self, method.__name__, args, options)
        return method(self, *args, **options)

    return call  # type: ignore[return-value]


def _inside(prepared: Any, name: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    """Call the method of what stands for a derivative inside a function; options without meaning are refused."""
    args, options = arranged(prepared.signature, name, args, keywords)
    method = getattr(prepared._nested, name)
    own = inspect.signature(method).parameters
    wrong = next((o for o, v in options.items() if o not in own and v is not None and v is not False), None)
    if wrong is not None:
        raise InputError(f"{wrong}= has no meaning inside a function that is differentiated; leave it out")
    return method(*args, **{option: value for option, value in options.items() if option in own})


def run(kernels: Kernels, arrays: Mapping[Buffer, Any]) -> Arrays:
    """Return all buffers, given those of the inputs, as flat traced arrays.

    Raises
    ------
    UnsupportedOperationError
        For recurrences, and for the derivatives of operations that are not traced.
    """
    known: Arrays = dict(arrays)
    for step in kernels.kernels:
        if isinstance(step, CallKernel):
            _call(step, known)
        elif step.ordered:
            _refuse("a recurrence")
        else:
            _run_kernel(step, known)
    return known


def _refuse(what: str) -> NoReturn:
    raise UnsupportedOperationError(
        f"a derivative of {what} inside a function that is differentiated is not supported.\n  {user_origin()}\n"
        "  Take all derivatives at once outside: sparsead.hessian, or the products of a prepared derivative."
    )


def _require_restated(kernels: Kernels) -> None:
    """Refuse kernels that have derivatives up to some order only: the next one would lack terms."""
    restated = restatements(kernels)
    for step in kernels.kernels:
        if not isinstance(step, CallKernel) or not step.operation.carrier or step.result in restated:
            continue
        if not getattr(step.operation, "holds", False):
            raise unsupported(
                f"a derivative that was prepared outside of the function and holds {step.operation.name}",
                "Derivatives of a higher order were not prepared. Call sparsead.grad(f)(x), or prepare it inside "
                "the function.",
            )


def _call(step: CallKernel, known: Arrays) -> None:
    if any(entries in step.filled for entries in step.entries) and not step.operation.linear:
        _refuse(f"{step.operation.name}, which is not traced,")
    args = tuple(reading(traced(known[b])) for b in step.operands)
    if step.result in step.filled:
        call = Call(shape=(step.result.size,), operation=step.operation, args=args, origin=user_origin())
        known[step.result] = TracedArray.of_node(call)
    for number, entries in enumerate(step.entries):
        if entries in step.filled:  # of a linear operation: they do not depend on the operands
            constant = np.empty(entries.size)
            step.operation.derivative([np.zeros(b.size) for b in step.operands], number, constant)
            known[entries] = constant


def _run_kernel(kernel: Kernel, known: Arrays) -> None:
    values = _Values(known)
    computed = [np.broadcast_to(traced(values.of(s.value)), kernel.domain) for s in kernel.stores]
    for store, value in zip(kernel.stores, computed, strict=True):
        places = np.reshape(store.place.array(), -1)
        points = np.flatnonzero(places >= 0)
        flat = value.reshape(-1)[points]
        buffer = known.get(store.buffer)
        if store.adds:
            added = scatter_sum(traced(flat), places[points], (store.buffer.size,))
            known[store.buffer] = added if buffer is None else buffer + added
            continue
        if buffer is None:
            buffer = traced(np.zeros(store.buffer.size))
        buffer[places[points]] = flat
        known[store.buffer] = buffer


class _Values:
    """The values of expressions over the domain of one kernel."""

    def __init__(self, known: Arrays) -> None:
        self.known = known
        self._found: dict[int, Any] = {}

    def of(self, root: Expr) -> Any:
        """Return the values of an expression: an array over the domain, or a number."""
        for expr in reachable([root]):
            if expr.serial not in self._found:
                self._found[expr.serial] = self._one(expr)
        return self._found[root.serial]

    def _one(self, expr: Expr) -> Any:
        if expr.op is not None:
            return apply(expr.op, [self._found[a.serial] for a in expr.args], expr.op.conditions)
        if isinstance(expr.value, Load):
            return _gathered(self._array(expr.value.buffer), expr.value.index)
        return expr.value.array() if isinstance(expr.value, Meeting) else expr.value

    def _array(self, buffer: Buffer) -> Any:
        return buffer.value if buffer.value is not None else self.known[buffer]


def _gathered(array: Any, index: IndexMap) -> Any:
    """Return the elements that an index map reads; nowhere is zero."""
    places = index.array()
    if index.masked:
        array, places = np.concatenate([array, np.zeros(1)]), np.where(places < 0, np.size(array), places)
    return array[places]


def matrix(linear: LinearProgram, known: Arrays, shape: tuple[int, int]) -> TracedSparse:
    """Return the matrix of a linear program, given the buffers that its coefficients read.

    Every kernel is a sparse matrix; their products, in order, are the derivatives of the buffers.
    """
    n = shape[1]
    identity = np.arange(n)
    derivatives: dict[Buffer, Triplets] = {linear.source: Triplets(identity, identity, traced(np.ones(n)), (n, n))}
    for kernel in linear.kernels:
        if kernel.ordered:
            _refuse("a recurrence")
        values = _Values(known)
        for term in kernel.terms:
            rows, columns = (np.broadcast_to(m.array(), kernel.domain).reshape(-1) for m in (term.place, term.index))
            inside = np.flatnonzero((rows >= 0) & (columns >= 0))
            coefficients = np.broadcast_to(traced(values.of(term.coefficient)), kernel.domain).reshape(-1)[inside]
            layer = Triplets(rows[inside], columns[inside], coefficients, (term.target.size, term.source.size))
            if term.source not in derivatives:
                continue
            part = layer.summed() if term.source is linear.source else triplets.product(layer, derivatives[term.source])
            before = derivatives.get(term.target)
            derivatives[term.target] = part if before is None else triplets.added(before, part)
    found = derivatives.get(linear.target)
    if found is None:
        nowhere = np.zeros(0, dtype=np.int64)
        found = Triplets(nowhere, nowhere, traced(np.zeros(0)), shape)
    return TracedSparse.of_triplets(found)


def product(linear: LinearProgram, known: Arrays, v: Any) -> Any:
    """Return the product of the matrix of a linear program with a vector, without the matrix."""
    tangents: Arrays = {linear.source: traced(v)}
    for kernel in linear.kernels:
        if kernel.ordered:
            _refuse("a recurrence")
        values = _Values(known)
        for term in kernel.terms:
            if term.source not in tangents:
                continue
            factors = values.of(term.coefficient) * _gathered(tangents[term.source], term.index)
            places = np.reshape(np.broadcast_to(term.place.array(), kernel.domain), -1)
            points = np.flatnonzero(places >= 0)
            terms = np.reshape(np.broadcast_to(traced(factors), kernel.domain), -1)[points]
            added = scatter_sum(traced(terms), places[points], (term.target.size,))
            before = tangents.get(term.target)
            tangents[term.target] = added if before is None else before + added
    return tangents.get(linear.target, traced(np.zeros(linear.target.size)))


# -- what is called ------------------------------------------------------------------------------------------------
class Nested(Partial):
    """A function and its derivatives, of traced values.

    It offers what can be part of a program; what writes into arrays, or is compiled, is refused.

    Parameters
    ----------
    program, signature, kernels
        What was traced, of which arguments, and lowered.
    traced_for : int
        The order of the derivatives that what was traced has; `order` by default, as it is prepared by itself.
    """

    order = 1  # of the derivative that a call takes
    accuracy = ROUNDING

    def __init__(self, program: Program, signature: Signature, kernels: Kernels, traced_for: int | None = None) -> None:
        self.program, self.signature, self.kernels = program, signature, kernels
        self.shape = (program.output.index.size, program.wrt.size)
        self.traced_for = self.order if traced_for is None else traced_for

    @classmethod
    def of(cls, f: Callable[..., Any], args: Sequence[Any], argnum: Argnum = 0) -> Self:
        """Trace a function inside of another one; some of its arguments are traced already."""
        order = order_wanted() + cls.order  # what is made of the derivative is differentiated, too
        with for_order(order):
            program, signature = trace(f, [without_values(a) for a in args], argnum)
        return cls(program, signature, lower(program), order)

    @property
    def argnum(self) -> int:
        """Which argument x is; the first of several."""
        return self.signature.argnum

    def at(self, args: Sequence[Any]) -> Self:
        """Return this: nothing in it depends on where it is called."""
        return self

    def _lacks(self, name: str) -> str:
        instead = INSTEAD.get(name, "Use it outside, on a derivative that was prepared there")
        return (
            f"{name} is not offered inside a function that is differentiated: what is computed there is part of the "
            f"program.\n  {user_origin()}\n  {instead}."
        )

    def _run(self, kernels: Kernels, args: Sequence[Any]) -> Arrays:
        taken = 0 if kernels is self.kernels else self.order
        if self.traced_for < order_wanted() + taken:
            _require_restated(kernels)
        return run(kernels, inputs_of(kernels, self.program, self.signature, args))

    def __call__(self, *args: Any) -> Any:
        """Return the derivative."""
        raise NotImplementedError

    def value(self, *args: Any) -> Any:
        """Return the value of the function."""
        y = self._run(self.kernels, args)[self.kernels.output]
        return y.element() if np.size(y) == 1 and self.shape == (1, self.shape[1]) else self.signature.shaped(y)

    def gradient(self, *args: Any) -> Any:
        """Return the gradient, in the shape of x."""
        kernels = gradient_kernels(self.kernels)
        return self.signature.like_x(self._run(kernels, args)[kernels.output])

    def value_and_gradient(self, *args: Any) -> Any:
        """Return value and gradient."""
        return self.value(*args), self.gradient(*args)

    def _matrix(self, linear: LinearProgram, args: Sequence[Any]) -> TracedSparse:
        shape = (linear.target.size, linear.source.size)
        return matrix(linear, self._run(linear.primal, args), shape)

    def _product(self, linear: LinearProgram, v: Any, args: Sequence[Any]) -> Any:
        return product(linear, self._run(linear.primal, args), stack_objects(v))


INSTEAD = {
    "values": "Call the matrix: its .tocsr().data are the values",
    "linear_operator": "Use jvp, vjp or hvp, or the matrix itself: J @ v",
    "batch": "Write the points as an axis of the function's own arrays",
    "value_batch": "Write the points as an axis of the function's own arrays",
    "gradient_batch": "Write the points as an axis of the function's own arrays",
    "prepared_call": "Call the derivative",
}


class NestedGradient(Nested):
    """A gradient inside a function that is differentiated."""

    derivative: Kind = "gradient"

    def __call__(self, *args: Any) -> Any:
        """Return the gradient, in the shape of x."""
        return self.gradient(*args)


class NestedMatrix(Nested):
    """A Jacobian or Hessian inside a function that is differentiated."""

    def diagonal(self, *args: Any) -> Any:
        """Return the diagonal."""
        return self(*args).diagonal()

    def blocks(self, matrix: Any) -> Blocks:
        """Return the blocks of a matrix that a call returned, by name."""
        return blocks_of(matrix, matrix.shape, self.signature, symmetric=self.derivative == "hessian")


class NestedJacobian(NestedMatrix):
    """A Jacobian inside a function that is differentiated."""

    derivative: Kind = "jacobian"

    def __call__(self, *args: Any) -> TracedSparse:
        """Return the Jacobian as a sparse matrix of unknowns."""
        return self._matrix(linearize(self.kernels), args)

    def value_and_jacobian(self, *args: Any) -> Any:
        """Return value and Jacobian."""
        return self.value(*args), self(*args)

    def jvp(self, x: Any, v: Any, *args: Any) -> Any:
        """Return ``J @ v``."""
        return self._product(linearize(self.kernels), v, (x, *args))

    def vjp(self, x: Any, w: Any, *args: Any) -> Any:
        """Return ``J.T @ w``."""
        return self._product(linearize(self.kernels).transposed(), w, (x, *args))

    def normal(self, *args: Any, r: Any = None, weights: Any = None, triangle: str = "full") -> Any:
        """Return ``J.T @ W @ J``, and with r also ``J.T @ W @ r``."""
        if triangle != "full":
            raise InputError("inside a function that is differentiated the normal equations are whole: triangle='full'")
        J, (m, _) = self(*args), self.shape
        r, weights = (None if v is None else _of_rows(name, v, m) for name, v in (("r", r), ("weights", weights)))
        weighed = J if weights is None else J.multiply(weights.reshape(-1, 1)).tocsr()
        matrix = J.T @ weighed
        return matrix if r is None else (matrix, weighed.T @ r)


class NestedHessian(NestedMatrix):
    """A Hessian inside a function that is differentiated."""

    derivative: Kind = "hessian"

    order = 2

    @property
    def _linear(self) -> LinearProgram:
        return linearize(gradient_kernels(self.kernels, again=True))

    def __call__(self, *args: Any) -> TracedSparse:
        """Return the Hessian as a sparse matrix of unknowns."""
        return self._matrix(self._linear, args)

    def hvp(self, x: Any, v: Any, *args: Any) -> Any:
        """Return ``H @ v``."""
        return self._product(self._linear, v, (x, *args))

    def value_gradient_and_hessian(self, *args: Any) -> Any:
        """Return value, gradient and Hessian."""
        return self.value(*args), self.gradient(*args), self(*args)


def _of_rows(name: str, given: Any, m: int) -> Any:
    """Return a number for each row, flat, after a look at how many there are."""
    flat = np.reshape(stack_objects(given), -1)
    if np.size(flat) != m:
        raise InputError(f"normal expects {name} to hold a real number for each of the {m} rows, got {np.size(flat)}")
    return flat


def inputs_of(kernels: Kernels, program: Program, signature: Signature, args: Sequence[Any]) -> Arrays:
    """Return the buffers of the inputs of kernels, given the arguments of the function.

    What the function held of an outer trace is an input after its own.
    """
    own = signature.convert(args, _traced_leaf)
    outer = [TracedArray.of_node(node).reshape(-1) for node in program.inputs[len(own) :]]
    every = [*own, *outer]
    return {kernels.wrt: every[0], **dict(zip(kernels.arguments, every[1:], strict=True))}


def _traced_leaf(value: Any, leaf: Leaf, title: str) -> Any:
    array = traced(stack_objects(value))
    if np.shape(array) != leaf.shape:
        raise InputError(f"{title} has shape {np.shape(array)}; this derivative was prepared for shape {leaf.shape}")
    return array.reshape(-1)


def without_values(value: Any) -> Any:
    """Return an argument with zeros in place of what is traced in it."""
    of = trees.structure(value, _any_leaf)
    return trees.built(of, (0.0 if leaf.number else np.zeros(leaf.shape) for _, leaf in trees.leaves(of)))


def _any_leaf(value: Any) -> Leaf | None:
    if isinstance(value, TracedArray):
        return Leaf(value.shape, False)
    return Leaf((), True) if isinstance(value, TracedScalar) else trees.float_leaf(value)
