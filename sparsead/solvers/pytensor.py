"""Operations of PyTensor graphs: gradients without a matrix, and the Jacobian as a sparse variable."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from sparsead.derivatives.hessian import hessian
from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.lagrangian import weighted
from sparsead.extras import optional

if TYPE_CHECKING:
    from pytensor.graph.op import Op


def pytensor_op(f: Callable[..., Any], x0: Any, *args: Any, **options: Any) -> Op:
    """Return an operation of PyTensor that computes `f`, and knows its derivatives.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``, an array or a number.
    x0 : array_like
        An example of x.
    *args
        The other arguments of the function, fixed.
    **options
        Those of `sparsead.jacobian`.

    Returns
    -------
    pytensor.graph.op.Op
        ``op(x)`` is the value. First and second derivatives of what is computed from it use compiled products with
        the Jacobian and with Hessians; ``op.jacobian(x)`` is the Jacobian, a sparse variable in compressed rows,
        itself without derivatives.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> op = solvers.pytensor_op(lambda x: x[1:] * x[:-1], np.ones(4))  # doctest: +SKIP
    """
    prepared = jacobian(f, x0, *args, **options)
    tensors = optional("pytensor.tensor")
    x = tensors.TensorType("float64", shape=np.shape(x0))
    y = tensors.TensorType("float64", shape=prepared.program.output.shape)
    matrix = optional("pytensor.sparse").SparseTensorType("csr", "float64", shape=prepared.shape)

    shape = prepared.program.output.shape
    second: list[Any] = []  # the Hessian, once it is asked for

    def vjp(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return prepared.vjp(x, w.ravel(), *args).reshape(x.shape)

    def jvp(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        return prepared.jvp(x, v.ravel(), *args).reshape(shape)

    def hvp(x: np.ndarray, w: np.ndarray, v: np.ndarray) -> np.ndarray:
        if not second:
            second.append(hessian(weighted(f), x0, np.ones(prepared.shape[0]), *args))
        return second[0].hvp(x, v.ravel(), w.ravel(), *args).reshape(x.shape)

    pushed, curved = _operation(jvp, y), _operation(hvp, x)
    pulled = _operation(vjp, x, lambda at, w, v: [curved(at, w, v), pushed(at, v)])
    op = _operation(lambda at: prepared.value(at, *args), y, lambda at, w: [pulled(at, w)], pushed)
    op.prepared, op.jacobian = prepared, _operation(lambda at: scipy.sparse.csr_matrix(prepared(at, *args)), matrix)
    return op


def _operation(compute: Callable[..., Any], of_result: Any, back: Any = None, forth: Any = None) -> Any:
    """Return an operation, by what computes its one result, and by what its derivatives are in the graph."""
    tensors, graph = optional("pytensor.tensor"), optional("pytensor.graph")
    base: Any = graph.op.Op

    class Operation(base):
        def make_node(self, *inputs: Any) -> Any:
            floats = [tensors.cast(tensors.as_tensor_variable(given), "float64") for given in inputs]
            return graph.basic.Apply(self, floats, [of_result()])

        def perform(self, node: Any, inputs: Any, outputs: Any) -> None:
            outputs[0][0] = compute(*inputs)

        def pullback(self, inputs: Any, outputs: Any, cotangents: Any) -> Any:
            return back(*inputs, *cotangents) if back else super().pullback(inputs, outputs, cotangents)

        def pushforward(self, inputs: Any, outputs: Any, tangents: Any) -> Any:
            return [forth(*inputs, *tangents)] if forth else super().pushforward(inputs, outputs, tangents)

    return Operation()
