"""A pytest plugin: ``python -m pytest -p tests.numpy.plugin --pyargs numpy.lib.tests.test_shape_base``."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

import sparsead as sad
from tests.numpy import rewriting
from tests.numpy.comparing import Comparison, Outcome

MOST = int(os.environ.get("NUMPY_TESTS_MOST", "400"))  # events of one operation in a test module
outcomes: list[dict[str, Any]] = []
sad.jacobian(lambda x: x, [1.0])  # what is imported late is imported


def _report(outcome: Outcome) -> None:
    outcomes.append(vars(outcome) | {"test": os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]})


rewriting.install(Comparison(rewriting.perform, _report, MOST))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish() -> None:
    """Write the outcomes down, one a line."""
    with open(os.environ["NUMPY_TESTS_OUT"], "w", encoding="utf-8") as file:
        file.writelines(json.dumps(outcome) + "\n" for outcome in outcomes)
