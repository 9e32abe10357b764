"""Components of OpenMDAO models: partial derivatives declared by their patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.prepared_jacobian import Jacobian
from sparsead.errors import InputError
from sparsead.extras import optional
from sparsead.solvers.structure import places_of_blocks

if TYPE_CHECKING:
    from openmdao.api import ExplicitComponent


def openmdao_component(f: Callable[..., Any], inputs: dict[str, Any], *args: Any, **options: Any) -> ExplicitComponent:
    """Return an explicit component of OpenMDAO that computes `f`, with sparse partial derivatives.

    Parameters
    ----------
    f : callable
        ``f(inputs, *args)``: takes a dict of float arrays and floats, and returns one.
    inputs : dict
        An example: names, shapes and initial values of the inputs.
    *args
        The other arguments of the function, fixed.
    **options
        Those of `sparsead.jacobian`.

    Returns
    -------
    openmdao.api.ExplicitComponent
        To be given to ``add_subsystem``. Floats are arrays of shape ``(1,)`` outside, as always in OpenMDAO. Of each
        output with respect to each input the entries of the pattern are declared; where there are none, nothing is.
        Function and derivatives are compiled.

    Raises
    ------
    InputError
        If inputs or outputs are not dicts of arrays.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> def lift(x):
    ...     return {"force": 0.5 * x["rho"] * x["speed"] ** 2, "total": np.sum(x["speed"])}
    >>> component = solvers.openmdao_component(lift, {"rho": 1.2, "speed": np.ones(5)})  # doctest: +SKIP
    """
    base = optional("openmdao.api").ExplicitComponent
    prepared = jacobian(f, inputs, *args, **options)
    value = prepared.value(inputs, *args)
    for what, given in (("the inputs", inputs), ("the value of the function", value)):
        if not isinstance(given, dict) or any(isinstance(part, (dict, list, tuple)) for part in given.values()):
            raise InputError(f"{what} must be a dict of float arrays and floats, as OpenMDAO names variables")
    return _component(base, prepared, inputs, value, args)


def _component(
    base: Any, prepared: Jacobian, inputs: dict[str, Any], value: dict[str, Any], args: tuple[Any, ...]
) -> Any:
    blocks = places_of_blocks(prepared)

    class Component(base):
        def setup(self) -> None:
            for name, given in inputs.items():
                self.add_input(name, val=given)
            for name, found in value.items():
                self.add_output(name, val=found)
            for (row, column), (rows, columns, _) in blocks.items():
                self.declare_partials(row, column, rows=rows, cols=columns)

        def compute(self, inputs: Any, outputs: Any, *_: Any) -> None:
            found: Any = prepared.value(self._point(inputs), *args)
            for name in value:
                outputs[name] = found[name]

        def compute_partials(self, inputs: Any, partials: Any, *_: Any) -> None:
            values = prepared.values(self._point(inputs), *args)
            for pair, (_rows, _columns, places) in blocks.items():
                partials[pair] = values[places]

        def _point(self, given: Any) -> dict[str, Any]:
            return {name: np.reshape(given[name], np.shape(example)) for name, example in inputs.items()}

    return Component()
