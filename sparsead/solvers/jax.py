"""Functions for JAX: it calls compiled code on the host, for values and for the entries of sparse Jacobians."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.prepared_jacobian import Jacobian
from sparsead.errors import InputError
from sparsead.extras import optional

if TYPE_CHECKING:
    import jax
    from jax.experimental.sparse import BCOO


class JaxFunction(Protocol):
    """A function for JAX; `prepared` is the Jacobian on the host, `jacobian` the function for it as a BCOO array."""

    prepared: Jacobian
    jacobian: Callable[[Any], BCOO]

    def __call__(self, x: Any, /) -> jax.Array:
        """Return the value."""


def jax_function(f: Callable[..., Any], x0: Any, *args: Any, **options: Any) -> JaxFunction:
    """Return a function for JAX that computes `f`, and knows its first derivatives.

    Parameters
    ----------
    f : callable
        ``f(x, *args)``: NumPy code that returns one array, or a number.
    x0 : array_like
        An example of x.
    *args
        The other arguments of the function, fixed.
    **options
        Those of `sparsead.jacobian`.

    Returns
    -------
    callable
        Of one array of the shape of x0, for ``jit``, ``vmap``, ``jvp``, ``vjp``, ``grad`` and what is built on them.
        JAX has the entries of the Jacobian computed once at a point, and multiplies tangents and cotangents with them
        itself. Derivatives of derivatives are refused by JAX. The attribute ``jacobian`` is a function for JAX,
        too: the sparse Jacobian, a ``BCOO`` array.

    Raises
    ------
    InputError
        If JAX is set to single precision.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> g = solvers.jax_function(lambda x: x[1:] * x[:-1], np.ones(4))  # doctest: +SKIP
    """
    jax = optional("jax")
    if not jax.config.jax_enable_x64:
        raise InputError(
            "JAX computes in single precision here, where solvers would not converge: first call "
            'jax.config.update("jax_enable_x64", True)'
        )
    prepared = jacobian(f, x0, *args, **options)
    of_y, rows, columns = prepared.program.output.shape, prepared.pattern.rows, prepared.pattern.indices
    value = _called(jax, lambda x: prepared.value(x, *args), of_y)
    entries = _called(jax, lambda x: prepared.values(x, *args, order="csr"), rows.shape)

    @jax.custom_jvp
    def function(x: Any) -> Any:
        return value(x)

    @function.defjvp
    def _(at: Any, tangents: Any) -> Any:
        terms = entries(*at) * tangents[0].reshape(-1)[columns]
        product = jax.ops.segment_sum(terms, rows, prepared.shape[0], indices_are_sorted=True)
        return function(*at), product.reshape(of_y)

    def sparse(x: Any) -> Any:
        matrix = optional("jax.experimental.sparse").BCOO
        known = {"shape": prepared.shape, "indices_sorted": True, "unique_indices": True}
        return matrix((entries(x), np.stack([rows, columns], axis=1)), **known)

    function.__name__ = prepared.program.name
    function.prepared, function.jacobian = prepared, sparse
    return function


def _called(jax: Any, work: Callable[..., Any], shape: tuple[int, ...]) -> Callable[..., Any]:
    """Return what JAX calls to have something computed on the host, in double precision."""
    result = jax.ShapeDtypeStruct(shape, np.float64)

    def on_host(*given: Any) -> np.ndarray:
        return np.reshape(work(*(np.asarray(array, np.float64) for array in given)), shape)

    return lambda *given: jax.pure_callback(on_host, result, *given, vmap_method="sequential")
