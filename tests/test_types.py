"""What type checkers and editors see: the types of public functions and of what they return."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import subprocess
import sys

import pytest

import sparsead as sad

USER = """
from typing import assert_type

import numpy as np
from scipy.sparse import csr_array

import sparsead as sad


def f(x: np.ndarray) -> np.ndarray:
    return x**2


def g(x: np.ndarray) -> float:
    return float(np.sum(x**2))


x0 = np.ones(3)
jac = sad.jacobian(f, x0)
assert_type(jac, sad.Jacobian)
assert_type(jac(x0), csr_array)
assert_type(jac.mode, str)
assert_type(sad.jacobian(f, x0, mode="forward", format="csc"), sad.Jacobian)
assert_type(sad.jacobian(f, x0, method="complex-step"), sad.DifferenceJacobian)
assert_type(sad.jacobian(f, x0, guard="record"), sad.Guarded)
hess = sad.hessian(g, x0, triangle="lower")
assert_type(hess, sad.Hessian)
assert_type(hess.value(x0), float)
assert_type(sad.hessian(g, x0, guard="record"), sad.Guarded)
assert_type(sad.gradient(g, x0), sad.Gradient)
assert_type(jac.explain(row=0), sad.Explanation | sad.Overview)
assert_type(sad.check(jac, x0), sad.Report)
tree: dict[str, float] = {"u": 1.0}
assert_type(sad.unpack([1.0], like=tree), dict[str, float])
"""
WRONG = USER + 'sad.jacobian(f, x0, format="lil")\njac.jcp(x0)\n'


def run(checker, folder, text):
    file = folder / "user.py"
    file.write_text(text)
    return subprocess.run([sys.executable, "-m", *checker, str(file)], capture_output=True, text=True, cwd=folder)


@pytest.mark.slow
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_users_file(checker, tmp_path):
    if importlib.util.find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    command = [checker, "--cache-dir", str(tmp_path / "cache")] if checker == "mypy" else [checker]
    right, wrong = run(command, tmp_path, USER), run(command, tmp_path, WRONG)
    assert right.returncode == 0, right.stdout + right.stderr
    last = len(USER.splitlines())
    for line in (last + 1, last + 2):  # an unknown format, an unknown method
        assert re.search(rf"user\.py:{line}:.*error", wrong.stdout), wrong.stdout
    assert wrong.returncode == 1


SHOPS = ["sparsead", "sparsead.extend", "sparsead.solvers", "sparsead.problems", "sparsead.ranks", "coloring"]
OURS = ("sparsead", "coloring")
WITHIN = {"TracedArray", "stack_objects"}  # they stand for arrays and numbers of NumPy inside a function


def functions_of(public):
    """Yield the name and the function of a public function, or of all public members of a class: properties too."""
    if not inspect.isclass(public):
        yield "", public
        return
    for name in dir(public):
        member = inspect.getattr_static(public, name)
        function = getattr(member, "fget", getattr(member, "func", getattr(member, "__func__", member)))
        if (name == "__call__" or not name.startswith("_")) and inspect.isfunction(function):
            yield f".{name}", function


@pytest.mark.parametrize("shop", SHOPS)
def test_no_public_function_returns_anything_at_all(shop):
    """What is read off the annotations: ``Any`` would leave an editor without a completion."""
    module = importlib.import_module(shop)
    seen = []
    for name in getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]):
        public = getattr(module, name)
        if name in WITHIN or not (inspect.isclass(public) or inspect.isroutine(public)):
            continue
        for member, function in functions_of(public):
            function = inspect.unwrap(function)
            if function.__module__.startswith(OURS):
                parts = str(function.__annotations__.get("return")).split(" | ")
                seen.append((f"{name}{member}", parts))
    assert seen
    assert not [name for name, parts in seen if {"Any", "typing.Any"} & {*parts}]


def test_dir_shows_what_is_meant():
    assert set(dir(sad)) == {*sad.__all__, *sad._SUBMODULES, "__version__"}
    assert {"Report", "Explanation", "Overview", "Guarded"} <= set(dir(sad))
