"""Functions of SciPy that are linear in one argument, whatever they compute: their matrix, from unit vectors.

What the function makes of zeros is added whatever the argument is: values that fill up what is outside. Zeros of the
matrix are left out, so the pattern is that of the function.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, known
from sparsead.ops.filters import Imported
from sparsead.ops.registry import Sample, patched_later
from sparsead.tracing.complex import TracedComplex
from sparsead.tracing.conversions import stack_objects, traced
from sparsead.tracing.known import complex_of_parts
from sparsead.tracing.probing import in_order_of
from sparsead.tracing.replacing.standins import aside
from sparsead.tracing.sequences import rebuilt

MOST = 4096  # unknowns: a call for each
nd, fft, ss, sl, sla, si = map(
    Imported,
    ["scipy.ndimage", "scipy.fft", "scipy.signal", "scipy.linalg", "scipy.sparse.linalg", "scipy.interpolate"],
)


def linear(module: str, name: str, argument: str, *samples: Sample) -> None:
    """State that a function is linear in this argument, but for what it adds to a result."""

    @patched_later(module, name, *samples)
    def of_unknown(**given: Any) -> Any:
        values = given.pop(argument, None)
        return by_units(getattr(importlib.import_module(module), name), argument, values, given)


def by_units(func: Callable[..., Any], argument: str, values: Any, others: dict[str, Any]) -> Any:
    """Return what a function gives of unknown `values` of an argument in which it is linear."""
    spelled = f"{func.__module__.partition('._')[0]}.{func.__name__}"
    unknown = [key for key, value in others.items() if any_traced([value])]
    if unknown:
        raise unsupported(f"{spelled} of unknown {', '.join(unknown)}", f"Only {argument} may be unknown.")
    others = {key: known(value, spelled) for key, value in others.items()}
    values = stack_objects(values)
    shape, n = np.shape(values), int(np.size(values))
    if n > MOST:
        raise unsupported(f"{spelled} of {n} unknowns", f"Up to {MOST}, for its matrix takes a call for each.")
    kind = np.complex128 if isinstance(values, TracedComplex) else np.float64

    def of(flat: np.ndarray) -> Any:
        return func(**_ordered(func, {**others, argument: flat.reshape(shape).astype(kind)}))

    with aside():
        added = of(np.zeros(n))
        columns = [of(unit) for unit in np.eye(n)]
    if not isinstance(added, tuple):
        return _combined(added, columns, values)
    return rebuilt(added, (_combined(a, c, values) for a, c in zip(added, zip(*columns, strict=True), strict=True)))


def _ordered(func: Callable[..., Any], given: dict[str, Any]) -> dict[str, Any]:
    """Return arguments by name; functions that take some by position only have none here."""
    return inspect.signature(func).bind(**given).arguments


def _combined(added: Any, columns: Any, values: Any) -> Any:
    """Return the sum over the values times what a function makes of unit vectors, and what it adds."""
    if not isinstance(added, (np.ndarray, np.inexact)):
        return added
    added = np.asarray(added)
    shape, fixed = added.shape, ~np.isfinite(added)  # what is filled up by NaN, or by infinite values, stays so
    base = np.where(fixed, 0.0, added)
    parts = [scipy.sparse.csc_array(np.where(fixed, 0.0, c - base).reshape(-1, 1)) for c in map(np.asarray, columns)]
    matrix = scipy.sparse.csr_array(scipy.sparse.hstack(parts))
    if matrix.nnz == 0:
        return added

    def times(part: Any) -> Any:
        return traced(part @ real).reshape(shape)

    if isinstance(values, TracedComplex):
        real, imag = (traced(part).reshape(-1) for part in (values.real, values.imag))
    else:
        real, imag = traced(values).reshape(-1), None
    whole = times(matrix.real)
    if matrix.dtype.kind != "c" and imag is None:
        return in_order_of(added, whole + added if np.any(added) else whole)
    across = times(matrix.imag)
    if imag is not None:
        real = imag
        whole, across = whole - times(matrix.imag), across + times(matrix.real)
    return in_order_of(added, complex_of_parts(whole + added.real, across + added.imag))


# -- scipy.ndimage: the values of images ------------------------------------------------------------------------------
linear("scipy.ndimage", "zoom", "input", lambda x: nd.zoom(x, 1.5, order=1), lambda x: nd.zoom(x, 2, mode="nearest"))
linear("scipy.ndimage", "shift", "input", lambda x: nd.shift(x, 0.3, cval=2.0, order=1))
linear("scipy.ndimage", "rotate", "input", lambda x: nd.rotate(x, 30.0, order=1, reshape=False))
linear("scipy.ndimage", "affine_transform", "input", lambda x: nd.affine_transform(x, [0.9, 0.8], 0.1, order=1))
linear("scipy.ndimage", "spline_filter", "input", lambda x: nd.spline_filter(x))
linear("scipy.ndimage", "spline_filter1d", "input", lambda x: nd.spline_filter1d(x, 3, axis=0))
for _name in ("fourier_gaussian", "fourier_uniform", "fourier_shift"):
    linear("scipy.ndimage", _name, "input", lambda x, n=_name: np.fft.ifft2(getattr(nd, n)(np.fft.fft2(x), 0.4)).real)  # type: ignore[misc]
LABELS = np.array([[1, 1, 2, 0], [1, 2, 2, 0], [0, 3, 3, 3]])
for _name in ("sum", "sum_labels", "mean"):
    linear("scipy.ndimage", _name, "input", lambda x, n=_name: getattr(nd, n)(x, LABELS, [1, 2, 3]))  # type: ignore[misc]

# -- scipy.signal, scipy.fft: signals ---------------------------------------------------------------------------------
linear("scipy.signal", "decimate", "x", lambda x: ss.decimate(np.tile(x[0], 8), 2))
linear("scipy.signal", "cspline1d", "signal", lambda x: ss.cspline1d(x[0]))
linear("scipy.signal", "qspline1d", "signal", lambda x: ss.qspline1d(x[0]))
linear("scipy.signal", "deconvolve", "signal", lambda x: ss.deconvolve(x[0], [1.0, 2.0])[0])
linear("scipy.signal", "lsim", "U", lambda x: ss.lsim(([1.0], [1.0, 1.0]), x[0], np.arange(4.0))[1])
linear("scipy.signal", "stft", "x", lambda x: np.abs(ss.stft(x[0], nperseg=4)[2][1:2]))
linear("scipy.signal", "freqz", "b", lambda x: np.abs(ss.freqz(x[0], worN=4)[1][1:]))
linear("scipy.fft", "fht", "a", lambda x: fft.fht(x[0], 0.1, 0.0))
linear("scipy.fft", "ifht", "A", lambda x: fft.ifht(x[0], 0.1, 0.0))

# -- scipy.linalg: right-hand sides of constant matrices --------------------------------------------------------------
linear("scipy.linalg", "matmul_toeplitz", "x", lambda x: sl.matmul_toeplitz([4.0, 1.0, 0.0, 2.0], x[0]))
linear("scipy.linalg", "solve_toeplitz", "b", lambda x: sl.solve_toeplitz([4.0, 1.0, 0.0, 2.0], x[0]))
linear("scipy.linalg", "solve_circulant", "b", lambda x: sl.solve_circulant([4.0, 1.0, 0.0, 2.0], x[0]))
linear("scipy.linalg", "convolution_matrix", "a", lambda x: sl.convolution_matrix(x[0], 2))
linear(
    "scipy.linalg", "cho_solve_banded", "b",
    lambda x: sl.cho_solve_banded((np.array([[0.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0]]), False), x[0]),
)  # fmt: skip
linear("scipy.linalg", "solve_discrete_lyapunov", "q", lambda x: sl.solve_discrete_lyapunov(np.eye(3) * 0.5, x[:, :3]))
linear("scipy.sparse.linalg", "expm_multiply", "B", lambda x: sla.expm_multiply(np.diag([0.1, 0.2, 0.3, 0.4]), x[0]))

# -- scipy.interpolate: scattered values ------------------------------------------------------------------------------
CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.1, 0.9]])
linear("scipy.interpolate", "griddata", "values", lambda x: si.griddata(CORNERS, x[0], [[0.4, 0.3]]))
