"""Compiled code that a traced function calls gets NumPy's own arrays: it reads their memory without asking."""

import copy
import functools
import sys

import numba
import numpy as np
import pytest

import sparsead as sad
from sparsead.tracing.replacing.names import _Finder
from tests.reference import assert_close, differences

DRAWS = {
    "legacy": lambda: np.random.RandomState(0).rand(3),
    "generator": lambda: np.random.default_rng(0).standard_normal(3),
    "seeded": lambda: np.random.seed(3) or np.random.uniform(size=3),  # noqa: NPY002
    "spawned": lambda: np.random.default_rng(np.random.default_rng(2)).spawn(1)[0].normal(size=3),
    "permutation": lambda: np.random.default_rng(0).permutation(np.arange(3.0)),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_random_numbers_inside_a_traced_function_are_constants(draw):
    def f(x):
        out = np.empty(3)
        out[:] = draw() * x**2
        return out

    x = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(sad.jacobian(f, x)(x).toarray(), np.diag(2.0 * x * draw()), rtol=1e-15)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_they_take_what_depends_on_x(draw):
    def f(x):
        drawn = draw()
        if drawn[0] < 9.0:  # numbers, for Python
            drawn[1:] *= x[:2]
        return drawn

    if draw is DRAWS["legacy"]:  # objects of a class that is no function
        with pytest.raises(sad.UnsupportedOperationError, match="writing into a plain array"):
            sad.jacobian(f, np.ones(3))
        return
    np.testing.assert_allclose(sad.jacobian(f, np.ones(3))(np.ones(3)).toarray()[1:, :2], np.diag(draw()[1:]))


def test_a_generator_is_one():
    def f(x):
        rng = np.random.default_rng(0)
        return x * isinstance(rng, np.random.Generator) * copy.deepcopy(rng).random() + rng.permutation(3)

    np.testing.assert_allclose(sad.jacobian(f, np.ones(3)).value(np.ones(3)), f(np.ones(3)))


def test_numpy_is_whole_again_afterwards():
    from numpy.random import mtrand

    sad.jacobian(lambda x: x * np.random.RandomState(0).rand(3), np.ones(3))
    assert mtrand.np is np


@numba.njit
def product(a, b=2.0):
    return a * b


@numba.njit
def sum_of_products(x, scale):
    total = 0.0
    for i in range(len(x) - 1):
        total += product(x[i], b=x[i + 1])
    return scale * total


CALLS = {
    "helper": lambda x: product(x[1:], b=x[:-1]),
    "partial": functools.partial(sum_of_products, scale=3.0),
    "constants": lambda x: product(3.0) * x + sum_of_products(np.arange(4.0), 1.0),
}


@pytest.mark.parametrize("f", CALLS.values(), ids=CALLS)
def test_numba_functions_run_as_python_wherever_they_are_called_from(f):
    x = np.array([1.0, 2.0, 4.0, 7.0])
    assert_close(sad.jacobian(f, x, backend="python")(x).toarray(), differences(f, x))


def test_numba_functions_are_compiled_again_afterwards():
    def fails(x):
        assert product(x) is not None
        raise RuntimeError("here")

    with pytest.raises(RuntimeError, match="here"):
        sad.jacobian(fails, np.ones(2))
    assert "__call__" not in vars(numba.core.dispatcher.Dispatcher)
    with pytest.raises(numba.TypingError):
        product("text", b=object())


MODULE = """
import numba, numpy as np
from numpy import zeros
TABLE = np.array([1.0, 2.0, 3.0])
SPACE = zeros(3)
def scaled(x):
    out = np.zeros(3)
    out[:] = TABLE * x**2
    return out
"""


def test_a_module_that_is_imported_during_a_trace_gets_numpy_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "imported_while_tracing.py").write_text(MODULE)
    monkeypatch.syspath_prepend(tmp_path)

    def f(x):
        import imported_while_tracing as module

        return module.scaled(x)

    x = np.array([1.0, 2.0, 3.0])
    jac = sad.jacobian(f, x)
    import imported_while_tracing as module

    assert type(module.SPACE) is np.ndarray
    assert module.zeros is np.zeros
    assert type(module.TABLE) is np.ndarray
    assert _Finder not in sys.meta_path
    np.testing.assert_allclose(jac(x).toarray(), np.diag(2.0 * x * module.TABLE), rtol=1e-15)


def test_a_failing_import_during_a_trace_leaves_numpy_whole(tmp_path, monkeypatch):
    (tmp_path / "fails_while_tracing.py").write_text("raise ValueError('not today')")
    monkeypatch.syspath_prepend(tmp_path)
    zeros = np.zeros

    def f(x):
        try:
            import fails_while_tracing  # noqa: F401
        except ValueError:
            out = np.zeros(3)
            out[:] = x**2
            return out

    assert sad.jacobian(f, np.ones(3))(np.ones(3)).nnz == 3
    assert np.zeros is zeros


@numba.njit
def chosen(a, b):
    return max(a, b) + 10.0 * min(a, b) + sorted([a, b])[0]


@numba.vectorize
def at_least_half(a):
    return max(a, 0.5)


def test_builtin_functions_in_code_that_numba_compiles_during_a_trace():
    jac = sad.jacobian(lambda x: max(x[0], x[1]) * x + chosen(3.0, 2.0) + at_least_half(0.0), np.array([1.0, 2.0]))
    np.testing.assert_allclose(jac.value(np.array([3.0, 1.0])), [9.0 + 25.5, 3.0 + 25.5], rtol=1e-15)
    np.testing.assert_allclose(jac(np.array([3.0, 1.0])).toarray(), [[6.0, 0.0], [1.0, 3.0]], rtol=1e-15)
