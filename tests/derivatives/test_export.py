"""Exported C code, compiled and called: the numbers of the compiled sweeps, with nothing that grows with n."""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess

import numpy as np
import pytest

import sparsead as sad
from sparsead.problems import PROBLEMS

COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="no C compiler")
FLAGS = ["-std=c99", "-pedantic", "-O1", "-Wall", "-Wextra", "-Werror", "-ffp-contract=off", "-shared", "-fPIC"]


class Compiled:
    """A library made of exported files."""

    def __init__(self, prepared, folder, name="lib"):
        self.name = name
        source, header = prepared.export(folder / name)
        assert (source, header) == (folder / f"{name}.c", folder / f"{name}.h")
        self.path = folder / f"{name}.so"
        subprocess.run([COMPILER, *FLAGS, "-o", self.path, source, "-lm"], check=True)
        self.shared = ctypes.CDLL(str(self.path))
        self.sizes = {k: int(v) for k, v in re.findall(rf"#define {name.upper()}_(\w+) (\d+)", header.read_text())}
        self.source = source.read_text()

    def __call__(self, function, *arrays):
        arrays = [*arrays, np.full(self.sizes["WORK"], np.nan)] if function != "structure" else arrays
        getattr(self.shared, f"{self.name}_{function}")(*(ctypes.c_void_p(a.ctypes.data) for a in arrays))

    def checked_structure(self, pattern):
        indptr, indices = np.empty(pattern.shape[0] + 1, np.int32), np.empty(self.sizes["NNZ"], np.int32)
        self("structure", indptr, indices)
        np.testing.assert_array_equal(indptr, pattern.indptr)
        np.testing.assert_array_equal(indices, pattern.indices)


def inputs(prepared, *args):
    return [np.ascontiguousarray(a) for a in prepared._inputs(args).values()]


SIZES = {
    "bratu": 9,
    "broyden": 30,
    "brusselator": 8,
    "burgers": 40,
    "cavity": 6,
    "rosenbrock": 50,
    "minimal-surface": 12,
}


@pytest.mark.parametrize("name", SIZES)
def test_benchmark_problems_equal_the_compiled_sweeps_to_the_bit(name, tmp_path):
    problem = PROBLEMS[name](SIZES[name])
    x, kind = problem.x0 + 0.01, problem.derivative
    prepared = getattr(sad, kind)(problem.f, problem.x0, *problem.args)
    compiled, values = Compiled(prepared, tmp_path), np.empty(prepared.pattern.nnz)
    compiled(kind, *inputs(prepared, x, *problem.args), values)
    same = np.testing.assert_array_equal if name != "bratu" else close  # exp is another library's
    same(values, prepared(x, *problem.args).data)
    compiled.checked_structure(prepared.pattern)


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-13, atol=1e-13 * abs(wanted).max())


def layered(x, p):
    return np.sin(p * np.cumsum(x)) * np.exp(-x[::-1]) + np.where(x > 0.5, x, np.arctan2(x, p))


def scalar(x, p):
    return np.sum(np.exp(np.sin(x[1:] * x[:-1])) * np.cumsum(x[1:])[::-1]) * p[0] + p[1] ** 2


X = np.linspace(0.2, 1.1, 11)


@pytest.mark.parametrize("mode", ["direct", "forward", "reverse", "bidirectional"])
def test_value_jacobian_and_products(mode, tmp_path):
    jac = sad.jacobian(layered, X, 0.3, mode=mode)
    compiled, given = Compiled(jac, tmp_path), inputs(jac, X, 0.7)
    y, values, v = np.empty(11), np.empty(jac.pattern.nnz), np.cos(np.arange(11.0))
    compiled("value", *given, y)
    close(y, layered(X, 0.7))
    compiled("jacobian", *given, values)
    J = jac.structure.matrix(values)
    differences = [(layered(X + h, 0.7) - layered(X - h, 0.7)) / 2e-6 for h in 1e-6 * np.eye(11)]
    np.testing.assert_allclose(J.toarray(), np.transpose(differences), atol=1e-8)
    close(values, jac(X, 0.7).data)
    compiled("jvp", *given, v, y)
    close(y, J @ v)
    compiled("vjp", *given, v, y)
    close(y, v @ J)
    compiled.checked_structure(jac.pattern)
    assert compiled.sizes.keys() == {"M", "N", "NNZ", "WORK"}


@pytest.mark.parametrize("mode", ["direct", "star", "acyclic", "column"])
def test_value_gradient_hessian_and_products(mode, tmp_path):
    p = np.array([0.7, 2.0])
    hess = sad.hessian(scalar, X, p, mode=mode)
    compiled, given = Compiled(hess, tmp_path), inputs(hess, X, p)
    y, g, values, v = np.empty(1), np.empty(11), np.empty(hess.pattern.nnz), np.cos(np.arange(11.0))
    compiled("value", *given, y)
    close(y[0], scalar(X, p))
    compiled("gradient", *given, g)
    close(g, hess.gradient(X, p))
    compiled("hessian", *given, values)
    H = hess.structure.matrix(values)
    np.testing.assert_array_equal(H.toarray(), H.toarray().T)
    close(values, hess(X, p).data)
    compiled("hvp", *given, v, g)
    close(g, H @ v)
    compiled.checked_structure(hess.pattern)


def test_gradient_alone(tmp_path):
    p = np.array([0.7, 2.0])
    grad = sad.gradient(scalar, X, p)
    compiled, g, y = Compiled(grad, tmp_path), np.empty(11), np.empty(1)
    compiled("gradient", *inputs(grad, X, p), g)
    compiled("value", *inputs(grad, X, p), y)
    close(g, grad(X, p))
    close(y[0], scalar(X, p))


def test_tables_of_any_content(tmp_path):
    rng = np.random.default_rng(3)
    weights, steps, order = rng.normal(size=60), np.repeat([0.5, np.inf, -0.0], 20), rng.permutation(60)

    def f(x):
        return np.minimum(x[order] * weights, steps) * np.tile([1.0, 2.0], 30)

    jac = sad.jacobian(f, np.ones(60))
    compiled, x, y, values = Compiled(jac, tmp_path), rng.normal(size=60), np.empty(60), np.empty(60)
    compiled("value", x, y)
    np.testing.assert_array_equal(y, f(x))
    compiled("jacobian", x, values)
    np.testing.assert_array_equal(values, jac(x).data)


def test_functions_run_in_several_threads(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    jac = sad.jacobian(layered, X, 0.3)
    compiled = Compiled(jac, tmp_path)

    def one(k):
        values = np.empty(jac.pattern.nnz)
        for _ in range(50):
            compiled("jacobian", *inputs(jac, X + k, 0.7), values)
        return values

    with ThreadPoolExecutor(4) as pool:
        for k, values in enumerate(pool.map(one, range(8))):
            close(values, jac(X + k, 0.7).data)


def chain(x):
    y = x**2 - np.sin(np.roll(x, 1))
    y[1:-1] -= np.exp(x[:-2] * x[2:])
    return y


def test_size_does_not_depend_on_n(tmp_path):
    sizes = []
    for n in (100, 20_000):
        source, header = sad.jacobian(chain, np.ones(n)).export(tmp_path / "lib")
        sizes.append(source.stat().st_size + header.stat().st_size)
    assert sizes[1] < 1.05 * sizes[0] < 100_000


@pytest.mark.slow
@pytest.mark.parametrize("n", [10**2, 10**4, 10**6])
def test_libraries_of_large_problems_are_small(n, tmp_path):
    compiled = Compiled(sad.jacobian(chain, np.ones(n)), tmp_path)
    assert compiled.path.stat().st_size < 100_000


def test_names_and_functions_that_c_cannot_have_are_refused(tmp_path):
    jac = sad.jacobian(layered, X, 0.3)
    for name in ("1st", "my-lib", "é", "a b"):
        with pytest.raises(sad.InputError, match="cannot begin the names"):
            jac.export(tmp_path / name)
    assert jac.export(tmp_path / "name.c") == jac.export(str(tmp_path / "name"))
