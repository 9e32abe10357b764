"""Functions inside Pyomo models, as external grey boxes with sparse Jacobians and Hessians."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse

from sparsead.derivatives.hessian import hessian
from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.lagrangian import weighted
from sparsead.errors import InputError
from sparsead.extras import optional

if TYPE_CHECKING:
    from pyomo.contrib.pynumero.interfaces.external_grey_box import ExternalGreyBoxModel


class Part:
    """One function of a grey box: its value, its Jacobian, and the Hessian of its components, weighted."""

    def __init__(self, f: Callable[..., Any], x0: np.ndarray, args: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.args = args
        self.jacobian = jacobian(f, x0, *args, **options)
        self.weights = np.ones(self.jacobian.shape[0])
        self.hessian = hessian(weighted(f), x0, self.weights, *args, **options)
        pattern = self.hessian.pattern
        self.lower = pattern.indices <= pattern.rows

    def value(self, x: np.ndarray) -> np.ndarray:
        """Return the value, flat."""
        return np.ravel(self.jacobian.value(x, *self.args))

    def first(self, x: np.ndarray) -> scipy.sparse.coo_matrix:
        """Return the Jacobian."""
        pattern, values = self.jacobian.pattern, self.jacobian.values(x, *self.args)
        return scipy.sparse.coo_matrix((values, (pattern.rows, pattern.indices)), pattern.shape)

    def second(self, x: np.ndarray) -> scipy.sparse.coo_matrix:
        """Return the lower triangle of the Hessian of ``weights @ f``."""
        pattern, values = self.hessian.pattern, self.hessian.values(x, self.weights, *self.args, order="lower")
        return scipy.sparse.coo_matrix((values, (pattern.rows[self.lower], pattern.indices[self.lower])), pattern.shape)


def pyomo_grey_box(
    x0: Any,
    *,
    outputs: Callable[..., Any] | None = None,
    equalities: Callable[..., Any] | None = None,
    objective: Callable[..., Any] | None = None,
    args: tuple[Any, ...] = (),
    **options: Any,
) -> ExternalGreyBoxModel:
    """Return an external model for Pyomo's ``ExternalGreyBoxBlock``.

    Parameters
    ----------
    x0 : array_like
        An example of x, the inputs, of any shape; also where the inputs start.
    outputs, equalities, objective : callable, optional
        ``outputs(x, *args)``, the values of the output variables; ``equalities(x, *args)``, what must be zero; and
        ``objective(x, *args)``, one number, to be minimised.
    args : tuple
        The other arguments of all of them, fixed.
    **options
        Those of `sparsead.jacobian` and `sparsead.hessian`.

    Returns
    -------
    pyomo.contrib.pynumero.interfaces.external_grey_box.ExternalGreyBoxModel
        Inputs are named ``x[0]``, ``x[1]``, ... in C order, outputs ``outputs[0]``, equations ``equalities[0]``.
        Structures are the same at every call; second derivatives are exact.

    Raises
    ------
    InputError
        If none of the functions is given, or the objective is not one number.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> box = solvers.pyomo_grey_box(np.ones(5), equalities=lambda x: x[1:] * x[:-1] - 1.0)  # doctest: +SKIP
    """
    base = optional("pyomo.contrib.pynumero.interfaces.external_grey_box").ExternalGreyBoxModel
    start, given = np.array(x0, dtype=np.float64), (outputs, equalities, objective)
    parts = tuple(None if f is None else Part(f, start, args, options) for f in given)
    if parts == (None, None, None):
        raise InputError("a grey box needs outputs, equalities or an objective")
    if parts[2] is not None and parts[2].weights.size != 1:
        raise InputError(f"the objective must be one number, got {parts[2].weights.size}")
    return type("GreyBox", (_GreyBox, base), {})(start, *parts)


class _GreyBox:
    """What Pyomo asks of an external model; methods of parts that are not there are not called."""

    def __init__(self, start: np.ndarray, outputs: Any, equalities: Any, objective: Any) -> None:
        self.x, self.start = start, start
        self.outputs, self.equalities, self.objective = outputs, equalities, objective

    def input_names(self) -> list[str]:
        return [f"x[{k}]" for k in range(self.start.size)]

    def finalize_block_construction(self, block: Any) -> None:
        for variable, value in zip(block.inputs.values(), self.start.ravel().tolist(), strict=True):
            if variable.value is None:
                variable.set_value(value)

    def set_input_values(self, values: Any) -> None:
        self.x = np.array(values, dtype=np.float64).reshape(self.start.shape)

    def output_names(self) -> list[str]:
        return [f"outputs[{k}]" for k in range(self.outputs.weights.size if self.outputs else 0)]

    def evaluate_outputs(self) -> np.ndarray:
        return self.outputs.value(self.x)

    def evaluate_jacobian_outputs(self) -> scipy.sparse.coo_matrix:
        return self.outputs.first(self.x)

    def set_output_constraint_multipliers(self, values: Any) -> None:
        self.outputs.weights = np.array(values, dtype=np.float64)

    def evaluate_hessian_outputs(self) -> scipy.sparse.coo_matrix:
        return self.outputs.second(self.x)

    def equality_constraint_names(self) -> list[str]:
        return [f"equalities[{k}]" for k in range(self.equalities.weights.size if self.equalities else 0)]

    def evaluate_equality_constraints(self) -> np.ndarray:
        return self.equalities.value(self.x)

    def evaluate_jacobian_equality_constraints(self) -> scipy.sparse.coo_matrix:
        return self.equalities.first(self.x)

    def set_equality_constraint_multipliers(self, values: Any) -> None:
        self.equalities.weights = np.array(values, dtype=np.float64)

    def evaluate_hessian_equality_constraints(self) -> scipy.sparse.coo_matrix:
        return self.equalities.second(self.x)

    def has_objective(self) -> bool:
        return self.objective is not None

    def evaluate_objective(self) -> float:
        return float(self.objective.value(self.x)[0])

    def evaluate_grad_objective(self, out: Any = None) -> np.ndarray:
        gradient = self.objective.first(self.x).toarray()[0]
        if out is not None:
            out[...] = gradient
        return gradient if out is None else out

    def evaluate_hessian_objective(self) -> scipy.sparse.coo_matrix:
        return self.objective.second(self.x)
