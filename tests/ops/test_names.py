"""Every public name is handled, answered, plain or refused, and what is refused is refused with the place."""

from __future__ import annotations

import importlib
import inspect
import warnings

import numpy as np
import pytest

import sparsead as sad
from sparsead.ops.names import MODULES, REASONS, answers, attributes

TABLE = {module: answers(module) for module in MODULES}
REFUSED = [a.spelling for module in MODULES for a in TABLE[module] if a.kind == "refused"]
REASONS_OF = {a.spelling: a.reason for module in MODULES for a in TABLE[module]}
NEWEST = (2, 4)  # the version of NumPy whose names are all stated


def function(spelling):
    module, _, name = spelling.replace("np.", "numpy.", 1).rpartition(".")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_answer(module):
    names = {n for n in importlib.import_module(module).__all__ if not n.startswith("_")}
    assert names <= {a.spelling.rpartition(".")[2] for a in TABLE[module]}
    assert {a.kind for a in TABLE[module]} <= {"handled", "answered", "plain", "refused"}


@pytest.mark.skipif(tuple(map(int, np.__version__.split(".")[:2])) > NEWEST, reason="names of later versions")
@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("numpy")])
def test_no_name_of_numpy_is_left_to_the_default(module):
    assert [a.spelling for a in TABLE[module] if a.reason == REASONS[module]] == []


def arguments(func):
    """How many arguments a function needs."""
    if isinstance(func, np.ufunc):
        return func.nin
    parameters = inspect.signature(func).parameters.values()
    needed = [p for p in parameters if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
    return len(needed) or 1


@pytest.mark.parametrize("spelling", REFUSED)
def test_what_is_refused_is_refused(spelling):
    func = function(spelling)
    try:
        count = arguments(func)
    except ValueError:
        count = 1
    x, plain = np.full((3, 3), 0.5), None
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            func(*[x.copy()] * count)
        except Exception as error:
            plain = error
        with pytest.raises((sad.SparseADError, TypeError) if plain is None else Exception) as met:
            sad.jacobian(lambda x: function(spelling)(*[x] * count), x, backend="python")
    if spelling.startswith("np.") and plain is None:
        assert isinstance(met.value, sad.SparseADError)
        assert REASONS_OF.get(spelling, "") in str(met.value)
        assert "test_names.py" in str(met.value)


@pytest.mark.parametrize("answer", attributes(), ids=lambda answer: answer.spelling)
def test_attributes_of_arrays_are_there_or_refused(answer):
    name, found = answer.spelling.removeprefix("ndarray."), []

    def f(x):
        found.append(hasattr(np.ndarray, name))
        getattr(x, name)
        return x * 1.0

    if answer.kind == "handled":
        sad.jacobian(f, np.ones((2, 2)), backend="python")
    else:
        with pytest.raises(sad.UnsupportedOperationError, match=rf"(?s)ndarray\.{name}.*test_names\.py"):
            sad.jacobian(f, np.ones((2, 2)), backend="python")
    assert found
