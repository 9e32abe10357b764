"""The least-squares problems of optimagic: Moré and Wild, Cartis and Roberts."""

import numpy as np
import pytest

import sparsead as sad
from tests.reference import assert_close, differences

pytest.importorskip("optimagic")
from optimagic.benchmarking.cartis_roberts import CARTIS_ROBERTS_PROBLEMS
from optimagic.benchmarking.more_wild import MORE_WILD_PROBLEMS

PROBLEMS = CARTIS_ROBERTS_PROBLEMS | MORE_WILD_PROBLEMS
QUICK = ("luksan12", "luksan14", "luksan16", "methanb8", "chemrctb", "cbratu_2d", "freurone", "bard", "watson_6")
BRANCHES = ("helical_valley",)  # on the sign of x[0]


def parameter(name):
    return pytest.param(name, marks=() if name.startswith(QUICK) else pytest.mark.slow)


@pytest.mark.parametrize("name", [parameter(name) for name in PROBLEMS])
def test_agrees_with_differences(name):
    f, x = PROBLEMS[name]["fun"], np.array(PROBLEMS[name]["start_x"], dtype=float)
    x += 0.01 * np.random.default_rng(0).uniform(0.1, 0.9, x.size) * np.maximum(1.0, abs(x))
    jac = sad.jacobian(f, x, backend="python", guard="record" if name.startswith(BRANCHES) else "error")
    value, matrix = jac.value_and_jacobian(x)
    assert_close(value, f(x), 1e-12)
    assert_close(matrix.toarray(), differences(f, x))
