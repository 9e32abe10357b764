"""No text from files or arguments is executed: every call that could is in this list, with the reason."""

from __future__ import annotations

import ast
from pathlib import Path

import numpy as np
import pytest

import sparsead as sad
from sparsead.errors import InputError

ROOT = Path(__file__).parent.parent
DANGEROUS = {"eval", "exec", "compile", "loads", "load_module", "system", "popen", "Unpickler", "read_pickle"}
KNOWN = {
    ("sparsead/emit/python.py", "exec"),  # generated text: see the test below
    ("sparsead/emit/python.py", "compile"),
    ("sparsead/tracing/unpacking.py", "exec"),  # generated text, in which keys of the user's are literals: likewise
    ("sparsead/tracing/unpacking.py", "compile"),
    ("sparsead/keeping/pickling.py", "loads"),  # inside a pickle that the user unpickles
    ("sparsead/program/sending.py", "loads"),  # inside a pickle that one rank of a program sends to another
}


def calls(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            function = node.func
            name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            value = getattr(function, "value", None)  # os of os.system, prepared of self.prepared.compile
            owner = "" if value is None else getattr(value, "id", getattr(value, "attr", "another call"))
            yield name, owner, node


def test_calls_that_execute_are_known():
    found = set()
    for package in ("sparsead", "coloring"):
        for file in (ROOT / package).rglob("*.py"):
            for name, owner, _ in calls(file):
                if name in DANGEROUS and owner in ("", "pickle", "os", "marshal", "builtins"):
                    found.add((file.relative_to(ROOT).as_posix(), name))
    assert found == KNOWN


def test_arrays_are_read_without_pickles():
    for package in ("sparsead", "coloring"):
        for file in (ROOT / package).rglob("*.py"):
            for name, owner, node in calls(file):
                if name == "load" and owner in ("np", "numpy"):
                    allowed = [k for k in node.keywords if k.arg == "allow_pickle"]
                    assert all(isinstance(k.value, ast.Constant) and k.value.value is False for k in allowed), file


def test_generated_text_holds_no_text_of_the_user():
    evil = 'x); __import__("os").abort(); ('

    def f(x, word):
        return np.sin(x) * len(word)

    f.__name__ = evil
    x = np.ones(3)
    for backend in ("python", "llvm"):
        jac = sad.jacobian(f, x, evil, backend=backend)
        assert "__import__" not in jac.source
        np.testing.assert_allclose(jac(x, evil).diagonal(), len(evil) * np.cos(1.0))


def test_keys_of_arguments_are_literals_in_generated_text():
    evil = "']; __import__('os').abort(); a0['"
    jac = sad.jacobian(lambda x, p: x * p[evil] + p["fixed"][evil], np.ones(3), {evil: 2.0, "fixed": {evil: 3}})
    for _ in range(3):
        np.testing.assert_array_equal(jac(np.ones(3), {evil: 5.0, "fixed": {evil: 3}}).diagonal(), 5.0)
    with pytest.raises(InputError):
        jac(np.ones(3), {evil: 5.0, "fixed": {evil: 4}})
