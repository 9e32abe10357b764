"""What must hold of the derivatives of any program, whichever way they are computed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from unittest import mock

import numpy as np

import sparsead as sad
from coloring.orders import ORDERS
from sparsead.derivatives.colorings import HESSIAN_MODES, JACOBIAN_MODES
from tests.laws.program import Program, point
from tests.reference import WEIGHTS, assert_close, complex_step

STEP = 2.5e-4


class UndecidedError(Exception):
    """The references disagree: a kink is near, or the function is too rough for differences."""


@dataclass(frozen=True)
class Setting:
    """One way to compute a matrix."""

    derivative: str  # "jacobian" or "hessian"
    mode: str
    order: str
    coloring: str | None
    backend: str
    products: bool  # whether products without a matrix, and the matrix by itself, are compared too

    @classmethod
    def drawn(cls, random: Random) -> Setting:
        """Draw a setting; machine code costs more than the interpreter, so it is drawn less often."""
        derivative = random.choice(["jacobian", "jacobian", "jacobian", "hessian"])
        mode = random.choice(JACOBIAN_MODES if derivative == "jacobian" else HESSIAN_MODES)
        uncolored = mode in ("forward", "reverse", "column") and random.random() < 0.1
        order = random.choice(["auto", *ORDERS])
        backend = "llvm" if random.random() < 0.02 else "python"
        return cls(derivative, mode, order, "none" if uncolored else None, backend, random.random() < 0.25)

    def prepare(self, f: Callable[..., Any], shape: tuple[int, ...]) -> Any:
        """Prepare at zeros, so that nothing of the point of comparison can be frozen."""
        options = {"mode": self.mode, "order": self.order, "coloring": self.coloring, "backend": self.backend}
        return getattr(sad, self.derivative)(f, np.zeros(shape), np.zeros(shape), **options)


@contextmanager
def poisoned() -> Iterator[None]:
    """Let NumPy's empty arrays hold NaN: what is read before it is written shows."""

    def empty(*args: Any, **kwargs: Any) -> np.ndarray:
        array = original(*args, **kwargs)
        if array.dtype == np.float64:
            array.fill(np.nan)
        return array

    original = np.empty
    with mock.patch.object(np, "empty", empty):
        yield


def check(program: Program, setting: Setting, random: Random) -> Counter[str]:
    """Check a program in one setting and return what was counted; raise AssertionError for anything wrong."""
    with np.errstate(all="ignore"):
        return (_check_jacobian if setting.derivative == "jacobian" else _check_hessian)(program, setting, random)


def _check_jacobian(program: Program, setting: Setting, random: Random) -> Counter[str]:
    x, p = point(program.shape), point(program.shape, 6)
    jac = setting.prepare(program, program.shape)
    with poisoned():
        value, matrix = jac.value_and_jacobian(x, p)
    assert_close(value, program(x, p), 1e-12)
    rng = np.random.default_rng(random.getrandbits(32))
    v, w = rng.uniform(-1.0, 1.0, jac.shape[1]), rng.normal(size=jac.shape[0])
    if setting.products:
        with poisoned():
            alone, forward, backward = jac(x, p), jac.jvp(x, v, p), jac.vjp(x, w, p)
        assert_close(alone.data, matrix.data, 1e-13)
        assert_close(forward, matrix @ v, 1e-12)
        assert_close(backward, matrix.T @ w, 1e-12)
    if program.smooth:
        expected = complex_step(lambda z: program(z, p + 0j), x)
        _check_entries(matrix, expected, lambda: _trusted(program, x, p, v, expected @ v))
    else:
        assert_close(matrix @ v, directional(lambda z: program(z, p), x, v), 1e-8)
    return Counter(matrices=1 + setting.products, products=2 * setting.products, entries=matrix.nnz)


def _check_entries(matrix: Any, expected: np.ndarray, trust: Callable[[], None]) -> None:
    """Compare entry by entry; look closer at the reference itself before anything is called wrong."""
    actual = matrix.toarray()
    scale = max(1.0, np.abs(expected).max(initial=0.0))
    present = np.zeros(matrix.shape, dtype=bool)
    present[np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), matrix.indices] = True
    missed = (np.abs(expected) > 1e-11 * scale) & ~present
    if not missed.any() and np.all(np.abs(actual - expected) <= 1e-10 * scale):
        return
    trust()
    assert not missed.any(), f"the pattern misses {np.argwhere(missed)}"
    assert_close(actual, expected, 1e-10)


def _check_hessian(program: Program, setting: Setting, random: Random) -> Counter[str]:
    x, p = point(program.shape), point(program.shape, 6)
    weights = np.linspace(1.0, 2.0, np.size(program(x, p)))
    scalar = _squares if random.random() < 0.3 else _sum

    def f(x: Any, p: Any) -> Any:
        return scalar(weights * program(x, p))

    hess = setting.prepare(f, program.shape)
    with poisoned():
        value, gradient, matrix = hess.value_gradient_and_hessian(x, p)
    assert_close(value, f(x, p), 1e-12)
    np.testing.assert_array_equal(matrix.toarray(), matrix.toarray().T)
    v = np.random.default_rng(random.getrandbits(32)).uniform(-1.0, 1.0, hess.shape[1])
    if setting.products:
        with poisoned():
            alone, product = hess(x, p), hess.hvp(x, v, p)
        assert_close(alone.data, matrix.data, 1e-13)
        assert_close(product, matrix @ v, 1e-12)
    slope = directional(lambda z: f(z, p), x, v)
    assert_close(np.ravel(gradient) @ v, slope, 1e-8)
    if program.smooth:
        exact = complex_step(lambda z: f(z, p + 0j), x)
        _agree(exact @ v, slope)
        assert_close(np.ravel(gradient)[None], exact, 1e-10)
        gradients: Callable[[np.ndarray], Any] = lambda z: complex_step(lambda t: f(t, p + 0j), z)[0]  # noqa: E731
    else:
        gradients = lambda z: hess.gradient(z, p)  # noqa: E731  (held to differences of f above)
    assert_close(matrix @ v, directional(gradients, x, v), 1e-7)
    return Counter(matrices=1 + setting.products, products=setting.products, entries=matrix.nnz)


def _sum(y: Any) -> Any:
    return np.sum(y)


def _squares(y: Any) -> Any:
    return np.sum(y * y)


def _trusted(program: Program, x: np.ndarray, p: np.ndarray, v: np.ndarray, expected: np.ndarray) -> None:
    """Raise UndecidedError unless differences confirm what complex steps gave."""
    _agree(expected, directional(lambda z: program(z, p), x, v))


def directional(f: Callable[[np.ndarray], Any], x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the derivative of f at x in direction v by differences of order 8, with two steps that must agree."""
    v = v.reshape(x.shape)

    def slope(h: float) -> np.ndarray:
        terms = [w * (np.ravel(f(x + k * h * v)) - np.ravel(f(x - k * h * v))) for k, w in enumerate(WEIGHTS, 1)]
        return np.sum(terms, axis=0) / h

    fine = slope(STEP)
    _agree(slope(1.6 * STEP), fine)
    return fine


def _agree(first: np.ndarray, second: np.ndarray) -> None:
    """Raise UndecidedError where two references differ."""
    scale = max(1.0, np.abs(second).max(initial=0.0))
    if not np.all(np.abs(first - second) <= 3e-9 * scale):
        raise UndecidedError
