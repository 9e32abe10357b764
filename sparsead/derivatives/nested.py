"""Prepared derivatives called on traced values: their kernels run on traced arrays, and become part of the program.

The kernel form is closed under differentiation: what computes a derivative is one more program to differentiate.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import numpy as np

from sparsead.contract import ROUNDING, Kind, Partial
from sparsead.derivatives.blocks import Blocks, blocks_of
from sparsead.derivatives.calls import arranged
from sparsead.derivatives.replay import Arrays, matrix, product, require_restated, run
from sparsead.errors import InputError, user_origin
from sparsead.kernels.gradient import gradient as gradient_kernels
from sparsead.kernels.kernel import Kernels
from sparsead.kernels.linear import LinearProgram
from sparsead.kernels.linearize import linearize
from sparsead.kernels.lower import lower
from sparsead.ops.sparse.matrix import TracedSparse
from sparsead.program.nodes import Program
from sparsead.program.potential import keep_potential
from sparsead.tracing import trees
from sparsead.tracing.arguments import Argnum, Signature
from sparsead.tracing.array import TracedArray, traced_in
from sparsead.tracing.conversions import reading, stack_objects, traced
from sparsead.tracing.loops.tape import is_tracing
from sparsead.tracing.order import for_order, order_wanted
from sparsead.tracing.scalar import TracedScalar
from sparsead.tracing.trace import trace
from sparsead.tracing.trees import Leaf

Method = TypeVar("Method", bound=Callable[..., Any])


def are_traced(args: Sequence[Any]) -> bool:
    """Tell whether arguments hold traced values, inside a function that is being traced."""
    return is_tracing() and any(True for value in args for _ in traced_in(trees.held(value)))


def composable(method: Method) -> Method:
    """Let a method of a prepared derivative, called on traced values, be part of the program (a decorator)."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **options: Any) -> Any:
        if is_tracing() and are_traced((*args, *options.values())):
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
            require_restated(kernels)
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
        arrays = self._run(kernels, args)
        g, inputs = arrays[kernels.output], [arrays[b] for b in (kernels.wrt, *kernels.arguments)]
        if all(isinstance(a, TracedArray) for a in (g, *inputs)):
            keep_potential(reading(g), self.program, [reading(a) for a in inputs])
        return self.signature.like_x(g)

    def value_and_gradient(self, *args: Any) -> Any:
        """Return value and gradient."""
        return self.value(*args), self.gradient(*args)

    def _matrix(self, linear: LinearProgram, args: Sequence[Any]) -> TracedSparse:
        shape = (linear.target.size, linear.source.size)
        return matrix(linear, self._run(linear.primal, args), shape)

    def _product(self, linear: LinearProgram, v: Any, args: Sequence[Any], of_rows: bool = False) -> Any:
        """Return a product with a vector, or with columns; one in the shape of x, or of the result, is in kind."""
        given, v = self.shape[0 if of_rows else 1], stack_objects(v)
        built = self.signature.is_built(v, result=of_rows)
        v = v.reshape(-1) if built else v
        if np.ndim(v) not in (1, 2) or len(v) != given:
            raise InputError(f"the product expects a vector of shape ({given},) or ({given}, k), got {np.shape(v)}")
        primal = self._run(linear.primal, args)
        several = v if np.ndim(v) == 2 else v[:, np.newaxis]
        columns = [product(linear, primal, column) for column in several.T] or [
            product(linear, primal, np.zeros(given))
        ]
        found = np.stack(columns, axis=1)[:, : several.shape[1]] if np.ndim(v) == 2 else columns[0]
        if not built:
            return found
        return self.signature.like_x(found) if of_rows or self.derivative == "hessian" else self.signature.shaped(found)


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
        return self._product(linearize(self.kernels).transposed(), w, (x, *args), of_rows=True)

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
    return trees.built(of, (0.0 if leaf.number else leaf.placed(np.zeros(leaf.shape)) for _, leaf in trees.leaves(of)))


def _any_leaf(value: Any) -> Leaf | None:
    if isinstance(value, TracedArray):
        return Leaf.of_array(value.positions)
    return Leaf((), True) if isinstance(value, TracedScalar) else trees.float_leaf(value)
