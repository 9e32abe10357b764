"""The examples in the docstrings run, and say what comes out."""

import doctest
import importlib
import pkgutil

import pytest

import coloring

MODULES = [m.name for m in pkgutil.walk_packages(coloring.__path__, "coloring.") if ".kernels" not in m.name]


@pytest.mark.parametrize("name", ["coloring", *MODULES])
def test_examples_in_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder()
    assert sum(bool(test.examples) for m in MODULES for test in finder.find(importlib.import_module(m))) >= 8


def test_public_names_are_documented():
    for name in coloring.__all__:
        assert getattr(coloring, name).__doc__, name
