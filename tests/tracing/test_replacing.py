"""While one thread traces, all others see NumPy as it is; afterwards, and in a forked child, everybody does."""

from __future__ import annotations

import importlib
import inspect
import math
import multiprocessing
import os
import pickle
import sys
import threading
import types

import numba
import numpy as np
import pytest
import scipy.special

import sparsead as sad
from sparsead.tracing.replacing.methods import METHODS
from sparsead.tracing.replacing.names import LATER, NAMES, PATCHES
from sparsead.tracing.replacing.standins import StandIn
from sparsead.tracing.replacing.undo import CHANGES
from tests.reference import differences

log_of_sum = scipy.special.logsumexp  # a Python function, held by the names of a module that is traced

X = np.array([0.5, 1.5, 2.5])
FUNCTIONS = {"numpy": ("zeros", "ones", "array", "full"), "math": ("sin", "sqrt"), "scipy.special": ("logsumexp",)}


@pytest.fixture
def tracing():
    """Another thread is in the middle of a trace."""
    begun, end, failed = threading.Event(), threading.Event(), []

    def f(x):
        out = np.zeros(3)
        begun.set()
        assert end.wait(60)
        last = np.ones(3)
        last[0] = out[1] = math.sin(x[0])
        return out + last * x + log_of_sum(x)

    def run():
        try:
            np.testing.assert_allclose(sad.jacobian(f, X, check=False)(X).nnz, 9)
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            begun.set()

    thread = threading.Thread(target=run)
    thread.start()
    assert begun.wait(60)
    try:
        yield
    finally:
        end.set()
        thread.join(60)
    assert not failed
    assert not CHANGES


def everything():
    """Return the functions as user code of this thread finds them."""
    return [getattr(importlib.import_module(m), name) for m, names in FUNCTIONS.items() for name in names]


BEFORE = everything()


def test_functions_are_themselves(tracing):
    for now, before in zip(everything(), BEFORE, strict=True):
        assert now is before
    assert type(np.zeros) is types.BuiltinFunctionType
    assert type(np.zeros(3)) is np.ndarray
    assert inspect.ismodule(np)
    assert inspect.ismodule(math)
    assert "zeros" in vars(np)


@pytest.mark.parametrize("module", [np, math, np.linalg, importlib.import_module("scipy.special")])
def test_modules_have_the_attributes_of_modules(tracing, module):
    """Compilers of other threads would take what has a `__module__` for a function."""
    kind = type(module)
    assert kind is not types.ModuleType
    assert (kind.__name__, kind.__module__) == ("module", "builtins")
    assert not hasattr(module, "__module__")
    assert repr(module).startswith("<module")


def test_functions_pickle(tracing):
    for now, before in zip(everything(), BEFORE, strict=True):
        assert pickle.loads(pickle.dumps(now)) is before


MODULE = """
import functools
import math
import numpy as np
from math import sqrt
from numpy import zeros, ones
from scipy.special import logsumexp

def made(n, make=zeros):
    return make(n)

class Maker:
    make = staticmethod(np.ones)

TABLE = {"zeros": np.zeros, np.array: 1}
PART = functools.partial(np.full, 3)
SPACE = zeros(3)
ALL = [zeros, ones, sqrt, logsumexp, made.__defaults__[0], Maker.make, TABLE["zeros"], *TABLE, PART.func]
"""


def test_modules_keep_the_functions(tracing, tmp_path, monkeypatch):
    (tmp_path / "imported_beside_a_trace.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("imported_beside_a_trace")
    del sys.modules["imported_beside_a_trace"]
    assert type(module.SPACE) is np.ndarray
    assert not any(issubclass(type(value), StandIn) for value in module.ALL)


def test_numba_compiles(tracing):
    @numba.njit
    def summed(n):
        out = np.zeros(n)
        for k in range(n):
            out[k] = math.sqrt(k)
        return out.sum() + np.ones(2)[0]

    assert summed(3) == pytest.approx(2.0 + math.sqrt(2.0))


def test_others_trace_and_import(tracing, tmp_path, monkeypatch):
    """What one thread imports within its trace changes nothing for the other."""
    (tmp_path / "imported_in_a_trace.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    def f(x):
        module = importlib.import_module("imported_in_a_trace")
        out = module.zeros(3)
        out[:] = x**2
        return out + module.SPACE

    assert sad.jacobian(f, X)(X).nnz == 3
    module = sys.modules.pop("imported_in_a_trace")
    assert type(module.SPACE) is np.ndarray
    assert not any(issubclass(type(value), StandIn) for value in module.ALL)


def test_names_that_are_bound_meanwhile_stay_bound(tracing, monkeypatch):
    monkeypatch.setattr(np, "zeros", len)
    assert np.zeros is len


def in_a_child(queue):
    queue.put((type(np.zeros).__name__, len(CHANGES), sad.jacobian(lambda x: np.zeros(3) + x**2, X)(X).nnz))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_clean(tracing):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=in_a_child, args=(queue,))
    child.start()
    assert queue.get(timeout=60) == ("builtin_function_or_method", 0, 3)
    child.join(60)
    assert child.exitcode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_child_that_is_forked_inside_a_trace_is_clean():
    def f(x):
        read, write = os.pipe()
        child = os.fork()
        if not child:
            os.write(write, type(np.zeros(3)).__name__.encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(read, 100) == b"ndarray"
        out = np.zeros(3)
        out[:] = x
        return out

    assert sad.jacobian(f, X, check=False)(X).nnz == 3


def enclosed():
    from numpy import zeros
    from scipy.sparse import csr_array as rows_of
    from scipy.special import logsumexp

    def inner(x):
        return rows_of(np.outer(x, x)) @ x + logsumexp(x)

    def f(x, ones=np.ones):
        out, last = zeros(3), ones(3)
        out[:2] = x[1:] ** 2
        last[0] = x[0]
        return out * last + inner(x)

    return f, (zeros, rows_of, logsumexp)


def test_variables_of_enclosing_functions_and_default_arguments():
    f, held = enclosed()
    inner = next(c.cell_contents for c in f.__closure__ if isinstance(c.cell_contents, types.FunctionType))
    jac = sad.jacobian(f, X)
    np.testing.assert_allclose(jac(X).toarray(), differences(f, X), rtol=1e-8, atol=1e-8)
    now = [c.cell_contents for c in (*f.__closure__, *inner.__closure__) if c.cell_contents is not inner]
    assert {id(value) for value in now} == {id(value) for value in held}
    assert f.__defaults__[0] is np.ones
    assert not CHANGES


def test_afterwards_everything_is_as_before():
    with pytest.raises(RuntimeError, match="here"):
        sad.jacobian(lambda x: (_ for _ in ()).throw(RuntimeError("here")), X)
    assert all(now is before for now, before in zip(everything(), BEFORE, strict=True))
    assert type(np) is types.ModuleType
    assert type(math) is types.ModuleType
    assert type(scipy.special) is types.ModuleType
    assert not NAMES.keys() & globals().keys()
    assert not CHANGES


@pytest.mark.parametrize("function", [f for f, s in PATCHES.items() if type(s) is StandIn], ids=lambda f: f.__name__)
def test_stand_ins_look_like_the_functions(function):
    stand_in = PATCHES[function]
    assert stand_in == function
    assert hash(stand_in) == hash(function)
    for name in ("__name__", "__module__", "__doc__"):
        assert getattr(stand_in, name, None) == getattr(function, name, None)
    assert isinstance(stand_in, type(function))


@pytest.mark.parametrize(("module", "name"), LATER)
def test_functions_that_are_replaced_later_exist(module, name):
    assert callable(getattr(pytest.importorskip(module), name))


@pytest.mark.parametrize(("module", "cls", "method"), METHODS)
def test_methods_that_are_replaced_exist(module, cls, method):
    assert callable(getattr(getattr(pytest.importorskip(module), cls), method))


def test_a_function_of_a_library_is_traced_itself():
    x = np.array([0.3, 1.2, -0.4])
    np.testing.assert_allclose(sad.gradient(scipy.special.logsumexp, x)(x), scipy.special.softmax(x), rtol=1e-14)
    np.testing.assert_allclose(sad.jacobian(scipy.special.softmax, x).value(x), scipy.special.softmax(x), rtol=1e-14)
    assert sad.hessian(np.sum, x).pattern.nnz == 0


BOUND = {
    "bound anew": lambda module: setattr(module, "zeros", np.zeros),
    "run again": lambda module: exec("from numpy import zeros", vars(module)),
    "cleared": lambda module: (vars(module).clear(), exec(LATER_MODULE.replace("len", "np.zeros"), vars(module))),
    "exchanged": lambda module: exec(LATER_MODULE.replace("len", "np.zeros"), vars(another("bound_later"))),
}
LATER_MODULE = "import numpy as np\nzeros = len\ndef made(x):\n    out = zeros(3)\n    out[:] = x**2\n    return out"


def another(name):
    sys.modules[name] = types.ModuleType(name)
    return sys.modules[name]


@pytest.mark.parametrize("bind", BOUND.values(), ids=BOUND)
def test_names_are_found_whenever_they_were_bound(bind, monkeypatch):
    monkeypatch.setitem(sys.modules, "bound_later", module := types.ModuleType("bound_later"))
    exec(LATER_MODULE, vars(module))
    sad.jacobian(lambda x: 2.0 * x, X, check=False)
    bind(module)
    assert sad.jacobian(lambda x: sys.modules["bound_later"].made(x), X, check=False)(X).nnz == 3
    assert sys.modules["bound_later"].zeros is np.zeros
    assert not CHANGES
