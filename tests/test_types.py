"""What type checkers and editors see: the types of public functions and of what they return."""

from __future__ import annotations

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


def test_no_public_function_returns_anything_at_all():
    """What is read off the annotations: ``Any`` would leave an editor without a completion."""
    for name in sad.__all__:
        public = getattr(sad, name)
        members = inspect.getmembers(public, inspect.isfunction) if inspect.isclass(public) else [(name, public)]
        for method, function in members:
            private = method.startswith("_") and method != "__call__"
            if private or not function.__module__.startswith("sparsead.derivatives"):
                continue
            found = inspect.unwrap(function).__annotations__.get("return")
            assert found not in ("Any", None), f"{name}.{method}"


def test_dir_shows_what_is_meant():
    assert set(dir(sad)) == {*sad.__all__, *sad._SUBMODULES, "__version__"}
    assert {"Report", "Explanation", "Overview", "Guarded"} <= set(dir(sad))
