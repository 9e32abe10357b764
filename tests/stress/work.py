"""What the threads of a stress test do; each thing checks what came of it."""

from __future__ import annotations

import importlib.util
import math
import os
import pickle
import random
import signal
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
import numpy as np
import scipy.special

import sparsead as sad

N = 12
X = np.linspace(0.2, 1.1, N)
PATIENCE = 120.0  # seconds for a child
FUNCTIONS = [np.zeros, np.ones, np.array, np.full, np.concatenate, math.sin, math.sqrt, scipy.special.logsumexp]
PLACES = [(sys.modules[f.__module__ or "numpy"], f.__name__) for f in FUNCTIONS[:-1]]
PLACES += [(scipy.special, "logsumexp")]
MODULE = """
import functools, math
import numpy as np
from math import sqrt
from numpy import zeros, ones
from scipy.special import logsumexp

def made(n, make=zeros):
    return make(n)

PART = functools.partial(np.full, 3)
SPACE = zeros(3)
ALL = [zeros, ones, sqrt, logsumexp, made.__defaults__[0], PART.func]

def f(x, k):
    out = zeros(x.size)
    out[:-1] = np.sin(x[1:]) * {k}.0 + k
    out[-1] = sqrt(x[0]) + logsumexp(x[:3])
    return np.concatenate([out * x, ones(2) * x[:2]])
"""


def allocated(x: Any, k: float) -> Any:
    """A function that needs replacements: it allocates, and calls functions of module math."""
    out = np.zeros(x.size)
    for i in range(3):
        out[i] = math.sin(x[i]) * k
    out[3:] = np.ones(x.size - 3) * x[3:] ** 2 * x[:-3]
    return np.concatenate([out, np.array([x[0] * k, math.sqrt(x[1])])])


def product(x: Any) -> Any:
    """A function of one number."""
    w = np.full(x.size, 2.0)
    w[1:] = x[:-1]
    return np.sum(w * x**2)


def by_complex_steps(f: Callable[..., Any], *args: float) -> np.ndarray:
    """Return the Jacobian by complex steps, written for arguments that `math` would not take."""
    columns = [np.imag(f(X + 1e-30j * e, *args)) / 1e-30 for e in np.eye(N)]
    return np.stack(columns, axis=1)


def allocated_plainly(x: Any, k: float) -> Any:
    """The same as `allocated`, in array operations."""
    return np.concatenate([np.sin(x[:3]) * k, x[3:] ** 2 * x[:-3], [x[0] * k, np.sqrt(x[1])]])


class Shared:
    """What all threads use: prepared derivatives, and what they give when nobody else is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jacobians = [sad.jacobian(allocated, X, 2.0, mode=mode) for mode in ("direct", "forward", "reverse")]
        self.hessian = sad.hessian(product, X)
        self.expected = {k: by_complex_steps(allocated_plainly, k) for k in (2.0, 3.0, 5.0)}
        self.values = [jac(X, 2.0).toarray() for jac in self.jacobians]
        self.second = self.hessian(X).toarray()
        self.count = 0
        self.lock = threading.Lock()

    def number(self) -> int:
        """Return a number that no thread was given before."""
        with self.lock:
            self.count += 1
            return self.count

    def everything_is_as_before(self) -> None:
        """Raise AssertionError if something of NumPy is not itself."""
        for (module, name), function in zip(PLACES, FUNCTIONS, strict=True):
            assert getattr(module, name) is function, f"{module.__name__}.{name}"
            assert vars(module)[name] is function
        assert type(np.zeros(3)) is np.ndarray


def prepare(shared: Shared, drawn: random.Random) -> None:
    """Prepare a derivative whose code nobody has, and one that others prepare too."""
    k = drawn.choice((2.0, 3.0, 5.0))
    mode = drawn.choice(("direct", "forward", "reverse"))
    new = drawn.random()
    jac = sad.jacobian(lambda x: allocated(x, k) * new, X, mode=mode)
    np.testing.assert_allclose(jac(X).toarray(), shared.expected[k] * new, rtol=1e-13, atol=1e-14)
    known = sad.jacobian(allocated, X, k)
    np.testing.assert_allclose(known(X, k).toarray(), shared.expected[k], rtol=1e-13, atol=1e-14)


def evaluate(shared: Shared, drawn: random.Random) -> None:
    """Evaluate what all share: to the bit as alone."""
    for _ in range(20):
        which = drawn.randrange(len(shared.jacobians))
        np.testing.assert_array_equal(shared.jacobians[which](X, 2.0).toarray(), shared.values[which])
    np.testing.assert_array_equal(shared.hessian(X).toarray(), shared.second)


def import_(shared: Shared, drawn: random.Random) -> None:
    """Import a module that nobody has imported, which holds functions of NumPy, and differentiate what it defines."""
    k = shared.number()
    path = shared.folder / f"stressed_{os.getpid()}_{k}.py"
    path.write_text(MODULE.replace("{k}", str(k)))
    # By its place: Python's finders of modules keep what they saw in a folder, and two threads in one finder may miss
    # a file that is a tick of the clock old.
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert type(module.SPACE) is np.ndarray
    kinds = {type(value) for value in module.ALL}
    assert kinds <= {types.BuiltinFunctionType, types.FunctionType, type(np.ones)}, kinds
    y = module.f(X, 1.0)
    value, _ = sad.jacobian(module.f, X, 1.0).value_and_jacobian(X, 1.0)
    np.testing.assert_allclose(value, y, rtol=1e-14)


def pickle_(shared: Shared, drawn: random.Random) -> None:
    """Send functions of NumPy and a prepared derivative through pickles."""
    for function in FUNCTIONS:
        assert pickle.loads(pickle.dumps(function)) is function
    which = drawn.randrange(len(shared.jacobians))
    again = pickle.loads(pickle.dumps(shared.jacobians[which]))
    np.testing.assert_array_equal(again(X, 2.0).toarray(), shared.values[which])


def compile_(shared: Shared, drawn: random.Random) -> None:
    """Let numba compile a function that is new."""
    k = float(shared.number())

    @numba.njit
    def summed(n: int) -> float:
        out = np.zeros(n)
        for i in range(n):
            out[i] = math.sqrt(i) + k
        return out.sum() + np.ones(2)[0]

    assert abs(summed(4) - (4 * k + 2.0 + math.sqrt(2.0) + math.sqrt(3.0))) < 1e-9


def fork(shared: Shared, drawn: random.Random) -> None:
    """Let a child do some of this: it must come to an end."""
    seed = drawn.random()
    child = os.fork()
    if not child:
        _as_child(shared, random.Random(seed))
    end = time.monotonic() + PATIENCE
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.kill(child, signal.SIGABRT)
            os.waitpid(child, 0)
            raise AssertionError("a child was stuck")
        time.sleep(0.01)
    assert status == 0, f"a child ended with status {status}"


def _as_child(shared: Shared, drawn: random.Random) -> None:
    status = 1
    try:
        import faulthandler

        faulthandler.enable()  # SIGABRT says where a stuck child is
        shared.lock = threading.Lock()
        shared.everything_is_as_before()
        for kind in (evaluate, drawn.choice((prepare, pickle_, compile_, import_))):
            kind(shared, drawn)
        status = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


KINDS: dict[str, Callable[[Shared, random.Random], None]] = {
    "prepare": prepare, "evaluate": evaluate, "import": import_, "pickle": pickle_, "compile": compile_, "fork": fork,
}  # fmt: skip
