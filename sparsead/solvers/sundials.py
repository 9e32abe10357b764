"""SUNDIALS' CVODE and IDA, by scikit-sundae: derivatives of the in-place functions that they take.

scikit-sundae counts the parameters of ``jacfn``, so there is one with and one without userdata.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.derivatives.jacobian import jacobian
from sparsead.derivatives.prepared_jacobian import Jacobian
from sparsead.errors import InputError
from sparsead.solvers.structure import Columns


class Options(dict[str, Any]):
    """Keyword arguments of a solver, and beside them its function, compiled.

    Attributes
    ----------
    function : callable
        What was differentiated, with the arguments that the solver wants, from the kernels of its derivative: to be
        given in place of the NumPy code.
    """

    function: Callable[..., None]


def filled(room: Any, returned: Any, name: str) -> Any:
    """Return the array that a function was to fill; refuse a function that returned something in place of that."""
    if returned is not None and getattr(room, "is_constant", False):
        raise InputError(f"{name} returned a value and wrote nothing into its last array, which is what SUNDIALS reads")
    return room


def cvode_jacobian(rhsfn: Callable[..., Any], t0: float, y0: Any, *userdata: Any, **options: Any) -> Options:
    """Prepare the sparse Jacobian of a right-hand side of `sksundae.cvode.CVODE`.

    Parameters
    ----------
    rhsfn : callable
        ``rhsfn(t, y, yp)`` or ``rhsfn(t, y, yp, userdata)``; writes the derivative into yp, as CVODE wants it.
    t0, y0, *userdata
        Examples of its arguments, without yp. Floats and float arrays are runtime values; the contents of any other
        userdata are read now, once.
    **options
        Those of `sparsead.jacobian`.

    Returns
    -------
    Options
        A dict of the options ``linsolver``, ``sparsity`` and ``jacfn`` of CVODE. Its ``function`` is the right-hand
        side, compiled: ``CVODE(options.function, **options)``.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead import solvers
    >>> def rhsfn(t, y, yp):
    ...     yp[:] = -(y**3)
    ...     yp[1:] += y[:-1]
    >>> options = solvers.cvode_jacobian(rhsfn, 0.0, np.ones(3))  # CVODE(options.function, **options)
    >>> options["sparsity"].toarray()
    array([[1., 0., 0.],
           [1., 1., 0.],
           [0., 1., 1.]])
    """

    def rates(y: Any, t: float, *userdata: Any) -> Any:
        yp = np.zeros_like(y)
        return filled(yp, rhsfn(t, y, yp, *userdata), "rhsfn")

    rates.__name__ = getattr(rhsfn, "__name__", "rhsfn")
    prepared = jacobian(rates, y0, float(t0), *userdata, **{"format": "csc", **options})
    columns = Columns(prepared)

    def plain_rates(t: float, y: np.ndarray, yp: np.ndarray) -> None:
        yp[...] = prepared.value(y, float(t))

    def rates_with_data(t: float, y: np.ndarray, yp: np.ndarray, userdata: Any) -> None:
        yp[...] = prepared.value(y, float(t), userdata)

    def plain(t: float, y: np.ndarray, yp: np.ndarray, JJ: np.ndarray) -> None:
        columns.values(y, float(t), out=JJ)

    def with_data(t: float, y: np.ndarray, yp: np.ndarray, JJ: np.ndarray, userdata: Any) -> None:
        columns.values(y, float(t), userdata, out=JJ)

    function = rates_with_data if userdata else plain_rates
    return _keywords(columns, with_data if userdata else plain, function)


def ida_jacobian(resfn: Callable[..., Any], t0: float, y0: Any, yp0: Any, *userdata: Any, **options: Any) -> Options:
    """Prepare the sparse iteration matrix ``dF/dy + cj dF/dyp`` of a residual of `sksundae.ida.IDA`.

    Parameters
    ----------
    resfn : callable
        ``resfn(t, y, yp, res)`` or ``resfn(t, y, yp, res, userdata)``; writes the residual into res.
    t0, y0, yp0, *userdata
        Examples of its arguments, without res; userdata as in `cvode_jacobian`.
    **options
        Those of `sparsead.jacobian`.

    Returns
    -------
    Options
        A dict of the options ``linsolver``, ``sparsity`` and ``jacfn`` of IDA. Its ``function`` is the residual,
        compiled: ``IDA(options.function, **options)``.
    """

    def residual(t: float, y: Any, yp: Any, *userdata: Any) -> Any:
        res = np.zeros_like(y)
        return filled(res, resfn(t, y, yp, res, *userdata), "resfn")

    residual.__name__ = getattr(resfn, "__name__", "resfn")
    shifted = shifted_jacobian(residual, t0, y0, yp0, *userdata, **{"format": "csc", **options})
    columns, w = Columns(shifted), np.zeros(shifted.shape[1])

    def plain(t: float, y: np.ndarray, yp: np.ndarray, res: np.ndarray, cj: float, JJ: np.ndarray) -> None:
        columns.values(w, float(cj), float(t), y, yp, out=JJ)

    def with_data(
        t: float, y: np.ndarray, yp: np.ndarray, res: np.ndarray, cj: float, JJ: np.ndarray, userdata: Any
    ) -> None:
        columns.values(w, float(cj), float(t), y, yp, userdata, out=JJ)

    def plain_residual(t: float, y: np.ndarray, yp: np.ndarray, res: np.ndarray) -> None:
        res[...] = shifted.value(w, 0.0, float(t), y, yp)

    def residual_with_data(t: float, y: np.ndarray, yp: np.ndarray, res: np.ndarray, userdata: Any) -> None:
        res[...] = shifted.value(w, 0.0, float(t), y, yp, userdata)

    function = residual_with_data if userdata else plain_residual
    return _keywords(columns, with_data if userdata else plain, function)


def shifted_jacobian(F: Callable[..., Any], t0: float, y0: Any, yp0: Any, *args: Any, **options: Any) -> Jacobian:
    """Prepare ``dF/dy + shift * dF/dy'`` of ``F(t, y, y', *args)`` as one Jacobian.

    It is the derivative of ``F(t, y + w, y' + shift * w)`` in w at w = 0: one sweep, and the pattern is the union of
    both without any sum of matrices.

    Parameters
    ----------
    F : callable
        ``F(t, y, y', *args)``, an array of the size of y.
    t0, y0, yp0, *args
        Examples of its arguments.
    **options
        Those of `sparsead.jacobian`.

    Returns
    -------
    Jacobian
        To be called with ``(w, shift, t, y, y', *args)`` where w is zero.

    Examples
    --------
    >>> import numpy as np
    >>> from sparsead.solvers import shifted_jacobian
    >>> jac = shifted_jacobian(lambda t, y, yp: yp + 2.0 * y, 0.0, np.ones(2), np.ones(2))
    >>> jac(np.zeros(2), 10.0, 0.0, np.ones(2), np.ones(2)).toarray()
    array([[12.,  0.],
           [ 0., 12.]])
    """

    return jacobian(along_shift(F), np.zeros(np.shape(y0)), 1.0, float(t0), y0, yp0, *args, **options)


def along_shift(F: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function of w of which `shifted_jacobian` is the Jacobian at w = 0."""

    def along(w: Any, shift: float, t: float, y: Any, yp: Any, *args: Any) -> Any:
        return F(t, y + w, yp + shift * w, *args)

    along.__name__ = getattr(F, "__name__", "F")
    return along


def _keywords(columns: Columns, jacfn: Callable[..., None], function: Callable[..., None]) -> Options:
    found = Options(linsolver="sparse", sparsity=columns.matrix(np.ones(columns.indices.size)), jacfn=jacfn)
    found.function = function
    return found
