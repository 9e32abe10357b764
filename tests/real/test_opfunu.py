"""The functions of opfunu for optimizers: those with names, and those of the CEC competitions of 2005 to 2022."""

import inspect

import numpy as np
import pytest

import sparsead as sad

pytest.importorskip("opfunu")
from opfunu import cec_based, name_based

STEPS = (1e-5, 1e-7, 1e-9, 1e-11, 1e-13)  # sums of cosines of 3^20 x need the last ones, in extended precision
FUNCTIONS = {
    f"{folder.__name__.rpartition('.')[2]} {name}": made
    for folder in (name_based, cec_based)
    for name, made in inspect.getmembers(folder, inspect.isclass)
    if hasattr(made, "evaluate") and name not in ("Benchmark", "CecBenchmark")
}


def parameter(number, name):
    return pytest.param(name, marks=() if number % 40 == 0 else pytest.mark.slow)


def differences(f, x, h):
    steps = np.longdouble(h) * np.eye(x.size, dtype=np.longdouble)
    return np.array([(f(x + step) - f(x - step)) / (2.0 * np.longdouble(h)) for step in steps], dtype=np.float64)


@pytest.mark.parametrize("name", [parameter(*numbered) for numbered in enumerate(FUNCTIONS)])
def test_agrees_with_differences(name):
    problem = FUNCTIONS[name]()
    f, low, high = problem.evaluate, np.array(problem.lb, float), np.array(problem.ub, float)
    x = low + (high - low) * np.random.default_rng(1).uniform(0.3, 0.7, low.size)
    if x.size > 50 or f(x) != f(x):
        pytest.skip("a large one, or one that is random")
    jac = sad.jacobian(f, x, guard="record")
    found, value = jac(x).toarray()[0], f(x)
    assert abs(jac.value(x)[()] - value) <= 1e-9 * max(abs(value), 1e-3)
    errors = [abs(differences(f, x.astype(np.longdouble), h) - found).max() for h in STEPS]
    assert min(errors) <= 2e-3 * abs(found).max() + 1e-9 * abs(value)
