"""Functions of scipy.signal and scipy.fftpack that are linear in one array, along one axis: a product with a matrix.

The matrix is what SciPy makes of the unit vectors, so lengths, paddings and norms mean what SciPy says.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np

from sparsead.errors import unsupported
from sparsead.ops.arrays import any_traced, known
from sparsead.ops.fourier import _product
from sparsead.ops.registry import Sample, patched_later
from sparsead.ops.signatures import signature_of
from sparsead.program.room import require_products
from sparsead.tracing.complex import parts
from sparsead.tracing.conversions import stack_objects


def linear(
    module: str,
    name: str,
    *samples: Sample,
    data: str = "x",
    at_once: bool = True,
    of_parameters: Callable[..., Any] | None = None,
) -> None:
    """State a function that is linear in the argument `data`, along its axis; of many arrays at once, or of one.

    What it is `of_parameters` that are unknown is stated by itself.
    """

    @patched_later(module, name, *samples)
    def rule(**given: Any) -> Any:
        function = getattr(importlib.import_module(module), name)
        spelling, parameters = f"{module}.{name}", signature_of(function).parameters
        x = stack_objects(given.pop(data))
        state = given.pop("zi", None)
        if of_parameters is not None and state is None and any_traced(given):
            return of_parameters(x, **given)
        if any_traced(given):
            raise unsupported(f"{spelling} with traced parameters", f"Only {data} may be unknown.")
        settings = {key: known(value, "") for key, value in given.items()}
        axis = settings.pop("axis", parameters["axis"].default if "axis" in parameters else -1)
        if state is not None:
            return _from_state(lambda x, zi: function(**{data: x}, **settings, axis=-1, zi=zi), x, axis, state)
        if not at_once and np.ndim(x) != 1:
            raise unsupported(f"{spelling} of an array of {np.ndim(x)} axes", "Call it for one row at a time.")

        def of_units(units: np.ndarray) -> np.ndarray:
            if not at_once:
                return np.stack([np.asarray(function(**{data: unit}, **settings)) for unit in units])
            found = function(**{data: units}, **settings, axis=-1)
            if type(found) is not np.ndarray:
                raise unsupported(f"{spelling} in this form", "Leave out what makes it return more than one array.")
            return found

        n = np.shape(x)[axis]
        require_products(float(n) * n, f"the matrix of {spelling}")
        if np.any(of_units(np.zeros((1, n)))):
            raise unsupported(f"{spelling} with constants that are added", "Add them to its result.")
        real, imag = parts(x)
        result = _product(real, axis, of_units(np.eye(n)))
        return result if imag is None else result + _product(imag, axis, of_units(1j * np.eye(n)))


def _from_state(function: Callable[..., Any], x: Any, axis: int, state: Any) -> tuple[Any, Any]:
    """Return the signal and the last state of a filter that begins with a state; both are linear in both."""
    if any(imag is not None for _, imag in map(parts, (x, state))):
        raise unsupported("a filter of complex values with zi=", "Filter the real and the imaginary part.")
    x, axis = np.moveaxis(x, axis, -1), axis % np.ndim(x)
    sections = np.ndim(state) - np.ndim(x)  # 1 where each of several sections has a state of two numbers, else 0
    first = np.moveaxis(stack_objects(state), (0, axis + 1), (-2, -1)) if sections else np.moveaxis(state, axis, -1)
    shape = np.shape(first)[-1 - sections :]
    k, n = int(np.prod(shape)), np.shape(x)[-1]
    first = np.reshape(first, (*np.shape(first)[: -1 - sections], k))
    both = np.concatenate([x, np.broadcast_to(first, (*np.shape(x)[:-1], k))], axis=-1)
    require_products(float(n + k) ** 2, "the matrix of a filter")
    units = np.eye(n + k)
    states = units[:, n:].reshape(n + k, *shape)
    y, last = function(units[:, :n], np.moveaxis(states, 1, 0) if sections else states)
    last = np.moveaxis(last, 0, 1) if sections else last
    signal, end = _product(both, -1, y), _product(both, -1, last.reshape(n + k, k))
    end = np.reshape(end, np.shape(x)[:-1] + shape)
    end = np.moveaxis(end, (-2, -1), (0, axis + 1)) if sections else np.moveaxis(end, -1, axis)
    return np.moveaxis(signal, -1, axis), end


def _of_coefficients(x: Any, b: Any, a: Any, axis: int = -1) -> Any:
    """``scipy.signal.lfilter`` with unknown coefficients: the recurrence is a triangular system of equations."""
    lines: Any = np.moveaxis(x, axis, -1)
    n = lines.shape[-1]
    require_products(float(n) ** 2, "the matrices of scipy.signal.lfilter")
    late = np.arange(n)[:, None] - np.arange(n)

    def triangle(coefficients: Any) -> Any:
        column = np.concatenate([np.atleast_1d(stack_objects(coefficients)), np.zeros(n)])[:n]
        return np.where(late >= 0, column[np.maximum(late, 0)], 0.0)

    moved = np.matmul(triangle(b), lines.reshape(-1, n).T)
    y = np.linalg.solve(triangle(a), moved) if np.size(a) > 1 else moved / np.ravel(stack_objects(a))[0]
    return np.moveaxis(y.T.reshape(lines.shape), -1, axis)


def _sample(module: str, name: str, *before: Any, **options: Any) -> Sample:
    def call(x: Any) -> Any:
        z = getattr(importlib.import_module(module), name)(*before, x, **options)
        return z.real**2 + z.imag if np.iscomplexobj(z) else z**2 + z

    return call


PACK, SIGNAL = "scipy.fftpack", "scipy.signal"
for _name in ("fft", "ifft", "rfft", "irfft"):
    linear(PACK, _name, _sample(PACK, _name), _sample(PACK, _name, n=5, axis=0))
for _name in ("dct", "idct", "dst", "idst"):
    linear(PACK, _name, _sample(PACK, _name, type=3, norm="ortho"))


def _of_row(name: str, *settings: float) -> Sample:
    return lambda x: getattr(importlib.import_module(PACK), name)(x[0], *settings) ** 3


for _name, _settings in {
    "hilbert": (), "ihilbert": (), "diff": (), "tilbert": (1.0,), "itilbert": (1.0,), "shift": (0.3,),
    "cs_diff": (1.0, 2.0), "sc_diff": (1.0, 2.0), "ss_diff": (1.0, 2.0), "cc_diff": (1.0, 2.0),
}.items():  # fmt: skip
    linear(PACK, _name, _of_row(_name, *_settings), at_once=False)

linear(SIGNAL, "hilbert", _sample(SIGNAL, "hilbert"), _sample(SIGNAL, "hilbert", N=5, axis=0))
linear(SIGNAL, "detrend", _sample(SIGNAL, "detrend"), _sample(SIGNAL, "detrend", type="constant"), data="data")
linear(
    SIGNAL, "lfilter", _sample(SIGNAL, "lfilter", [1.0, 0.5], [1.0, 0.2], axis=0),
    lambda x: importlib.import_module(SIGNAL).lfilter(x[0, :2], x[1, :3], x[2]), of_parameters=_of_coefficients,
)  # fmt: skip
linear(SIGNAL, "filtfilt", _sample(SIGNAL, "filtfilt", [1.0, 0.5], [1.0, 0.2], padlen=2))
linear(SIGNAL, "sosfilt", _sample(SIGNAL, "sosfilt", [[0.2, 0.3, 0.1, 1.0, 0.1, 0.05]]))
linear(SIGNAL, "sosfiltfilt", _sample(SIGNAL, "sosfiltfilt", [[0.2, 0.3, 0.1, 1.0, 0.1, 0.05]], padlen=1))
linear(SIGNAL, "savgol_filter", lambda x: importlib.import_module(SIGNAL).savgol_filter(x, 3, 1))
linear(SIGNAL, "resample", lambda x: importlib.import_module(SIGNAL).resample(x, 6, axis=1) ** 3)
linear(SIGNAL, "resample_poly", lambda x: importlib.import_module(SIGNAL).resample_poly(x, 3, 2, axis=1) ** 3)
linear(SIGNAL, "upfirdn", _sample(SIGNAL, "upfirdn", [1.0, 2.0], up=2))
