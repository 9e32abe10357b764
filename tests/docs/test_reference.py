"""The API reference has a place for every public name."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

import coloring
import sparsead

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PACKAGES = ("sparsead", "sparsead.solvers", "sparsead.ranks", "sparsead.problems", "coloring")


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_listed(package):
    page = (REFERENCE / f"{package.split('.')[-1]}.md").read_text()
    listed = {name.strip() for name in re.findall(r"^   ([\w.]+)$", page, re.MULTILINE)}
    assert not set(importlib.import_module(package).__all__) - listed


def functions():
    for package in ("sparsead", "sparsead.solvers", "sparsead.ranks", "coloring"):
        module = importlib.import_module(package)
        yield from filter(inspect.isfunction, (getattr(module, name) for name in module.__all__))
    for made in (sparsead.Jacobian, sparsead.Hessian, sparsead.Gradient, coloring.ColoringResult):
        public = (f for name, f in vars(made).items() if name == "__call__" or not name.startswith("_"))
        yield from filter(inspect.isfunction, public)


@pytest.mark.parametrize("function", list(functions()), ids=lambda f: f"{f.__module__}.{f.__qualname__}")
def test_arguments_and_results_are_documented(function):
    doc = pytest.importorskip("numpydoc.docscrape").FunctionDoc(function)
    named = {name.strip("* ") for entry in doc["Parameters"] for name in entry.name.split(",")}
    expected = {name for name in inspect.signature(function).parameters if name != "self"}
    assert named >= expected
    assert doc["Returns"] or inspect.signature(function).return_annotation in (None, "None")
